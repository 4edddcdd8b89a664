"""Is the store sound? The checks of queries/checks, and the costs held against their seals and the release."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from energy_db import sql
from energy_db.catalogue import shipped
from energy_db.engines.duckdb import Engine, EngineError, first_line
from energy_db.errors import StoreError


@dataclass(frozen=True)
class CheckResult:
    """What one check of a store found.

    Attributes
    ----------
    check, sentence : str
        Its name and what it looks for.
    n_failures : int
        How many rows fail it.
    first_failure : dict or None
        The first of them.
    """

    check: str
    sentence: str
    n_failures: int
    first_failure: dict[str, Any] | None


def check_results(engine: Engine) -> Iterator[CheckResult]:
    """Run every check of the store, one by one.

    Raises
    ------
    StoreError
        If the store cannot be read.
    """
    try:
        for view in sql.views():
            if view.room == "checks":
                yield _found(view.name, view.sentence, engine.records(f"SELECT * FROM {view.name}"))
        yield _found("drivers_are_as_counted", "Driver counts that are not what their runs give.", _miscounted(engine))
    except EngineError as error:
        raise StoreError(f"{engine.path} cannot be read: {first_line(error)}", "Is the file damaged?") from error
    changed = shipped.changed_versions(engine)
    yield _found("costs_are_unchanged", "Cost versions whose content is not what was added.", changed)
    unlike = shipped.unlike_published(engine)
    yield _found("shipped_costs_are_as_published", "Shipped cost versions that are missing or changed.", unlike)


def _miscounted(engine: Engine) -> list[dict[str, Any]]:
    """Return what is stored and not counted anew, and what is counted anew and not stored."""
    step = sql.ingest_step("store_driver_counts")
    counted = step[step.index("WITH ") :].strip().rstrip(";")
    return engine.records(
        f"WITH counted AS ({counted}) "
        "SELECT 'stored' AS found, * FROM (FROM driver_counts EXCEPT ALL FROM counted) UNION ALL "
        "SELECT 'counted' AS found, * FROM (FROM counted EXCEPT ALL FROM driver_counts) "
        "ORDER BY run_key, layer_index, driver, found DESC",
        {"run_key": None},
    )


def _found(check: str, sentence: str, failures: list[dict[str, Any]]) -> CheckResult:
    return CheckResult(check, sentence, len(failures), failures[0] if failures else None)
