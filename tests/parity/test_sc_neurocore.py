"""The real sc-neurocore against ours, on random networks. `make parity` installs it; elsewhere this is skipped.

Nothing of it is copied here (it is under the AGPL): its accountant is called, and what it returns is compared. Its
package loads its parts when they are asked for, so the accountant needs none of its dependencies.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import ModuleType

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from energy_db import EnergyAccountant

RELEASE = "3.16.0"
COST_VERSION = "sc_neurocore_3_16_0"
CHIPS = ("akida", "analog_28nm", "fpga_artix7", "fpga_ice40", "loihi2")

# make parity says that the peer has to be here: then its absence is a failure.
if os.environ.get("PARITY_PEER") == "required":
    peer: ModuleType = importlib.import_module("sc_neurocore.energy_accounting")
else:
    peer = pytest.importorskip(
        "sc_neurocore.energy_accounting", reason="sc-neurocore is not installed: make parity installs and runs it"
    )


@dataclass(frozen=True)
class Counted:
    """What both accountants take: layers of (inputs, neurons), their spikes, the timesteps."""

    sizes: Sequence[tuple[int, int]]
    spikes: Sequence[int]
    n_timesteps: int

    def arguments(self) -> tuple[list[str], list[tuple[int, int]], list[int], int]:
        names = [f"layer{index}" for index in range(len(self.sizes))]
        return names, list(self.sizes), list(self.spikes), self.n_timesteps


@st.composite
def networks(draw: st.DrawFn) -> Counted:
    """Chains of 1 to 5 layers, silent ones among them; nobody fires more than once a step."""
    n_layers = draw(st.integers(1, 5))
    widths = draw(st.lists(st.integers(1, 2000), min_size=n_layers + 1, max_size=n_layers + 1))
    n_timesteps = draw(st.integers(1, 1000))
    spikes = [draw(st.integers(0, n_neurons * n_timesteps)) for n_neurons in widths[1:]]
    return Counted(list(pairwise(widths)), spikes, n_timesteps)


def assert_same(ours: float | None, theirs: float, what: str) -> None:
    """Ours is exact; the peer sums doubles, so its last digits may be off."""
    assert ours is not None and math.isclose(ours, theirs, rel_tol=1e-12), f"{what}: ours {ours}, theirs {theirs}"


def test_it_is_the_release_that_the_costs_are_from() -> None:
    assert importlib.metadata.version("sc-neurocore") == RELEASE


def test_its_chips_are_those_that_are_compared() -> None:
    """It knows no others: a chip that it does not know is refused."""
    with pytest.raises(ValueError, match="Unknown hardware") as refused:
        peer.EnergyAccountant("spinnaker2")
    assert all(repr(chip) in str(refused.value) for chip in CHIPS)
    assert str(refused.value).count("'") == 2 * (1 + len(CHIPS))


@settings(max_examples=200, derandomize=True, deadline=None, database=None)
@given(networks())
@example(Counted([(4, 3), (3, 2)], [8, 6], 5))
@example(Counted([(1, 1)], [0], 1))
def test_both_say_the_same(counted: Counted) -> None:
    for chip in CHIPS:
        theirs = peer.EnergyAccountant(chip)
        expected = theirs.account(*counted.arguments())
        found = EnergyAccountant(chip, cost_version=COST_VERSION).account(*counted.arguments())
        assert_same(found.total_energy_pj, expected.total_energy_pj, f"total on {chip}")
        assert_same(found.total_energy_nj, expected.total_energy_nj, f"total in nJ on {chip}")
        by_layer = zip(found.layers, expected.layers, strict=True)
        for mine, its in by_layer:
            assert mine.layer == its.name
            # It charges routing on the whole run, we where the spikes are.
            routing = its.n_spikes * theirs.cost_model.routing_pj
            assert_same(mine.energy_pj, its.total_pj + routing, f"{its.name} on {chip}")
        energy = {operation.operation: operation.energy_pj for operation in found.operations}
        assert_same(energy["synop"], sum(layer.synop_energy_pj for layer in expected.layers), "synop")
        assert_same(energy["memory_read"], sum(layer.memory_energy_pj for layer in expected.layers), "memory_read")
        assert_same(energy["membrane_update"], sum(layer.membrane_energy_pj for layer in expected.layers), "membrane")
        assert_same(energy["spike_generation"], sum(layer.spike_gen_energy_pj for layer in expected.layers), "spike")
        assert_same(energy["routing"], expected.routing_energy_pj, "routing")
