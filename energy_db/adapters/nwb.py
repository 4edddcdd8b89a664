"""The units table of Neurodata Without Borders: HDF5, one ragged column with the spike times of all units."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

from energy_db.adapters.hdf5 import array_of, column_of, group_of, name_behind, opened, text_of
from energy_db.adapters.timing import n_steps, refuse_beyond, steps_of
from energy_db.errors import RunFileError
from energy_db.intake.network import Layer
from energy_db.record.recording import Recording, of_parts
from energy_db.record.spikes import from_events

if TYPE_CHECKING:
    import h5py
    import numpy as np
    from numpy.typing import NDArray

_MICROSECONDS = 1e6


def from_nwb(
    path: str | PathLike[str],
    *,
    dt_s: float,
    duration_s: float,
    start_s: float = 0.0,
    layer_column: str | None = None,
    layer: str = "units",
) -> Recording:
    """Take the units of an NWB file.

    Parameters
    ----------
    path : path-like
        The file: `/units/spike_times`, of shape (spikes,), in seconds, and `/units/spike_times_index`, of shape
        (units,): where the times of each unit end.
    dt_s : float
        Length of a timestep in seconds, which NWB does not know.
    duration_s : float
        Length of the recording in seconds, from the start.
    start_s : float
        The time at which timestep 0 begins, in seconds of the file.
    layer_column : str, optional
        A column of the units table, such as a brain area: each of its values is a layer, in the order in which they
        first appear. Default: all units are one layer.
    layer : str
        The name of that one layer.

    Returns
    -------
    Recording
        One sample. Neuron i of a layer is the i-th unit of it in the table, silent units included. What lies in
        [start + k dt, start + (k + 1) dt) is in timestep k; a time within a millionth of a timestep of the grid lies
        on it. Several spikes of a unit in one timestep all count.

    Raises
    ------
    RunFileError
        If it is no such file, has no units or no spike times, or they contradict each other. The message names file,
        dataset and row.
    UsageError
        If a time lies before the start or beyond the duration.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> import h5py, numpy as np
    >>> from energy_db.adapters import from_nwb
    >>> path = Path(mkdtemp()) / "session.nwb"
    >>> with h5py.File(path, "w") as file:
    ...     file["units/id"], file["units/spike_times"] = [0, 1, 2], [0.1, 0.3, 0.2]
    ...     file["units/spike_times_index"] = np.array([2, 2, 3], "u1")
    >>> recording = from_nwb(path, dt_s=0.001, duration_s=1.0)
    >>> recording.n_timesteps, recording.n_spikes, recording.layers[0].n_neurons
    (1000, {'units': 3}, 3)
    """
    import numpy as np

    n_timesteps = n_steps(duration_s, dt_s)
    with opened(path) as file:
        units = _units(file)
        unit_of = _unit_of_each_spike(units)
        what = f"{path}: {units.name}/spike_times"
        steps = steps_of(column_of(units, "spike_times"), dt_s, start=start_s, what=what)
        refuse_beyond(steps, n_timesteps, what)
        names = [layer] * len(units["spike_times_index"]) if layer_column is None else _values(units, layer_column)
    layer_names = list(dict.fromkeys(names))
    layer_of = np.array([layer_names.index(name) for name in names])
    neuron_of = np.zeros(len(names), np.int64)
    layers, parts = [], []
    for index, name in enumerate(layer_names):
        own_units = layer_of == index
        neuron_of[own_units] = np.arange(own_units.sum())
        own_spikes = own_units[unit_of]
        layers.append(Layer(name, n_neurons=int(own_units.sum())))
        parts.append(from_events(name, neuron_of[unit_of[own_spikes]], steps[own_spikes]))
    return of_parts(layers, parts, n_timesteps, timestep_us=round(dt_s * _MICROSECONDS, 6), origin=str(path))


def _units(file: h5py.File) -> h5py.Group:
    """Return the units table, which must have spike times."""
    if "units" not in file:
        raise RunFileError(
            f"{file.filename}: has no units table, /units",
            f"Spikes are taken from there; there is {', '.join(file) or 'nothing'}.",
        )
    units = group_of(file, "units")
    for name in ("spike_times", "spike_times_index"):
        if name not in units:
            raise RunFileError(
                f"{file.filename}: the units have no {name}",
                f"Only spikes make energy; their columns are {', '.join(units) or 'none'}.",
            )
    return units


def _unit_of_each_spike(units: h5py.Group) -> NDArray[np.int64]:
    """Return the row of the units table that each spike belongs to."""
    import numpy as np

    place = f"{units.file.filename}: {units.name}/spike_times_index"
    # Their type grows with the number of spikes and has no sign: differences would wrap around, or be float64.
    ends = column_of(units, "spike_times_index", whole=True).astype(np.int64)
    n_units, n_spikes = len(column_of(units, "id")), len(column_of(units, "spike_times"))
    if not n_units:
        raise RunFileError(f"{units.file.filename}: the units table has no rows")
    if len(ends) != n_units:
        raise RunFileError(f"{place} has {len(ends)} rows, but there are {n_units} units", "Was the file cut short?")
    lengths = np.diff(ends, prepend=0)
    if (lengths < 0).any():
        row = int((lengths < 0).argmax())
        raise RunFileError(f"{place}: row {row} is {ends[row]}, must be no less than the row before, and than 0")
    if ends[-1] != n_spikes:
        raise RunFileError(
            f"{place} ends with {ends[-1]}, but there are {n_spikes} spike_times",
            "Its last row must be the number of spikes; was the file cut short?",
        )
    return np.repeat(np.arange(n_units), lengths)


def _values(units: h5py.Group, column: str) -> list[str]:
    """Return what a column of the units table says of each unit, as text."""
    import numpy as np

    place = f"{units.file.filename}: {units.name}/{column}"
    if f"{column}_index" in units:
        raise RunFileError(f"{place} has several values for each unit", "Choose a column with one.")
    array: NDArray[Any] = np.asarray(array_of(units, column))
    n_units = len(units["spike_times_index"])
    if array.ndim != 1 or array.dtype.kind not in "biuSUO" or array.dtype.names:
        raise RunFileError(f"{place} is {array.dtype} of shape {array.shape}, must be a text for each unit")
    if len(array) != n_units:
        raise RunFileError(f"{place} has {len(array)} rows, but there are {n_units} units")
    names = [_text_of(units, value) for value in array]
    if "" in names:
        raise RunFileError(f"{place}: row {names.index('')} is empty, must name a layer")
    return names


def _text_of(units: h5py.Group, value: Any) -> str:
    """Return an entry as text; of a reference, as of an electrode group, the last name of what it refers to."""
    referred = name_behind(units, value)
    return (text_of(value) or "").strip() if referred is None else referred
