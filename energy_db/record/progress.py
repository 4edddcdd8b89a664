"""How far a recording has come, for whoever looks on from outside: lines are only ever appended, without a lock."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from energy_db.intake.network import Layer
from energy_db.record.synapses import Synapses

if TYPE_CHECKING:
    from energy_db.record.spikes import Spikes

_FILE = "progress.jsonl"
_SECONDS_OF_A_LOOK, _MOST_SECONDS_OF_A_LOOK = 0.5, 5.0
_SHARE_OF_ITS_LENGTH = 0.001


@dataclass(frozen=True)
class Progress:
    """A recording as it was at one moment; all counts are since its beginning.

    Attributes
    ----------
    seconds : float
        Seconds since the beginning.
    n_samples, n_timesteps : int or None
        Samples so far, and timesteps of each; None where only events came and nobody said.
    n_spikes : dict of str to int
        Spikes of each layer.
    n_synaptic_events : dict of str to int
        Synaptic events of the layers whose fan-out is declared.
    n_neurons : dict of str to (int or None)
        Neurons of each layer; None where only events came and nobody said.
    training_step, epoch : int, optional
        The last step of a training, and its epoch.
    energy_pj : dict of str to float, optional
        Energy of each layer in pJ, where the recording itself prices its spikes.
    unlayered_energy_pj : float
        Energy that no layer causes, in pJ.
    priced_on : str, optional
        The chip and cost version of these energies.
    is_complete : bool
        Whether the recording came to its end.
    """

    seconds: float
    n_samples: int | None
    n_timesteps: int | None
    n_spikes: Mapping[str, int]
    n_synaptic_events: Mapping[str, int]
    n_neurons: Mapping[str, int | None]
    training_step: int | None = None
    epoch: int | None = None
    energy_pj: Mapping[str, float] | None = None
    unlayered_energy_pj: float = 0.0
    priced_on: str | None = None
    is_complete: bool = False


class ProgressWriter:
    """Appends to a recording's progress.

    Parameters
    ----------
    folder : Path
        The recording's journal.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._began = self._noted = time.monotonic()

    def is_due(self) -> bool:
        """Whether to note something again: the longer it lasts the more seldom, so that it stays quick to read."""
        now = time.monotonic()
        interval = min(max((now - self._began) * _SHARE_OF_ITS_LENGTH, _SECONDS_OF_A_LOOK), _MOST_SECONDS_OF_A_LOOK)
        return now - self._noted >= interval

    def note(self, **counts: Any) -> None:
        """Append how far it has come: the attributes of `Progress` but its seconds."""
        self._noted = time.monotonic()
        moment = Progress(seconds=round(self._noted - self._began, 3), **counts)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(moment)) + "\n")


def read_progress(folder: Path) -> list[Progress]:
    """Return all moments that were noted of a recording, in order, but for lines that are not whole.

    The last one may be being written; what a machine wrote just before it lost its power may be zeros.
    """
    try:
        text = (folder / _FILE).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    moments = []
    for line in text.splitlines(keepends=True):
        if line.endswith("\n"):
            with suppress(ValueError, TypeError):
                moments.append(Progress(**json.loads(line)))
    return moments


class Tally:
    """Counts spikes and the synaptic events that they cause.

    Parameters
    ----------
    layers : sequence of Layer
        The layers; those that declare a fan-out have their synaptic events counted.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._synapses = Synapses(layers)
        self._n_spikes = {layer.name: 0 for layer in layers}
        self._n_synaptic_events = {layer.name: 0 for layer in layers if layer.fan_out is not None}

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Spikes and synaptic events so far, as attributes of `Progress`."""
        return {"n_spikes": self._n_spikes, "n_synaptic_events": self._n_synaptic_events}

    def add(self, spikes: Spikes) -> None:
        """Count the spikes of a layer."""
        self._n_spikes[spikes.layer] += spikes.total
        if (n_events := self._synapses.caused_by(spikes)) is not None:
            self._n_synaptic_events[spikes.layer] += n_events
