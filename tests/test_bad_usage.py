"""Bad arguments and bad stores: each is refused with a sentence that helps, and the store stays as it was."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
from factories import EVENTS, Shell, assert_refused, dump, run_file, with_sidecar

from energy_db import EnergyStore
from energy_db.errors import EnergyDbError

bad = pytest.param
USAGE, NOT_FOUND, OPERATIONAL = 2, 3, 4


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("arguments", "exit_code", "says"),
    [
        bad(["ingest"], USAGE, "Missing argument", id="ingest nothing"),
        bad(["ingest", "other.parquet", "--map", "neuron"], USAGE, "'neuron' is not of the form NAME=VALUE",
            id="half a map"),
        bad(["ingest", "other.parquet", "--map", "nuron=senders"], USAGE,
            ["cannot map 'nuron'", "layer, neuron, timestep, sample, n_spikes"], id="map an unknown column"),
        bad(["ingest", "other.parquet", "--map", "neuron=senders"], OPERATIONAL, "column 'senders' is missing",
            id="map to a missing column"),
        bad(["ingest", "other.parquet", "--map", "neuron=timestep"], USAGE, "timestep", id="map two columns to one"),
        bad(["ingest", "other.parquet", "--role", "hidden=output"], USAGE,
            "the role of hidden is 'output', must be one of input, hidden, readout", id="unknown role"),
        bad(["ingest", "other.parquet", "--role", "hiden=input"], OPERATIONAL,
            "a role is given for 'hiden', but the layers are hidden, output", id="role of an unknown layer"),
        bad(["ingest", "kept.parquet", "--role", "hiden=input"], OPERATIONAL,
            "a role is given for 'hiden', but the layers are hidden, output", id="role of an unknown layer, same file"),
        bad(["ingest", "other.parquet", "--timesteps", "0"], USAGE, "n_timesteps is 0, must be a whole number from 1",
            id="no timesteps"),
        bad(["ingest", "other.parquet", "--timesteps", "many"], USAGE, "'many' is not a valid integer",
            id="timesteps as text"),
        bad(["ingest", "other.parquet", "--samples", "-1"], USAGE, "n_samples is -1, must be a whole number from 1",
            id="negative samples"),
        bad(["ingest", "other.parquet", "--timestep-us", "nan"], USAGE, "timestep_us is nan, must be a positive number",
            id="timestep not a number"),
        bad(["ingest", "other.parquet", "--network", "gone.json"], OPERATIONAL, "gone.json: cannot be read",
            id="network file missing"),
        bad(["ingest", "other.parquet", "--name", ""], USAGE, "must be a text", id="empty name"),
        bad(["ingest", "other.parquet", "--run-id", "latest"], USAGE, "'latest' cannot be a run id", id="id latest"),
        bad(["ingest", "other.parquet", "--run-id", "@best"], USAGE, "'@best' cannot be a run id", id="id like a tag"),
        bad(["ingest", "other.parquet", "--run-id", "a b"], USAGE, "'a b' cannot be a run id", id="id with a space"),
        bad(["ingest", "other.parquet", "--run-id", ""], USAGE, "'' cannot be a run id", id="empty id"),
        bad(["ingest", "other.parquet", "kept.parquet", "--name", "x"], USAGE,
            "--name, --run-id and --counters are for one run", id="one name for two files"),
        bad(["ingest", "other.parquet", "kept.parquet", "--counters", "c.csv"], USAGE,
            "--name, --run-id and --counters are for one run", id="counters for two files"),
        bad(["ingest", "other.parquet", "--tag", "fast"], USAGE, "'fast' is not of the form NAME=VALUE",
            id="half a tag"),
        bad(["ingest", "other.parquet", "--tag", "=fast"], USAGE, "'=fast' is not of the form NAME=VALUE",
            id="tag without a name"),
        bad(["ingest", "other.parquet", "--events", "some"], USAGE, "'some' is not one of 'all', 'none'",
            id="some events"),
        bad(["ingest", "other.parquet", "-f", "parquet"], USAGE, ["Parquet is not for a terminal", "-o FILE.parquet"],
            id="ingest, Parquet to stdout"),
        bad(["ingest", "other.parquet", "-o", "gone/x.json"], OPERATIONAL, "gone/x.json: cannot be written",
            id="ingest, output into a missing folder"),
        bad(["report", "kept", "--chip", "loihi3"], NOT_FOUND, ["unknown chip 'loihi3'", "Did you mean 'loihi'?"],
            id="unknown chip"),
        bad(["report", "kpet"], NOT_FOUND, ["no run is called 'kpet'", "Did you mean 'kept'?"], id="unknown run"),
        bad(["report", "latest~1"], NOT_FOUND, "'latest~1': the store has 1 run only", id="run before the first"),
        bad(["report", "latest~x"], NOT_FOUND, "'latest~x' is not a run", id="how many runs back?"),
        bad(["report", "@best"], NOT_FOUND, "no run carries the tag '@best'", id="unknown tag"),
        bad(["report", "--chip", "loihi2", "--cost", "v9"], NOT_FOUND,
            ["loihi2 has no cost version 'v9'", "tutorial72"], id="unknown cost version"),
        bad(["report", "--by", "layer"], USAGE, "--by and --lineage need one chip", id="one grain of all chips"),
        bad(["report", "--chip", "loihi2", "--by", "leyer"], USAGE, "'leyer' is not one of", id="unknown grain"),
        bad(["report", "--chip", "loihi2", "--top", "-1"], USAGE, "'-1' is neither a number of 0 or more nor 'all'",
            id="negative top"),
        bad(["report", "kept", "--timesteps", "9"], USAGE, "not for the stored run 'kept'",
            id="network of a stored run"),
        bad(["report", "gone.parquet"], OPERATIONAL, "gone.parquet: no such file", id="report a missing file"),
        bad(["report", "other.parquet", "--timesteps", "0"], USAGE, "n_timesteps is 0, must be a whole number from 1",
            id="report a file of no timesteps"),
        bad(["show", "nobody"], NOT_FOUND, ["no run is called 'nobody'", "energy-db runs"], id="show an unknown run"),
        bad(["tag", "nobody", "a=1"], NOT_FOUND, "no run is called 'nobody'", id="tag an unknown run"),
        bad(["tag", "kept", "fast"], USAGE, "'fast' is not of the form NAME=VALUE", id="tag without a value"),
        bad(["costs", "show", "spinaker"], NOT_FOUND, "Did you mean 'spinnaker'?", id="costs of an unknown chip"),
        bad(["costs", "show", "akida", "--cost", "v9"], NOT_FOUND, "akida has no cost version 'v9'",
            id="costs of no version"),
        bad(["runs", "--limit", "0"], USAGE, "0 is not in the range", id="no runs wanted"),
        bad(["completion", "tcsh"], USAGE, "'tcsh' is not one of 'bash', 'zsh', 'fish'", id="unknown shell"),
        bad(["reprot"], USAGE, "No such command 'reprot'", id="unknown verb"),
        bad(["report", "--chp", "loihi2"], USAGE, "No such option '--chp'", id="unknown option"),
        bad(["--color", "pink", "runs"], USAGE, "'pink' is not one of", id="unknown color"),
    ],
)  # fmt: skip
def test_arguments_that_cannot_be_meant(
    shell: Shell, small_store: Path, arguments: list[str], exit_code: int, says: Any
) -> None:
    run_file(Path("kept.parquet"))
    run_file(Path("other.parquet"), {**EVENTS, "neuron": [2, 2, 2, 2, 1, 1]})
    assert_refused(shell, small_store, exit_code, arguments, says)


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("query", "says"),
    [
        bad("DELETE FROM runs", "this is a DELETE statement", id="delete"),
        bad("UPDATE costs SET energy_pj = 0", "this is a UPDATE statement", id="update"),
        bad("CREATE TABLE mine (i INTEGER)", "this is a CREATE statement", id="create"),
        bad("WITH x AS (SELECT 1) INSERT INTO chips SELECT 'a', 'b', 'c'", "this is a INSERT statement",
            id="with insert"),
        bad("COPY runs TO 'copy.csv'", "this is a COPY statement", id="copy"),
        bad("EXPORT DATABASE 'copy.csv'", "this is a EXPORT statement", id="export"),
        bad("ATTACH 'copy.csv'", "this is a ATTACH statement", id="attach"),
        bad("SET threads = 1", "this is a SET statement", id="set"),
        bad("EXPLAIN ANALYZE DELETE FROM runs", "this is a DELETE statement", id="explain analyze delete"),
        bad("SELECT 1; DROP TABLE runs", "expected one query, found 2", id="two statements"),
        bad("", "expected one query, found 0", id="nothing"),
        bad("SELEC 1", "syntax error", id="syntax error"),
        bad("SELECT energy FROM energy_by_layer", ["energy", "energy_pj"], id="misspelt column"),
        bad("SELECT * FROM energy_by_layers", "energy_by_layer", id="misspelt view"),
        bad("SELECT ?", "a parameter $1, but no value", id="value not given"),
        bad("@gone.sql", "gone.sql: cannot be read", id="missing file"),
    ],
)  # fmt: skip
def test_sql_that_is_no_reading_query(shell: Shell, small_store: Path, query: str, says: Any) -> None:
    assert_refused(shell, small_store, USAGE, ["sql", query], says)
    assert not Path("copy.csv").exists()


@pytest.mark.parametrize(
    ("options", "exit_code", "says"),
    [
        bad(["-f", "parquet"], USAGE, ["Parquet is not for a terminal", "-o FILE.parquet"], id="Parquet to stdout"),
        bad(["-f", "xml"], USAGE, "'xml' is not one of", id="unknown format"),
        bad(["-o", "x.xlsx"], USAGE, "cannot tell the format from 'x.xlsx'", id="unknown suffix"),
        bad(["-o", "gone/x.csv"], OPERATIONAL, "gone/x.csv: cannot be written", id="missing folder"),
        bad(["-o", "folder.csv"], OPERATIONAL, "folder.csv: cannot be written", id="a folder"),
    ],
)
def test_output_that_cannot_be_written(
    shell: Shell, small_store: Path, options: list[str], exit_code: int, says: Any
) -> None:
    Path("folder.csv").mkdir()
    before = sorted(Path.cwd().iterdir())
    assert_refused(shell, small_store, exit_code, ["runs", *options], says)
    assert sorted(Path.cwd().iterdir()) == before


READERS = (["runs"], ["show"], ["report"], ["costs", "list"], ["costs", "show", "loihi2"], ["tag", "kept"],
           ["sql", "SELECT 1"], ["verify"], ["migrate"])  # fmt: skip


@pytest.mark.parametrize("verb", READERS, ids=" ".join)
def test_a_reader_needs_a_store(shell: Shell, verb: list[str], tmp_path: Path) -> None:
    result = shell("--db", "gone.duckdb", *verb)
    assert result.exit_code == OPERATIONAL
    assert "there is no store at gone.duckdb" in result.stderr
    assert result.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.one_in(4)
@pytest.mark.parametrize("verb", [["ingest", "run.parquet"], ["runs"], ["init"], ["migrate"]], ids=" ".join)
@pytest.mark.parametrize("content", [b"not a store", b"not a store" * 5000], ids=["short", "long"])
def test_a_store_that_is_a_text_file(shell: Shell, verb: list[str], content: bytes) -> None:
    run_file(Path("run.parquet"))
    Path("notes.txt").write_bytes(content)
    result = shell("--db", "notes.txt", *verb)
    assert result.exit_code == OPERATIONAL
    assert "notes.txt cannot be opened as a store" in result.stderr
    assert Path("notes.txt").read_bytes() == content


@pytest.mark.one_in(2)
@pytest.mark.parametrize("verb", [["ingest", "run.parquet"], ["runs"], ["init"], ["migrate"]], ids=" ".join)
def test_a_foreign_database(shell: Shell, verb: list[str]) -> None:
    run_file(Path("run.parquet"))
    with duckdb.connect("foreign.duckdb") as connection:
        connection.execute("CREATE TABLE mine AS SELECT 42 AS answer")
    before = dump(Path("foreign.duckdb"))
    result = shell("--db", "foreign.duckdb", *verb)
    assert result.exit_code == OPERATIONAL
    assert "foreign.duckdb is a DuckDB database, but not an energy-db store" in result.stderr
    assert dump(Path("foreign.duckdb")) == before


@pytest.mark.parametrize(
    ("path", "says"),
    [
        bad("gone/energy.duckdb", "the folder gone does not exist", id="missing folder"),
        bad(".", ". is a folder, not a store", id="a folder"),
    ],
)
def test_a_store_cannot_be_made(shell: Shell, path: str, says: str) -> None:
    result = shell("--db", path, "init")
    assert result.exit_code == OPERATIONAL
    assert says in result.stderr


@pytest.mark.one_in(4)
@pytest.mark.parametrize("verb", [["ingest", "run.parquet"], ["runs"], ["report"], ["verify"]], ids=" ".join)
@pytest.mark.parametrize(
    ("revision", "says"),
    [
        bad("0001", ["is at schema revision 0001, this energy-db wants", "energy-db --db energy.duckdb migrate"],
            id="older"),
        bad("9999", ["is at schema revision 9999, newer than", "pip install --upgrade energy-db"], id="newer"),
    ],
)  # fmt: skip
def test_a_store_of_another_release(
    shell: Shell, small_store: Path, verb: list[str], revision: str, says: list[str]
) -> None:
    run_file(Path("run.parquet"))
    with duckdb.connect(str(small_store)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
    assert_refused(shell, small_store, OPERATIONAL, verb, says)


def test_a_newer_store_cannot_be_migrated(shell: Shell, small_store: Path) -> None:
    with duckdb.connect(str(small_store)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert_refused(shell, small_store, OPERATIONAL, ["migrate"], "is at schema revision 9999, newer than")


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ({"columns": ["neuron"]}, "columns is ['neuron'], must be a mapping of names"),
        ({"columns": {"neuron": 1}}, "columns['neuron'] is 1, must be a text"),
        ({"tags": "accuracy=0.9"}, "tags is 'accuracy=0.9', must be a mapping of names"),
        ({"roles": 1}, "roles is 1, must be a mapping of names"),
        ({"network": [1] * 100}, "network is [1, 1, 1,"),
        ({"run_id": 7}, "run_id is 7, must be a text"),
        ({"counters": "x" * 5000}, "File name too long"),
    ],
)
def test_arguments_of_python_that_cannot_be_meant(tmp_path: Path, argument: dict[str, Any], says: str) -> None:
    path = with_sidecar(run_file(tmp_path / "run.parquet"))
    with EnergyStore(":memory:") as store:
        with pytest.raises(EnergyDbError, match=re.escape(says)):
            store.ingest(path, **argument)
        assert store.runs() == []
