"""Input that means harm: names that are code, files that explode, places that are no files."""

from __future__ import annotations

import json
import os
import re
import resource
import time
from pathlib import Path
from random import Random
from threading import Event, Thread

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from world import run_verb

from energy_db import EnergyStore, sql
from energy_db.cli import cli
from energy_db.errors import RunFileError

pytestmark = pytest.mark.faults

NAMES = [
    "'; DROP TABLE runs; --", '"; DELETE FROM layers; --', "a\nb", "\x1b[2J\x1b[31mred", "../../etc/passwd", "C:\\con",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "{{7*7}}", "$(reboot)", "`id`", "\u202eevil", "%s%n",
    "=HYPERLINK(1)", "x" * 5000,
]  # fmt: skip
MOST_BYTES = 2 * 2**30


def bounded() -> None:
    """Let a verb take two gigabytes of memory, and no more."""
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))


def write_named(path: Path, name: str) -> Path:
    """Write a run of three spikes of a layer of this name, whose run and tag are called so, too."""
    pq.write_table(pa.table({"layer": [name] * 3, "neuron": [0, 1, 1], "timestep": [0, 0, 1]}), path)
    network = {"run": name, "tags": {"note": name}, "layers": [{"name": name, "role": "hidden", "n_neurons": 2}]}
    path.with_suffix(".json").write_text(json.dumps(network), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_names_are_names_wherever_they_are_shown(tmp_path: Path, name: str) -> None:
    write_named(tmp_path / "run.parquet", name)
    stored = run_verb(tmp_path, "ingest", "run.parquet")
    assert "Traceback" not in stored.stderr
    assert "\x1b" not in stored.stdout + stored.stderr
    if stored.returncode:
        assert stored.returncode in (2, 4)
        assert run_verb(tmp_path, "runs").returncode in (0, 4)
        return
    report = json.loads(run_verb(tmp_path, "report", "latest", "--chip", "loihi2", "--json").stdout)
    # Three spikes of a hidden layer, 2.1 pJ each.
    assert [(row["layer"], row["energy_pj"]) for row in report["layers"]] == [(name, 6.3)]
    for shown in (
        ["report", "latest", "--chip", "loihi2"],
        ["runs"],
        ["show", "latest"],
        ["report", name, "--chip", "x"],
    ):
        done = run_verb(tmp_path, *shown)
        assert "\x1b" not in done.stdout + done.stderr, shown
        assert "Traceback" not in done.stderr
    page = tmp_path / "page.html"
    assert run_verb(tmp_path, "report", "latest", "--chip", "loihi2", "--html", page).returncode == 0
    text = page.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert run_verb(tmp_path, "verify").returncode == 0
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(("passwd", "con"))]


def refused(folder: Path, *arguments: object) -> str:
    """Assert that a verb, in bounded memory, refuses in a sentence and leaves no run; returns the sentence."""
    done = run_verb(folder, *arguments, preexec_fn=bounded)
    assert done.returncode in (2, 4), (done.returncode, done.stderr)
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("Error: ") or "\nError: " in done.stderr
    return done.stderr


def test_a_small_file_of_very_many_equal_rows_is_counted_in_little_memory(tmp_path: Path) -> None:
    n_rows, n_groups = 50_000_000, 4
    table = pa.table(
        {
            "layer": pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int8()), n_rows // n_groups), ["hidden"]),
            "neuron": pa.repeat(pa.scalar(0, pa.int32()), n_rows // n_groups),
            "timestep": pa.repeat(pa.scalar(0, pa.int32()), n_rows // n_groups),
        }
    )
    with pq.ParquetWriter(tmp_path / "bomb.parquet", table.schema, compression="zstd") as writer:
        for _ in range(n_groups):
            writer.write_table(table)
    assert (tmp_path / "bomb.parquet").stat().st_size < 1_000_000
    done = run_verb(tmp_path, "ingest", "bomb.parquet", preexec_fn=bounded)
    if done.returncode == 0:
        rows = json.loads(run_verb(tmp_path, "runs", "--json").stdout)["rows"]
        assert [row["spikes"] for row in rows] == [n_rows]
    else:
        assert done.returncode == 4
        assert "Traceback" not in done.stderr


def test_layers_whose_names_take_gigabytes_are_refused(tmp_path: Path) -> None:
    names = ["x" * 1_000_000 + str(number) for number in range(300)]
    pq.write_table(
        pa.table({"layer": names, "neuron": [0] * 300, "timestep": [0] * 300}),
        tmp_path / "names.parquet",
        compression="zstd",
    )
    assert (tmp_path / "names.parquet").stat().st_size < 2_000_000
    refused(tmp_path, "ingest", "names.parquet")


@pytest.mark.parametrize("n_columns", [10_000, 100_000])
def test_very_many_columns(tmp_path: Path, n_columns: int) -> None:
    columns = {"layer": ["hidden"], "neuron": [0], "timestep": [0]} | {f"c{number}": [0] for number in range(n_columns)}
    pq.write_table(pa.table(columns), tmp_path / "wide.parquet", use_dictionary=False, write_statistics=False)
    said = refused(tmp_path, "ingest", "wide.parquet")
    assert f"has {n_columns + 3} columns" in said
    assert len(said) < 2_000


# Rows as a file may claim to have them, in its metadata, where it has 12,345.
CLAIMS = [-(2**62), -1, 0, 1, 12_344, 12_346, 2**31, 2**62]
N_ROWS = 12_345


def varint(number: int) -> bytes:
    """Write a number as Thrift's compact protocol does."""
    rest, written = (number << 1 ^ number >> 63) % 2**64, b""
    while rest > 127:
        written, rest = written + bytes([rest & 127 | 128]), rest >> 7
    return written + bytes([rest])


@pytest.mark.parametrize("claim", CLAIMS)
def test_numbers_of_rows_that_are_made_up(tmp_path: Path, claim: int) -> None:
    path = tmp_path / "run.parquet"
    numbers = pa.array([row % 7 for row in range(N_ROWS)])
    pq.write_table(pa.table({"layer": ["hidden"] * N_ROWS, "neuron": numbers, "timestep": numbers}), path)
    data = path.read_bytes()
    end = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    *pieces, rest = data[end:-8].split(varint(N_ROWS))
    assert len(pieces) > 4
    outcomes = []
    for patched in [*([place] for place in range(len(pieces))), list(range(len(pieces)))]:
        said = [piece + varint(claim if place in patched else N_ROWS) for place, piece in enumerate(pieces)]
        footer = b"".join([*said, rest])
        path.write_bytes(data[:end] + footer + len(footer).to_bytes(4, "little") + b"PAR1")
        with EnergyStore(":memory:") as store:
            try:
                outcomes.append(store.ingest(path).n_spikes)
            except RunFileError as error:
                assert "run.parquet" in error.message
                assert store.runs() == []
    # A file whose numbers all agree is believed; it then has that many rows.
    assert set(outcomes) <= ({N_ROWS, claim} if 0 < claim < N_ROWS else {N_ROWS})


@pytest.mark.parametrize("how", ["renamed into place", "written over"])
def test_a_file_that_changes_all_the_time(tmp_path: Path, how: str) -> None:
    path = tmp_path / "run.parquet"
    contents = []
    for n_rows in (40_000, 41_000):
        numbers = pa.array([row % 50 for row in range(n_rows)])
        pq.write_table(pa.table({"layer": ["hidden"] * n_rows, "neuron": numbers, "timestep": numbers}), path)
        contents.append(path.read_bytes())
    is_over, random = Event(), Random(how)

    def change() -> None:
        while not is_over.wait(random.uniform(0, 0.03)):
            new = tmp_path / "new"
            (new if how == "renamed into place" else path).write_bytes(random.choice(contents))
            if new.exists():
                new.replace(path)

    changing = Thread(target=change)
    changing.start()
    try:
        for _ in range(30):
            with EnergyStore(":memory:") as store:
                try:
                    run = store.ingest(path)
                except RunFileError:
                    continue
                assert run.n_spikes in (40_000, 41_000)
                assert [check for check in store.verify() if check.n_failures] == []
    finally:
        is_over.set()
        changing.join()


DEEP = {"digits": "9" * 5000, "lists": "[" * 5000 + "]" * 5000, "open lists": "[" * 100_000, "power": "1e999999999"}


@pytest.mark.parametrize("value", DEEP.values(), ids=DEEP)
def test_numbers_and_lists_without_end(tmp_path: Path, value: str) -> None:
    run = write_named(tmp_path / "run.parquet", "hidden")
    run.with_suffix(".json").write_text(f'{{"n_timesteps": {value}}}', encoding="utf-8")
    refused(tmp_path, "ingest", "run.parquet")
    (tmp_path / "costs.toml").write_text(f'[chip]\nname = "mine"\nnote = {value}\n', encoding="utf-8")
    run.with_suffix(".json").unlink()
    assert run_verb(tmp_path, "ingest", "run.parquet").returncode == 0
    refused(tmp_path, "costs", "add", "costs.toml")
    (tmp_path / "energy-budget.toml").write_text(f"[[limit]]\nmax_energy = {value}\n", encoding="utf-8")
    refused(tmp_path, "check", "latest", "--chip", "loihi2")


def test_thirty_thousand_declared_layers_take_seconds(tmp_path: Path) -> None:
    names = [f"layer{number}" for number in range(30_000)]
    pq.write_table(pa.table({"layer": names, "neuron": [0] * len(names), "timestep": [0] * len(names)}), tmp_path / "a")
    layers = [{"name": name, "n_neurons": 1, "fan_out": 3} for name in names]
    began = time.monotonic()
    with EnergyStore(":memory:") as store:
        assert store.ingest(tmp_path / "a", network={"layers": layers}).n_spikes == len(names)
    assert time.monotonic() - began < 20


def test_a_hundred_thousand_layers(tmp_path: Path) -> None:
    names = [f"layer{number}" for number in range(100_000)]
    pq.write_table(
        pa.table({"layer": names, "neuron": [0] * len(names), "timestep": [0] * len(names)}), tmp_path / "deep.parquet"
    )
    assert "layers" in refused(tmp_path, "ingest", "deep.parquet")


def test_absurd_metadata(tmp_path: Path) -> None:
    table = pa.table({"layer": ["hidden"], "neuron": [0], "timestep": [0]})
    pq.write_table(table.replace_schema_metadata({"energy_db": "[" * 100_000}), tmp_path / "deep.parquet")
    refused(tmp_path, "ingest", "deep.parquet")
    pq.write_table(table.replace_schema_metadata({"x": "y" * 50_000_000}), tmp_path / "long.parquet")
    assert run_verb(tmp_path, "ingest", "long.parquet", preexec_fn=bounded).returncode == 0


@pytest.mark.parametrize("asked", [["ingest"], ["report", "--chip", "loihi2"]], ids=str)
def test_places_that_are_no_files(tmp_path: Path, asked: list[str]) -> None:
    os.mkfifo(tmp_path / "pipe.parquet")
    (tmp_path / "folder.parquet").mkdir()
    (tmp_path / "loop.parquet").symlink_to("loop.parquet")
    (tmp_path / "nowhere.parquet").symlink_to("absent.parquet")
    for place in ("pipe.parquet", "folder.parquet", "loop.parquet", "nowhere.parquet", "/dev/zero", "/proc/self/mem"):
        refused(tmp_path, asked[0], place, *asked[1:])


def test_links_in_a_spool_lead_nowhere_else(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    secret = tmp_path / "secret"
    secret.write_text("root:x:0:0")
    (spool / "a.parquet").symlink_to(secret)
    (spool / "b.parquet").symlink_to("/dev/zero")
    (spool / "c.parquet").symlink_to(spool)
    (spool / "e\n\x1b[2J.parquet").write_bytes(b"no Parquet")
    (spool / "f.parquet").mkdir()
    os.mkfifo(spool / "g.parquet")
    os.mkfifo(spool / "a.json")
    done = run_verb(tmp_path, "ingest", "--spool", "spool", preexec_fn=bounded)
    assert "Traceback" not in done.stderr
    assert "root:x" not in done.stdout + done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert secret.read_text() == "root:x:0:0"
    runs = run_verb(tmp_path, "runs", "--json")
    assert runs.returncode != 0 or json.loads(runs.stdout)["rows"] == []


# What a terminal obeys: clear the screen, set the title, go back, overwrite, turn the direction of writing.
OBEYED = "\x1b[2J\x1b]0;title\x07\x9b2J\b\r\x7f\u202e\u2028"
HOSTILE = f"e{OBEYED}<script>alert(1)</script>"
FILE = f"f{OBEYED}.parquet"
VERBS = [
    ["ingest", FILE, "other.parquet"], ["ingest", "absent" + FILE], ["ingest", FILE, "--map", f"neuron={HOSTILE}"],
    ["ingest", FILE, "--role", f"{HOSTILE}2=hidden"], ["ingest", FILE, "--counters", "hostile.csv"],
    ["ingest", "said.parquet"], ["ingest", FILE, "--name", f"{HOSTILE}3", "--tag", f"{HOSTILE}={HOSTILE}"],
    ["runs"], ["runs", "--chip", "loihi2"], ["runs", "--format", "md"], ["show", HOSTILE], ["show", f"@{HOSTILE}"],
    ["report", "latest"], ["report", HOSTILE, "--chip", "loihi2"], ["report", FILE, "--chip", "loihi2"],
    ["report", "latest", "--chip", HOSTILE], ["report", "latest", "--chip", "loihi2", "--by", "neuron"],
    ["compare", "latest~1", "latest", "--chip", "loihi2"], ["compare", HOSTILE, "x" + HOSTILE, "--chip", "loihi2"],
    ["trend", "energy", "--name", HOSTILE, "--chip", "loihi2"], ["trend", HOSTILE],
    ["recost", "--all", "--chip", "loihi2", "--cost", "sc_neurocore_3_16_0"], ["recost", "--all", "--cost", HOSTILE],
    ["check", "latest", "--chip", "loihi2", "--max-energy", "1 pJ"], ["check", "latest", "--budget", "hostile.toml"],
    ["check", "latest", "--chip", "loihi2", "--max-energy", HOSTILE], ["tag", "latest"],
    ["tag", "latest", f"{HOSTILE}={HOSTILE}"], ["costs", "add", "hostile.toml"], ["costs", "add", "costs.toml"],
    ["costs", "show", "my_fpga"], ["costs", "show", HOSTILE], ["sql", "SELECT run_name, kind FROM runs"],
    ["sql", f"SELECT '{HOSTILE}' AS \"{HOSTILE}\", ['{HOSTILE}'] AS listed"], ["sql", f"SELECT {HOSTILE}"],
    ["sql", f"SELECT error('{HOSTILE}')"], ["archive", "--runs", HOSTILE], ["--db", HOSTILE, "runs"], [HOSTILE],
    ["export", "latest", "-o", f"{HOSTILE}.parquet"], ["verify"],
]  # fmt: skip


def test_no_verb_lets_a_name_speak_to_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = {"kind": HOSTILE, "seed": HOSTILE, "git_commit": HOSTILE, "tags": {f"t{HOSTILE}": HOSTILE, "accuracy": 1}}
    for number, name in enumerate([FILE, "other.parquet", "said.parquet"]):
        rows = 3 + number
        columns = {"layer": [HOSTILE] * rows, "neuron": [0] * rows, "timestep": [0] * rows, HOSTILE: [0] * rows}
        pq.write_table(pa.table(columns), name)
        layers = [{"name": HOSTILE, "role": "hidden", "n_neurons": 2}]
        Path(name).with_suffix(".json").write_text(json.dumps({"run": HOSTILE + str(number), "layers": layers, **said}))
    Path("said.json").write_text(json.dumps({HOSTILE: 1}), encoding="utf-8")
    Path("hostile.csv").write_text(f'driver,count\n"{HOSTILE}",1\n', encoding="utf-8", newline="")
    escaped = json.dumps(HOSTILE)
    Path("hostile.toml").write_text(f"chip = {escaped}\n{escaped} = 1\n", encoding="utf-8")
    noted = sql.cost_template().replace('note = "', f'note = "{escaped[1:-1]}')
    Path("costs.toml").write_text(noted, encoding="utf-8")
    for verb in VERBS:
        done = CliRunner().invoke(cli, verb, color=True)
        assert done.exception is None or isinstance(done.exception, SystemExit), verb
        plain = re.sub(r"\x1b\[[\d;]*m", "", done.stdout + done.stderr)  # the colours of our own
        assert [sign for sign in plain if not sign.isprintable() and sign != "\n"] == [], verb


def test_no_page_runs_what_a_name_says(tmp_path: Path) -> None:
    for number in range(2):
        write_named(tmp_path / f"run{number}.parquet", '"><script>alert(1)</script>')
        columns = {"layer": ['"><script>alert(1)</script>'] * 3, "neuron": [number] * 3, "timestep": [0, 0, 1]}
        pq.write_table(pa.table(columns), tmp_path / f"run{number}.parquet")
        assert run_verb(tmp_path, "ingest", f"run{number}.parquet", "--on-duplicate", "new").returncode == 0
    for verb in (["report", "latest"], ["compare", "latest~1", "latest"], ["trend", "energy"]):
        page = tmp_path / f"{verb[0]}.html"
        done = run_verb(tmp_path, *verb, "--chip", "loihi2", "--html", page)
        assert done.returncode == 0, done.stderr
        assert "<script>alert" not in page.read_text(encoding="utf-8")
