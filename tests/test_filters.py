"""Conditions on runs: what they mean, what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from factories import run_file, with_sidecar

from energy_db import EnergyStore
from energy_db.errors import NotFoundError, UsageError
from energy_db.history.filters import Condition, moment, read_condition, select_runs

NOW = datetime(2026, 11, 23, 12, 0)
# name -> spikes, seed, tags; on loihi2 a spike of a lone layer costs 2.1 pJ.
RUNS: dict[str, tuple[int, str | None, dict[str, Any]]] = {
    "plain": (3, None, {"seed": "6"}),
    "good": (5, "7", {"accuracy": 0.97, "branch": "main"}),
    "better": (9, "10", {"accuracy": "0.990", "branch": "main-2", "seed": "x"}),
    "odd": (12, "seven", {"accuracy": "unknown", "branch": "dev"}),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnergyStore]:
    folder = tmp_path_factory.mktemp("filters")
    with EnergyStore(folder / "energy.duckdb") as opened:
        for day, (name, (n_spikes, seed, tags)) in enumerate(RUNS.items(), start=1):
            columns = {"layer": ["hidden"] * n_spikes, "neuron": [0] * n_spikes, "timestep": range(n_spikes)}
            path = with_sidecar(run_file(folder / f"{name}.parquet", columns), {"n_timesteps": 20})
            kind = "training" if name == "plain" else None
            opened.ingest(
                path, seed=seed, tags=tags, kind=kind, recorded_at=f"2026-10-0{day}T12:00:00", git_commit=f"c0ffee{day}"
            )
        opened._engine.run("UPDATE runs SET ingested_at = TIMESTAMP '2026-11-01' + run_key * INTERVAL 1 DAY")
        yield opened


def names(store: EnergyStore, *where: str, **options: Any) -> list[str]:
    keys = select_runs(store._engine, where, **options)
    by_key = dict(store._engine.rows("SELECT run_key, run_name FROM runs"))
    return [by_key[key] for key in keys]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("accuracy>=0.95", Condition("accuracy", ">=", "0.95")),
        (" a  <=  b c ", Condition("a", "<=", "b c")),
        ("a=b=c", Condition("a", "=", "b=c")),
        ("a==b", Condition("a", "=", "b")),
        ("a!=", Condition("a", "!=", "")),
        ("name~<x>", Condition("name", "~", "<x>")),
        ("tag:seed=1", Condition("tag:seed", "=", "1")),
    ],
)
def test_a_condition_is_read(text: str, expected: Condition) -> None:
    assert read_condition(text) == expected


@pytest.mark.parametrize("text", ["", "accuracy", "=0.9", ">", "  = 1", 7])
def test_what_is_no_condition_is_refused(text: Any) -> None:
    with pytest.raises(UsageError, match="is not a condition"):
        read_condition(text)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ([], ["odd", "better", "good", "plain"]),
        (["accuracy>=0.98"], ["better"]),
        (["accuracy=0.99"], ["better"]),
        (["accuracy!=0.99"], ["odd", "good"]),
        (["accuracy<1"], ["better", "good"]),
        (["accuracy>98%"], ["better"]),
        (["accuracy>97 %"], ["better"]),
        (["accuracy>=97%"], ["better", "good"]),
        (["accuracy<98"], ["good"]),  # an accuracy above 1 is in per cents
        (["accuracy=99%"], ["better"]),
        (["accuracy!=99%"], ["odd", "good"]),
        (["accuracy=unknown"], ["odd"]),
        (["branch=main"], ["good"]),
        (["branch~main"], ["better", "good"]),
        (["branch~main", "accuracy<0.98"], ["good"]),
        (["kind=training"], ["plain"]),
        (["name~o"], ["odd", "good"]),
        (["name!=odd", "name!=plain"], ["better", "good"]),
        (["seed<10"], ["good", "plain"]),  # where none is declared, the tag of that name
        (["seed=10.0"], ["better"]),
        (["seed=seven"], ["odd"]),
        (["tag:seed=x"], ["better"]),
        (["git_commit=c0ffee2"], ["good"]),
        (["spikes<9"], ["good", "plain"]),
        (["spikes<=9"], ["better", "good", "plain"]),
        (["timesteps=20", "samples=1", "spikes>9"], ["odd"]),
        (["recorded_at=2026-10-02"], ["good"]),
        (["recorded_at>2026-10-02"], ["odd", "better"]),
        (["recorded_at<2026-10-02T12:00:01"], ["good", "plain"]),
        (["ingested_at>=2026-11-04"], ["odd", "better"]),
        (["branch='; DROP TABLE runs; --"], []),
    ],
)
def test_runs_are_selected(store: EnergyStore, where: list[str], expected: list[str]) -> None:
    assert names(store, *where) == expected


@pytest.fixture(scope="module")
def store_of_per_cents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnergyStore]:
    folder = tmp_path_factory.mktemp("per_cents")
    tags = {
        "share": {"accuracy": "0.991", "sparsity": "60"},
        "cents": {"accuracy": "99.1", "sparsity": "60 %"},
        "text": {"accuracy": " 99.1 % ", "sparsity": "inf"},
        "less": {"accuracy": "94", "sparsity": "40%"},
    }
    with EnergyStore(":memory:") as opened:
        for number, (name, carried) in enumerate(tags.items()):
            path = run_file(folder / f"{name}.parquet", {"layer": ["a"], "neuron": [number], "timestep": [0]})
            opened.ingest(path, tags=carried)
        yield opened


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("accuracy>0.95", ["text", "cents", "share"]),
        ("accuracy>95%", ["text", "cents", "share"]),
        ("accuracy>95", ["text", "cents", "share"]),
        ("accuracy<=99.1%", ["less", "text", "cents", "share"]),
        ("accuracy=99.1%", ["text", "cents", "share"]),
        ("accuracy=0.991", ["text", "cents", "share"]),
        ("accuracy<95%", ["less"]),
        ("sparsity>50%", ["cents", "share"]),
        ("sparsity>1", ["share"]),
        ("sparsity=60%", ["cents"]),
        ("sparsity=60", ["share"]),
    ],
)
def test_per_cents_are_shares_however_they_are_written(
    store_of_per_cents: EnergyStore, where: str, expected: list[str]
) -> None:
    assert names(store_of_per_cents, where) == expected


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("energy<=10.5", ["good", "plain"]),
        ("energy>0.0105 nJ", ["odd", "better"]),
        ("energy=6.3pJ", ["plain"]),
        ("energy<1 \u00b5J", ["odd", "better", "good", "plain"]),
        ("energy<1 \u03bcJ", ["odd", "better", "good", "plain"]),
        ("energy>-.5nJ", ["odd", "better", "good", "plain"]),
    ],
)
def test_energies_are_compared(store: EnergyStore, where: str, expected: list[str]) -> None:
    assert names(store, where, chip="loihi2", cost_version="tutorial72") == expected


def test_an_energy_of_which_a_part_is_unknown_meets_no_condition(store: EnergyStore) -> None:
    assert names(store, "energy>=0", chip="loihi", cost_version="davies2018") == []


def test_name_since_and_limit(store: EnergyStore) -> None:
    assert names(store, name="good") == ["good"]
    assert names(store, since="2026-11-03") == ["odd", "better", "good"]
    assert names(store, since=date(2026, 11, 4)) == ["odd", "better"]
    assert names(store, limit=1) == ["odd"]
    assert names(store, limit=0) == []
    assert len(names(store, limit=10**23)) == 4
    assert names(store, "branch~main", limit=1) == ["better"]


@pytest.mark.parametrize(
    ("where", "says"),
    [
        (["spikes>many"], "'many', which is not a number"),
        (["spikes~1"], "spikes is not a text"),
        (["recorded_at>soon"], "'soon', which is no moment"),
        (["energy>1"], "needs a chip"),
        (["accuracy>=a"], "only numbers and per cents are above or below"),
        (["branch<main"], "only numbers and per cents are above or below"),
        (["tag:seed>x"], "only numbers and per cents are above or below"),
        (["seed>x"], "only numbers and per cents are above or below"),
        (["accuracy>nan"], "only numbers and per cents are above or below"),
        (["accuracy>%"], "only numbers and per cents are above or below"),
        (["accuracy>9%%"], "only numbers and per cents are above or below"),
        (["recorded_at<9999-12-31T23:59:59-05:00"], "no moment in UTC"),
    ],
)
def test_what_cannot_be_meant_is_refused(store: EnergyStore, where: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        names(store, *where)


@pytest.mark.parametrize("value", ["", "nJ", "1 kWh", "1 nj", "x1"])
def test_what_is_no_energy_is_refused(store: EnergyStore, value: str) -> None:
    with pytest.raises(UsageError):
        names(store, f"energy<{value}", chip="loihi2", cost_version="tutorial72")


def test_a_lone_text_is_no_list_of_conditions(store: EnergyStore) -> None:
    with pytest.raises(UsageError, match="must be a list"):
        select_runs(store._engine, "branch=main")


def test_a_tag_that_no_run_has_is_named(store: EnergyStore) -> None:
    with pytest.raises(NotFoundError, match="'acuracy'") as found:
        names(store, "acuracy>0.9")
    assert found.value.hint is not None
    assert found.value.hint.startswith("Did you mean 'accuracy'? Tags in the store: accuracy, branch, seed.")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-20", datetime(2026, 11, 20)),
        ("2026-11-20T08:30", datetime(2026, 11, 20, 8, 30)),
        ("2026-11-20T08:30+01:00", datetime(2026, 11, 20, 7, 30)),
        ("90 minutes ago", datetime(2026, 11, 23, 10, 30)),
        ("1 hour ago", datetime(2026, 11, 23, 11)),
        ("3 days ago", datetime(2026, 11, 20, 12)),
        ("2 weeks ago", datetime(2026, 11, 9, 12)),
        ("9 months ago", datetime(2026, 2, 23, 12)),
        ("1 year ago", datetime(2025, 11, 23, 12)),
        (date(2026, 1, 2), datetime(2026, 1, 2)),
        (datetime(2026, 1, 2, 3), datetime(2026, 1, 2, 3)),
        (datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))), datetime(2026, 1, 2, 1)),
    ],
)
def test_moments_are_read(value: date | str, expected: datetime) -> None:
    assert moment("since", value, NOW) == expected


def test_a_month_back_ends_where_that_month_ends() -> None:
    assert moment("since", "1 month ago", datetime(2026, 3, 31, 8)) == datetime(2026, 2, 28, 8)
    assert moment("since", "13 months ago", datetime(2026, 3, 31, 8)) == datetime(2025, 2, 28, 8)


def test_ago_counts_from_now() -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    assert timedelta(0) <= moment("since", "0 minutes ago") - now < timedelta(minutes=1)


@pytest.mark.parametrize("limit", ["5", 2.0, -1, True])
def test_what_is_no_limit_is_refused(store: EnergyStore, limit: Any) -> None:
    with pytest.raises(UsageError, match="must be a whole number of 0 or more"):
        names(store, limit=limit)
    with pytest.raises(UsageError, match="must be a whole number of 0 or more"):
        store.history(limit=limit)


@pytest.mark.parametrize("value", ["9999-12-31T23:59:59-05:00", "0001-01-01T00:00+05:00"])
def test_a_moment_that_utc_does_not_have_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="no moment in UTC"):
        moment("since", value)
    with pytest.raises(UsageError, match="no moment in UTC"):
        moment("since", datetime.fromisoformat(value))


@pytest.mark.parametrize("value", ["", "yesterday-ish", "9999 years ago", "2026-13-01", "999999 weeks ago", 7, None])
def test_what_is_no_moment_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match="since is"):
        moment("since", value, NOW)


def test_runs_without_any_tag_in_the_store(small_store: Path) -> None:
    with EnergyStore(small_store) as opened, pytest.raises(NotFoundError, match="accuracy") as found:
        select_runs(opened._engine, ["accuracy>0"])
    assert "Tags in the store: none." in str(found.value.hint)
