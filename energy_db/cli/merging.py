"""How `ingest` takes the runs of other stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from energy_db.cli.ingested import attempt
from energy_db.cli.output import say_error
from energy_db.cli.progress import progress_over
from energy_db.errors import EnergyDbError, UsageError

if TYPE_CHECKING:
    from energy_db.runs import Run
    from energy_db.store import EnergyStore

_OF_RUN_FILES = {
    "name": "--name",
    "run_id": "--run-id",
    "tags": "--tag",
    "network": "--network",
    "counters": "--counters",
    "columns": "--map",
    "roles": "--role",
    "n_timesteps": "--timesteps",
    "n_samples": "--samples",
    "timestep_us": "--timestep-us",
}


def other_stores(files: Sequence[Path], own_path: str, options: Mapping[str, Any]) -> list[Path]:
    """Return those of the files that are stores.

    Raises
    ------
    UsageError
        If there are some, and an option changes what only a run file leaves open.
    """
    from energy_db.intake.merging import is_database

    stores = [path for path in files if is_database(path, own_path)]
    given = [option for key, option in _OF_RUN_FILES.items() if options[key] not in (None, {})]
    given += ["--events none"] if options["events"] == "none" else []
    if stores and given:
        raise UsageError(
            f"{given[0]} is for run files, but {stores[0]} is a store", "Its runs are taken as they are: leave it out."
        )
    return stores


def merge_all(store: EnergyStore, others: Sequence[Path], dry_run: bool) -> list[tuple[Path, Run | EnergyDbError]]:
    """Merge other stores; what is wrong with one does not stop the others."""
    results: list[tuple[Path, Run | EnergyDbError]] = []
    with progress_over(store, list(others)) as on_file:
        for path in others:
            found = attempt(path, partial(store.merge, path, dry_run=dry_run, on_stage=on_file(path)))
            if isinstance(found, EnergyDbError):
                say_error(found.message, found.hint)
                results.append((path, found))
            else:
                results += [(path, run) for run in found]
    return results
