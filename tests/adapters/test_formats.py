"""`ingest --from`: files of other tools become the runs that their own counts say, and nothing is guessed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from energy_db import EnergyStore
from energy_db.adapters.formats import FORMATS
from energy_db.cli.formats import NAMES

Shell = Callable[..., Result]
RECORDED = Path(__file__).parent / "recorded"
NEST = ("nest-spikes-0.dat", "nest-spikes-1.dat", "--ids", "cells=1-4", "--ids", "parrots=6,7,8")
TIMES = ("--dt", "0.1ms", "--duration", "100ms")


def counts(name: str) -> dict[str, Any]:
    """Return what a framework itself counted."""
    with np.load(RECORDED / f"{name}.npz") as file:
        return {key.removeprefix("count_"): int(file[key].sum()) for key in file.files if key.startswith("count_")}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the frameworks recorded, in which commands run."""
    for path in RECORDED.iterdir():
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


COMMANDS: dict[str, tuple[tuple[str, ...], Callable[[], dict[str, int]]]] = {
    "nest": ((*NEST, *TIMES), lambda: counts("nest")),
    "sonata": (
        ("sonata-spikes.h5", "--nodes", "sonata-nodes.h5", "--dt", "100us", "--duration", "0.05s"),
        lambda: counts("sonata"),
    ),
    "nwb": (
        ("nwb-units.nwb", "--dt", "1ms", "--duration", "2 s", "--start", "10s", "--split-by", "area"),
        # Units 0, 2 and 4 are in V1, 1 and 3 in LM, 5 in LGN.
        lambda: {"V1": 30 + 0 + 110, "LM": 50 + 90, "LGN": 0},
    ),
    "sanafe": (
        ("sanafe-spikes.csv", "--neurons", "in=4,hidden.0=3", "--neurons", "out=2", "--perf", "sanafe-perf.csv"),
        lambda: counts("sanafe"),
    ),
    "aer": (
        ("aer-events.csv", "--columns", "t x y p", "--sensor", "x=6,y=5,p=2", "--dt", "1ms", "--duration", "12ms"),
        lambda: {"input": counts("tonic")["of_sample_0"]},
    ),
    "nir": (("nir-data.h5", "--network", "nir-graph.nir", "--dt", "0.001"), lambda: counts("nir")),
    "npz": (("raster.npz", "--axes", "TBN"), lambda: {"a": 3, "b": 1}),
}


@pytest.mark.one_in(5)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_becomes_the_run_that_its_tool_counted(shell: Shell, folder: Path, name: str) -> None:
    np.savez("raster.npz", a=np.eye(3)[:, None, :], b=np.eye(3)[:, None, :1])
    arguments, own = COMMANDS[name]
    done = shell("ingest", "--from", name, *arguments, "--name", "recorded", "--json")
    assert done.exit_code == 0, done.stderr
    [row] = json.loads(done.stdout)["rows"]
    assert row["status"] == "stored"
    with EnergyStore("energy.duckdb", read_only=True) as store:
        report = store.report("recorded", "loihi2")
    assert {layer.layer: layer.spikes for layer in report.layers} == own()
    again = shell("ingest", "--from", name, *arguments, "--name", "recorded", "--json")
    assert json.loads(again.stdout)["rows"][0]["status"] == "unchanged"


def test_the_command_line_names_the_formats_that_there_are() -> None:
    assert set(COMMANDS) == set(NAMES) == set(FORMATS)


def test_a_bad_file_does_not_stop_the_others(shell: Shell, folder: Path) -> None:
    Path("bad.h5").write_text("no HDF5")
    done = shell(
        "ingest", "--from", "sonata", "bad.h5", "sonata-spikes.h5",
        "--nodes", "sonata-nodes.h5", "--dt", "0.1ms", "--duration", "50ms",
    )  # fmt: skip
    assert done.exit_code == 4
    assert "bad.h5: is no HDF5 file" in done.stderr
    assert "1 refused, 1 stored" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--from", "nest", *NEST), "--from nest needs --dt, --duration"),
        (("--from", "nest", *NEST[:2], *TIMES), "--from nest needs --ids"),
        (("--from", "nest", *NEST, "--dt", "0.1", "--duration", "100ms"), "--dt is 0.1, of what?"),
        (("--from", "nest", *NEST, *TIMES, "--axes", "TBN"), "--axes does not go with --from nest"),
        (("--from", "npz", "nest.npz", "--axes", "TBN", "--dt", "1ms"), "--dt does not go with --from npz"),
        (("--from", "nir", "nir-data.h5", "--dt", "1ms"), "does not say the unit of its times"),
        (("--from", "nset", *NEST, *TIMES), "'nset' is not one of"),
        ((*NEST, *TIMES), "--dt, --duration, --ids goes with --from FORMAT"),
        (("--from", "nest", *NEST, "--dt", "fast", "--duration", "1s"), "'fast' is no length of time"),
        (("--from", "nest", *NEST, "--dt", "0ms", "--duration", "1s"), "'0ms' is no length of time"),
        (("--from", "nest", *NEST[:2], "--ids", "1-4", *TIMES), "must be a layer with ids"),
        (("--from", "nest", *NEST, "--ids", "cells=9", *TIMES), "--ids says 'cells' twice"),
        (("--from", "nest", *NEST[:2], "--ids", "cells=4-1", *TIMES), "must be a layer with ids"),
        (("--from", "nest", "nothere-*.dat", "--ids", "cells=1-4", *TIMES), "nothere-*.dat: no file matches"),
        (("--from", "nest", *NEST, "nothere.dat", *TIMES), "nothere.dat: no such file"),
        (("--from", "nest", "nothere.dat", "--ids", "cells=1-4", *TIMES), "nothere.dat: no such file"),
        (("--from", "sanafe", "sanafe-spikes.csv", "--neurons", "in=four"), "must be names with sizes"),
        (("--from", "sonata", "a.h5", "b.h5", "--name", "x", *TIMES), "no such file"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_makes_no_store(
    shell: Shell, folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = shell("ingest", *arguments)
    assert done.exit_code in (2, 4)
    assert message in " ".join(done.stderr.split())
    assert not Path("energy.duckdb").exists()


def test_an_archive_of_no_spikes_is_named_and_stops_no_other(shell: Shell, folder: Path) -> None:
    np.savez("half.npz", a=np.full((2, 2), 0.5))
    np.savez("good.npz", a=np.eye(2))
    done = shell("ingest", "--from", "npz", "half.npz", "good.npz", "--axes", "TN")
    assert done.exit_code == 4
    assert "half.npz: the array of layer 'a' holds 0.5" in done.stderr
    assert "1 refused, 1 stored" in done.stderr


@pytest.mark.parametrize(
    ("name", "content"),
    [("text.npz", b"no archive"), ("empty.npz", b""), ("array.npy", None)],
)
def test_what_is_no_archive_is_refused(shell: Shell, folder: Path, name: str, content: bytes | None) -> None:
    np.save("array.npy", np.eye(2)) if content is None else Path(name).write_bytes(content)
    done = shell("ingest", "--from", "npz", name, "--axes", "TN")
    assert done.exit_code == 4
    assert f"{name}: is no .npz file" in done.stderr
