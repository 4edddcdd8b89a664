"""Blocks of Neo, in which PyNN and readers of recordings hand out spikes: one train for each neuron."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from energy_db.adapters.timing import Rounding, Stamped, n_steps, refuse_beyond, rounding_of, steps_of
from energy_db.errors import UsageError
from energy_db.intake.network import Layer
from energy_db.record.arrays import as_array
from energy_db.record.recording import Recording, of_parts
from energy_db.record.spikes import Spikes, from_events

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MICROSECONDS_PER_MS = 1000
# Times that differ by less than this share of a timestep are the same.
_THE_SAME = 1e-6


def from_neo(blocks: Any, *, dt_ms: float, layer: str | None = None, stamped: Stamped = "start") -> Recording:
    """Take the spike trains of Neo blocks, such as PyNN's `population.get_data()`.

    Parameters
    ----------
    blocks : mapping of str to Block, or Block
        For each layer, in order, its block: PyNN makes one of each population. Each segment is a sample, and each of
        its `spiketrains` a neuron, silent ones included. Their times carry their own unit.
    dt_ms : float
        Length of a timestep in ms, which Neo does not know.
    layer : str, optional
        The layer of a single block. Default: the block's name, which in PyNN is the population's label.
    stamped : {'start', 'end'}
        Whether a spike carries the time at which its timestep starts, as Brian2 stamps, or ends, as NEST does. 'start':
        what lies in [t_start + k dt, t_start + (k + 1) dt) is in timestep k, and what lies on t_stop, which Neo
        allows, in the last one. 'end': what lies in (t_start + k dt, t_start + (k + 1) dt]. A time within a millionth
        of a timestep of the grid lies on it.

    Returns
    -------
    Recording
        As many samples as segments; `t_start` and `t_stop` say how many timesteps. Neuron i is the i-th train of the
        first segment; in the other segments it is the train of the same `source_id`, where trains have one, and else
        the i-th.

    Raises
    ------
    UsageError
        If there is no segment or no train, layers differ in segments, trains in t_start or t_stop, segments in
        their trains or source_ids, or a time does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from energy_db.adapters import from_neo
    >>> class InMs(np.ndarray):  # as much of Neo's quantities as it takes
    ...     magnitude = property(np.asarray)
    ...     def rescale(self, unit):
    ...         return self
    >>> def train(*times):
    ...     spikes = np.array(times, float).view(InMs)
    ...     spikes.t_start, spikes.t_stop = np.array([0.0, 1.0]).view(InMs)[:, None]
    ...     return spikes
    >>> segment = SimpleNamespace(spiketrains=[train(0.3, 0.5), train()])
    >>> recording = from_neo({"exc": SimpleNamespace(segments=[segment])}, dt_ms=0.1)
    >>> recording.n_timesteps, recording.n_spikes, recording.layers[0].n_neurons
    (10, {'exc': 2}, 2)
    """
    dt_ms = _in_ms(dt_ms, "dt_ms") if hasattr(dt_ms, "rescale") else dt_ms
    rounding_of(stamped)
    segments_of = {name: list(block.segments) for name, block in _blocks(blocks, layer).items()}
    n_samples = _number_of_segments(segments_of)
    trains_of = {name: _trains(name, segments) for name, segments in segments_of.items()}
    grid = _grid(trains_of, dt_ms, stamped)
    layers = [Layer(name, n_neurons=len(by_sample[0])) for name, by_sample in trains_of.items()]
    parts = [
        _spikes(name, trains, sample, grid)
        for name, by_sample in trains_of.items()
        for sample, trains in enumerate(by_sample)
    ]
    timestep_us = round(dt_ms * _MICROSECONDS_PER_MS, 6)
    return of_parts(layers, parts, grid.n_timesteps, n_samples=n_samples, timestep_us=timestep_us)


@dataclass(frozen=True)
class _Grid:
    """The timesteps of a recording, and how times fall on them."""

    start_ms: float
    stop_ms: float
    dt_ms: float
    rounding: Rounding

    @property
    def n_timesteps(self) -> int:
        return n_steps(self.stop_ms - self.start_ms, self.dt_ms)

    def steps(self, times_ms: NDArray[np.float64], what: str) -> NDArray[np.int64]:
        """Return the timestep of each time; what lies on the end is in the last one."""
        steps = steps_of(times_ms, self.dt_ms, start=self.start_ms, rounding=self.rounding, what=what)
        is_the_end = (steps == self.n_timesteps) & (times_ms <= self.stop_ms + _THE_SAME * self.dt_ms)
        steps[is_the_end] = self.n_timesteps - 1
        refuse_beyond(steps, self.n_timesteps, what)
        return steps


def _blocks(blocks: Any, layer: str | None) -> Mapping[str, Any]:
    """Return the block of each layer."""
    if hasattr(blocks, "segments"):
        name = layer or getattr(blocks, "name", None)
        if not name:
            raise UsageError("the block has no name", "Say layer='...'.")
        return {name: blocks}
    if not isinstance(blocks, Mapping) or not all(hasattr(block, "segments") for block in blocks.values()):
        raise UsageError(
            f"blocks is {type(blocks).__name__}, must be a Neo block, or a mapping of layer names to blocks",
            "Of a PyNN population, give `population.get_data()`.",
        )
    if not blocks:
        raise UsageError("the recording has no layers", "Give a mapping of layer names to Neo blocks.")
    if layer is not None:
        raise UsageError("layer names a single block, but blocks is a mapping, whose keys name the layers")
    return blocks


def _number_of_segments(segments_of: Mapping[str, Sequence[Any]]) -> int:
    """Return how many segments all layers have."""
    sizes = {name: len(segments) for name, segments in segments_of.items()}
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{name} has {size}" for name, size in sizes.items())
        raise UsageError(f"all layers must have as many segments, but {listed}", "Each segment is a sample.")
    n_samples = next(iter(sizes.values()))
    if not n_samples:
        raise UsageError("the blocks have no segments", "Was the simulation run, and were spikes recorded?")
    return n_samples


def _trains(name: str, segments: Sequence[Any]) -> list[list[Any]]:
    """Return the trains of each segment of a layer, in the order of the neurons."""
    by_sample = [list(segment.spiketrains) for segment in segments]
    ids_by_sample = [[_id_of(train) for train in trains] for trains in by_sample]
    first = ids_by_sample[0]
    if not first:
        raise UsageError(f"segment 0 of layer {name!r} has no spike trains", "Were its spikes recorded?")
    have_ids = {each is not None for ids in ids_by_sample for each in ids}
    if len(have_ids) > 1:
        raise UsageError(f"some trains of layer {name!r} have a source_id, others have none", "Give it to all or none.")
    for sample, ids in enumerate(ids_by_sample):
        where = f"segment {sample} of layer {name!r}"
        if len(ids) != len(first):
            raise UsageError(f"{where} has {len(ids)} trains, but segment 0 has {len(first)}")
        if True in have_ids and len(set(ids)) < len(ids):
            raise UsageError(f"{where} has the source_id {next(i for i in ids if ids.count(i) > 1)} twice")
        if set(ids) != set(first):
            raise UsageError(
                f"{where} has the source_id {next(i for i in ids if i not in first)}, which segment 0 does not have",
                "Each segment must have a train of each neuron that was recorded, silent ones too.",
            )
    if have_ids == {False}:
        return by_sample
    train_of = [dict(zip(ids, trains, strict=True)) for ids, trains in zip(ids_by_sample, by_sample, strict=True)]
    return [[trains[each] for each in first] for trains in train_of]


def _id_of(train: Any) -> Any:
    """Return what identifies a neuron; PyNN calls it channel_id, which elsewhere can be an electrode of many units."""
    annotations = getattr(train, "annotations", {})
    key = "channel_id" if "source_population" in annotations and "source_id" not in annotations else "source_id"
    return annotations.get(key)


def _grid(trains_of: Mapping[str, Sequence[Sequence[Any]]], dt_ms: float, stamped: str) -> _Grid:
    """Return the timesteps that all trains share."""
    span: tuple[float, float] | None = None
    for name, by_sample in trains_of.items():
        for sample, trains in enumerate(by_sample):
            for neuron, train in enumerate(trains):
                what = f"train {neuron} of segment {sample} of layer {name!r}"
                own = _in_ms(train.t_start, f"t_start of {what}"), _in_ms(train.t_stop, f"t_stop of {what}")
                span = span or own
                if any(not abs(a - b) <= _THE_SAME * dt_ms for a, b in zip(own, span, strict=True)):
                    raise UsageError(
                        f"{what} reaches from {own[0]:g} to {own[1]:g} ms, but the first one from {span[0]:g} to "
                        f"{span[1]:g} ms",
                        "Samples of a run have one length: take segments of another one apart.",
                    )
    assert span is not None
    return _Grid(*span, dt_ms, rounding_of(stamped))


def _spikes(name: str, trains: Sequence[Any], sample: int, grid: _Grid) -> Spikes:
    """Return the spikes of a segment of a layer."""
    import numpy as np

    steps_of_train = []
    for neuron, train in enumerate(trains):
        what = f"train {neuron} of segment {sample} of layer {name!r}"
        steps_of_train.append(grid.steps(_magnitudes_in_ms(train, what), what))
    neurons = np.repeat(np.arange(len(trains)), [len(steps) for steps in steps_of_train])
    return from_events(name, neurons, np.concatenate(steps_of_train), sample)


def _in_ms(quantity: Any, what: str) -> float:
    """Return a time with a unit as a number of ms."""
    value = _magnitudes_in_ms(quantity, what)
    if value.size != 1:
        raise UsageError(f"{what} is {quantity}, must be one time")
    return float(value.reshape(-1)[0])


def _magnitudes_in_ms(quantity: Any, what: str) -> NDArray[np.float64]:
    """Return times with a unit as numbers of ms."""
    import numpy as np

    if not hasattr(quantity, "rescale"):
        raise UsageError(f"{what} has no unit", "Give Neo's own spike trains, whose times carry it.")
    try:
        in_ms = quantity.rescale("ms")
    except ValueError as error:
        raise UsageError(f"{what} is no time: {error}") from error
    return as_array(in_ms.magnitude, what).astype(np.float64)
