"""What can be followed over runs: energies, spikes, rates, tags; read for many runs at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from energy_db.engines.duckdb import Engine
from energy_db.errors import UsageError
from energy_db.guess import did_you_mean
from energy_db.history.filters import check_tag
from energy_db.history.trend import REST, WHOLE, Followed, of_layer

TAG = "tag:"
# Each with its unit.
ENERGIES = {"energy": "pJ", "energy_per_inference": "pJ", "energy_per_spike": "pJ"}
COUNTS = {"spikes": "spikes", "firing_rate": "spikes per neuron and timestep"}
SUMS = ("energy", "energy_per_inference", "spikes")
METRICS = (*ENERGIES, *COUNTS, f"{TAG}NAME")

_THESE = "IN (SELECT unnest(?::INTEGER[]))"
# A run that does not say when it ran did so when it came in, as far as anybody knows.
_RAN_AT = "coalesce(recorded_at, ingested_at)"
_THESE_IDS = f"run_id IN (SELECT run_id FROM runs WHERE run_key {_THESE})"


@dataclass(frozen=True)
class RunFacts:
    """What a trend has to know of a run beside the metric: its place in the history is when it ran."""

    run_key: int
    run_id: str
    run_name: str
    ran_at: datetime
    ingested_at: datetime
    n_timesteps: int
    n_samples: int


@dataclass(frozen=True)
class Metric:
    """Something that can be followed: its name, its unit, and the tag if it is one."""

    name: str
    unit: str
    tag: str | None = None

    @property
    def is_energy(self) -> bool:
        """Whether it takes a chip and a cost set."""
        return self.name in ENERGIES

    @property
    def is_sum(self) -> bool:
        """Whether that of a run is the sum of that of its layers."""
        return self.name in SUMS


@dataclass(frozen=True)
class Reading:
    """The metric of some runs.

    Attributes
    ----------
    values : dict of (str, str or None) to (dict of int to float)
        For each series, in order, the value of each run by its key; the first one is the whole run.
    missing : dict of int to str
        For each run that has no value, the reason.
    """

    values: dict[Followed, dict[int, float]]
    missing: dict[int, str]


def named(metric: str) -> Metric:
    """Return the metric of a name.

    Raises
    ------
    UsageError
        If there is none.
    """
    units = {**ENERGIES, **COUNTS}
    if metric in units:
        return Metric(metric, units[metric])
    if isinstance(metric, str) and metric.startswith(TAG) and metric != TAG:
        return Metric(metric, "", metric.removeprefix(TAG))
    guess = did_you_mean(str(metric), units)
    raise UsageError(f"unknown metric {metric!r}", f"{guess}There are {', '.join(METRICS)}.")


def run_facts(engine: Engine, run_keys: Sequence[int]) -> list[RunFacts]:
    """Return what is known of runs, in the order of the history."""
    columns = f"run_key, run_id, run_name, {_RAN_AT}, ingested_at, n_timesteps, n_samples"
    query = f"SELECT {columns} FROM runs WHERE run_key {_THESE} ORDER BY {_RAN_AT}, run_key"
    return [RunFacts(*row) for row in engine.rows(query, [list(run_keys)])]


def read(
    engine: Engine,
    metric: Metric,
    runs: Sequence[RunFacts],
    chip: str | None,
    versions: Mapping[int, str],
    by_layer: bool,
) -> Reading:
    """Return a metric of runs.

    Parameters
    ----------
    engine : Engine
        The store.
    metric : Metric
        What to read.
    runs : sequence of RunFacts
        The runs, the oldest first.
    chip : str or None
        The chip, for energies.
    versions : mapping of int to str
        The cost set of each run by its key, for energies; a run without one has none.
    by_layer : bool
        Whether there is a series for each layer, too.
    """
    if metric.tag is not None:
        return _tags(engine, metric.tag, runs)
    if metric.is_energy:
        return _energies(engine, metric.name, runs, str(chip), versions, by_layer)
    return _counts(engine, metric.name, runs, by_layer)


def _tags(engine: Engine, tag: str, runs: Sequence[RunFacts]) -> Reading:
    check_tag(engine, tag)
    query = f"SELECT run_key, tag_value, tag_number FROM run_tags WHERE tag = ? AND run_key {_THESE}"
    rows = {key: (text, number) for key, text, number in engine.rows(query, [tag, [run.run_key for run in runs]])}
    values = {key: number for key, (_, number) in rows.items() if number is not None}
    missing = {
        run.run_key: f"its tag {tag} is no number: {rows[run.run_key][0]!r}"
        if run.run_key in rows
        else f"it has no tag {tag}"
        for run in runs
        if run.run_key not in values
    }
    return Reading({WHOLE: values}, missing)


def _counts(engine: Engine, metric: str, runs: Sequence[RunFacts], by_layer: bool) -> Reading:
    query = f"SELECT run_key, layer, n_spikes, n_neurons FROM layers WHERE run_key {_THESE} ORDER BY layer_index"
    counts: dict[tuple[int, Followed], tuple[int, int]] = {}
    for key, layer, n_spikes, n_neurons in engine.rows(query, [[run.run_key for run in runs]]):
        for followed in (WHOLE, of_layer(layer)) if by_layer else (WHOLE,):
            before = counts.get((key, followed), (0, 0))
            counts[key, followed] = (before[0] + n_spikes, before[1] + n_neurons)
    steps = {run.run_key: run.n_timesteps * run.n_samples for run in runs}
    rows = []
    for (key, followed), (n_spikes, n_neurons) in counts.items():
        places = n_neurons * steps[key]
        value = float(n_spikes) if metric == "spikes" else n_spikes / places if places else None
        rows.append((key, followed, value))
    return _arranged(rows, runs, {}, "it has no neurons")


def _energies(
    engine: Engine, metric: str, runs: Sequence[RunFacts], chip: str, versions: Mapping[int, str], by_layer: bool
) -> Reading:
    asked = [chip, sorted(set(versions.values())), [run.run_key for run in runs]]
    priced = f"chip = ? AND cost_version IN (SELECT unnest(?::VARCHAR[])) AND {_THESE_IDS}"
    columns = "run_id, cost_version, energy_pj, n_spikes"
    totals = engine.records(
        f"SELECT {columns}, n_priced, n_operations, unpriced FROM energy_by_chip_all_versions WHERE {priced}", asked
    )
    keys = {(run.run_id, versions.get(run.run_key)): run for run in runs}
    wanted = [(keys[place], row) for row in totals if (place := (row["run_id"], row["cost_version"])) in keys]
    missing = {run.run_key: reason for run, row in wanted if (reason := _unpriced(row)) is not None}
    cells: list[tuple[RunFacts, Followed, Mapping[str, Any]]] = [(run, WHOLE, row) for run, row in wanted]
    if by_layer:
        layers = engine.records(
            f"SELECT {columns}, layer FROM energy_by_layer_all_versions WHERE {priced} ORDER BY layer_index NULLS LAST",
            asked,
        )
        cells += [
            (keys[place], of_layer(row["layer"]), row)
            for row in layers
            if (place := (row["run_id"], row["cost_version"])) in keys
        ]
    rows = [(run.run_key, what, _energy(metric, row, run)) for run, what, row in cells if run.run_key not in missing]
    reason = "it has no spikes" if metric == "energy_per_spike" else "nothing of it is priced"
    return _arranged(rows, runs, missing, reason)


def _unpriced(row: Mapping[str, Any]) -> str | None:
    """Return why a run cannot stand beside others: a part of its energy is no total."""
    if row["n_priced"] == row["n_operations"]:
        return None
    return f"{row['n_priced']} of {row['n_operations']} operations priced ({row['unpriced']})"


def _energy(metric: str, row: Mapping[str, Any], run: RunFacts) -> float | None:
    """Return an energy in pJ; None where it is unknown, or there is nothing to divide by."""
    divisor = {"energy": 1, "energy_per_inference": run.n_samples, "energy_per_spike": row["n_spikes"]}[metric]
    return float(row["energy_pj"]) / divisor if row["energy_pj"] is not None and divisor else None


def _arranged(
    rows: Iterable[tuple[int, Followed, float | None]], runs: Sequence[RunFacts], missing: dict[int, str], reason: str
) -> Reading:
    """Return the values by series, the series in the order of the newest run that has them."""
    by_run: dict[int, list[tuple[Followed, float]]] = {run.run_key: [] for run in runs}
    for key, followed, value in rows:
        if value is not None:
            by_run[key].append((followed, value))
    values: dict[Followed, dict[int, float]] = {followed: {} for followed in (WHOLE, *_in_order(by_run, runs))}
    for key, cells in by_run.items():
        for followed, value in cells:
            values[followed][key] = value
        if not cells:
            missing.setdefault(key, reason)
    return Reading(values, missing)


def _in_order(by_run: Mapping[int, Sequence[tuple[Followed, float]]], runs: Sequence[RunFacts]) -> Iterator[Followed]:
    every = [followed for run in reversed(runs) for followed, _ in by_run[run.run_key]]
    yield from dict.fromkeys(followed for followed in every if followed not in (WHOLE, REST))
    if REST in every:
        yield REST
