"""Counters: what a run brings beside its spikes is stored as it is, belongs to its content, or is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from factories import EVENTS, NETWORK, Shell, assert_refused, forget_runs, run_file, with_sidecar
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from energy_db import EnergyStore, Run
from energy_db.errors import DuplicateRunError, RunFileError, UsageError
from energy_db.unstored import FileReports

few = settings(max_examples=8, derandomize=True, deadline=None, database=None)
bad = pytest.param

ROWS: list[dict[str, Any]] = [
    {"driver": "mac", "count": 1200},
    {"driver": "hop", "layer": "hidden", "count": 7},
    {"driver": "hop", "layer": "output", "count": 2},
    {"driver": "message", "layer": "hidden", "neuron": 2, "count": 5},
    {"driver": "message", "layer": "hidden", "neuron": 0, "count": 3},
    {"driver": "message", "layer": "output", "neuron": 1, "count": 1},
]
STORED = [
    ("hop", 0, None, 7),
    ("hop", 1, None, 2),
    ("mac", None, None, 1200),
    ("message", 0, 0, 3),
    ("message", 0, 2, 5),
    ("message", 1, 1, 1),
]
TOTALS = {"hop": 9, "mac": 1200, "message": 9}
TYPES = pa.schema({"driver": pa.string(), "layer": pa.string(), "neuron": pa.int64(), "count": pa.int64()})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A run file with its sidecar: 3 hidden neurons and 2 of the output."""
    return with_sidecar(run_file(tmp_path / "run.parquet"))


@pytest.fixture
def store(bare_store: EnergyStore) -> EnergyStore:
    return bare_store


def counters_of(store: EnergyStore, run: Run) -> list[tuple[Any, ...]]:
    return store._engine.rows(
        "SELECT driver, layer_index, neuron, driver_count FROM counters WHERE run_key = ? ORDER BY ALL", [run.run_key]
    )


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=TYPES)


def as_csv(folder: Path) -> Path:
    arrow_csv.write_csv(table_of(ROWS), folder / "counters.csv")
    return folder / "counters.csv"


def as_parquet(folder: Path, name: str = "counters.parquet", **types: pa.DataType) -> Path:
    table = table_of(ROWS)
    for column, kind in types.items():
        index = table.column_names.index(column)
        table = table.set_column(index, column, table[column].cast(kind))
    parquet.write_table(table, folder / name)
    return folder / name


def as_renamed(folder: Path) -> Path:
    table = table_of(ROWS).rename_columns(["driver", "layer", "neuron", "driver_count"])
    parquet.write_table(table.append_column("tile", pa.array([0] * 6)), folder / "renamed.parquet")
    return folder / "renamed.parquet"


def as_text(folder: Path, text: str) -> Path:
    (folder / "written.csv").write_text(text, encoding="utf-8")
    return folder / "written.csv"


def as_filled(folder: Path) -> Path:
    """Write what is absent as an empty text and as a number that is none."""
    columns = {name: [row.get(name) for row in ROWS] for name in TYPES.names}
    columns["layer"] = [layer or "" for layer in columns["layer"]]
    columns["neuron"] = [float("nan") if neuron is None else neuron for neuron in columns["neuron"]]
    parquet.write_table(pa.table(columns), folder / "filled.parquet")
    return folder / "filled.parquet"


BY_HAND = """layer,neuron,driver,count
output,1,message,1
"hidden",2,message,5.0
,,mac,1200
hidden,,hop,7
output,,hop,2
hidden,0,message,3
output,0,message,0
"""
SOURCES: dict[str, Callable[[Path], Any]] = {
    "rows": lambda folder: ROWS,
    "tuple of rows": lambda folder: tuple(ROWS),
    "columns": lambda folder: {name: [row.get(name) for row in ROWS] for name in TYPES.names},
    "columns of numpy": lambda folder: {
        "layer": np.array(["hidden", "output", ""]),
        "driver": np.array(["hop", "hop", "mac"]),
        "count": np.array([7, 2, 1200], dtype=np.uint64),
    },
    "Arrow table": lambda folder: table_of(ROWS),
    "pandas table": lambda folder: pd.DataFrame(ROWS),  # its column of neurons is one of floats, with NaN
    "CSV": as_csv,
    "CSV by hand": lambda folder: as_text(folder, BY_HAND),
    "CSV of Windows": lambda folder: as_text(folder, "\ufeff" + BY_HAND.replace("\n", "\r\n")),
    "Parquet": as_parquet,
    "Parquet by another name": lambda folder: as_parquet(folder, "counters.dat"),
    "Parquet with driver_count": as_renamed,
    "Parquet of other types": lambda folder: as_parquet(
        folder, driver=pa.dictionary(pa.int8(), pa.string()), neuron=pa.float64(), count=pa.uint16()
    ),
    "Parquet of empty texts": as_filled,
    "Parquet of decimals": lambda folder: as_parquet(folder, count=pa.decimal128(22, 2)),
}


class TestSources:
    @pytest.mark.one_in(5)
    @pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
    def test_they_are_stored_alike(
        self, store: EnergyStore, path: Path, tmp_path: Path, source: Callable[[Path], Any]
    ) -> None:
        run = store.ingest(path, counters=source(tmp_path))
        wanted = [row for row in STORED if row[0] in run.counters]
        assert counters_of(store, run) == wanted
        assert run.counters == {driver: total for driver, total in TOTALS.items() if driver in run.counters}
        assert {"hop", "mac"} <= run.counters.keys()
        assert [name for name in run.inferred if "." in name] == []

    @pytest.mark.thorough
    def test_the_way_they_come_does_not_matter(self, store: EnergyStore, path: Path, tmp_path: Path) -> None:
        first = store.ingest(path, counters=ROWS)
        for source in ("CSV by hand", "Parquet of other types", "pandas table", "Arrow table"):
            again = store.ingest(path, counters=SOURCES[source](tmp_path))
            assert (again.status, again.run_id) == ("unchanged", first.run_id)

    def test_a_sidecar_may_hold_them(self, store: EnergyStore, path: Path) -> None:
        run = store.ingest(with_sidecar(path, {**NETWORK, "counters": ROWS}))
        assert (run.counters, counters_of(store, run)) == (TOTALS, STORED)

    def test_the_metadata_of_the_run_file_may_hold_them(self, store: EnergyStore, tmp_path: Path) -> None:
        metadata = {"energy_db": json.dumps({**NETWORK, "counters": ROWS})}
        run = store.ingest(run_file(tmp_path / "run.parquet", metadata=metadata))
        assert run.counters == TOTALS

    def test_what_is_given_replaces_what_is_declared(self, store: EnergyStore, path: Path) -> None:
        with_sidecar(path, {**NETWORK, "counters": ROWS})
        assert store.ingest(path, counters=[{"driver": "mac", "count": 1}]).counters == {"mac": 1}

    def test_other_columns_are_ignored_and_named(self, store: EnergyStore, path: Path, tmp_path: Path) -> None:
        run = store.ingest(path, counters=as_renamed(tmp_path))
        assert run.notes == ("ignored columns of the counters: tile",)

    @pytest.mark.parametrize("values", [["0", "1"], [0, 1], [0.0, 1.0]], ids=["texts", "numbers", "floats"])
    def test_layers_by_position(self, store: EnergyStore, path: Path, values: list[Any]) -> None:
        run = store.ingest(path, counters={"layer": values, "driver": ["hop", "hop"], "count": [7, 2]})
        assert counters_of(store, run) == [("hop", 0, None, 7), ("hop", 1, None, 2)]

    def test_layers_whose_names_are_digits(self, store: EnergyStore, tmp_path: Path) -> None:
        path = run_file(tmp_path / "run.parquet", {**EVENTS, "layer": ["1"] * 4 + ["0"] * 2})
        network = {"layers": [{"name": "1"}, {"name": "0"}]}
        counters = as_text(tmp_path, "layer,driver,count\n1,hop,7\n0,hop,2\n")
        run = store.ingest(path, network=network, counters=counters)
        assert counters_of(store, run) == [("hop", 0, None, 7), ("hop", 1, None, 2)]

    def test_the_largest_count(self, store: EnergyStore, path: Path) -> None:
        assert store.ingest(path, counters=[{"driver": "mac", "count": 2**63 - 1}]).counters == {"mac": 2**63 - 1}


class TestAbsent:
    def test_a_layer_without_a_count_has_none_and_is_marked(self, store: EnergyStore, path: Path) -> None:
        run = store.ingest(path, counters=[ROWS[1], {"driver": "message", "layer": "output", "neuron": 1, "count": 4}])
        # The first neuron stands for a layer whose neurons have none at all.
        assert counters_of(store, run) == [
            ("hop", 0, None, 7),
            ("hop", 1, None, 0),
            ("message", 0, 0, 0),
            ("message", 1, 1, 4),
        ]
        assert run.inferred == ("hidden.message", "output.hop")
        assert set(run.notes) == {
            "no message count given for hidden, taken as 0",
            "no hop count given for output, taken as 0",
        }

    def test_a_zero_that_somebody_gave_is_not_marked(self, store: EnergyStore, path: Path) -> None:
        marked = store.ingest(path, counters=[ROWS[1]])
        run = store.ingest(path, counters=[ROWS[1], {"driver": "hop", "layer": "output", "count": 0}])
        assert (run.status, run.run_id) == ("unchanged", marked.run_id)
        forget_runs(store)
        said = store.ingest(path, counters=[ROWS[1], {"driver": "hop", "layer": "output", "count": 0}])
        assert (said.content_hash, said.inferred, said.notes) == (marked.content_hash, (), ())

    def test_zeros_of_neurons_are_like_absent_ones(self, store: EnergyStore, path: Path) -> None:
        zeros = [{"driver": "message", "layer": "hidden", "neuron": neuron, "count": 0} for neuron in (1, 2)]
        some = [{"driver": "message", "layer": layer, "neuron": 0, "count": 1} for layer in ("hidden", "output")]
        run = store.ingest(path, counters=some + zeros)
        assert counters_of(store, run) == [("message", 0, 0, 1), ("message", 1, 0, 1)]
        assert store.ingest(path, counters=some).status == "unchanged"

    def test_a_layer_without_neurons(self, store: EnergyStore, path: Path) -> None:
        network = {"layers": [*NETWORK["layers"], {"name": "empty", "n_neurons": 0}]}
        run = store.ingest(path, network=network, counters=[ROWS[3], ROWS[5]])
        assert counters_of(store, run)[-1] == ("message", 2, None, 0)
        assert [result.check for result in store.verify() if result.n_failures and "counter" in result.check] == []

    def test_a_count_of_the_whole_run_is_absent_nowhere(self, store: EnergyStore, path: Path) -> None:
        run = store.ingest(path, counters=[ROWS[0]])
        assert (run.inferred, run.notes) == ((), ())

    def test_reports_warn(self, store: EnergyStore, path: Path) -> None:
        run = store.ingest(path, counters=[ROWS[1]])
        warnings = store.report(run, "loihi2").warnings
        assert any("output.hop" in warning for warning in warnings)


def test_a_driver_that_no_cost_knows_is_pointed_at(store: EnergyStore, path: Path) -> None:
    run = store.ingest(path, counters=[{"driver": "hopp", "count": 1}])
    assert run.notes == ("no cost is charged on the driver hopp. Did you mean 'hop'?",)


def test_they_are_what_costs_can_be_charged_on(store: EnergyStore, path: Path) -> None:
    store.ingest(path, counters=ROWS)
    rows = store.sql(
        "SELECT driver, layer, driver_count, grain FROM activity_by_driver "
        "WHERE driver IN ('hop', 'mac', 'message') ORDER BY ALL"
    ).to_pylist()
    assert [(row["driver"], row["layer"], int(row["driver_count"]), row["grain"]) for row in rows] == [
        ("hop", "hidden", 7, "layer"),
        ("hop", "output", 2, "layer"),
        ("mac", None, 1200, "run"),
        ("message", "hidden", 8, "neuron"),
        ("message", "output", 1, "neuron"),
    ]


class TestContent:
    """Counters belong to what a run is; to say nothing of them contradicts nothing."""

    def test_a_run_without_counters_keeps_its_id(self, store: EnergyStore, digits: Path) -> None:
        assert store.ingest(digits / "digits-baseline.parquet").run_id == "22f5056031be"

    def test_without_and_with_counters_are_two_contents(self, store: EnergyStore, path: Path) -> None:
        without = store.ingest(path)
        forget_runs(store)
        with_some = store.ingest(path, counters=ROWS)
        assert without.activity_hash == with_some.activity_hash
        assert without.content_hash != with_some.content_hash

    def test_every_part_of_a_counter_counts(self, store: EnergyStore, path: Path) -> None:
        changed = [
            ROWS,
            [{**ROWS[0], "count": 1201}, *ROWS[1:]],
            [{**ROWS[0], "driver": "ac"}, *ROWS[1:]],
            [ROWS[0], {**ROWS[1], "count": 2}, {**ROWS[2], "count": 7}, *ROWS[3:]],
            [*ROWS[:3], {**ROWS[3], "neuron": 1}, *ROWS[4:]],
        ]
        hashes = set()
        for rows in changed:
            forget_runs(store)
            hashes.add(store.ingest(path, counters=rows).content_hash)
        assert len(hashes) == len(changed)

    def test_to_say_nothing_changes_nothing(self, store: EnergyStore, path: Path) -> None:
        first = store.ingest(path, counters=ROWS)
        again = store.ingest(path)
        assert (again.status, again.run_id, again.counters) == ("unchanged", first.run_id, TOTALS)

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(
        ("before", "now", "says"),
        [
            bad(None, ROWS[:1], "counter mac: stored nothing, now 1200", id="none before"),
            bad(ROWS[:1], [{"driver": "mac", "count": 7}], "counter mac: stored 1200, now 7", id="another count"),
            bad(ROWS[:1], ROWS[1:3], "counter hop: stored nothing, now 9; counter mac: stored 1200, now nothing",
                id="another driver"),
            bad(ROWS[1:3], [{**ROWS[1], "count": 2}, {**ROWS[2], "count": 7}],
                "the same sums of its counters, by other layers or neurons", id="other layers"),
            bad(ROWS[3:], [{**ROWS[3], "neuron": 1}, *ROWS[4:]],
                "the same sums of its counters, by other layers or neurons", id="other neurons"),
        ],
    )  # fmt: skip
    def test_others_are_refused(self, store: EnergyStore, path: Path, before: Any, now: Any, says: str) -> None:
        stored = store.ingest(path, counters=before)
        with pytest.raises(DuplicateRunError) as caught:
            store.ingest(path, counters=now)
        assert says in str(caught.value)
        assert "Counters are part of a run's content" in str(caught.value)
        assert "--on-duplicate new" in str(caught.value)
        assert store.runs() == [stored]

    @pytest.mark.thorough
    def test_others_are_a_new_run_on_demand(self, store: EnergyStore, path: Path) -> None:
        first = store.ingest(path)
        second = store.ingest(path, counters=ROWS, on_duplicate="new")
        assert (second.status, second.counters) == ("stored", TOTALS)
        assert second.run_id == second.content_hash[:12] != first.run_id
        assert store.ingest(path, counters=ROWS).run_id == second.run_id

    def test_they_are_compared_by_the_stored_order_of_layers(self, store: EnergyStore, tmp_path: Path) -> None:
        # Without the sidecar, the layers would be in another order than they are stored in.
        network = {"layers": [{"name": "output"}, {"name": "mute"}, {"name": "hidden", "n_neurons": 3}]}
        first = store.ingest(run_file(tmp_path / "run.parquet"), network=network, counters=ROWS)
        assert store.ingest(tmp_path / "run.parquet", counters=ROWS).run_id == first.run_id
        rewritten = run_file(tmp_path / "again.parquet", compression="none")
        again = store.ingest(rewritten, counters=ROWS)
        assert (again.status, again.run_id) == ("unchanged", first.run_id)

    def test_that_only_a_stored_network_fits(self, store: EnergyStore, tmp_path: Path) -> None:
        path = run_file(tmp_path / "run.parquet")
        store.ingest(path, name="inferred")
        network = {"layers": [{"name": "hidden"}, {"name": "output"}, {"name": "mute", "n_neurons": 1}]}
        rows = [{"driver": "hop", "layer": "mute", "count": 4}]
        declared = store.ingest(path, network=network, counters=rows, name="declared")
        assert store.ingest(path, counters=rows).run_id == declared.run_id

    def test_dry_run(self, store: EnergyStore, path: Path) -> None:
        run = store.ingest(path, counters=ROWS, dry_run=True)
        assert (run.status, run.counters) == ("would be stored", TOTALS)
        assert store._engine.rows("SELECT * FROM counters") == []


BASE = {"layer": ["hidden", "hidden", "output"], "driver": ["hop", "mac", "hop"], "count": ["4", "5", "6"]}


@pytest.mark.one_in(6)
@pytest.mark.parametrize(
    ("changed", "says"),
    [
        bad({"layer": ["hidden", "hiden", "output"]},
            ["column 'layer' must be a layer of the run: 1 bad row, first at row 1 (value hiden)",
             "Did you mean 'hidden'? The layers are hidden, output."], id="layer unknown"),
        bad({"layer": ["0", "1", "2"]}, ["must be a layer of the run: 1 bad row, first at row 2 (value 2)"],
            id="no layer at that position"),
        bad({"layer": ["-1", "0", "1"]}, ["must be a layer of the run: 1 bad row, first at row 0 (value -1)"],
            id="negative position"),
        bad({"neuron": ["", "3", ""]}, ["column 'neuron' must be below the n_neurons of its layer: 1 bad row, first at "
            "row 1 (value 3)", "Neurons, too, are counted from 0."], id="neuron beyond its layer"),
        bad({"neuron": ["", "1" * 50, ""]}, ["must be below the n_neurons of its layer: 1 bad row, first at row 1"],
            id="neuron beyond all numbers"),
        bad({"neuron": ["", "-1", ""]}, ["column 'neuron' must not be negative: 1 bad row, first at row 1 (value -1)"],
            id="neuron negative"),
        bad({"neuron": ["", "1.5", ""]}, ["'neuron' must be a whole number: 1 bad row, first at row 1 (value 1.5)"],
            id="neuron fractional"),
        bad({"neuron": ["", "first", ""]}, ["must be a whole number: 1 bad row, first at row 1 (value first)"],
            id="neuron as text"),
        bad({"layer": ["hidden", "", "output"], "neuron": ["", "1", ""]},
            ["column 'neuron' must come with a layer: 1 bad row, first at row 1 (value 1)"], id="neuron of no layer"),
        bad({"driver": ["hop", "", "hop"]}, ["'driver' must not be empty: 1 bad row, first at row 1 (value null)"],
            id="driver empty"),
        bad({"driver": ["hop", "Hop North", "hop"]}, ["'driver' must be small letters, digits and _.-: 1 bad row, "
            "first at row 1 (value Hop North)"], id="driver of other signs"),
        bad({"driver": ["spike", "mac", "synaptic_event"]},
            ["column 'driver' must not be one that energy-db counts itself: 2 bad rows, first at row 0 (value spike)",
             "From spikes and network it counts generated_spike, neuron_spike, neuron_step, second, spike"],
            id="driver derived"),
        bad({"driver": ["hop", "inference", "hop"]}, ["must not be one that energy-db counts itself"], id="inference"),
        bad({"count": ["4", "", "6"]}, ["column 'count' must not be empty: 1 bad row, first at row 1 (value null)"],
            id="count empty"),
        bad({"count": ["4", "5.5", "x"]}, ["'count' must be a whole number: 2 bad rows, first at row 1 (value 5.5)"],
            id="count fractional"),
        bad({"count": ["4", "5", "-6"]}, ["column 'count' must not be negative: 1 bad row, first at row 2 (value -6)"],
            id="count negative"),
        bad({"count": ["4", "9223372036854775808", "6"]}, ["'count' must be at most 9223372036854775807: 1 bad row,"
            " first at row 1 (value 9223372036854775808)"], id="count beyond 63 bits"),
        bad({"count": ["9223372036854775807", "5", "6"]},
            ["column 'count' must add up to at most 9223372036854775807, but hop adds up to 9223372036854775813"],
            id="sum beyond 63 bits"),
        bad({"layer": ["hidden"] * 3}, ["'driver' must not be counted twice for the same layer and neuron: 1 bad "
            "row, first at row 2 (value hop)"], id="layer twice"),
        bad({"layer": [""] * 3}, ["must not be counted twice for the same layer and neuron: 1 bad row, first at row 2"],
            id="whole run twice"),
        bad({"layer": ["hidden"] * 3, "driver": ["hop"] * 3, "neuron": ["1", "2", "1.0"]},
            ["must not be counted twice for the same layer and neuron: 1 bad row, first at row 2"], id="neuron twice"),
        bad({"layer": ["hidden", "hidden", ""]}, ["'driver' must be counted in one way, but hop is counted by layer "
            "and, first at row 2, for the whole run"], id="by layer and for the whole run"),
        bad({"neuron": ["", "", "1"]}, ["but hop is counted by layer and, first at row 2, by neuron"],
            id="by layer and by neuron"),
        bad({"driver": None}, ["column 'driver' is missing", "It has layer, count."], id="no drivers"),
        bad({"driver": None, "count": None}, ["columns 'driver' and 'count' are missing", "It has layer."],
            id="all columns missing"),
        bad({"driver_count": ["4", "5", "6"]}, ["has both count and driver_count"], id="two counts"),
        bad({"neurons": ["0", "1", "0"]}, ["has a column 'neurons', which no counter has", "Did you mean 'neuron'?"],
            id="misspelt neuron"),
        bad({"Layer": ["hidden"] * 3, "layer": None}, ["has a column 'Layer'", "Did you mean 'layer'?"],
            id="layer in capitals"),
        bad({"layer": [], "driver": [], "count": []}, ["has no rows"], id="no rows"),
    ],
)  # fmt: skip
def test_counters_that_break_a_rule(shell: Shell, small_store: Path, changed: dict[str, Any], says: list[str]) -> None:
    with_sidecar(run_file(Path("run.parquet")))
    columns = {name: values for name, values in {**BASE, **changed}.items() if values is not None}
    lines = [",".join(columns), *(",".join(row) for row in zip(*columns.values(), strict=True))]
    Path("bad.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    expected = ["bad.csv: ", *says, "1 refused"]
    assert_refused(shell, small_store, 4, ("ingest", "run.parquet", "--counters", "bad.csv"), expected)


def test_every_broken_rule_is_named(store: EnergyStore, path: Path) -> None:
    rows = [
        {"driver": "hop", "layer": "hiden", "count": 1},
        {"driver": "spike", "layer": "hidden", "count": -1},
        {"driver": "mac", "layer": "hidden", "neuron": 7, "count": 0.5},
    ]
    with pytest.raises(RunFileError) as caught:
        store.ingest(path, counters=rows)
    broken = [line.partition(":")[2].partition(":")[0] for line in caught.value.message.splitlines()]
    assert broken == [
        " column 'layer' must be a layer of the run",
        " column 'neuron' must be below the n_neurons of its layer",
        " column 'driver' must not be one that energy-db counts itself",
        " column 'count' must be a whole number",
        " column 'count' must not be negative",
    ]
    assert store.runs() == []


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        bad("gone.csv", None, "gone.csv: no such file", id="missing file"),
        bad("empty.csv", b"", "empty.csv: is empty (0 bytes)", id="empty"),
        bad("energy.duckdb", None, "energy.duckdb: is the store itself, not a file of counters", id="the store"),
        bad("counts.xlsx", b"PK", "counts.xlsx: is neither a .parquet nor a .csv file", id="spreadsheet"),
        bad("cut.parquet", b"PAR1 and no more", "cut.parquet: is not a readable Parquet file", id="cut Parquet"),
        bad("text.parquet", b"driver,count\nmac,1\n", "text.parquet: is not a readable Parquet file",
            id="CSV as Parquet"),
        bad("ragged.csv", b"driver,count\nmac\n", "is not a readable CSV file: its lines do not have the same fields",
            id="ragged CSV"),
        bad("long.csv", b"driver,count\nmac,1,2\n", "long.csv: is not a readable CSV file", id="line too long"),
        bad("latin.csv", "driver,count\nmäc,1\n".encode("latin-1"), "latin.csv: is not a readable CSV file",
            id="not UTF-8"),
        bad("semicolon.csv", b"driver;count\nmac;1\n", "columns 'driver' and 'count' are missing", id="semicolons"),
        bad("comment.csv", b"# by hand\ndriver,count\nmac,1\n", "comment.csv: ", id="comment"),
    ],
)  # fmt: skip
def test_files_that_are_none_of_counters(
    shell: Shell, small_store: Path, name: str, content: bytes | None, says: str
) -> None:
    with_sidecar(run_file(Path("run.parquet")))
    if content is not None:
        Path(name).write_bytes(content)
    assert_refused(shell, small_store, 4, ("ingest", "run.parquet", "--counters", name), [says, "1 refused"])


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("counters", "error", "says"),
    [
        bad(12, UsageError, "counters is 12, must be a file, a table, or a list of rows", id="number"),
        bad([12], RunFileError, "counters: row 0 is 12, must be an object", id="list of numbers"),
        bad([], RunFileError, "counters: has no rows", id="empty list"),
        bad(pa.table({"driver": ["mac"]}), RunFileError, "column 'count' is missing", id="table without counts"),
        bad(pd.DataFrame({"driver": ["mac", "ac"], "count": [1, "x"]}), UsageError, "Arrow cannot hold this table",
            id="column of several types"),
        bad({"driver": "mac", "count": 1200}, RunFileError, "column 'driver' must be a list", id="one row as columns"),
        bad({"driver": ["mac"], "count": [1, 2]}, RunFileError, "driver has 1, count has 2", id="unequal columns"),
        bad([{"driver": "mac", "count": True}], RunFileError, "must be a whole number", id="count as bool"),
        bad([{"driver": "\ud800", "count": 1}], RunFileError, "must be small letters", id="half a character"),
        bad([{"driver": "mac", "count": float("nan")}], RunFileError, "must not be empty", id="not a number"),
    ],
)  # fmt: skip
def test_values_that_are_no_counters(
    store: EnergyStore, path: Path, counters: Any, error: type[Exception], says: str
) -> None:
    with pytest.raises(error) as caught:
        store.ingest(path, counters=counters)
    assert says in str(caught.value)
    assert store.runs() == []


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        bad({"mac": 12}, "run.json: counters must be a list of objects", id="an object"),
        bad([{"driver": "mac"}], "run.json: counters: column 'count' is missing", id="no count"),
        bad([{"driver": "mac", "count": 0.5}], "run.json: counters: column 'count' must be a whole number", id="half"),
    ],
)
def test_a_sidecar_with_broken_counters(shell: Shell, small_store: Path, rows: Any, says: str) -> None:
    with_sidecar(run_file(Path("run.parquet")), {**NETWORK, "counters": rows})
    assert_refused(shell, small_store, 4, ("ingest", "run.parquet"), [says, "1 refused"])


class TestCommandLine:
    def test_ingest_and_show(self, shell: Shell, tmp_store: Path, tmp_path: Path) -> None:
        with_sidecar(run_file(Path("run.parquet")))
        Path("counters.csv").write_text("layer,driver,count\nhidden,hop,7\n,mac,1200\n", encoding="utf-8")
        done = shell("ingest", "run.parquet", "--counters", "counters.csv")
        assert done.exit_code == 0
        assert "run: no hop count given for output, taken as 0" in done.stderr
        assert "inferred from the events" not in done.stderr
        lines = [line.split() for line in shell("show").stdout.splitlines()]
        assert ["counter", "hop", "7"] in lines
        assert ["counter", "mac", "1200"] in lines
        shown = json.loads(shell("show", "--json").stdout)
        assert shown["counters"] == {"hop": 7, "mac": 1200}
        assert [row["inferred"] for row in shown["rows"]] == ["", "hop"]
        assert shell("ingest", "run.parquet").stderr.count("unchanged") == 1

    def test_dry_run_without_a_store(self, shell: Shell) -> None:
        with_sidecar(run_file(Path("run.parquet")))
        Path("counters.csv").write_text("driver,count\nmac,1200\n", encoding="utf-8")
        done = shell("ingest", "run.parquet", "--counters", "counters.csv", "--dry-run")
        assert (done.exit_code, Path("energy.duckdb").exists()) == (0, False)
        assert "1 would be stored" in done.stderr

    def test_a_file_is_reported_with_its_counters(self, shell: Shell) -> None:
        with_sidecar(run_file(Path("run.parquet")))
        Path("counters.csv").write_text("layer,driver,count\nhidden,hop,7\n", encoding="utf-8")
        done = shell("report", "run.parquet", "--chip", "loihi2", "--counters", "counters.csv")
        assert done.exit_code == 0
        assert "output.hop" in done.stderr

    def test_a_stored_run_has_the_counters_that_it_has(self, shell: Shell, small_store: Path) -> None:
        refused = shell("report", "kept", "--chip", "loihi2", "--counters", "counters.csv")
        assert refused.exit_code == 2
        assert "counters: options about a run file are not for the stored run 'kept'" in refused.stderr


def test_an_unstored_run_has_them(path: Path) -> None:
    with FileReports(path, counters=ROWS) as reports:
        assert reports.only_run.counters == TOTALS
        assert (
            reports._engine.rows("SELECT driver, layer_index, neuron, driver_count FROM counters ORDER BY ALL")
            == STORED
        )


@st.composite
def counted_networks(draw: st.DrawFn) -> dict[str, Any]:
    """Return spikes, fan-outs and counters of every neuron of a random network, as arrays by layer."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))

    def by_neuron(most: int) -> list[np.ndarray]:
        return [np.array(draw(st.lists(st.integers(0, most), min_size=n, max_size=n))) for n in sizes]

    return {"spikes": by_neuron(4), "fan_out": by_neuron(2**40), "access": by_neuron(2**50), "hop": by_neuron(9)}


@pytest.mark.thorough
@few
@given(network=counted_networks(), mac=st.integers(0, 2**63 - 1), shuffle=st.randoms(use_true_random=False))
def test_the_store_counts_what_numpy_counts(
    tmp_path_factory: pytest.TempPathFactory, network: dict[str, Any], mac: int, shuffle: Any
) -> None:
    spikes, fan_out = network["spikes"], network["fan_out"]
    cells = [(layer, neuron) for layer, counts in enumerate(spikes) for neuron in range(len(counts))]
    active = [(layer, neuron) for layer, neuron in cells if spikes[layer][neuron]]
    columns = {
        "layer": pa.array([f"l{layer}" for layer, _ in active], pa.string()),
        "neuron": pa.array([neuron for _, neuron in active], pa.int32()),
        "timestep": pa.array([0] * len(active), pa.int32()),
        "n_spikes": pa.array([int(spikes[layer][neuron]) for layer, neuron in active], pa.int32()),
    }
    layers = [{"name": f"l{index}", "fan_out": each} for index, each in enumerate(fan_out)]
    rows = [
        {"driver": "neuron_access", "layer": f"l{layer}", "neuron": neuron, "count": network["access"][layer][neuron]}
        for layer, neuron in cells
    ]
    rows += [{"driver": "hop", "layer": f"l{layer}", "count": each.sum()} for layer, each in enumerate(network["hop"])]
    rows += [{"driver": "mac", "count": mac}]
    shuffle.shuffle(rows)
    path = run_file(tmp_path_factory.mktemp("counted") / "run.parquet", columns)
    with EnergyStore(":memory:") as store:
        run = store.ingest(path, network={"layers": layers}, counters=rows)
        counted = {
            (row["driver"], row["layer_index"]): int(row["driver_count"])
            for row in store.sql("SELECT * FROM activity_by_driver WHERE driver_count IS NOT NULL").to_pylist()
        }
        stored = dict(
            store._engine.rows("SELECT neuron + 1000 * layer_index, driver_count FROM counters WHERE neuron >= 0")
        )
        failing = {result.check for result in store.verify() if result.n_failures}
    for layer, each in enumerate(spikes):
        assert counted["synaptic_event", layer] == int(np.dot(each, fan_out[layer]))
        assert counted["neuron_access", layer] == int(network["access"][layer].sum())
        assert counted["hop", layer] == int(network["hop"][layer].sum())
        for neuron, count in enumerate(network["access"][layer]):
            assert stored.get(neuron + 1000 * layer, 0) == count
    assert counted["mac", None] == mac
    assert run.counters["neuron_access"] == sum(int(each.sum()) for each in network["access"])
    assert failing.isdisjoint({"synaptic_events_follow_spikes", "counters_fit_their_runs", "activity_has_layers"})
