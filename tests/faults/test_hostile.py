"""Input that means harm: names that are code, files that explode, places that are no files."""

from __future__ import annotations

import json
import os
import resource
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from world import run_verb

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


def test_ten_thousand_columns(tmp_path: Path) -> None:
    columns = {"layer": ["hidden"], "neuron": [0], "timestep": [0]} | {f"c{number}": [0] for number in range(10_000)}
    pq.write_table(pa.table(columns), tmp_path / "wide.parquet", use_dictionary=False, write_statistics=False)
    done = run_verb(tmp_path, "ingest", "wide.parquet", preexec_fn=bounded)
    assert done.returncode in (0, 4)
    assert "Traceback" not in done.stderr
    assert len(done.stderr) < 20_000


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
    done = run_verb(tmp_path, "ingest", "--spool", "spool", preexec_fn=bounded)
    assert "Traceback" not in done.stderr
    assert "root:x" not in done.stdout + done.stderr
    assert secret.read_text() == "root:x:0:0"
    runs = run_verb(tmp_path, "runs", "--json")
    assert runs.returncode != 0 or json.loads(runs.stdout)["rows"] == []
