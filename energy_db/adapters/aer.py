"""Address events, when and where: structured arrays as Tonic's datasets give them, and text files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from energy_db.adapters.address_events import (
    ADDRESS,
    MICROSECONDS,
    PLACES,
    SAMPLE,
    TIME,
    Events,
    check_there,
    read_sizes,
    recorded,
    whole_size,
)
from energy_db.adapters.text_files import SKIPPED, content_lines, is_number, line_of_row, read_columns
from energy_db.errors import RunFileError, UsageError
from energy_db.record.recording import Recording

_COLUMNS = (TIME, "x", "y", "p", ADDRESS, SAMPLE, SKIPPED)
_DELIMITERS = (",", ";")


def from_tonic(
    events: Any,
    *,
    size: Mapping[str, int] | Sequence[int],
    dt_us: float,
    duration_us: float,
    layer: str = "input",
    fields: Mapping[str, str] | None = None,
) -> Recording:
    """Take events as Tonic's datasets give them: what goes into a network.

    Parameters
    ----------
    events : structured array, shape (events,), or sequence of them
        Events with the fields `t` in microseconds and, as size says, `x`, `y` and `p`, in any order; several arrays are
        the samples of the run.
    size : mapping of str to int, or sequence of int
        How many columns, rows and polarities there are, `{"x": 34, "y": 34, "p": 2}`, or a dataset's `sensor_size`,
        `(34, 34, 2)`. Neurons are numbered by polarity, then row, then column. Along what is of size 1 all are one.
    dt_us, duration_us : float
        Length of a timestep, and of each sample, in microseconds. Timestep k reaches from k dt up to, but not
        including, (k + 1) dt, from time 0, while Tonic's `ToFrame` counts from the first event unless it is told a
        `start_time`.
    layer : str
        The layer, which gets the role `input`.
    fields : mapping of str to str, optional
        The field of the array for `t`, `x`, `y` or `p` that has another name.

    Returns
    -------
    Recording
        Events of one neuron in one timestep are one entry with their number. Polarities of -1 and 1 are taken as 0 and
        1; without `p` in size, polarities are merged, and a note says so.

    Raises
    ------
    UsageError
        If a field is missing, or an event lies beyond size or duration; it names the event.

    Examples
    --------
    >>> import numpy as np
    >>> from energy_db.adapters import from_tonic
    >>> events = np.array([(3, 1, 0, True), (3, 1, 900, True)], [("x", "i2"), ("y", "i2"), ("t", "i8"), ("p", "?")])
    >>> recording = from_tonic(events, size=(4, 2, 2), dt_us=1000, duration_us=5000)
    >>> recording.n_timesteps, recording.layers[0].n_neurons, recording.n_spikes
    (5, 16, {'input': 2})
    """
    import numpy as np

    is_one = getattr(getattr(events, "dtype", None), "names", None) is not None
    samples = [events] if is_one else _samples(events)
    sizes = read_sizes(size)
    wanted = {name: (fields or {}).get(name, name) for name in (TIME, *PLACES)}
    for index, array in enumerate(samples):
        _check_fields(array, "events" if is_one else f"events[{index}]", wanted, sizes)
    there = {name: field for name, field in wanted.items() if all(field in array.dtype.names for array in samples)}
    columns = {name: np.concatenate([array[field] for array in samples]) for name, field in there.items()}
    ends = np.cumsum([len(array) for array in samples])
    columns[SAMPLE] = np.repeat(np.arange(len(samples)), [len(array) for array in samples])

    def place_of(event: int) -> str:
        sample = int(np.searchsorted(ends, event, "right"))
        within = event - int(ends[sample]) + len(samples[sample])
        return f"events[{within}]" if is_one else f"events[{sample}][{within}]"

    found = Events(columns, place_of, UsageError)
    return recorded(found, sizes, (dt_us, duration_us, "us"), layer, len(samples))


def from_aer_file(
    path: str | PathLike[str],
    *,
    columns: str | Sequence[str],
    size: int | Mapping[str, int] | Sequence[int],
    dt: float,
    duration: float,
    time_unit: Literal["s", "ms", "us", "ns"] = "us",
    n_samples: int | None = None,
    layer: str = "input",
    delimiter: str | None = None,
) -> Recording:
    """Take a text file of address events, one on each line.

    Parameters
    ----------
    path : path-like
        The file. Blank lines, what follows a `#`, and a header are not read.
    columns : str or sequence of str
        What its columns are, in order, such as `"t x y p"` or `("t", "address")`: `t` the time, `x`, `y` and `p` the
        place, or `address` the number of the neuron, from 0; `sample` from 0; `-` a column that is not read.
    size : int, mapping of str to int, or sequence of int
        With an address how many neurons there are, else as `from_tonic` takes it.
    dt, duration : float
        Length of a timestep, and of each sample, in time_unit; timestep k is [k dt, (k + 1) dt), from time 0.
    time_unit : {'s', 'ms', 'us', 'ns'}
        The unit of the file's times.
    n_samples : int, optional
        Samples of the run; needed where there is a column `sample`, as a sample may have no event.
    layer : str
        The layer, which gets the role `input`; `ingest` takes other `roles`.
    delimiter : str, optional
        What stands between columns. Default: a comma or a semicolon if the first line has one, else white space.

    Returns
    -------
    Recording
        As `from_tonic` does; a note says if there is no event.

    Raises
    ------
    RunFileError
        If a line does not have these columns, or its event lies beyond size, duration or samples; it names the line.
    UsageError
        If an argument cannot be meant.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from energy_db.adapters import from_aer_file
    >>> path = Path(mkdtemp()) / "events.txt"
    >>> _ = path.write_text("# t x y p\\n0 3 1 1\\n1500 3 1 0\\n")
    >>> from_aer_file(path, columns="t x y p", size=(4, 2, 2), dt=1000, duration=5000).n_spikes
    {'input': 2}
    """
    file = Path(path)
    names = _column_names(columns)
    sizes = read_sizes(size, ADDRESS in names)
    if time_unit not in MICROSECONDS:
        raise UsageError(f"time_unit is {time_unit!r}, must be one of {', '.join(MICROSECONDS)}")
    if (SAMPLE in names) != (n_samples is not None):
        raise UsageError(
            f"n_samples is {n_samples}, and columns are {' '.join(names)}",
            "With a column sample, and only then, say n_samples: a sample may have no event.",
        )
    between, skip_lines = _layout(file, names, delimiter)
    check_there(names, sizes, str(file))
    read = read_columns(file, names, delimiter=between, skip_lines=skip_lines)
    found = Events(read, lambda row: f"{file}: line {line_of_row(file, row, skip_lines)}", RunFileError)
    of_sample = 1 if n_samples is None else whole_size("n_samples", n_samples)
    notes = () if len(read[TIME]) else (f"{file} has no events",)
    return recorded(found, sizes, (dt, duration, time_unit), layer, of_sample, str(file), notes)


def _samples(events: Any) -> list[Any]:
    if not isinstance(events, Sequence) or not events:
        raise UsageError(
            "events must be a structured array, or a list of them, one for each sample",
            "Tonic's datasets give them: [events for events, target in dataset].",
        )
    return list(events)


def _check_fields(array: Any, what: str, wanted: Mapping[str, str], sizes: Mapping[str, int]) -> None:
    """Refuse what is no structured array, or lacks a field."""
    names = getattr(getattr(array, "dtype", None), "names", None)
    if names is None or array.ndim != 1:
        raise UsageError(
            f"{what} is no structured array of one axis",
            "Fields are read by name: numpy.array(rows, dtype=[('x', int), ('y', int), ('t', int), ('p', int)]).",
        )
    there = [name for name, field in wanted.items() if field in names]
    check_there(there, sizes, what, f"It has the fields {', '.join(names)}; say others as fields={{'t': 'time'}}.")
    for name in there:
        if array.dtype[wanted[name]].kind not in "biuf":
            raise UsageError(f"{what}: {wanted[name]} holds {array.dtype[wanted[name]]}, must hold numbers")


def _column_names(columns: str | Sequence[str]) -> list[str]:
    names = columns.replace(",", " ").split() if isinstance(columns, str) else list(columns)
    for name in names:
        if name not in _COLUMNS or (name != SKIPPED and names.count(name) > 1):
            raise UsageError(f"columns has {name!r}, must be {', '.join(_COLUMNS)}, each once, only - more often")
    if TIME not in names or (ADDRESS in names) == ("x" in names) or (ADDRESS in names and {"y", "p"} & set(names)):
        raise UsageError(
            f"columns are {' '.join(names)}, must have t, and either address or x",
            "Such as 't x y p', or 't address'.",
        )
    return names


def _layout(file: Path, names: Sequence[str], delimiter: str | None) -> tuple[str | None, int]:
    """Return what stands between columns, and how many lines to skip before the first event."""
    number, line = next(content_lines(file), (0, ""))
    if delimiter is None:
        delimiter = next((sign for sign in _DELIMITERS if sign in line), None)
    if delimiter is not None and len(delimiter) != 1:
        raise UsageError(f"delimiter is {delimiter!r}, must be one sign")
    cells = [cell.strip().lower() for cell in line.split(delimiter)]
    read = [cell for name, cell in zip(names, cells, strict=False) if name != SKIPPED]
    if not line or any(map(is_number, read)):
        return delimiter, 0
    known = [name for name in names if name != SKIPPED]
    if sorted(read) == sorted(known) and read != known:
        raise RunFileError(
            f"{file}: line {number} says that its columns are {' '.join(cells)}, not {' '.join(names)}",
            "Say columns in the order of the file.",
        )
    return delimiter, number
