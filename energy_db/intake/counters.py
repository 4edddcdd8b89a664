"""Counts that spikes cannot give and a run brings with it: memory accesses, messages, hops.

A driver is counted for every layer, or for the neurons of every layer, or once for the whole run. What is absent from a
count by layer or neuron is 0; where a whole layer is absent, that is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from energy_db import sql
from energy_db.engines.duckdb import Engine
from energy_db.errors import ContractError, RunFileError, Violation
from energy_db.guess import did_you_mean
from energy_db.intake.counter_sources import CounterRows
from energy_db.intake.network import Layer
from energy_db.intake.reading import LARGEST_COUNT
from energy_db.runs import LayerActivity, Run

_WHOLE_NUMBER = re.compile(r"\d+(\.0*)?")
_UNKNOWN_LAYER = "must be a layer of the run"
_BEYOND_LAYER = "must be below the n_neurons of its layer"
_DERIVED = "must not be one that energy-db counts itself"

# (column, what it must be, SQL condition on a row that is not)
_RULES = (
    ("layer", _UNKNOWN_LAYER, "layer IS NOT NULL AND layer_index IS NULL"),
    ("neuron", "must come with a layer", "neuron IS NOT NULL AND layer IS NULL"),
    ("neuron", "must be a whole number", "NOT neuron_is_whole"),
    ("neuron", "must not be negative", "neuron_number < 0"),
    ("neuron", _BEYOND_LAYER, "neuron_number >= n_neurons"),
    ("driver", "must not be empty", "driver IS NULL"),
    ("driver", "must be small letters, digits and _.-", "NOT regexp_full_match(driver, '[a-z0-9_.-]+')"),
    ("driver", _DERIVED, "is_derived"),
    ("count", "must not be empty", "driver_count IS NULL"),
    ("count", "must be a whole number", "NOT count_is_whole"),
    ("count", "must not be negative", "count_number < 0"),
    ("count", f"must be at most {LARGEST_COUNT}", f"count_number > {LARGEST_COUNT}"),
)
_FORMS = {"for the whole run": "layer IS NULL", "by layer": "neuron IS NULL", "by neuron": "neuron IS NOT NULL"}


@dataclass(frozen=True)
class Counters:
    """The counters of a run, which are in the engine's table of incoming counters.

    Attributes
    ----------
    digest : str
        SHA-256 over all of them.
    totals : dict of str to int
        The sum of each driver.
    absent : dict of int to tuple of str
        The drivers that were counted by layer but not for this one: they are taken as 0.
    notes : tuple of str
        What their reader should know.
    """

    digest: str
    totals: dict[str, int]
    absent: dict[int, tuple[str, ...]]
    notes: tuple[str, ...]


def hold_against(engine: Engine, rows: CounterRows | None, layers: Sequence[Layer]) -> Counters | None:
    """Check counters against a run's network, and bring them into the form that is stored; None if there are none.

    Parameters
    ----------
    engine : Engine
        Where they were read.
    rows : CounterRows, optional
        The counters.
    layers : sequence of Layer
        The network.

    Raises
    ------
    ContractError
        If rows break a rule.
    RunFileError
        If a file of counters has none, or if a driver is counted in more than one way.
    """
    if rows is None:
        return None
    _expect(engine, layers)
    engine.run(sql.ingest_step("number_counters"))
    if broken := _broken(engine, rows.columns):
        raise ContractError(rows.where, broken, _hint_for(broken, engine, layers))
    forms = _forms(engine, rows)
    engine.run(sql.ingest_step("take_counters"))
    absent = _complete(engine, [driver for driver, form in forms.items() if form != "for the whole run"], layers)
    totals = dict(
        engine.rows("SELECT driver, sum(driver_count) FROM incoming_counters GROUP BY driver ORDER BY driver")
    )
    digest = engine.value(sql.ingest_step("hash_counters"))
    notes = rows.notes + _of_strangers(engine) + _of_absent(absent, layers)
    return Counters(digest, {driver: int(total) for driver, total in totals.items()}, absent, notes)


def are_those_of(engine: Engine, rows: CounterRows | None, run: Run) -> bool:
    """Whether a stored run has these very counters; to give none contradicts nothing."""
    if rows is None:
        return True
    try:
        hold_against(engine, rows, run.layers)
    except RunFileError:  # they do not even fit its network
        return False
    return bool(engine.value(sql.ingest_step("compare_counters"), {"run_key": run.run_key}) == 0)


def mark_absent(counted: Counters, layers: Sequence[LayerActivity]) -> list[LayerActivity]:
    """Return the layers with a mark for each driver that was taken as 0."""
    return [
        replace(layer, inferred=(*layer.inferred, *counted.absent.get(index, ()))) for index, layer in enumerate(layers)
    ]


def differences(now: Counters | None, before: Mapping[str, int]) -> list[str]:
    """Say in which counters a run differs from the totals of a stored one."""
    if now is None:
        return []
    drivers = sorted(now.totals.keys() | before.keys())
    return [
        f"counter {driver}: stored {before.get(driver, 'nothing')}, now {now.totals.get(driver, 'nothing')}"
        for driver in drivers
        if before.get(driver) != now.totals.get(driver)
    ]


def _expect(engine: Engine, layers: Sequence[Layer]) -> None:
    """Say which layer each text of the layer column means: its name, or its position where no name is a number."""
    engine.run(
        "CREATE OR REPLACE TEMPORARY TABLE incoming_counter_layers "
        "(layer_value VARCHAR, layer_index INTEGER, n_neurons BIGINT)"
    )
    by_value = {layer.name: index for index, layer in enumerate(layers)}
    given = engine.rows("SELECT DISTINCT layer FROM incoming_counter_texts WHERE layer IS NOT NULL")
    if not any(layer.name.isdecimal() for layer in layers):
        numbers = {value: value.partition(".")[0] for (value,) in given if _WHOLE_NUMBER.fullmatch(value)}
        positions = {str(index): index for index in range(len(layers))}
        by_value |= {value: positions[text] for value, text in numbers.items() if text in positions}
    expected = {
        "layer_values": list(by_value),
        "layer_indexes": list(by_value.values()),
        "n_neurons": [layers[index].n_neurons for index in by_value.values()],
    }
    engine.run(sql.ingest_step("expect_counters"), expected)


def _broken(engine: Engine, columns: Mapping[str, str]) -> tuple[Violation, ...]:
    found = []
    for column, text, breach in _RULES:
        value = "driver_count" if column == "count" else column
        found.append((column, text, *_first(engine, "incoming_counter_rows", value, breach)))
    if not any(n_rows for _, _, n_rows, *_ in found):
        twice = (
            "(SELECT *, row_number() OVER (PARTITION BY driver, layer_index, neuron_number ORDER BY row_number) AS nth "
            "FROM incoming_counter_rows)"
        )
        rule = "must not be counted twice for the same layer and neuron"
        found.append(("driver", rule, *_first(engine, twice, "driver", "nth > 1")))
    return tuple(
        Violation(columns.get(column, column), text, n_rows, first_row, value)
        for column, text, n_rows, first_row, value in found
        if n_rows
    )


def _first(engine: Engine, table: str, column: str, breach: str) -> tuple[int, int, str]:
    """Return how many rows break a rule, the first of them, and what stands there."""
    [(n_rows, first_row, value)] = engine.rows(
        f"SELECT count(*), min(row_number), arg_min(coalesce({column}, 'null'), row_number) FROM {table} WHERE {breach}"
    )
    return n_rows, first_row, value


def _hint_for(broken: Sequence[Violation], engine: Engine, layers: Sequence[Layer]) -> str:
    rows_from_0 = "Rows are counted from 0. Nothing was stored."
    names = [layer.name for layer in layers]
    for violation in broken:
        if violation.rule == _UNKNOWN_LAYER:
            return f"{did_you_mean(violation.value, names)}The layers are {', '.join(names)}. {rows_from_0}"
        if violation.rule == _BEYOND_LAYER:
            return (
                "Neurons, too, are counted from 0. Where n_neurons was inferred from the spikes, declare it: "
                f"silent neurons count. {rows_from_0}"
            )
        if violation.rule == _DERIVED:
            known = [name for (name,) in engine.rows("SELECT driver FROM drivers WHERE NOT is_imported")]
            return f"From spikes and network it counts {', '.join(sorted(known))}: leave them out. {rows_from_0}"
    return rows_from_0


def _forms(engine: Engine, rows: CounterRows) -> dict[str, str]:
    """Return how each driver is counted."""
    found = engine.rows(
        f"SELECT driver, CASE {' '.join(f'''WHEN {is_it} THEN '{form}' ''' for form, is_it in _FORMS.items())} END "
        "AS form, min(row_number) AS first_row FROM incoming_counter_rows GROUP BY driver, form ORDER BY first_row"
    )
    if not found:
        raise RunFileError(f"{rows.where}: has no rows", "A run without counters needs none: leave it out.")
    forms: dict[str, str] = {}
    for driver, form, first_row in found:
        if forms.setdefault(driver, form) != form:
            raise RunFileError(
                f"{rows.where}: column {rows.columns['driver']!r} must be counted in one way, but {driver} is counted "
                f"{forms[driver]} and, first at row {first_row}, {form}",
                "Count a driver by layer, by neuron or for the whole run. Rows are counted from 0. Nothing was stored.",
            )
    for driver, total in engine.rows("SELECT driver, sum(count_number) FROM incoming_counter_rows GROUP BY driver"):
        if total > LARGEST_COUNT:
            raise RunFileError(
                f"{rows.where}: column {rows.columns['count']!r} must add up to at most {LARGEST_COUNT}, "
                f"but {driver} adds up to {total}",
                "Nothing was stored.",
            )
    return forms


def _complete(engine: Engine, drivers: Sequence[str], layers: Sequence[Layer]) -> dict[int, tuple[str, ...]]:
    """Count 0 where a layer has no count; return the drivers that nobody counted there.

    A layer whose neurons all count 0 keeps one row, of its first neuron, so that absent and explicit zeros are alike.
    """
    key = "SELECT DISTINCT layer_index, driver FROM"
    given = set(engine.rows(f"{key} incoming_counter_rows"))
    taken = set(engine.rows(f"{key} incoming_counters"))
    by_neuron = {
        driver for (driver,) in engine.rows("SELECT driver FROM incoming_counter_rows WHERE neuron IS NOT NULL")
    }
    cells = [(index, driver) for index in range(len(layers)) for driver in sorted(drivers)]
    engine.insert(
        "incoming_counters",
        [
            [index, 0 if driver in by_neuron and layers[index].n_neurons else None, driver, 0]
            for index, driver in cells
            if (index, driver) not in taken
        ],
    )
    absent: dict[int, tuple[str, ...]] = {}
    for index, driver in cells:
        if (index, driver) not in given:
            absent[index] = (*absent.get(index, ()), driver)
    return absent


def _of_absent(absent: Mapping[int, Sequence[str]], layers: Sequence[Layer]) -> tuple[str, ...]:
    by_driver: dict[str, list[str]] = {}
    for index, drivers in absent.items():
        for driver in drivers:
            by_driver.setdefault(driver, []).append(layers[index].name)
    return tuple(f"no {driver} count given for {', '.join(names)}, taken as 0" for driver, names in by_driver.items())


def _of_strangers(engine: Engine) -> tuple[str, ...]:
    """Return a note on drivers that no cost can be charged on yet."""
    known = [name for (name,) in engine.rows("SELECT driver FROM drivers")]
    given = engine.rows("SELECT DISTINCT driver FROM incoming_counter_rows ORDER BY driver")
    return tuple(
        f"no cost is charged on the driver {driver}. {did_you_mean(driver, known)}".strip()
        for (driver,) in given
        if driver not in known
    )
