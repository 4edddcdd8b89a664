"""Why a level changed: two runs that are typical of both sides, held against each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from energy_db import runs as stored
from energy_db.comparisons import reading, verdict
from energy_db.comparisons.explaining import explain
from energy_db.comparisons.rows import Effects, LayerChange
from energy_db.engines.duckdb import Engine

MOST = 20
"""So many pairs of runs are compared for one trend: it takes time, and nobody reads more."""

_NEAREST = 5
_SUMMED = ("energy_a_pj", "change_pj", *(f"{name}_effect_pj" for name in reading.EFFECTS))


@dataclass(frozen=True)
class Reason:
    """Why the energy of a run, or of a layer, changed.

    Attributes
    ----------
    why : str
        In one sentence.
    effects : Effects
        What the change is made of, in pJ.
    comparable : bool
        Whether both runs may be held against each other.
    """

    why: str
    effects: Effects
    comparable: bool


@dataclass(frozen=True)
class _Pair:
    """What is known of two runs: what changed in all, and in each layer."""

    versions: tuple[str, str]
    whole: Reason
    layers: Mapping[str | None, LayerChange]


@dataclass
class Reasons:
    """Compares pairs of runs, each once, and no more of them than a person reads.

    Attributes
    ----------
    engine : Engine
        The store.
    chip : str
        The chip that prices the runs.
    versions : mapping of int to str
        The cost set of each run, by its key.
    """

    engine: Engine
    chip: str
    versions: Mapping[int, str]
    _pairs: dict[tuple[int, int], _Pair] = field(default_factory=dict)

    def of_run(self, before: int, after: int) -> Reason | None:
        """Say why the energy of whole runs, named by their keys, changed; None if enough pairs were compared."""
        pair = self._pair(before, after)
        return None if pair is None else pair.whole

    def of_layer(self, before: int, after: int, layer: str | None) -> Reason | None:
        """Say the same of a layer; None is what is charged once for a run."""
        pair = self._pair(before, after)
        if pair is None:
            return None
        row = pair.layers.get(layer)
        if row is None:
            return pair.whole
        why = explain(row.energy_a_pj, pair.versions, [row], row.change_pj, row.effects)
        return Reason(why, row.effects, pair.whole.comparable)

    def _pair(self, before: int, after: int) -> _Pair | None:
        key = (before, after)
        if key not in self._pairs and len(self._pairs) < MOST:
            self._pairs[key] = self._compared(before, after)
        return self._pairs.get(key)

    def _compared(self, before: int, after: int) -> _Pair:
        a, b = stored.load_many(self.engine, [before, after])
        versions = (self.versions[before], self.versions[after])
        key = [a.run_id, b.run_id, self.chip, *versions]
        rows = reading.layer_rows(self.engine, key)
        whole = {name: sum((row[name] for row in rows), Decimal(0)) for name in _SUMMED}
        layers = [reading.layer_of(row) for row in rows]
        effects = reading.effects_of(whole)
        operations = reading.operations(self.engine, key)
        differs = verdict.disparities(self.engine, a, b, self.chip, versions, operations)
        why = explain(float(whole["energy_a_pj"]), versions, layers, float(whole["change_pj"]), effects)
        if not rows:
            why = "no operation is priced in both runs"
        reason = Reason(why, effects, not any(disparity.matters for disparity in differs))
        return _Pair(versions, reason, {layer.layer: layer for layer in layers})


def typical(values: Sequence[float], level: float, is_far: Sequence[bool], nearest_first: Iterable[int]) -> int:
    """Return the position of a run that stands for a level: of the nearest few at the level, the one closest to it.

    Parameters
    ----------
    values : sequence of float
        The values of the series.
    level : float
        The level.
    is_far : sequence of bool
        For each value, whether it lies far from its level.
    nearest_first : iterable of int
        The positions of the level, the nearest to the step first.

    Examples
    --------
    >>> typical([10.0, 10.2, 9.7, 30.0], 10.0, [False, False, False, True], [3, 2, 1, 0])
    0
    """
    places = list(nearest_first)
    near = [place for place in places if not is_far[place]][:_NEAREST]
    return min(near or places[:1], key=lambda place: abs(values[place] - level))
