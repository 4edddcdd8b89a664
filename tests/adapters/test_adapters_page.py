"""Every two lines of docs/adapters.md are executed, on what the frameworks recorded."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from factories import mostly_thorough
from neo_objects import recorded_block

import energy_db.adapters
from energy_db import EnergyStore

ROOT = Path(__file__).parents[2]
RECORDED = Path(__file__).parent / "recorded"
ROW = re.compile(r"^\| ([^|]+) \| `(recording = [^`]+)`<br>`(store\.ingest[^`]+)` \|$", re.MULTILINE)
ROWS = {name: (first, second) for name, first, second in ROW.findall((ROOT / "docs/adapters.md").read_text("utf-8"))}


def recorded(name: str) -> dict[str, Any]:
    with np.load(RECORDED / f"{name}.npz", allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def spikingjelly_monitor(raw: dict[str, Any]) -> SimpleNamespace:
    records = [raw[key] for key in sorted(raw) if key.startswith("s_record_")]
    index = {name: raw[f"s_index_{name}"].tolist() for name in ("1", "3")}
    return SimpleNamespace(records=records, name_records_index=index)


def nest_names(raw: dict[str, Any]) -> dict[str, Any]:
    events = {"senders": raw["memory_senders"], "times": raw["memory_times"]}
    populations = {name: raw[f"ids_{name}"].tolist() for name in ("cells", "parrots")}
    found = {"recorder": SimpleNamespace(events=events), "glob": lambda pattern: sorted(RECORDED.glob(pattern))}
    return populations | found


# What was recorded under another name than the row's.
OTHER_NAMES = {"lava-dl": "lava_dl", "SANA-FE": "sanafe", "text files": "tonic"}

# The names that the lines use, and what the framework itself counted of them.
IN_HAND = {
    "snnTorch": (lambda raw: {"conv_steps": list(raw["conv"]), "out_steps": list(raw["out"])}, "count_"),
    "Norse": (
        lambda raw: {"z": raw["hidden"], "state": None, "cell_outputs": [(step, None) for step in raw["out"]]},
        "count_",
    ),
    "SpikingJelly": (lambda raw: {"monitor": spikingjelly_monitor(raw)}, "s_count_"),
    "sinabs": (lambda raw: {"squeezed": raw["conv"]}, "count_conv"),
    "Rockpool": (
        lambda raw: {"record": {name: {"spikes": raw[name]} for name in ("1_LIFTorch", "3_LIFTorch")}},
        "count_",
    ),
    "Lava": (
        lambda raw: {"data": {name: {"s_out": raw[f"data_{name}"]} for name in ("Process_0", "Process_2")}},
        "count_",
    ),
    "Nengo": (lambda raw: {"sim": SimpleNamespace(data={"a": raw["plain"]}), "probe": "a"}, "count_plain"),
    "Brian2": (
        lambda raw: {
            "spike_monitor": SimpleNamespace(i=raw["i_cells"], t=raw["t_cells"], source=SimpleNamespace(N=5)),
            "defaultclock": SimpleNamespace(dt=raw["dt"]),
            "duration": raw["duration"],
        },
        "count_cells",
    ),
    "NEST, in memory": (nest_names, "count_"),
    "NEST, files": (nest_names, "count_"),
    "NIR": (lambda raw: {}, "count_"),
    "lava-dl": (lambda raw: {"z": {name: raw[name] for name in ("conv", "dense")}}, ("count_conv", "count_dense")),
    "SANA-FE": (lambda raw: {}, "count_"),
    "Tonic": (lambda raw: {"dataset": [(raw["sample_0"], 7), (raw["sample_1"], 3)]}, "count_frames"),
    "text files": (lambda raw: {}, "count_of_sample_0"),
    "SONATA": (lambda raw: {}, "count_"),
    "NWB": (lambda raw: {}, "count_units"),
    "Neo, PyNN": (
        lambda raw: {name: SimpleNamespace(get_data=partial(recorded_block, name)) for name in ("source", "cells")},
        "count_",
    ),
}


@pytest.mark.parametrize("framework", mostly_thorough(ROWS, 2))
def test_two_lines_lead_to_a_run(framework: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(RECORDED)
    raw = recorded(OTHER_NAMES.get(framework, framework.partition(",")[0].lower()))
    make_names, counts = IN_HAND[framework]
    names = make_names(raw)
    n_spikes = sum(int(each.sum()) for key, each in raw.items() if key.startswith(counts))
    adapters = {name: getattr(energy_db.adapters, name) for name in energy_db.adapters.__all__}
    with EnergyStore(":memory:") as store:
        exec("\n".join(ROWS[framework]), {**adapters, **names, "store": store})
        [run] = store.runs()
        assert run.n_spikes == n_spikes
        assert store.report(run, "loihi2").total_energy_pj > 0


def test_every_adapter_has_a_row() -> None:
    shown = {re.match(r"recording = (\w+)", first)[1] for first, _ in ROWS.values()}  # type: ignore[index]
    assert shown == set(energy_db.adapters.__all__)
