"""Monitors and probes of Brian2, Nengo and Lava."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from energy_db.adapters.timing import n_steps, refuse_beyond, steps_of
from energy_db.errors import UsageError
from energy_db.intake.network import Layer
from energy_db.intake.reading import LARGEST_INDEX
from energy_db.record.arrays import as_array
from energy_db.record.recording import Recording, of_arrays, of_parts
from energy_db.record.spikes import Values, from_events

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MICROSECONDS = 1e6
# How far a probe's value may be off a whole number of spikes, as a share of one.
_NEARLY_WHOLE = 1e-6
# How far a spike may be off its clock's grid, in timesteps; long runs are off it by what binary fractions leave.
_ON_THE_CLOCK = 1e-3


def from_brian2(
    monitors: Mapping[str, Any], *, dt: Any, duration: Any, sizes: Mapping[str, int] | None = None
) -> Recording:
    """Take Brian2's spike monitors.

    Parameters
    ----------
    monitors : mapping of str to (SpikeMonitor or mapping)
        For each layer, in order: the monitor, or what its `get_states(units=False)` returned: `i` and `t`.
    dt, duration : Quantity or float
        Length of a timestep, and of the run; a plain number is in seconds.
    sizes : mapping of str to int, optional
        Neurons of layers whose monitor does not say (`monitor.source.N`); where it does, the same.

    Returns
    -------
    Recording
        One sample. Timestep k is the one whose clock shows k dt: Brian2 puts spikes on its grid, and a time that is
        off it by more than a thousandth of a timestep is refused.

    Raises
    ------
    UsageError
        If a monitor kept counts only, nobody says how many neurons a layer has or two say different numbers, a neuron
        is none of its layer, or a time does not fit.

    Examples
    --------
    >>> from energy_db.adapters import from_brian2
    >>> states = {"i": [0, 2, 2], "t": [0.0001, 0.0003, 0.0099]}
    >>> recording = from_brian2({"exc": states}, dt=0.0001, duration=0.01, sizes={"exc": 3})
    >>> recording.n_timesteps, recording.n_spikes
    (100, {'exc': 3})
    """
    step, length = _number(dt, "dt"), _number(duration, "duration")
    n_timesteps = n_steps(length, step)
    if strange := [name for name in sizes or {} if name not in monitors]:
        raise UsageError(f"sizes names {strange[0]!r}, but the layers are {', '.join(monitors)}")
    layers, parts = [], []
    for name, monitor in monitors.items():
        states = monitor if isinstance(monitor, Mapping) else _states_of(name, monitor)
        if "i" not in states or "t" not in states:
            raise UsageError(f"the states of layer {name!r} lack i or t", f"They have {', '.join(states)}.")
        n_neurons = _size_of(name, (sizes or {}).get(name), states.get("N_source"))
        steps = _steps_of_clock(states["t"], step, f"t of layer {name!r}")
        refuse_beyond(steps, n_timesteps, f"t of layer {name!r}")
        layers.append(Layer(name, n_neurons=n_neurons))
        parts.append(from_events(name, states["i"], steps))
    return of_parts(layers, parts, n_timesteps, timestep_us=round(step * _MICROSECONDS, 6))


def from_nengo(
    probes: Mapping[str, Any],
    *,
    dt: float = 0.001,
    amplitude: float = 1.0,
    sample_every: float | None = None,
) -> Recording:
    """Take the data of Nengo's spike probes.

    Parameters
    ----------
    probes : mapping of str to array, shape (steps, neurons)
        For each layer, in order: `sim.data[probe]` of `nengo.Probe(ensemble.neurons)`. A spike is amplitude / dt there;
        twice as much is two spikes.
    dt : float
        The simulator's timestep in seconds.
    amplitude : float
        The amplitude of the neurons.
    sample_every : float, optional
        What the probes were given as such, in seconds. If that is longer than dt they have skipped spikes: a note of
        the recording says so. If it is shorter, Nengo takes every timestep, and no more.

    Returns
    -------
    Recording
        One sample; row k of a probe, whose time is (k + 1) dt, is timestep k.

    Raises
    ------
    UsageError
        If a value is no whole number of spikes, probes differ in their steps, or a number is not positive.

    Examples
    --------
    >>> from energy_db.adapters import from_nengo
    >>> from_nengo({"ens": [[0.0, 1000.0], [2000.0, 0.0]]}).n_spikes
    {'ens': 3}
    """
    import numpy as np

    for what, value in (("dt", dt), ("amplitude", amplitude), ("sample_every", sample_every)):
        if value is not None and not 0 < value < float("inf"):
            raise UsageError(f"{what} is {value}, must be a positive number")
    counts = {}
    for name, data in probes.items():
        given = as_array(data, f"the probe of layer {name!r}")
        if given.ndim != len("TN") or not given.size:
            raise UsageError(f"the probe of layer {name!r} is of shape {given.shape}, must be of (steps, neurons)")
        exact = given.astype(np.float64) * dt / amplitude
        counts[name] = np.rint(exact)
        if not np.allclose(exact, counts[name], rtol=0, atol=_NEARLY_WHOLE):
            wrong = exact[~np.isclose(exact, counts[name], rtol=0, atol=_NEARLY_WHOLE)][0]
            raise UsageError(
                f"the probe of layer {name!r} holds {wrong:.6g} spikes in a timestep",
                "Values are spikes times amplitude / dt: are dt and amplitude right, and is it a probe of spikes?",
            )
    # Nengo takes every timestep where it is asked for more than one.
    rows = dt if sample_every is None else max(dt, sample_every)
    recording = of_arrays(counts, "TN", timestep_us=round(rows * _MICROSECONDS, 6))
    if rows <= dt * (1 + _NEARLY_WHOLE):
        return recording
    note = f"sample_every of {rows} s skips the spikes between: about one of {rows / dt:.3g} is here"
    return Recording(recording.layers, recording.spikes, recording.n_timesteps, 1, recording.timestep_us, notes=(note,))


def from_lava(
    data: Mapping[str, Any],
    *,
    names: Mapping[str, str] | None = None,
    port: str = "s_out",
    values: Values = "graded",
    timestep_us: float | None = None,
) -> Recording:
    """Take what Lava's monitors recorded.

    Parameters
    ----------
    data : mapping of str to mapping
        What `Monitor.get_data()` returned, `{process: {port: array}}`, arrays of shape (steps, ...); those of several
        monitors as one mapping.
    names : mapping of str to str, optional
        The layer for each process, in order. Default: the processes' own names, which Lava makes up where nobody gave
        them.
    port : str
        The port that sends the spikes.
    values : {'counts', 'graded'}
        Whether an entry is a payload of one spike, as Lava's graded spikes, or a number of spikes.
    timestep_us : float, optional
        Length of a timestep in microseconds.

    Raises
    ------
    UsageError
        If a process or its port was not recorded, or processes differ in their steps.

    Examples
    --------
    >>> from energy_db.adapters import from_lava
    >>> data = {"Process_7": {"s_out": [[0.0, 1.0], [3.0, 0.0]]}}
    >>> from_lava(data, names={"Process_7": "hidden"}).n_spikes
    {'hidden': 2}
    """
    chosen = {process: process for process in data} if names is None else names
    arrays: dict[str, NDArray[Any]] = {}
    for process, layer in chosen.items():
        if process not in data:
            raise UsageError(f"there is no process {process!r}", f"Recorded are {', '.join(data)}.")
        if not isinstance(data[process], Mapping):
            raise UsageError(
                f"the process {process!r} has {type(data[process]).__name__} in place of its ports",
                "Give what Monitor.get_data() returned.",
            )
        if port not in data[process]:
            raise UsageError(
                f"the process {process!r} has no port {port!r}", f"Recorded of it are {', '.join(data[process])}."
            )
        if layer in arrays:
            raise UsageError(f"names makes the layer {layer!r} of two processes", "Give each a layer of its own.")
        steps = as_array(data[process][port], f"the port {port!r} of {process!r}")
        if steps.ndim < 1 or not steps.size:
            raise UsageError(f"the port {port!r} of {process!r} has no steps of neurons: its shape is {steps.shape}")
        arrays[layer] = steps.reshape(len(steps), -1)
    return of_arrays(arrays, "TN", values=values, timestep_us=timestep_us)


def _size_of(name: str, said: int | None, of_source: Any) -> int:
    """Return how many neurons a layer has, as somebody said or its monitor knows."""
    known = None if of_source is None else int(of_source)
    if said is not None and not _is_size(said):
        raise UsageError(f"sizes has {said!r} for layer {name!r}, must be a whole number from 1 to {LARGEST_INDEX + 1}")
    if said is None and known is None:
        raise UsageError(f"nobody says how many neurons layer {name!r} has", f"Give sizes={{{name!r}: ...}}.")
    if said is not None and known is not None and said != known:
        raise UsageError(f"sizes gives layer {name!r} {said} neurons, but its monitor watches {known}")
    return int(of_source if said is None else said)


def _is_size(said: Any) -> bool:
    return hasattr(said, "__index__") and not isinstance(said, bool) and 1 <= int(said) <= LARGEST_INDEX + 1


def _number(value: Any, what: str) -> float:
    """Return a number, or a quantity in its unit's base."""
    number = as_array(value, what)
    if number.ndim:
        raise UsageError(f"{what} is no single number: its shape is {number.shape}")
    return float(number)


def _steps_of_clock(times: Any, dt: float, what: str) -> NDArray[np.int64]:
    """Return the timesteps of times on the grid of a clock."""
    import numpy as np

    steps = steps_of(times, dt, rounding="nearest", what=what)
    off = np.abs(as_array(times, what) / dt - steps) > _ON_THE_CLOCK
    if off.any():
        first = int(off.argmax())
        raise UsageError(
            f"{what}[{first}] is {as_array(times, what)[first]} s, which is no multiple of dt, {dt} s",
            "Brian2 puts spikes on the grid of its clock: is dt that of the group that was recorded?",
        )
    return steps


def _states_of(name: str, monitor: Any) -> dict[str, Any]:
    """Return a monitor's spikes and size; one that recorded counts only has none."""
    if not hasattr(monitor, "i") or not hasattr(monitor, "t") or getattr(monitor, "record", True) is False:
        raise UsageError(
            f"the monitor of layer {name!r} kept counts only", "Make it with record=True: when a spike came matters."
        )
    return {"i": monitor.i, "t": monitor.t, "N_source": getattr(getattr(monitor, "source", None), "N", None)}
