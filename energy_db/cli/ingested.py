"""What an ingest says of each run, whichever way it came: rows, notes, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from energy_db.cli.output import Output, say, warn
from energy_db.errors import EnergyDbError, PublicationError, UsageError
from energy_db.tables import Row

if TYPE_CHECKING:
    from energy_db.runs import Run
    from energy_db.store import EnergyStore

COLUMNS = ("status", "run_id", "name", "spikes", "layers", "file")
_OPERATIONAL = 4
Result = TypeVar("Result")


def attempt(
    path: Path, work: Callable[[], Result], fatal: tuple[type[EnergyDbError], ...] = (UsageError,)
) -> Result | EnergyDbError:
    """Do the work of one file, whose trouble must not stop the others.

    Parameters
    ----------
    path : Path
        The file.
    work : callable
        The work.
    fatal : tuple of type
        Errors that are not of this file, and are raised.

    Returns
    -------
    object or EnergyDbError
        What the work returned, or what went wrong.
    """
    try:
        return work()
    except fatal:
        raise
    except EnergyDbError as error:
        return error
    except Exception as error:  # a bug that one file brings to light
        return EnergyDbError(f"{path}: unexpected {type(error).__name__}: {error}", "Please report it.")


@contextmanager
def published_once(store: EnergyStore) -> Iterator[None]:
    """Publish once behind the block, where the store is set to; trouble with that is said, and undoes nothing."""
    try:
        with store.publishing_once():
            yield
    except PublicationError as error:
        warn(str(error))


def ingested_row(path: Path, run: Run) -> Row:
    """Return the row of a run that came from a file."""
    return {
        "status": run.status,
        "run_id": run.run_id,
        "name": run.name,
        "spikes": run.n_spikes,
        "layers": len(run.layers),
        "file": str(path),
    }


def conclude(
    output: Output, missing: Sequence[EnergyDbError], results: Sequence[tuple[Path, Run | EnergyDbError]]
) -> int:
    """Write the rows of all runs, say what their reader should know, and return the exit code."""
    rows = [ingested_row(path, result) for path, result in results if not isinstance(result, EnergyDbError)]
    output.rows("energy-db/ingest/1", rows, columns=COLUMNS)
    for _, result in results:
        if not isinstance(result, EnergyDbError):
            warn_of(result)
    statuses = ["refused"] * len(missing) + [status_of(result) for _, result in results]
    say_counts({status: statuses.count(status) for status in dict.fromkeys(statuses)})
    return _OPERATIONAL if "refused" in statuses else 0


def status_of(result: Run | EnergyDbError) -> str:
    """Return in a word what became of a file."""
    return "refused" if isinstance(result, EnergyDbError) else result.status


def say_counts(counts: dict[str, int]) -> None:
    """Say how many runs were stored, and how many were not."""
    say(", ".join(f"{count} {status}" for status, count in counts.items()))


def warn_of(run: Run) -> None:
    """Say what the reader of a run should know."""
    for note in run.notes:
        warn(f"{run.name}: {note}")
    taken_as_0 = {f"{layer.name}.{driver}" for layer in run.layers for driver in run.counters}
    inferred = [name for name in run.inferred if name not in taken_as_0]
    if inferred and run.status != "unchanged":
        warn(f"{run.name}: inferred from the events, not declared: {', '.join(inferred)}")
