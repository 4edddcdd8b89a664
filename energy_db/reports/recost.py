"""All history under another cost version: what it does to totals, to the order of layers, chips and runs."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from energy_db.catalogue import ledger
from energy_db.engines.duckdb import Engine
from energy_db.errors import NotFoundError
from energy_db.reports.cells import as_float, full_energy

Priced = Mapping[str, Any]


@dataclass(frozen=True)
class RecostRow:
    """What another cost version does to one run on one chip; energies in pJ.

    Attributes
    ----------
    run_id, name, chip : str
        The run and the chip.
    before_version, after_version : str
        The cost sets that are held against each other.
    before_pj, after_pj : float or None
        Energy of the run under each, of what could be priced; None if nothing could.
    before_priced, after_priced : str
        How much of each version could be priced, such as '5 of 5'.
    ratio : float or None
        Energy after over energy before; None unless both price every operation of theirs, or if it was zero.
    layers_before, layers_after : tuple of str
        The layers, the costliest first.
    rank_before, rank_after : str or None
        Place of the chip among those in force that it may be compared with, such as '2 of 3 (operation)'.
    is_full : bool
        Whether both versions price every operation of theirs.
    is_ranked : bool
        Whether the two ranks are of one scope group, so that they may be compared.
    """

    run_id: str
    name: str
    chip: str
    before_version: str
    after_version: str
    before_pj: float | None
    after_pj: float | None
    before_priced: str
    after_priced: str
    ratio: float | None
    layers_before: tuple[str, ...]
    layers_after: tuple[str, ...]
    rank_before: str | None
    rank_after: str | None
    is_full: bool
    is_ranked: bool

    @property
    def layers_change(self) -> bool:
        """Whether the order of the layers changes."""
        return self.layers_before != self.layers_after


@dataclass(frozen=True)
class Flip:
    """Two runs on a chip, neighbours before, of which the cheaper one becomes the dearer one."""

    chip: str
    cheaper_before: str
    cheaper_after: str


@dataclass(frozen=True)
class Recost:
    """What another cost version does to the history; made by `EnergyStore.recost`, which writes nothing.

    Attributes
    ----------
    cost_version : str
        The cost set that the history is priced with.
    against : str or None
        The cost set that it is held against; None for the one in force on each chip.
    rows : tuple of RecostRow
        Each run on each chip, the oldest run first.
    flips : tuple of Flip
        Neighbours in the order of energy before whose order is the other way round after.
    n_flips, n_comparisons : int
        How many pairs of runs change their order, of how many that both versions price in full.
    """

    cost_version: str
    against: str | None
    rows: tuple[RecostRow, ...]
    flips: tuple[Flip, ...]
    n_flips: int
    n_comparisons: int


def recost(
    engine: Engine, run_ids: Sequence[str], cost_version: str, against: str | None = None, chip: str | None = None
) -> Recost:
    """Price runs under a cost version and hold them against another one.

    Parameters
    ----------
    engine : Engine
        The store.
    run_ids : sequence of str
        The runs, in the order in which they are shown.
    cost_version, against : str
        The cost sets; by default against the one in force on each chip.
    chip : str, optional
        Only this chip; by default every chip that has the version.

    Raises
    ------
    NotFoundError
        If no chip has the versions.
    """
    pairs = _version_pairs(engine, cost_version, against, chip)
    in_force = dict(engine.rows("SELECT chip, cost_version FROM cost_version_in_force"))
    totals = _totals(engine, run_ids, {*in_force.items(), *((name, v) for name, pair in pairs.items() for v in pair)})
    layers = _layer_orders(engine, run_ids, pairs)
    groups = _scope_groups(engine)
    rows = [
        _row(totals[run_id], layers, run_id, name, pair, in_force, groups)
        for run_id in run_ids
        for name, pair in pairs.items()
    ]
    compared = {name: [row for row in rows if row.chip == name and row.is_full] for name in pairs}
    return Recost(
        cost_version=cost_version,
        against=against,
        rows=tuple(rows),
        flips=tuple(flip for same_chip in compared.values() for flip in _flips(same_chip)),
        n_flips=sum(_count_flips(same_chip) for same_chip in compared.values()),
        n_comparisons=sum(len(same_chip) * (len(same_chip) - 1) // 2 for same_chip in compared.values()),
    )


def _version_pairs(
    engine: Engine, cost_version: str, against: str | None, chip: str | None
) -> dict[str, tuple[str, str]]:
    """Return, for each chip, the version before and the version after."""
    if chip is not None:
        return {chip: (ledger.version_for(engine, chip, against), ledger.version_for(engine, chip, cost_version))}
    chips = ledger.chips_priced_by(engine, cost_version)
    if against is None:
        return {name: (ledger.version_for(engine, name), cost_version) for name in chips}
    both = [name for name in chips if name in ledger.chips_priced_by(engine, against)]
    if not both:
        raise NotFoundError(f"no chip has both {against!r} and {cost_version!r}", "See: energy-db costs list")
    return dict.fromkeys(both, (against, cost_version))


def _scope_groups(engine: Engine) -> dict[tuple[str, str], str]:
    rows = engine.rows("SELECT chip, cost_version, scope_group FROM cost_catalogue")
    return {(chip, version): group for chip, version, group in rows}


def _totals(
    engine: Engine, run_ids: Sequence[str], versions: Iterable[tuple[str, str]]
) -> dict[str, dict[tuple[str, str], Priced]]:
    chips, names = zip(*versions, strict=True)
    rows = engine.records(
        "SELECT run_id, run_name, chip, cost_version, energy_pj, n_operations, n_priced "
        "FROM energy_by_chip_all_versions WHERE run_id IN (SELECT unnest(?::VARCHAR[])) "
        "AND chip IN (SELECT unnest(?::VARCHAR[])) AND cost_version IN (SELECT unnest(?::VARCHAR[]))",
        [list(run_ids), list(set(chips)), list(set(names))],
    )
    found: dict[str, dict[tuple[str, str], Priced]] = {run_id: {} for run_id in run_ids}
    for row in rows:
        found[row["run_id"]][row["chip"], row["cost_version"]] = row
    return found


def _layer_orders(
    engine: Engine, run_ids: Sequence[str], pairs: Mapping[str, tuple[str, str]]
) -> dict[tuple[str, str, str], tuple[str, ...]]:
    """Return the layers of each run under each version, the costliest first."""
    versions = {(chip, version) for chip, pair in pairs.items() for version in pair}
    rows = engine.rows(
        "SELECT run_id, chip, cost_version, layer FROM energy_by_layer_all_versions "
        "WHERE layer IS NOT NULL AND energy_pj IS NOT NULL AND run_id IN (SELECT unnest(?::VARCHAR[])) "
        "AND chip IN (SELECT unnest(?::VARCHAR[])) AND cost_version IN (SELECT unnest(?::VARCHAR[])) "
        "ORDER BY energy_pj DESC, layer_index",
        [list(run_ids), list(pairs), list({version for _, version in versions})],
    )
    found: dict[tuple[str, str, str], list[str]] = {}
    for run_id, chip, version, layer in rows:
        if (chip, version) in versions:
            found.setdefault((run_id, chip, version), []).append(layer)
    return {key: tuple(names) for key, names in found.items()}


def _row(
    totals: Mapping[tuple[str, str], Priced],
    layers: Mapping[tuple[str, str, str], tuple[str, ...]],
    run_id: str,
    chip: str,
    pair: tuple[str, str],
    in_force: Mapping[str, str],
    groups: Mapping[tuple[str, str], str],
) -> RecostRow:
    before, after = (totals[chip, version] for version in pair)
    old, new = full_energy(before), full_energy(after)
    others = [(name, version) for name, version in in_force.items() if name != chip]
    ranks = [_rank(totals, (chip, version), others, groups) for version in pair]
    return RecostRow(
        run_id=run_id,
        name=before["run_name"],
        chip=chip,
        before_version=pair[0],
        after_version=pair[1],
        before_pj=as_float(before["energy_pj"]),
        after_pj=as_float(after["energy_pj"]),
        before_priced=f"{before['n_priced']} of {before['n_operations']}",
        after_priced=f"{after['n_priced']} of {after['n_operations']}",
        ratio=float(new / old) if old and new is not None else None,
        layers_before=layers.get((run_id, chip, pair[0]), ()),
        layers_after=layers.get((run_id, chip, pair[1]), ()),
        rank_before=ranks[0],
        rank_after=ranks[1],
        is_full=old is not None and new is not None,
        is_ranked=None not in ranks and groups[chip, pair[0]] == groups[chip, pair[1]],
    )


def _rank(
    totals: Mapping[tuple[str, str], Priced],
    mine: tuple[str, str],
    others: Iterable[tuple[str, str]],
    groups: Mapping[tuple[str, str], str],
) -> str | None:
    """Return the place of a chip among those in force whose costs have the same scope."""
    energy = full_energy(totals[mine])
    if energy is None:
        return None
    peers = [full_energy(totals[other]) for other in others if groups[other] == groups[mine] and other in totals]
    energies = [peer for peer in peers if peer is not None]
    return f"{1 + sum(peer < energy for peer in energies)} of {1 + len(energies)} ({groups[mine]})"


def _flips(rows: Sequence[RecostRow]) -> list[Flip]:
    ordered = sorted(rows, key=lambda row: (row.before_pj or 0.0, row.after_pj or 0.0))
    return [
        Flip(first.chip, first.run_id, second.run_id)
        for first, second in pairwise(ordered)
        if first.before_pj != second.before_pj and (first.after_pj or 0.0) > (second.after_pj or 0.0)
    ]


def _count_flips(rows: Sequence[RecostRow]) -> int:
    """Return the number of pairs that change their order, in n log n."""
    ordered = sorted(rows, key=lambda row: (row.before_pj or 0.0, row.after_pj or 0.0))
    seen: list[float] = []
    flips = 0
    for row in ordered:
        after = row.after_pj or 0.0
        flips += len(seen) - bisect_right(seen, after)
        insort(seen, after)
    return flips
