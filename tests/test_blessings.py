"""Levels are accepted with a reason and taken back with one; nothing that was said is ever changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from factories import EVENTS, Shell, assert_refused, dump, run_file, with_sidecar

from energy_db import EnergyStore
from energy_db.errors import NotFoundError, StoreError, UnpricedError, UsageError

# On loihi2, 4 hidden spikes of 2.1 pJ and 2 readout spikes of 1.0 pJ are 10.4 pJ, of which 8.4 pJ in hidden.
WHOLE, HIDDEN = 10.4, 8.4
MORE = {**EVENTS, "timestep": [1, 0, 2, 3, 1, 3]}

HALF_PRICED = """
[chip]
name = "half_priced"
title = "A chip that asks for a counter"
note = "For tests."

[[version]]
name = "v1"
label = "v1"
status = "user"
source = "nowhere"
note = "Invented."

[[version.cost]]
operation = "spike"
driver = "neuron_spike"
scope = "operation"
energy_pj = 1

[[version.cost]]
operation = "route"
driver = "hop"
scope = "operation"
energy_pj = 2
"""


@pytest.fixture
def unpriced_chip(tmp_path: Path) -> Path:
    """The file of a chip that asks for a counter which the run does not bring."""
    path = tmp_path / "half_priced.toml"
    path.write_text(HALF_PRICED, encoding="utf-8")
    return path


def again(store: EnergyStore, folder: Path) -> str:
    """Store a second run of the same name, with the same counts at other timesteps, and return its id."""
    path = with_sidecar(run_file(folder / "again.parquet", MORE))
    return store.ingest(path, name="kept", on_duplicate="new").run_id


class TestBless:
    def test_a_level_is_kept_with_its_reason(self, small_store: Path) -> None:
        with EnergyStore(small_store) as store:
            given = store.bless("kept", "loihi2", reason=" the first network ", blessed_by="ada")
            [found] = store.blessings()
        assert given.status == "blessed"
        assert (found.blessing_number, found.run_name, found.chip, found.cost_version) == (
            1,
            "kept",
            "loihi2",
            "tutorial72",
        )
        assert (found.layer, found.n_samples, found.energy_pj) == (None, 2, WHOLE)
        assert (found.reason, found.blessed_by, found.is_in_force) == ("the first network", "ada", True)
        assert abs(found.blessed_at - datetime.now(UTC).replace(tzinfo=None)) < timedelta(minutes=1)
        assert found.status == "stored"

    def test_a_layer_has_a_level_of_its_own(self, small_store: Path) -> None:
        with EnergyStore(small_store) as store:
            store.bless("kept", "loihi2", reason="whole")
            store.bless("kept", "loihi2", reason="layer", layer="hidden")
            found = store.blessings()
        assert [(one.layer, one.energy_pj, one.is_in_force) for one in found] == [
            ("hidden", HIDDEN, True),
            (None, WHOLE, True),
        ]

    def test_the_same_again_changes_nothing(self, small_store: Path) -> None:
        with EnergyStore(small_store) as store:
            store.bless("kept", "loihi2", reason="first")
            again = store.bless("kept", "loihi2", reason="second")
            assert (again.status, again.reason) == ("unchanged", "first")
            assert len(store.blessings()) == 1

    def test_a_newer_one_takes_the_place_of_an_older_one(self, small_store: Path, tmp_path: Path) -> None:
        with EnergyStore(small_store) as store:
            first = store.run("kept").run_id
            second = again(store, tmp_path)
            store.bless(first, "loihi2", reason="first")
            store.bless(second, "loihi2", reason="second")
            assert [(one.run_id, one.is_in_force) for one in store.blessings()] == [(second, True), (first, False)]
            # To go back to the first level is to say something new.
            third = store.bless(first, "loihi2", reason="back to the first")
            assert (third.blessing_number, third.status) == (3, "blessed")

    def test_histories_and_chips_do_not_mix(self, small_store: Path, tmp_path: Path) -> None:
        path = with_sidecar(run_file(tmp_path / "other.parquet", MORE))
        with EnergyStore(small_store) as store:
            store.ingest(path)
            store.bless("kept", "loihi2", reason="a")
            store.bless("kept", "akida", reason="b")
            store.bless("other", "loihi2", reason="c")
            assert all(one.is_in_force for one in store.blessings())
            assert [one.reason for one in store.blessings(name="kept")] == ["b", "a"]
            assert [one.reason for one in store.blessings(chip="loihi2")] == ["c", "a"]
            assert [one.reason for one in store.blessings(name="kept", chip="loihi2")] == ["a"]

    def test_a_dry_run_keeps_nothing(self, small_store: Path) -> None:
        with EnergyStore(small_store) as store:
            given = store.bless("kept", "loihi2", reason="maybe", dry_run=True)
            assert (given.status, given.blessing_number, given.energy_pj) == ("would be blessed", 1, WHOLE)
            assert store.blessings() == []

    @pytest.mark.parametrize("reason", ["", "   ", "\n"])
    def test_no_reason_no_blessing(self, small_store: Path, reason: str) -> None:
        with EnergyStore(small_store) as store:
            with pytest.raises(UsageError, match="reason"):
                store.bless("kept", "loihi2", reason=reason)
            assert store.blessings() == []

    def test_what_is_not_there_cannot_be_blessed(self, small_store: Path) -> None:
        with EnergyStore(small_store) as store:
            for run, chip, layer, says in (
                ("kep", "loihi2", None, "Did you mean 'kept'"),
                ("kept", "lohi2", None, "Did you mean 'loihi2'"),
                ("kept", "loihi2", "hiden", "Did you mean 'hidden'"),
            ):
                with pytest.raises(NotFoundError, match=says):
                    store.bless(run, chip, reason="why not", layer=layer)
            with pytest.raises(NotFoundError, match="no cost version"):
                store.bless("kept", "loihi2", reason="why not", cost_version="tutorial73")
            assert store.blessings() == []

    def test_a_part_of_an_energy_is_no_level(self, small_store: Path, unpriced_chip: Path) -> None:
        with EnergyStore(small_store) as store:
            store.costs.add(unpriced_chip)
            with pytest.raises(UnpricedError, match="the run brings no counter hop"):
                store.bless("kept", "half_priced", reason="why not")
            # Nobody knows in which layer the hops are.
            with pytest.raises(UnpricedError, match="the run brings no counter hop"):
                store.bless("kept", "half_priced", reason="why not", layer="hidden")

    def test_a_reader_cannot_bless(self, small_store: Path) -> None:
        with EnergyStore(small_store, read_only=True) as store:
            with pytest.raises(StoreError, match="read-only: bless"):
                store.bless("kept", "loihi2", reason="why not")
            with pytest.raises(StoreError, match="read-only: bless --revoke"):
                store.revoke(1, reason="why not")


class TestRevoke:
    def test_the_one_before_is_in_force_again(self, small_store: Path, tmp_path: Path) -> None:
        with EnergyStore(small_store) as store:
            store.bless("kept", "loihi2", reason="first")
            store.bless(again(store, tmp_path), "loihi2", reason="second")
            before = store.blessings()
            given = store.revoke(2, reason="wrong run", revoked_by="ada")
            assert (given.status, given.is_in_force, given.revocation_reason) == ("revoked", False, "wrong run")
            after = store.blessings()
        assert [one.is_in_force for one in before] == [True, False]
        assert [one.is_in_force for one in after] == [False, True]
        assert [(one.revoked_at is not None, one.revocation_reason) for one in after] == [
            (True, "wrong run"),
            (False, None),
        ]
        assert [one.revoked_by for one in (given, *after)] == ["ada", "ada", None]

    def test_nothing_that_was_said_is_changed(self, small_store: Path) -> None:
        with EnergyStore(small_store) as store:
            store.bless("kept", "loihi2", reason="first")
        before = dump(small_store)
        with EnergyStore(small_store) as store:
            store.revoke(1, reason="a mistake")
        after = dump(small_store)
        assert after["blessings"] == before["blessings"]
        assert [row[:2] for row in after["blessing_revocations"]] == [(1, "a mistake")]
        assert {name for name in after if after[name] != before[name]} == {"blessing_revocations"}

    def test_it_can_be_taken_back_once(self, small_store: Path) -> None:
        with EnergyStore(small_store) as store:
            store.bless("kept", "loihi2", reason="first")
            store.revoke(1, reason="a mistake")
            again = store.revoke(1, reason="another reason")
            assert (again.status, again.revocation_reason) == ("unchanged", "a mistake")
            # What was taken back can be given again.
            assert store.bless("kept", "loihi2", reason="after all").blessing_number == 2

    def test_a_dry_run_takes_nothing_back(self, small_store: Path) -> None:
        with EnergyStore(small_store) as store:
            store.bless("kept", "loihi2", reason="first")
            assert store.revoke(1, reason="maybe", dry_run=True).status == "would be revoked"
            assert [one.is_in_force for one in store.blessings()] == [True]

    def test_an_unknown_one_is_refused(self, small_store: Path) -> None:
        with EnergyStore(small_store) as store:
            with pytest.raises(NotFoundError, match="there is no blessing 7"):
                store.revoke(7, reason="why not")
            with pytest.raises(UsageError, match="must be the number"):
                store.revoke("kept", reason="why not")  # type: ignore[arg-type]
            store.bless("kept", "loihi2", reason="first")
            with pytest.raises(UsageError, match="a revocation needs a reason"):
                store.revoke(1, reason="")
            assert [one.is_in_force for one in store.blessings()] == [True]


class TestCommandLine:
    def test_bless_list_revoke(self, small_store: Path, shell: Shell) -> None:
        result = shell("bless", "kept", "--chip", "loihi2", "--reason", "the first network", "--by", "ada", "--json")
        assert result.exit_code == 0
        [row] = json.loads(result.stdout)["rows"]
        assert (row["status"], row["energy_pj"], row["blessed_by"]) == ("blessed", WHOLE, "ada")
        listed = json.loads(shell("bless", "--list", "--json").stdout)
        assert listed["schema"] == "energy-db/blessings/1"
        assert [(one["reason"], one["is_in_force"]) for one in listed["rows"]] == [("the first network", True)]
        result = shell("bless", "--revoke", "1", "--reason", "by mistake", "--json")
        assert (result.exit_code, json.loads(result.stdout)["rows"][0]["status"]) == (0, "revoked")
        shown = shell("bless", "--list").stdout
        assert all(part in shown for part in ("10.4 pJ", "the first network", "revoked: by mistake"))

    def test_the_reply_says_why_and_who(self, small_store: Path, shell: Shell) -> None:
        shell("bless", "kept", "--chip", "loihi2", "--reason", "the first network")
        revoke = ("bless", "--revoke", "1", "--by", "bob", "--reason", "no better")
        assert "would be revoked by bob: no better" in shell(*revoke, "--dry-run").stdout
        assert " revoked by bob: no better" in shell(*revoke).stdout
        assert "revoked by bob: no better" in shell("bless", "--list").stdout
        [row] = json.loads(shell("bless", "--list", "--json").stdout)["rows"]
        assert (row["revoked_by"], row["revocation_reason"]) == ("bob", "no better")

    def test_a_layer_can_be_blessed(self, small_store: Path, shell: Shell) -> None:
        result = shell("bless", "kept", "--chip", "loihi2", "--layer", "hidden", "--reason", "ok", "-f", "csv")
        assert result.exit_code == 0
        assert f",hidden,2,{HIDDEN}," in result.stdout

    def test_dry_runs_change_nothing(self, small_store: Path, shell: Shell) -> None:
        content = dump(small_store)
        assert "would be blessed" in shell("bless", "kept", "--chip", "loihi2", "--reason", "x", "--dry-run").stdout
        assert dump(small_store) == content

    def test_an_empty_list_says_so(self, small_store: Path, shell: Shell) -> None:
        result = shell("bless", "--list")
        assert (result.exit_code, result.stdout) == (0, "")
        assert "no level is blessed" in result.stderr

    @pytest.mark.parametrize(
        ("arguments", "exit_code", "says"),
        [
            (["bless"], 2, "name a run"),
            (["bless", "kept", "--reason", "x"], 2, "--chip"),
            (["bless", "kept", "--chip", "loihi2"], 2, "--reason"),
            (["bless", "kept", "--chip", "loihi2", "--reason", " "], 2, "needs a reason"),
            (["bless", "kept", "--list"], 2, "--list"),
            (["bless", "--list", "--revoke", "1"], 2, "--list"),
            (["bless", "kept", "--revoke", "1", "--reason", "x"], 2, "--revoke"),
            (["bless", "--revoke", "1"], 2, "--reason"),
            (["bless", "--revoke", "1", "--reason", "x"], 3, "there is no blessing 1"),
            (["bless", "--revoke", "one", "--reason", "x"], 2, "not a valid integer"),
            (["bless", "--list", "--chip", "lohi2"], 3, "Did you mean 'loihi2'"),
            (["bless", "nobody", "--chip", "loihi2", "--reason", "x"], 3, "no run is called 'nobody'"),
        ],
    )
    def test_bad_usage(self, small_store: Path, shell: Shell, arguments: list[str], exit_code: int, says: str) -> None:
        assert_refused(shell, small_store, exit_code, arguments, says)
