"""SANA-FE's traces: spikes.csv, and perf.csv with what the simulated chip did for them."""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from energy_db.adapters.text_files import SKIPPED, content_lines, line_of_row, read_columns
from energy_db.errors import RunFileError, UsageError
from energy_db.guess import did_you_mean
from energy_db.intake.network import Layer
from energy_db.intake.reading import LARGEST_INDEX
from energy_db.record.recording import Recording, of_parts
from energy_db.record.spikes import from_events

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_HEADER = b"neuron,timestep\n"
_DRIVERS = {"updated": "neuron_update", "packets": "message", "hops": "hop"}
_COUNTS = ("timestep", "fired", "spikes", *_DRIVERS)
_ENERGY = "total_energy"
_MOST_DIGITS, _LARGEST_DIGIT = 10, 9
_COMMA, _DOT, _NEWLINE, _ZERO = b",.\n0"


def from_sanafe(
    spikes: str | PathLike[str],
    *,
    sizes: Mapping[str, int],
    perf: str | PathLike[str] | None = None,
    n_timesteps: int | None = None,
    timestep_us: float | None = None,
) -> Recording:
    """Take the traces that SANA-FE wrote of one `sim`.

    Parameters
    ----------
    spikes : path-like
        The file of `spike_trace`: `neuron,timestep`, where neuron is `group.offset`, and timesteps count from 1.
    sizes : mapping of str to int
        The groups and how many neurons each has, in the order of the network. Neurons without `log_spikes` are not in
        the file, and silent here.
    perf : path-like, optional
        The file of `perf_trace`, one row for each timestep. Its counts become the counters of the run: `updated` those
        of the driver `neuron_update` (input neurons that fire are among them), `packets` of `message`, `hops` of `hop`.
        Its column `spikes` is a number of synaptic events, which energy-db counts itself: it becomes the tag
        `sanafe_synaptic_events`, to be compared, and the sum of `total_energy` the tag `sanafe_total_energy_j`.
    n_timesteps : int, optional
        Timesteps of the run; needed without perf.
    timestep_us : float, optional
        Length of a timestep in microseconds; SANA-FE's own timesteps last as long as the chip takes.

    Raises
    ------
    RunFileError
        If a file is none of SANA-FE's, was cut short, holds a spike twice, a group or neuron that sizes does not have,
        or a timestep beyond the run, or if the two files are not of one run; it names the file and the line.
    UsageError
        If sizes cannot be meant, or nothing says how many timesteps the run has.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from energy_db.adapters import from_sanafe
    >>> path = Path(mkdtemp()) / "spikes.csv"
    >>> _ = path.write_text("neuron,timestep\\nin.0,1\\nin.3,1\\nout.1,2\\n")
    >>> from_sanafe(path, sizes={"in": 4, "out": 2}, n_timesteps=5).n_spikes
    {'in': 2, 'out': 1}
    """
    path = Path(spikes)
    _check_sizes(sizes)
    counted = None if perf is None else _read_perf(Path(perf))
    steps_of_run = _n_timesteps(n_timesteps, counted, perf)
    group, neuron, step = _read_spikes(path, sizes, steps_of_run)
    layers = [Layer(name, n_neurons=size) for name, size in sizes.items()]
    parts = [from_events(layer.name, neuron[group == i], step[group == i]) for i, layer in enumerate(layers)]
    known: dict[str, Any] = {"timestep_us": timestep_us, "origin": str(path)}
    if counted is not None:
        known["notes"] = _compared(path, Path(perf or ""), step, counted["fired"])
        known["counters"] = [{"driver": to, "count": int(counted[of].sum())} for of, to in _DRIVERS.items()]
        known["tags"] = {
            "sanafe_synaptic_events": int(counted["spikes"].sum()),
            "sanafe_total_energy_j": fsum(counted[_ENERGY]),
        }
    return of_parts(layers, parts, steps_of_run, **known)


def _check_sizes(sizes: Mapping[str, int]) -> None:
    if not isinstance(sizes, Mapping) or not sizes:
        raise UsageError("sizes names no group", "Give the neurons of each group: sizes={'in': 4, 'out': 2}.")
    for name, size in sizes.items():
        if not _is_count(size) or size > LARGEST_INDEX:
            raise UsageError(f"sizes: the group {name!r} has {size!r} neurons, must be a whole number from 1")


def _is_count(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool) and value > 0


def _n_timesteps(given: int | None, counted: Mapping[str, NDArray[Any]] | None, perf: Any) -> int:
    """Return how many timesteps the run has; a run may end with silent ones."""
    if given is not None and not _is_count(given):
        raise UsageError(f"n_timesteps is {given!r}, must be a whole number from 1")
    if counted is None:
        if given is None:
            raise UsageError("n_timesteps is needed without perf", "A run may end with timesteps without any spike.")
        return int(given)
    rows = len(counted["timestep"])
    if given is not None and given != rows:
        raise UsageError(f"n_timesteps is {given}, but {perf} has {rows} timesteps", "Leave n_timesteps out.")
    return rows


def _read_perf(path: Path) -> Mapping[str, NDArray[Any]]:
    """Return the columns of perf.csv; timestep k is in row k - 1."""
    import numpy as np

    _, header = next(content_lines(path), (1, ""))
    names = header.split(",")
    missing = [name for name in (*_COUNTS, _ENERGY) if names.count(name) != 1]
    if missing:
        raise RunFileError(
            f"{path}: its first line lacks {', '.join(missing)}",
            "Is it the file of perf_trace? It begins with timestep,fired,updated,packets,hops,spikes.",
        )
    _refuse_cut(path, path.read_bytes())
    read = [name if name in (*_COUNTS, _ENERGY) else SKIPPED for name in names]
    columns = read_columns(path, read, delimiter=",", skip_lines=1)
    for name, column in columns.items():
        fits = np.isfinite(column) & (column >= 0) & ((column == np.rint(column)) | (name == _ENERGY))
        if not fits.all():
            row = int(np.argmin(fits))
            rule = "a number from 0" if name == _ENERGY else "a whole number from 0"
            raise RunFileError(f"{path}: line {line_of_row(path, row, 1)}: {name} is {column[row]:g}, must be {rule}")
    if not len(columns["timestep"]):
        raise RunFileError(f"{path}: has no timesteps", "Did the simulation run?")
    if (strange := columns["timestep"] != np.arange(1, len(columns["timestep"]) + 1)).any():
        row = int(strange.argmax())
        raise RunFileError(
            f"{path}: line {line_of_row(path, row, 1)} is timestep {columns['timestep'][row]:g}, must be {row + 1}",
            "A second sim() of a chip counts on from the first, and writes files anew: simulate all timesteps in one.",
        )
    return columns


def _read_spikes(
    path: Path, sizes: Mapping[str, int], n_timesteps: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the group, the neuron and the timestep, from 0, of each spike; line i + 2 holds spike i."""
    import numpy as np

    content = _content(path)
    text = np.frombuffer(content, np.uint8)
    ends = np.flatnonzero(text == _NEWLINE)
    starts = np.append(0, ends[:-1] + 1) if ends.size else ends
    comma = _last_before(text, _COMMA, starts, ends)
    dot = _last_before(text, _DOT, starts, comma)
    group = _groups(text, starts, dot, list(sizes))
    neuron, timestep = _numbers(text, dot + 1, comma), _numbers(text, comma + 1, ends)
    n_neurons = np.append(np.fromiter(sizes.values(), np.int64), 0)[group]
    form = "a group, a dot, a neuron from 0, a comma, and a timestep from 1"
    known = f"The groups are {', '.join(sizes)}."
    for wrong, rule, hint in (
        ((dot < starts) | (neuron < 0) | (timestep < 0), f"must be {form}", "Is it a file of spike_trace?"),
        (timestep == 0, "is of timestep 0", "SANA-FE counts timesteps from 1."),
        (group < 0, "is of a group that sizes does not name", known),
        (neuron >= n_neurons, "is of a neuron beyond the size of its group", "Neurons count from 0. Is sizes right?"),
        (timestep > n_timesteps, f"is of a timestep beyond the run's {n_timesteps}", "Are both files of one run?"),
    ):
        if wrong.any():
            row = int(wrong.argmax())
            line = content[starts[row] : ends[row]].decode(errors="replace")
            guess = did_you_mean(line.rpartition(".")[0], list(sizes)) if hint is known else ""
            raise RunFileError(f"{path}: line {row + 2}: {line!r} {rule}", guess + hint)
    _refuse_twice(path, np.stack([group, neuron, timestep]))
    return group, neuron, timestep - 1


def _content(path: Path) -> bytes:
    """Return what follows the header."""
    if not path.is_file():
        raise RunFileError(f"{path}: there is no such file")
    content = path.read_bytes().replace(b"\r\n", b"\n")
    if not content.startswith(_HEADER):
        raise RunFileError(f"{path}: its first line must be neuron,timestep", "Is it a file of spike_trace?")
    _refuse_cut(path, content)
    return content[len(_HEADER) :]


def _refuse_cut(path: Path, content: bytes) -> None:
    if not content.endswith(b"\n"):
        line = content.count(b"\n") + 1
        raise RunFileError(f"{path}: line {line}, the last, has no end", "The file was cut short: copy it again.")


def _last_before(text: NDArray[np.uint8], sign: int, starts: Any, ends: Any) -> NDArray[np.int64]:
    """Return where a sign stands last between each start and end; just before the start if it does not."""
    import numpy as np

    places = np.append(-1, np.flatnonzero(text == sign))
    return np.asarray(np.maximum(places[np.searchsorted(places, ends) - 1], starts - 1), dtype=np.int64)


def _groups(text: NDArray[np.uint8], starts: Any, dots: Any, names: list[str]) -> NDArray[np.int64]:
    """Return the position of the group that each line names; -1 if there is none."""
    import numpy as np

    found = np.full(len(starts), -1)
    for index, name in enumerate(names):
        signs = name.encode()
        rows = np.flatnonzero(dots - starts == len(signs))
        for place, sign in enumerate(signs):
            rows = rows[text[starts[rows] + place] == sign]
        found[rows] = index
    return found


def _numbers(text: NDArray[np.uint8], starts: Any, ends: Any) -> NDArray[np.int64]:
    """Return the whole numbers that stand between starts and ends; -1 for what is none."""
    import numpy as np

    width = ends - starts
    numbers = np.zeros(len(starts), np.int64)
    is_number = (width > 0) & (width <= _MOST_DIGITS)
    for place in range(min(int(width.max(initial=0)), _MOST_DIGITS)):
        rows = np.flatnonzero(is_number & (place < width))
        digits = text[starts[rows] + place].astype(np.int64) - _ZERO
        numbers[rows] = numbers[rows] * 10 + digits
        is_number[rows[(digits < 0) | (digits > _LARGEST_DIGIT)]] = False
    return np.where(is_number, numbers, -1)


def _refuse_twice(path: Path, spikes: NDArray[np.int64]) -> None:
    """Refuse a spike that is there twice: a neuron of SANA-FE fires once in a timestep."""
    import numpy as np

    order = np.lexsort(spikes)
    again = (spikes[:, order[1:]] == spikes[:, order[:-1]]).all(axis=0)
    if again.any():
        row = int(order[1:][again].min())
        raise RunFileError(f"{path}: line {row + 2} is there twice", "Were two files put together?")


def _compared(path: Path, perf: Path, steps: NDArray[np.int64], fired: NDArray[Any]) -> tuple[str, ...]:
    """Hold the spikes against what was fired in each timestep; return what the reader should know."""
    import numpy as np

    logged = np.bincount(steps, minlength=len(fired))
    n_fired, n_logged = int(fired.sum()), len(steps)
    if (fewer := fired < logged).any():
        at = int(fewer.argmax())
        raise RunFileError(
            f"{perf}: line {line_of_row(perf, at, 1)}: {fired[at]:g} neurons fired in timestep {at + 1}, but {path} "
            f"has {logged[at]} spikes of it; {n_fired} fired in all, {n_logged} are in the file",
            "The two files are not of one run.",
        )
    if n_fired == n_logged:
        return ()
    return (
        f"{n_fired} spikes were fired, {n_logged} of them logged: neurons without log_spikes are silent here, and the "
        "counters count their work",
    )
