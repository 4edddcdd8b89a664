"""A training on its way into the store: its spikes summed up, its steps one by one, in a journal until it ends."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from energy_db.errors import UsageError
from energy_db.intake.declaration import TRAINING
from energy_db.record import journal, run_file
from energy_db.record import target as target_of
from energy_db.record.journal import COMPLETE, Journal, JournaledRun
from energy_db.record.progress import ProgressWriter
from energy_db.record.reach import completed
from energy_db.record.spikes import Spikes

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from energy_db.record.counting import BatchCounts
    from energy_db.record.step_energy import StepEnergy
    from energy_db.record.target import Target
    from energy_db.runs import Run

_SECONDS_OF_A_FLUSH = 5.0


class TrainingLog:
    """Logs a training as a run of kind 'training'.

    Parameters
    ----------
    target : Path or EnergyStore
        Where the run goes.
    name : str
        What to call it.
    declaration : mapping
        What is declared of it, in the form of a sidecar, with its layers.
    priced_on : str
        The chip and cost version that price its steps.

    Raises
    ------
    StoreError
        If the journal cannot be made, because an earlier training of the name is there.
    """

    def __init__(self, target: Target, name: str, declaration: Mapping[str, Any], priced_on: str) -> None:
        self._target = target
        self._priced_on = priced_on
        self._layers = [layer["name"] for layer in declaration["layers"]]
        self._declaration = {**declaration, "run": name, "kind": TRAINING}
        self._journal = Journal(target_of.journal_folder(target, name, None), self._declaration)
        self.folder = self._journal.folder
        self._columns = run_file.schema("").remove_metadata()
        self._progress = ProgressWriter(self.folder)
        self._steps = Steps(self._layers)
        self._n_written_steps = 0
        self._sums: dict[str, NDArray[np.int64]] = {}
        self._extent: Mapping[str, Any] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._n_synaptic_events: dict[str, int] = {}
        self._energy_pj = dict.fromkeys(self._layers, 0.0)
        self._unlayered_energy_pj = 0.0
        self._written = time.monotonic()

    def add(
        self,
        batches: Mapping[str, BatchCounts],
        cost: StepEnergy,
        n_synaptic_events: Mapping[str, int],
    ) -> None:
        """Log a training step.

        Parameters
        ----------
        batches : mapping of str to BatchCounts
            What every layer spiked; all of as many samples and timesteps.
        cost : StepEnergy
            What the step cost.
        n_synaptic_events : mapping of str to int
            Synaptic events of the layers whose fan-out is declared.
        """
        for layer, batch in batches.items():
            if self._shapes.setdefault(layer, batch.counts.shape) != batch.counts.shape:
                raise UsageError(
                    f"layer {layer!r} has {batch.counts.shape} timesteps and neurons in this step, "
                    f"but had {self._shapes[layer]} before",
                    "A training that is kept has as many timesteps and neurons in every step.",
                )
        for layer, batch in batches.items():
            self._sums[layer] = self._sums[layer] + batch.counts if layer in self._sums else batch.counts
        for layer, n_events in n_synaptic_events.items():
            self._n_synaptic_events[layer] = self._n_synaptic_events.get(layer, 0) + n_events
        for layer, energy in cost.energy_pj.items():
            self._energy_pj[layer] += energy
        self._unlayered_energy_pj += cost.unlayered_energy_pj
        self._steps.add(cost.epoch, cost.n_samples, {layer: batch.n_spikes for layer, batch in batches.items()})
        self._extent = {
            "n_timesteps": cost.n_timesteps,
            "n_samples": self._steps.n_samples,
            "n_neurons": {layer: batch.counts.shape[1] for layer, batch in batches.items()},
        }
        now = time.monotonic()
        if self._progress.is_due():
            self._note()
        if now - self._written >= _SECONDS_OF_A_FLUSH:
            self._write(now)

    def close(self) -> Run | Path:
        """End the training, and make its run visible.

        Raises
        ------
        UsageError
            If there was no step.
        EnergyDbError
            If the run cannot be written or stored; the journal keeps it then, for `recover`.
        """
        if not self._extent:
            self._journal.close()
            journal.remove(self.folder)
            raise UsageError("the training has no steps: nothing is stored", "Call step() behind each of its batches.")
        now = time.monotonic()
        self._write(now)
        self._journal.append(run_file.no_rows(self._layers), {**self._extent, COMPLETE: True})
        self._note(is_complete=True)
        self._journal.close()
        declared = {**completed(self._declaration, self._extent), TRAINING: self._steps.since(0)}
        return target_of.publish(JournaledRun(self.folder, declared, self._journal.n_events), self._target)

    def abort(self) -> None:
        """End the training without a run; the journal keeps what was logged, for `recover`."""
        if self._extent:
            self._write(time.monotonic())
        self._journal.close()

    def _note(self, is_complete: bool = False) -> None:
        self._progress.note(
            **self._extent,
            n_spikes=self._steps.total_spikes,
            n_synaptic_events=self._n_synaptic_events,
            training_step=len(self._steps) - 1,
            epoch=self._steps.last_epoch,
            energy_pj=self._energy_pj,
            unlayered_energy_pj=self._unlayered_energy_pj,
            priced_on=self._priced_on,
            is_complete=is_complete,
        )

    def _write(self, now: float) -> None:
        """Write the spikes since the last time, all layers in one batch: whole or not at all."""
        batches = [
            run_file.batch_of(_summed(name, sums), self._layers, self._columns) for name, sums in self._sums.items()
        ]
        if batches:
            reached = {**self._extent, TRAINING: self._steps.since(self._n_written_steps)}
            self._journal.append(run_file.together(batches), reached)
            self._n_written_steps = len(self._steps)
            self._sums = {}
        self._written = now


class Steps:
    """The steps of a training, as columns.

    Parameters
    ----------
    layers : sequence of str
        The layers, in order.
    """

    def __init__(self, layers: Sequence[str]) -> None:
        self._epochs: list[int | None] = []
        self._n_samples: list[int] = []
        self._n_spikes: dict[str, list[int]] = {layer: [] for layer in layers}
        self.n_samples = 0
        self.total_spikes = dict.fromkeys(layers, 0)

    def __len__(self) -> int:
        return len(self._n_samples)

    @property
    def last_epoch(self) -> int | None:
        """The epoch of the last step."""
        return self._epochs[-1]

    def add(self, epoch: int | None, n_samples: int, n_spikes: Mapping[str, int]) -> None:
        """Add a step."""
        self._epochs.append(epoch)
        self._n_samples.append(n_samples)
        self.n_samples += n_samples
        for layer, count in n_spikes.items():
            self._n_spikes[layer].append(count)
            self.total_spikes[layer] += count

    def since(self, first: int) -> dict[str, Any]:
        """Return the steps from one on, in the form of a sidecar."""
        n_spikes = {layer: counts[first:] for layer, counts in self._n_spikes.items()}
        return {"epoch": self._epochs[first:], "n_samples": self._n_samples[first:], "n_spikes": n_spikes}


def _summed(layer: str, sums: NDArray[np.int64]) -> Spikes:
    """Return what neurons spiked in each timestep over many samples, as if it were one."""
    import numpy as np

    timestep, neuron = np.nonzero(sums)
    where = (neuron.astype(np.int32), timestep.astype(np.int32), np.zeros(len(neuron), np.int32))
    return Spikes(layer, *where, sums[timestep, neuron].astype(np.int32))
