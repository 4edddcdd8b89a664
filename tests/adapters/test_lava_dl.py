"""What lava-dl's SLAYER blocks returned (examples/frameworks/record_lava_dl.py), and what must be refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from energy_db.adapters import from_lava_dl
from energy_db.errors import UsageError

RECORDED = Path(__file__).parent / "recorded"
BLOCKS = ("conv", "dense", "sigma_delta")


def recorded() -> dict[str, Any]:
    with np.load(RECORDED / "lava_dl.npz", allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def test_counts_of_every_neuron_are_its_own() -> None:
    raw = recorded()
    recording = from_lava_dl({name: raw[name] for name in BLOCKS}, timestep_us=1000)
    assert (recording.n_samples, recording.n_timesteps, recording.timestep_us) == (3, 12, 1000)
    assert [layer.n_neurons for layer in recording.layers] == [3 * 4 * 5, 4, 5]
    for layer, part in zip(BLOCKS, recording.spikes(), strict=True):
        counts = np.bincount(part.neuron, minlength=len(raw[f"count_{layer}"]))
        assert counts.tolist() == raw[f"count_{layer}"].tolist()
        assert part.timestep.min() > 0  # SLAYER hands spikes on a timestep later
        assert part.n_spikes is None


def test_payloads_are_one_spike_each_unless_they_are_numbers() -> None:
    payloads = recorded()["sigma_delta"]
    assert len(np.unique(payloads)) > 2
    assert from_lava_dl({"out": payloads}).n_spikes == {"out": np.count_nonzero(payloads)}
    with pytest.raises(UsageError, match="must hold whole numbers"):
        from_lava_dl({"out": payloads}, values="counts")
    twice = recorded()["dense"] * 2
    assert from_lava_dl({"out": twice}, values="counts").n_spikes == {"out": 2 * np.count_nonzero(twice)}


@pytest.mark.parametrize(
    ("spikes", "message"),
    [
        ({}, "no layers"),
        (np.zeros((3, 2, 4)), "no layers"),
        ({"out": np.zeros((3, 4))}, r"of shape \(3, 4\), must have the axes NCT or NCHWT"),
        ({"out": np.zeros((3, 4, 2, 2))}, "must have the axes NCT or NCHWT"),
        ({"out": np.full((1, 1, 2), np.nan)}, "holds nan"),
        ({"a": np.zeros((3, 2, 4)), "b": np.zeros((3, 2, 5))}, "as many timesteps, but a has 4, b has 5"),
        ({"a": np.zeros((3, 2, 4)), "b": np.zeros((2, 2, 4))}, "as many samples, but a has 3, b has 2"),
        ({"out": np.array([[["a"]]])}, "must hold numbers"),
    ],
)
def test_what_does_not_fit_is_refused(spikes: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        from_lava_dl(spikes)
