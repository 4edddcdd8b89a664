"""Recorded files that are no run files: which formats there are, what each has to be told, and who reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from energy_db import adapters
from energy_db.errors import RunFileError, UsageError
from energy_db.record.recording import Recording, of_arrays

_SECONDS = {"s": Decimal(1), "ms": Decimal("1e-3"), "us": Decimal("1e-6"), "ns": Decimal("1e-9")}


@dataclass(frozen=True)
class TimeSpan:
    """A length of time, as somebody said it.

    Attributes
    ----------
    number : Decimal
        How many units.
    unit : {'s', 'ms', 'us', 'ns'}, optional
        The unit; None if nobody said.
    """

    number: Decimal
    unit: str | None = None

    def in_unit(self, unit: str) -> float:
        """Return it in another unit; one whose own nobody said is taken to be in it."""
        return float(self.number * _SECONDS[self.unit or unit] / _SECONDS[unit])


@dataclass(frozen=True)
class FileFacts:
    """What a user says of recorded files; empty is what nobody said.

    Attributes
    ----------
    dt, duration, start : TimeSpan, optional
        Length of a timestep, and of the recording; when the recording begins.
    neurons : mapping of str to int
        Neurons of each layer.
    ids : mapping of str to sequence of int
        The simulator's ids of each layer's neurons.
    columns : str, optional
        What stands in the columns of a text file.
    sensor : mapping of str to int
        Sizes of a sensor: columns x, rows y and polarities p, or addresses.
    axes : str, optional
        What the axes of arrays mean.
    split_by : str, optional
        The column of a table that splits it into layers.
    nodes, perf, network : Path, optional
        Files that belong to it.
    n_timesteps, n_samples : int, optional
        Timesteps of a sample; samples.
    timestep_us : float, optional
        Length of a timestep in microseconds.
    """

    dt: TimeSpan | None = None
    duration: TimeSpan | None = None
    start: TimeSpan | None = None
    neurons: Mapping[str, int] = field(default_factory=dict)
    ids: Mapping[str, Sequence[int]] = field(default_factory=dict)
    columns: str | None = None
    sensor: Mapping[str, int] = field(default_factory=dict)
    axes: str | None = None
    split_by: str | None = None
    nodes: Path | None = None
    perf: Path | None = None
    network: Path | None = None
    n_timesteps: int | None = None
    n_samples: int | None = None
    timestep_us: float | None = None


# What every run may be told, and `EnergyStore.ingest` takes.
_OF_EVERY_RUN = frozenset({"network", "n_timesteps", "n_samples", "timestep_us"})


@dataclass(frozen=True)
class Format:
    """A format of recorded files.

    Attributes
    ----------
    name, sentence : str
        Its name, and what its files are.
    needs, takes : tuple of str
        Facts that must be told, and that may be.
    read : callable
        Makes a recording of files.
    is_one_run : bool
        Whether several files are one run.
    times_have_units : bool
        Whether its times are in a known unit.
    """

    name: str
    sentence: str
    needs: tuple[str, ...]
    takes: tuple[str, ...]
    read: Callable[[Sequence[Path], FileFacts], Recording]
    is_one_run: bool = False
    times_have_units: bool = True


def read(name: str, files: Sequence[Path], facts: FileFacts) -> Recording:
    """Read the files of one run.

    Parameters
    ----------
    name : str
        The format.
    files : sequence of Path
        The files; of most formats one.
    facts : FileFacts
        What the user says.

    Raises
    ------
    UsageError
        If a fact is missing, or goes with other formats.
    RunFileError
        If a file cannot be read.
    """
    return FORMATS[name].read(files, facts)


def check_facts(name: str, facts: FileFacts) -> None:
    """Raise unless all facts that a format needs are told, and no others than it takes.

    Raises
    ------
    UsageError
        With the options that are missing or in vain.
    """
    form = FORMATS[name]
    told = {each.name for each in fields(FileFacts) if getattr(facts, each.name) not in (None, {})}
    if missing := [option_of(fact) for fact in form.needs if fact not in told]:
        raise UsageError(f"--from {name} needs {', '.join(missing)}", f"It reads {form.sentence}.")
    if vain := [option_of(fact) for fact in sorted(told - {*form.needs, *form.takes, *_OF_EVERY_RUN})]:
        takes = ", ".join(option_of(fact) for fact in (*form.needs, *form.takes)) or "none"
        raise UsageError(f"{', '.join(vain)} does not go with --from {name}", f"It takes {takes}.")
    for option, span in {"--dt": facts.dt, "--duration": facts.duration, "--start": facts.start}.items():
        if span is not None:
            _check_unit(form, option, span)


def _check_unit(form: Format, option: str, span: TimeSpan) -> None:
    if form.times_have_units and span.unit is None:
        raise UsageError(f"{option} is {span.number}, of what?", f"Say the unit: {option} {span.number}ms")
    if not form.times_have_units and span.unit is not None:
        raise UsageError(
            f"{option} is {span.number}{span.unit}, but a {form.name} file does not say the unit of its times",
            "Give the number alone, in the unit of the file; --timestep-us says how long it is.",
        )


def option_of(fact: str) -> str:
    """Return the option of the command line that tells a fact."""
    return "--" + fact.removeprefix("n_").replace("_", "-")


def _read_aer(files: Sequence[Path], facts: FileFacts) -> Recording:
    dt, duration = _times(facts, "us")
    size = facts.sensor.get("address") or facts.sensor
    return adapters.from_aer_file(
        files[0], columns=facts.columns or "", size=size, dt=dt, duration=duration, n_samples=facts.n_samples
    )


def _read_nest(files: Sequence[Path], facts: FileFacts) -> Recording:
    dt, duration = _times(facts, "ms")
    return adapters.from_nest_files(files, populations=facts.ids, dt_ms=dt, duration_ms=duration)


def _read_nir(files: Sequence[Path], facts: FileFacts) -> Recording:
    return adapters.from_nir(
        files[0],
        graph=facts.network,
        dt=None if facts.dt is None else float(facts.dt.number),
        n_timesteps=facts.n_timesteps,
        timestep_us=facts.timestep_us,
    )


def _read_npz(files: Sequence[Path], facts: FileFacts) -> Recording:
    arrays = _arrays_in(files[0])
    try:
        found = of_arrays(arrays, facts.axes or "", timestep_us=facts.timestep_us)
    except UsageError as error:
        raise RunFileError(f"{files[0]}: {error.message}", error.hint) from error
    return replace(found, origin=str(files[0]))


def _arrays_in(path: Path) -> dict[str, Any]:
    import numpy as np

    try:
        archive = np.load(path, allow_pickle=False)
        with archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, TypeError, AttributeError, EOFError, BadZipFile) as error:
        raise RunFileError(
            f"{path}: is no .npz file: {error}", "numpy.savez writes one, with an array for each layer."
        ) from error


def _read_nwb(files: Sequence[Path], facts: FileFacts) -> Recording:
    dt, duration = _times(facts, "s")
    start = 0.0 if facts.start is None else facts.start.in_unit("s")
    return adapters.from_nwb(files[0], dt_s=dt, duration_s=duration, start_s=start, layer_column=facts.split_by)


def _read_sanafe(files: Sequence[Path], facts: FileFacts) -> Recording:
    return adapters.from_sanafe(
        files[0],
        sizes=facts.neurons,
        perf=facts.perf,
        n_timesteps=facts.n_timesteps,
        timestep_us=facts.timestep_us,
    )


def _read_sonata(files: Sequence[Path], facts: FileFacts) -> Recording:
    dt, duration = _times(facts, "ms")
    return adapters.from_sonata(
        files[0], dt_ms=dt, duration_ms=duration, sizes=facts.neurons or None, nodes=facts.nodes
    )


def _times(facts: FileFacts, unit: str) -> tuple[float, float]:
    """Return the length of a timestep, and of the recording."""
    if facts.dt is None or facts.duration is None:
        raise UsageError("--dt and --duration are needed")
    return facts.dt.in_unit(unit), facts.duration.in_unit(unit)


FORMATS = {
    form.name: form
    for form in (
        Format("aer", "text files of address events in us", ("columns", "sensor", "dt", "duration"), (), _read_aer),
        Format(
            "nest", "NEST's spike recorders' .dat files", ("ids", "dt", "duration"), (), _read_nest, is_one_run=True
        ),
        Format("nir", "recorded NIR data; --network takes its graph", (), ("dt",), _read_nir, times_have_units=False),
        Format("npz", "NumPy's .npz, an array for each layer", ("axes",), (), _read_npz),
        Format("nwb", "units of NWB files", ("dt", "duration"), ("start", "split_by"), _read_nwb),
        Format("sanafe", "spike traces of SANA-FE", ("neurons",), ("perf",), _read_sanafe),
        Format("sonata", "SONATA spike files", ("dt", "duration"), ("neurons", "nodes"), _read_sonata),
    )
}
