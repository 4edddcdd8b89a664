"""A publication of the three digits runs, what they cost by NumPy, and the tools that may be there to read it."""

from __future__ import annotations

import importlib
import json
import os
import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
RUNS = ("digits-baseline", "digits-reseeded", "digits-sparse")
# What a spike costs on loihi2 with the costs tutorial72, by the role of its layer (docs/method.md).
SPIKE_PJ = {"input": Decimal("1.0"), "hidden": Decimal("2.1"), "readout": Decimal("1.0")}

LAYERS = """
    SELECT run_name, layer, n_spikes, energy_pj FROM mart.layer_energy
    WHERE chip = 'loihi2' ORDER BY run_name, layer_index
"""

Row = tuple[str, str, int, Decimal]


def tool(module: str) -> ModuleType:
    """Import a tool, or skip; `make bi-tools` names in BI_TOOLS those that have to be here."""
    if module in os.environ.get("BI_TOOLS", "").split():
        return importlib.import_module(module)
    return pytest.importorskip(module, reason=f"{module} is not installed: make bi-tools installs and runs it")


@cache
def spikes_of(run: str) -> dict[str, np.ndarray]:
    """Count the spikes of each neuron, by layer, in the arrays that the framework handed out."""
    packed = np.load(EXAMPLES / f"{run}.npz")
    layers = json.loads((EXAMPLES / f"{run}.json").read_text(encoding="utf-8"))["layers"]
    counts = {}
    for layer in layers:
        spikes = np.unpackbits(packed[layer["name"]], axis=-1, count=layer["n_neurons"])
        counts[layer["name"]] = spikes.reshape(-1, layer["n_neurons"]).sum(axis=0, dtype=np.int64)
    return counts


def roles_of(run: str) -> dict[str, str]:
    layers = json.loads((EXAMPLES / f"{run}.json").read_text(encoding="utf-8"))["layers"]
    return {layer["name"]: layer["role"] for layer in layers}


def expected_layers(runs: tuple[str, ...] = RUNS) -> list[Row]:
    """What LAYERS must give."""
    return [
        (run, layer, int(counts.sum()), int(counts.sum()) * SPIKE_PJ[roles_of(run)[layer]])
        for run in sorted(runs)
        for layer, counts in spikes_of(run).items()
    ]


def total_pj(run: str) -> Decimal:
    return sum((pj for *_, pj in expected_layers((run,))), Decimal(0))


def block_of(heading: str) -> str:
    """The one Python block under a heading of docs/bi.md."""
    page = (ROOT / "docs" / "bi.md").read_text(encoding="utf-8")
    [section] = re.findall(rf"^### {heading}\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL)
    [block] = re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return str(block)
