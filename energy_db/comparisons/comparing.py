"""Makes comparisons: what the views say of two runs, explained, and whether the two may be compared at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from energy_db.comparisons import methods, reading, verdict
from energy_db.comparisons.comparison import Comparison
from energy_db.comparisons.explaining import explain
from energy_db.comparisons.rows import Disparity, LayerChange, OperationChange
from energy_db.engines.duckdb import Engine
from energy_db.errors import NotFoundError, UsageError
from energy_db.guess import did_you_mean
from energy_db.intake.declaration import share_or_number
from energy_db.reports.pricing import doubts_of_costs, inferences
from energy_db.runs import Run

METHODS = ("shapley", *methods.SPLITS)

_SUMMED = ("energy_a_pj", "energy_b_pj", "change_pj", *(f"{name}_effect_pj" for name in reading.EFFECTS))


def compare(
    engine: Engine,
    a: Run,
    b: Run,
    chip: str,
    version_a: str,
    version_b: str,
    *,
    method: str = "shapley",
    aliases: Mapping[str, str] | None = None,
) -> Comparison:
    """Hold a run against another one.

    Parameters
    ----------
    engine : Engine
        The store.
    a, b : Run
        The run before and the run after.
    chip, version_a, version_b : str
        The chip, and the cost sets that price each run; all must be in the catalogue.
    method : {'shapley', 'lmdi', 'pvm'}
        How the change is split.
    aliases : mapping of str to str, optional
        The name in the second run of layers that the first one calls otherwise.

    Raises
    ------
    UsageError
        If there is no such method, or an alias names a layer that is not there.
    NotFoundError
        If no operation can be priced in both runs.
    """
    if method not in METHODS:
        raise UsageError(f"method is {method!r}, must be one of {', '.join(METHODS)}")
    aliases = dict(aliases or {})
    _refuse_unknown_layers(a, b, aliases)
    key = [a.run_id, b.run_id, chip, version_a, version_b]
    with reading.renamed(engine, aliases):
        operations = reading.operations(engine, key)
        _refuse_nothing_priced(chip, operations)
        rows = reading.layer_rows(engine, key)
        if method != "shapley":
            rows = methods.split(rows, reading.cell_rows(engine, key), method)
        costliest = reading.most_changed_neurons(engine, key, reading.NEURONS_AT_HAND)
    whole = {name: sum((row[name] for row in rows), Decimal(0)) for name in _SUMMED}
    effects, layers = reading.effects_of(whole), tuple(reading.layer_of(row) for row in rows)
    differs = verdict.disparities(engine, a, b, chip, (version_a, version_b), operations)
    return Comparison(
        a=a,
        b=b,
        chip=chip,
        cost_version_a=version_a,
        cost_version_b=version_b,
        method=method,
        total_a_pj=float(whole["energy_a_pj"]),
        total_b_pj=float(whole["energy_b_pj"]),
        change_pj=float(whole["change_pj"]),
        effects=effects,
        residual_pj=float(whole["change_pj"] - sum(whole[f"{name}_effect_pj"] for name in reading.EFFECTS)),
        layers=layers,
        operations=operations,
        why=explain(float(whole["energy_a_pj"]), (version_a, version_b), layers, float(whole["change_pj"]), effects),
        comparable=not any(disparity.matters for disparity in differs),
        differs=differs,
        warnings=(*_doubts(engine, a, b, chip, (version_a, version_b)), *_warnings(layers, operations, differs)),
        fingerprint=verdict.fingerprint(engine, a, b),
        accuracy_a=accuracy(a),
        accuracy_b=accuracy(b),
        _costliest=costliest,
        _aliases=aliases,
        _engine=engine,
    )


def accuracy(run: Run) -> float | None:
    """Return the tag `accuracy` of a run as a share, 0 to 1; above 1 it is taken as per cents. None if it is none."""
    share = share_or_number(run.tags.get("accuracy", ""), is_accuracy=True)
    return share if share is not None and 0 <= share <= 1 else None


def _refuse_unknown_layers(a: Run, b: Run, aliases: Mapping[str, str]) -> None:
    names_a, names_b = ([layer.name for layer in run.layers] for run in (a, b))
    for run, names, wanted in ((a, names_a, aliases.keys()), (b, names_b, aliases.values())):
        for name in wanted:
            if name not in names:
                hint = f"{did_you_mean(name, names)}Write OLD=NEW: its name in the first run, then in the second."
                raise UsageError(f"{run.name} has no layer {name!r}", hint)
    called = [aliases.get(name, name) for name in names_a]
    if twice := {name for name in called if called.count(name) > 1}:
        raise UsageError(f"{a.name} has two layers that would be called {', '.join(sorted(twice))}")


def _refuse_nothing_priced(chip: str, operations: Sequence[OperationChange]) -> None:
    if not operations:
        raise NotFoundError(f"the costs of {chip} have nothing to sum", f"See: energy-db costs show {chip}")
    if all(entry.left_out is not None for entry in operations):
        reasons = "; ".join(f"{entry.operation}: {entry.left_out}" for entry in operations)
        raise NotFoundError(f"no operation of {chip} can be priced in both runs ({reasons})")


def _doubts(engine: Engine, a: Run, b: Run, chip: str, versions: tuple[str, str]) -> Iterator[str]:
    """Say how far not to trust the costs, and what was taken for granted of each run."""
    for version in dict.fromkeys(versions):
        yield from doubts_of_costs(engine, chip, version)
    for run in {a.run_id: a, b.run_id: b}.values():
        yield from (f"{run.name}: {inference}" for inference in inferences(run))


def _warnings(
    layers: Sequence[LayerChange], operations: Sequence[OperationChange], differs: Sequence[Disparity]
) -> Iterator[str]:
    if left_out := [entry for entry in operations if entry.left_out is not None]:
        reasons = "; ".join(f"{entry.operation}: {entry.left_out}" for entry in left_out)
        yield f"{len(operations) - len(left_out)} of {len(operations)} operations take part ({reasons})"
    new = [layer.layer for layer in layers if layer.layer is not None and not layer.in_a]
    gone = [layer.layer for layer in layers if layer.layer is not None and not layer.in_b]
    if new and gone:
        yield (
            f"{_names(gone)} only in the first run and {_names(new)} only in the second count as layer mix; "
            "if they were renamed, say so: --layers-alias OLD=NEW"
        )
    yield from (
        f"the {disparity.what} differs ({disparity.a}, {disparity.b}): part of the change may come from it"
        for disparity in differs
        if disparity.what == "input" and not disparity.matters
    )


def _names(layers: Sequence[Any]) -> str:
    return ", ".join(str(layer) for layer in layers)
