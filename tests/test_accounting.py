"""The tutorial's accountant: its two worked examples to the character, and what it refuses."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from energy_db import EnergyAccountant, EnergyReport
from energy_db.errors import NotFoundError, UsageError

ROLES = ["input", "hidden", "readout"]


def quick_start() -> EnergyReport:
    accountant = EnergyAccountant("loihi2")
    return accountant.account(
        layer_names=["hidden", "output"],
        layer_sizes=[(784, 256), (256, 10)],
        spike_counts=[5000, 200],
        n_timesteps=100,
    )


def test_the_quick_start_of_the_tutorial_prints_what_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    print(quick_start().summary())
    assert capsys.readouterr().out == (
        "Energy Accounting (loihi2):\n"
        "  hidden: 5000 spikes × 2.1 pJ/spike = 10.5 nJ (98.1%)\n"
        "  output: 200 spikes × 1.0 pJ/spike = 0.2 nJ (1.9%)\n"
        "  Total: 10.7 nJ per inference\n"
        "  Dominant layer: hidden (98.1%)\n"
    )


def test_the_five_chips_of_the_tutorial_print_what_they_print(capsys: pytest.CaptureFixture[str]) -> None:
    for chip in ["loihi2", "spinnaker2", "akida", "brainscales2", "fpga_ice40"]:
        report = EnergyAccountant(chip).account(["layer"], [(128, 64)], [1000], 100)
        print(chip, report.energy_per_spike_pj, report.total_energy_nj)
    assert capsys.readouterr().out == (
        "loihi2 2.1 2.1\nspinnaker2 10.0 10.0\nakida 3.5 3.5\nbrainscales2 0.3 0.3\nfpga_ice40 15.0 15.0\n"
    )


def test_the_figures_behind_the_quick_start() -> None:
    report = quick_start()
    assert (report.chip, report.cost_version, report.total_spikes) == ("loihi2", "tutorial72", 5200)
    assert (report.total_energy_pj, report.total_energy_nj, report.dominant_layer) == (10700.0, 10.7, "hidden")
    assert report.energy_per_spike_pj == pytest.approx(10700 / 5200)
    assert [(layer.role, layer.spikes, layer.energy_pj) for layer in report.layers] == [
        ("hidden", 5000, 10500.0),
        ("readout", 200, 200.0),
    ]
    assert {entry.operation: (entry.count, entry.energy_pj) for entry in report.operations} == {
        "synapse_lookup": (5000, 4000.0),
        "membrane_update": (5200, 2600.0),
        "weight_multiply": (5200, 2600.0),
        "aer_routing": (5000, 1000.0),
        "spike_generation": (5000, 500.0),
    }


def test_roles_can_be_given() -> None:
    report = EnergyAccountant("loihi2").account(["a", "b", "c"], [(1, 1)] * 3, [100, 10, 1], 5, roles=ROLES)
    assert [layer.role for layer in report.layers] == ROLES
    assert report.total_energy_pj == 100 * 1.0 + 10 * 2.1 + 1 * 1.0


def test_the_last_of_several_layers_is_the_readout() -> None:
    report = EnergyAccountant("spinnaker2").account(["a", "b", "c"], [(1, 1)] * 3, [1, 1, 1], 5)
    assert [(layer.role, layer.energy_pj) for layer in report.layers] == [
        ("hidden", 10.0),
        ("hidden", 10.0),
        ("readout", 4.0),
    ]


def test_a_layer_whose_neurons_nobody_counted_does_not_claim_to_be_silent() -> None:
    assert all(layer.n_active_neurons != 0 for layer in quick_start().layers)


def test_counts_of_numpy_are_counts() -> None:
    spikes = np.array([5000, 200])
    sizes = np.array([(784, 256), (256, 10)])
    report = EnergyAccountant("loihi2").account(["hidden", "output"], sizes, spikes, np.int64(100))  # type: ignore[arg-type]
    assert report == quick_start()


def test_silence() -> None:
    report = EnergyAccountant("akida").account(["a", "b"], [(2, 3), (3, 1)], [0, 0], 10)
    assert (report.total_energy_pj, report.energy_per_spike_pj, report.dominant_layer) == (0.0, None, None)
    assert report.summary().splitlines() == [
        "Energy Accounting (akida):",
        "  a: 0 spikes = 0.0 nJ (0.0%)",
        "  b: 0 spikes = 0.0 nJ (0.0%)",
        "  Total: 0.0 nJ per inference",
    ]


def test_an_account_leaves_nothing_behind() -> None:
    accountant = EnergyAccountant("loihi2")
    for spikes in (1, 2, 1):
        assert accountant.account(["a"], [(1, 1)], [spikes], 1).total_energy_pj == pytest.approx(spikes * 2.1)


@pytest.mark.thorough
def test_threads_do_not_mix_their_accounts() -> None:
    def total(spikes: int) -> float:
        return EnergyAccountant("spinnaker2").account(["a"], [(1, 1)], [spikes], 1).total_energy_pj

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(total, range(20))) == [spikes * 10.0 for spikes in range(20)]


@pytest.mark.parametrize("chip", ["loihi3", "LOIHI2", ""])
def test_an_unknown_chip_is_refused(chip: str) -> None:
    with pytest.raises(NotFoundError, match=f"unknown chip '{chip}'"):
        EnergyAccountant(chip)


def test_an_unknown_cost_version_is_refused() -> None:
    with pytest.raises(NotFoundError, match="tutorial72"):
        EnergyAccountant("loihi2", cost_version="tutorial73")


TWO = {"layer_names": ["a", "b"], "layer_sizes": [(1, 2), (2, 1)], "spike_counts": [1, 1], "n_timesteps": 10}
REFUSED = {
    "fewer sizes": {"layer_sizes": [(1, 2)]},
    "fewer counts": {"spike_counts": [1]},
    "more counts": {"spike_counts": [1, 1, 1]},
    "fewer names": {"layer_names": ["a"]},
    "fewer roles": {"roles": ["hidden"]},
    "no layers": {"layer_names": [], "layer_sizes": [], "spike_counts": []},
    "a name twice": {"layer_names": ["a", "a"]},
    "a negative count": {"spike_counts": [1, -1]},
    "half a spike": {"spike_counts": [1, 0.5]},
    "a count in words": {"spike_counts": [1, "1"]},
    "a truth for a count": {"spike_counts": [1, True]},
    "a missing count": {"spike_counts": [1, None]},
    "more spikes than can be counted": {"spike_counts": [2**63 - 1, 2**63 - 1]},
    "a size that is no pair": {"layer_sizes": [(1, 2), (2,)]},
    "a size that is a number": {"layer_sizes": [(1, 2), 2]},
    "a negative size": {"layer_sizes": [(1, 2), (2, -1)]},
    "spikes of no neurons": {"layer_sizes": [(1, 2), (2, 0)]},
    "no timesteps": {"n_timesteps": 0},
    "negative timesteps": {"n_timesteps": -1},
    "an unknown role": {"roles": ["hidden", "output"]},
    "no lists at all": {"spike_counts": 2},
}


@pytest.mark.parametrize("wrong", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        EnergyAccountant("loihi2").account(**{**TWO, **wrong})


def test_a_layer_of_no_neurons_may_be_silent() -> None:
    report = EnergyAccountant("loihi2").account(["a", "b"], [(1, 2), (2, 0)], [1, 0], 10)
    assert report.total_energy_pj == 2.1


@pytest.mark.parametrize(
    ("size", "n_timesteps", "says"),
    [
        ((2**62, 5), 1, "spikes x n_inputs is"),
        ((4, 2**62), 10, "n_neurons x n_timesteps x n_samples is"),
        ((4, 5), 2**63 - 1, "n_neurons x n_timesteps x n_samples is"),
    ],
)
def test_what_cannot_be_counted_is_refused(size: tuple[int, int], n_timesteps: int, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        EnergyAccountant("loihi2").account(["a"], [size], [10], n_timesteps)
