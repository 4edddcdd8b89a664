"""Options that say of recorded files of other formats what a run file would say itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from energy_db.errors import UsageError

if TYPE_CHECKING:
    from energy_db.adapters.formats import TimeSpan
    from energy_db.record.recording import Recording

# As in energy_db.adapters.formats, which is not imported for a help text.
NAMES = ("aer", "nest", "nir", "npz", "nwb", "sanafe", "sonata")
_TIME = re.compile(r"(?P<number>\d+\.?\d*(?:e-?\d+)?)\s*(?P<unit>s|ms|us|µs|ns)?", re.IGNORECASE)
_FACTS = ("dt", "duration", "start", "neurons", "ids", "columns", "sensor", "axes", "split_by", "nodes", "perf")


class Time(click.ParamType["TimeSpan"]):
    """A length of time with its unit, such as 0.1ms."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> TimeSpan:
        """Read it."""
        from energy_db.adapters.formats import TimeSpan

        found = _TIME.fullmatch(str(value).strip())
        if found is None or not Decimal(found["number"]):
            self.fail(f"{value!r} is no length of time such as 0.1ms, 100us or 2s", param, ctx)
        unit = (found["unit"] or "").lower().replace("µ", "u")
        return TimeSpan(Decimal(found["number"]), unit or None)


class Sizes(click.ParamType[tuple[tuple[str, int], ...]]):
    """Sizes by name, such as x=34,y=34,p=2."""

    name = "sizes"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[tuple[str, int], ...]:
        """Read them."""
        if isinstance(value, tuple):
            return value
        pairs = [part.strip().partition("=") for part in str(value).split(",")]
        if not all(name and size.strip().isdecimal() for name, _, size in pairs):
            self.fail(f"{value!r} must be names with sizes, such as cells=80 or x=34,y=34,p=2", param, ctx)
        return tuple((name.strip(), int(size)) for name, _, size in pairs)


class Ids(click.ParamType[tuple[str, tuple[int, ...]]]):
    """A layer with the ids of its neurons, such as cells=1-80,85."""

    name = "ids"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, tuple[int, ...]]:
        """Read them."""
        if isinstance(value, tuple):
            return value
        layer, _, listed = str(value).partition("=")
        ranges = [re.fullmatch(r"\s*(\d+)(?:-(\d+))?\s*", part) for part in listed.split(",")]
        is_upward = all(part is None or int(part[1]) <= int(part[2] or part[1]) for part in ranges)
        if not layer or not all(ranges) or not is_upward:
            self.fail(f"{value!r} must be a layer with ids, such as cells=1-80 or cells=1-80,85", param, ctx)
        ends = [(int(part[1]), int(part[2] or part[1])) for part in ranges if part]
        return layer, tuple(number for first, last in ends for number in range(first, last + 1))


def format_options(command: Any) -> Any:
    """Give a verb the options that say what recorded files of other formats cannot."""
    options = (
        click.option(
            "--from", "source_format", type=click.Choice(NAMES), help="Files of another format (docs/adapters.md)."
        ),
        click.option("--dt", type=Time(), metavar="TIME", help="With --from: length of a timestep: 0.1ms."),
        click.option("--duration", type=Time(), metavar="TIME", help="With --from: simulated time: 100ms."),
        click.option("--start", type=Time(), metavar="TIME", help="With --from nwb: when it begins: 10s."),
        click.option("--neurons", type=Sizes(), multiple=True, metavar="LAYER=N", help="With --from: sizes of layers."),
        click.option(
            "--ids", type=Ids(), multiple=True, metavar="LAYER=1-80", help="With --from nest: ids of a layer."
        ),
        click.option("--columns", "columns_of_text", metavar="NAMES", help="With --from aer: as 't x y p'."),
        click.option("--sensor", type=Sizes(), metavar="SIZES", help="With --from aer: x=34,y=34,p=2."),
        click.option("--axes", metavar="LETTERS", help="With --from npz: TBN, BTN, TBCHW (docs/adapters.md)."),
        click.option("--split-by", metavar="COLUMN", help="With --from nwb: a layer for each value of a column."),
        click.option("--nodes", metavar="FILE", help="With --from sonata: the nodes, which tell sizes."),
        click.option(
            "--perf", metavar="FILE", help="With --from sanafe: perf.csv, which tells timesteps and counters."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@dataclass(frozen=True)
class Pending:
    """A run that is still to be read from its files.

    Attributes
    ----------
    path : Path
        Its file, or the first of them.
    read : callable
        Reads it: returns what `EnergyStore.ingest` takes.
    """

    path: Path
    read: Callable[[], Path | Recording]


def take_facts(options: dict[str, Any]) -> dict[str, Any]:
    """Take the options that only other formats have out of those of a verb; returns what was said in them."""
    said = {fact: options.pop("columns_of_text" if fact == "columns" else fact) for fact in _FACTS}
    said["neurons"] = _once("--neurons", [pair for pairs in said["neurons"] for pair in pairs])
    said["ids"] = _once("--ids", said["ids"])
    said["sensor"] = _once("--sensor", said["sensor"] or ())
    return {fact: value for fact, value in said.items() if value not in (None, {})}


def _once(option: str, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return pairs as a mapping, unless a name is said twice."""
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{option} says {name!r} twice", "Say all of it at once, as in --ids cells=1-2,5-6.")
    return dict(pairs)


def pending_runs(
    files: Sequence[Path], form: str | None, said: Mapping[str, Any], options: dict[str, Any]
) -> list[Pending]:
    """Return the runs that files hold.

    Parameters
    ----------
    files : sequence of Path
        The files.
    form : str or None
        Their format; None for run files.
    said : mapping
        What `take_facts` took.
    options : dict
        The other options; a graph that a format reads together with its data is taken out.

    Raises
    ------
    UsageError
        If a fact is missing, or does not go with the format.
    """
    if form is None:
        if said:
            raise UsageError(f"{', '.join(f'--{fact}'.replace('_', '-') for fact in said)} goes with --from FORMAT")
        return [Pending(path, lambda path=path: path) for path in files]  # type: ignore[misc]
    from energy_db.adapters import formats

    of_run = {fact: options[fact] for fact in ("n_timesteps", "n_samples", "timestep_us")}
    if form == "nir":
        of_run["network"] = options["network"]
        options["network"] = None
    paths = {fact: Path(said[fact]) for fact in ("nodes", "perf") if fact in said}
    facts = formats.FileFacts(**{**said, **of_run, **paths})
    formats.check_facts(form, facts)
    groups = [files] * bool(files) if formats.FORMATS[form].is_one_run else [[path] for path in files]
    return [Pending(group[0], lambda group=group: formats.read(form, group, facts)) for group in groups]  # type: ignore[misc]
