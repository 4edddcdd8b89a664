"""Reads what the views say of two runs, as exact decimals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from energy_db.comparisons.rows import Effects, LayerChange, NeuronChange, OperationChange
from energy_db.engines.duckdb import Engine
from energy_db.engines.wording import literal
from energy_db.errors import UsageError
from energy_db.reports.cells import as_float

if TYPE_CHECKING:
    import pyarrow

EFFECTS = tuple(Effects.__dataclass_fields__)
NEURONS_AT_HAND = 20

_ORDER_BY = {
    "layer": "layer_index NULLS LAST",
    "operation": "abs(change_pj) DESC NULLS LAST, operation",
    "neuron": "abs(change_pj) DESC, layer, neuron",
}

_COMPARED = "run_id_a = ? AND run_id_b = ? AND chip = ? AND cost_version_a = ? AND cost_version_b = ?"


@contextmanager
def renamed(engine: Engine, aliases: Mapping[str, str]) -> Iterator[None]:
    """Let the views know layers of the first run by the names that the second one gives them."""
    if not aliases:
        yield
        return
    names = ", ".join(f"{literal(old)}: {literal(new)}" for old, new in aliases.items())
    engine.run(f"SET VARIABLE layer_aliases = MAP {{{names}}}")
    try:
        yield
    finally:
        engine.run("RESET VARIABLE layer_aliases")


def layer_rows(engine: Engine, key: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows of comparison_by_layer_all_versions for two runs, a chip and two cost versions."""
    query = f"SELECT * FROM comparison_by_layer_all_versions WHERE {_COMPARED} ORDER BY {_ORDER_BY['layer']}"
    return engine.records(query, key)


def cell_rows(engine: Engine, key: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows of comparison_by_layer_operation_all_versions: what takes part, by layer and operation."""
    return engine.records(f"SELECT * FROM comparison_by_layer_operation_all_versions WHERE {_COMPARED}", key)


def operations(engine: Engine, key: Sequence[str]) -> tuple[OperationChange, ...]:
    """Return every operation of either cost version, the largest change first."""
    rows = engine.records(
        f"SELECT * FROM comparison_by_operation_all_versions WHERE {_COMPARED} ORDER BY {_ORDER_BY['operation']}",
        key,
    )
    return tuple(
        OperationChange(
            operation=row["operation"],
            driver=row["driver"],
            count_a=as_float(row["driver_count_a"]),
            count_b=as_float(row["driver_count_b"]),
            cost_a_pj=as_float(row["cost_a_pj"]),
            cost_b_pj=as_float(row["cost_b_pj"]),
            energy_a_pj=as_float(row["energy_a_pj"]),
            energy_b_pj=as_float(row["energy_b_pj"]),
            change_pj=as_float(row["change_pj"]),
            left_out=row["left_out"],
        )
        for row in rows
    )


def most_changed_neurons(engine: Engine, key: Sequence[str], top: int | None) -> tuple[NeuronChange, ...]:
    """Return the neurons whose energy changed most, either way, the largest change first; None for all."""
    limit = "" if top is None else f" LIMIT {int(top)}"
    rows = engine.records(
        f"SELECT * FROM comparison_by_neuron_all_versions WHERE {_COMPARED} ORDER BY {_ORDER_BY['neuron']}{limit}",
        key,
    )
    return tuple(
        NeuronChange(
            layer=row["layer"],
            neuron=row["neuron"],
            spikes_a=row["spikes_a"],
            spikes_b=row["spikes_b"],
            energy_a_pj=float(row["energy_a_pj"]),
            energy_b_pj=float(row["energy_b_pj"]),
            change_pj=float(row["change_pj"]),
            effects=effects_of(row),
        )
        for row in rows
    )


def exact_rows(engine: Engine, key: Sequence[str], by: str) -> pyarrow.Table:
    """Return all rows of one grain as an Arrow table.

    Raises
    ------
    UsageError
        If there is no such grain.
    """
    if by not in _ORDER_BY:
        raise UsageError(f"by is {by!r}, must be one of {', '.join(_ORDER_BY)}")
    query = f"SELECT * FROM comparison_by_{by}_all_versions WHERE {_COMPARED} ORDER BY {_ORDER_BY[by]}"
    return engine.arrow(query, key)


def layer_of(row: Mapping[str, Any]) -> LayerChange:
    """Return a layer of a comparison from its row."""
    return LayerChange(
        layer=row["layer"],
        in_a=row["is_in_a"],
        in_b=row["is_in_b"],
        spikes_a=row["spikes_a"],
        spikes_b=row["spikes_b"],
        energy_a_pj=float(row["energy_a_pj"]),
        energy_b_pj=float(row["energy_b_pj"]),
        change_pj=float(row["change_pj"]),
        effects=effects_of(row),
    )


def effects_of(row: Mapping[str, Any]) -> Effects:
    """Return the effects of a row."""
    return Effects(**{name: float(row[f"{name}_effect_pj"]) for name in EFFECTS})
