"""The costs that come with a release: put into stores, and held against what stores have."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from energy_db.catalogue import ledger
from energy_db.catalogue.files import shipped_chips, shipped_drivers
from energy_db.catalogue.ledger import Fact
from energy_db.catalogue.sets import Chip, CostSet
from energy_db.engines.duckdb import Engine
from energy_db.errors import CostError

REASON = "shipped with energy-db"


def install_shipped(engine: Engine, chips: Collection[str] | None = None) -> None:
    """Add the drivers, chips and versions that this release ships and the store does not have yet.

    Parameters
    ----------
    engine : Engine
        The store.
    chips : collection of str, optional
        Only these chips: reading all cost files takes a moment.

    Raises
    ------
    CostError
        If the store has a shipped version with other content.
    """
    install(engine, shipped_chips(chips))


def install(engine: Engine, chips: Collection[Chip]) -> None:
    """Add the drivers of this release, and those of the chips and their versions that the store does not have yet."""
    shipped = [cost_set for chip in chips for cost_set in chip.versions]
    hashes = ledger.stored_hashes(engine)
    for chip in chips:
        _refuse_changed(chip, hashes)
    declared = {name: (meaning, True) for chip in chips for name, meaning in chip.drivers.items()}
    ledger.add_drivers(engine, {**declared, **shipped_drivers()})
    ledger.add_chips(engine, {chip.name: (chip.title, chip.note) for chip in chips})
    ledger.add_versions(engine, [new for new in shipped if (new.chip, new.version) not in hashes])
    ledger.add_facts(engine, _new_facts(engine, shipped))


def changed_versions(engine: Engine) -> list[dict[str, Any]]:
    """Return the stored versions whose content is no longer what was added."""
    now = ledger.recomputed_hashes(engine)
    return [_named(key) for key, seal in sorted(ledger.stored_hashes(engine).items()) if now[key] != seal]


def unlike_published(engine: Engine) -> list[dict[str, Any]]:
    """Return the versions of this release that the store lacks, or has with other content."""
    now = ledger.recomputed_hashes(engine)
    published = {(new.chip, new.version): new.content_hash for chip in shipped_chips() for new in chip.versions}
    return [_named(key) for key, seal in sorted(published.items()) if now.get(key) != seal]


def _named(key: tuple[str, str]) -> dict[str, Any]:
    return {"chip": key[0], "cost_version": key[1]}


def _new_facts(engine: Engine, cost_sets: Collection[CostSet]) -> list[Fact]:
    """What a release says is in force was known with the release: --as-of must not depend on who upgraded when.

    Where the user has said what is in force for a chip, a release does not say otherwise.
    """
    known = ledger.facts(engine)
    theirs = {row["chip"] for row in known if row["reason"] != REASON}
    ours = {(row["in_force_from"], row["chip"], row["cost_version"]) for row in known if row["reason"] == REASON}
    dated = {(new.in_force_from, new.chip, new.version) for new in cost_sets if new.in_force_from is not None}
    wanted = sorted(fact for fact in dated - ours if fact[1] not in theirs)
    return [Fact(chip, version, day, ledger.midnight(day), REASON) for day, chip, version in wanted]


def _refuse_changed(chip: Chip, hashes: dict[tuple[str, str], str]) -> None:
    for new in chip.versions:
        if hashes.get((new.chip, new.version), new.content_hash) != new.content_hash:
            raise CostError(
                f"{chip.file}: version {new.version!r} of {new.chip} is in the store with other content",
                "A version never changes. Was it added by hand, or was the file or the store edited? "
                "A new store, or a backup, has the published costs.",
            )
