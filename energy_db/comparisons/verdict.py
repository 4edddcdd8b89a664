"""May two runs be held against each other? In what they differ beside their spikes, and where equal ones part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from energy_db.comparisons.rows import Disparity, Fingerprint, OperationChange, Parting
from energy_db.engines.duckdb import Engine
from energy_db.intake.network import Layer
from energy_db.runs import Run

_BOTH = "run_id_a = ? AND run_id_b = ?"
_MOST_NAMED = 4
_UNKNOWN = "unknown"


def disparities(
    engine: Engine, a: Run, b: Run, chip: str, versions: tuple[str, str], operations: Sequence[OperationChange]
) -> tuple[Disparity, ...]:
    """Return in what two runs differ beside their spikes, what matters first.

    Parameters
    ----------
    engine : Engine
        The store.
    a, b : Run
        The runs.
    chip : str
        The chip.
    versions : (str, str)
        The cost sets that price them.
    operations : sequence of OperationChange
        What takes part in their comparison.
    """
    found = [*of_runs(engine, [a], [b]), *_of_costs(engine, chip, versions), *_of_operations(operations)]
    return _by_weight(found)


def of_runs(engine: Engine, a: Sequence[Run], b: Sequence[Run]) -> tuple[Disparity, ...]:
    """Return in what the runs of two sides differ beside their spikes, whatever chip they are priced on.

    Two different values among all runs are told, be they of one side or of both: what only some of the runs say is no
    contradiction.

    Parameters
    ----------
    engine : Engine
        The store.
    a, b : sequence of Run
        The runs of both sides: one each, or groups.
    """
    found = []
    for what, fact, matters in _facts(engine, [*a, *b]):
        sides = [_distinct(fact(run) for run in side) for side in (a, b)]
        if len({*sides[0], *sides[1]}) > 1:
            found.append(Disparity(what, _listed(sides[0]), _listed(sides[1]), matters))
    return _by_weight([*found, *_of_networks(a, b), *_of_inputs(engine, a, b)])


def _by_weight(found: Sequence[Disparity]) -> tuple[Disparity, ...]:
    return tuple(sorted(found, key=lambda disparity: not disparity.matters))


def fingerprint(engine: Engine, a: Run, b: Run) -> Fingerprint:
    """Say whether two runs should be identical, and if so, where they part.

    Network, input, timesteps, samples and seed must be the same: then the same weights give the same spikes. A run
    without an input layer or without a seed promises nothing.
    """
    facts = [(run.layers, run.n_timesteps, run.n_samples, seed_of(run)) for run in (a, b)]
    is_equal = facts[0] == facts[1] and seed_of(a) is not None and _inputs(engine, a, [b])[b.run_id][1] is True
    if not is_equal:
        return Fingerprint(False, None)
    parting = _first_apart(engine, a, b)
    if parting is not None and parting.layer in _input_layers(a):  # of the same sums, such as samples in another order
        return Fingerprint(False, None)
    return Fingerprint(True, parting, a.has_events and b.has_events)


def _input_layers(run: Run) -> set[str]:
    return {layer.name for layer in run.layers if layer.role == "input"}


def seed_of(run: Run) -> str | None:
    """Return the seed of a run, as declared or as a tag."""
    return run.seed if run.seed is not None else run.tags.get("seed")


def _facts(engine: Engine, runs: Sequence[Run]) -> list[tuple[str, Callable[[Run], Any], bool]]:
    """Return what is compared of runs: what it is called, where it stands, and whether the energies hang on it."""
    contracts: Mapping[str, int] = dict(
        engine.rows(
            "SELECT run_id, contract_version FROM runs WHERE run_id IN (SELECT unnest(?::VARCHAR[]))",
            [[run.run_id for run in runs]],
        )
    )
    return [
        ("timesteps", lambda run: run.n_timesteps, True),
        ("samples", lambda run: run.n_samples, True),
        ("kind", lambda run: run.kind, True),
        ("dataset", lambda run: run.tags.get("dataset"), True),
        ("run-file contract", lambda run: contracts[run.run_id], True),
        ("length of a timestep (µs)", lambda run: run.timestep_us, False),
        ("seed", seed_of, False),
        ("git commit", lambda run: run.git_commit, False),
    ]


def _distinct(values: Iterator[Any]) -> list[Any]:
    """Return what is known, each value once, in its order."""
    return list(dict.fromkeys(value for value in values if value is not None))


def _listed(values: Sequence[Any]) -> str:
    more = f" and {len(values) - _MOST_NAMED} more" if len(values) > _MOST_NAMED else ""
    return ", ".join(str(value) for value in values[:_MOST_NAMED]) + more if values else _UNKNOWN


def _of_networks(a: Sequence[Run], b: Sequence[Run]) -> Iterator[Disparity]:
    """Name the layers of each side that not every run has like that."""
    every = [*a, *b]
    sides = [
        _distinct(layer for run in side for layer in run.layers if not all(layer in other.layers for other in every))
        for side in (a, b)
    ]
    if any(sides):
        in_a, in_b = (
            _listed([_described(layer) for layer in side]) if side else "the same without them" for side in sides
        )
        yield Disparity("network", in_a, in_b, False)


def _described(layer: Layer) -> str:
    return f"{layer.name} ({layer.role}, {layer.n_neurons} neurons, fan-out {_fan_out(layer.fan_out)})"


def _fan_out(fan_out: int | tuple[int, ...] | None) -> str:
    if isinstance(fan_out, tuple):
        return f"{min(fan_out)} to {max(fan_out)}" if fan_out else "of none"
    return _UNKNOWN if fan_out is None else str(fan_out)


def _inputs(engine: Engine, first: Run, others: Sequence[Run]) -> dict[str, tuple[int | None, bool | None]]:
    """Return of each run how often its input spiked, and whether it is the input of the first run."""
    # A list of constants reaches the tables beneath the view; a subquery would first pair all runs of the store.
    marks = ", ".join("?" for _ in others)
    rows = engine.rows(
        "SELECT run_id_b, input_spikes_b, is_same_input FROM inputs_compared "
        f"WHERE run_id_a = ? AND run_id_b IN ({marks})",
        [first.run_id, *(run.run_id for run in others)],
    )
    return {run_id: (n_spikes, is_same) for run_id, n_spikes, is_same in rows}


def _of_inputs(engine: Engine, a: Sequence[Run], b: Sequence[Run]) -> Iterator[Disparity]:
    """Compare all runs that declare an input with the first of them: to have the same input is mutual."""
    widths = [_distinct(_input_width(run) for run in side) for side in (a, b)]
    if len({*widths[0], *widths[1]}) > 1:
        in_a, in_b = (_listed([f"{width} neurons" for width in side]) for side in widths)
        yield Disparity("input", in_a, in_b, True)
        return
    every = [*a, *b]
    first = next((run for run in every if any(layer.role == "input" for layer in run.layers)), None)
    inputs = {} if first is None else _inputs(engine, first, every)
    if all(is_same is not False for _, is_same in inputs.values()):
        return
    spikes = [_distinct(inputs[run.run_id][0] for run in side) for side in (a, b)]
    in_a, in_b = (_listed([f"{n_spikes} spikes" for n_spikes in side]) for side in spikes)
    is_as_many = len({*spikes[0], *spikes[1]}) == 1 and all(spikes)
    yield Disparity("input", in_a, "as many, elsewhere" if is_as_many else in_b, False)


def _input_width(run: Run) -> int | None:
    return sum(layer.n_neurons or 0 for layer in run.layers if layer.role == "input") or None


def _of_costs(engine: Engine, chip: str, versions: tuple[str, str]) -> Iterator[Disparity]:
    if versions[0] == versions[1]:
        return
    yield Disparity("cost version", versions[0], versions[1], False)
    groups = dict(engine.rows("SELECT cost_version, scope_group FROM cost_catalogue WHERE chip = ?", [chip]))
    if groups[versions[0]] != groups[versions[1]]:
        yield Disparity("what the costs include", groups[versions[0]], groups[versions[1]], True)


def _of_operations(operations: Sequence[OperationChange]) -> Iterator[Disparity]:
    """Say which operations only one of the runs could be priced for."""
    sides: tuple[list[str], list[str]] = ([], [])
    for entry in (entry for entry in operations if entry.left_out is not None):
        in_a = entry.count_a is not None and entry.cost_a_pj is not None
        in_b = entry.count_b is not None and entry.cost_b_pj is not None
        if in_a != in_b:
            sides[0 if in_a else 1].append(entry.operation)
    if any(sides):
        only_a, only_b = (", ".join(names) or "none more" for names in sides)
        yield Disparity("operations priced", only_a, only_b, True)


def _first_apart(engine: Engine, a: Run, b: Run) -> Parting | None:
    """Return the first place where the events part; where they are not kept, the first of the roll-ups."""
    key = [a.run_id, b.run_id]
    if a.has_events and b.has_events:
        order = "timestep, layer_index, neuron, sample_index"
        rows = engine.records(f"SELECT * FROM events_apart WHERE {_BOTH} ORDER BY {order} LIMIT 1", key)
    else:
        rows = engine.records(f"SELECT * FROM steps_apart WHERE {_BOTH} ORDER BY timestep, layer_index LIMIT 1", key)
    if not rows:
        return _first_neuron_apart(engine, a, b)
    [first] = rows
    return Parting(
        timestep=first["timestep"],
        layer=a.layers[first["layer_index"]].name,
        neuron=first.get("neuron"),
        sample=first.get("sample_index"),
        spikes_a=first["spikes_a"],
        spikes_b=first["spikes_b"],
    )


def _first_neuron_apart(engine: Engine, a: Run, b: Run) -> Parting | None:
    """Return the first neuron whose sums part: roll-ups can do so while every layer spikes as often in every step."""
    query = (
        "SELECT layer, neuron, spikes_a, spikes_b FROM _compared_parts "
        f"WHERE {_BOTH} AND grain = 'neuron' AND spikes_a <> spikes_b ORDER BY list_position(?, layer), neuron LIMIT 1"
    )
    rows = engine.rows(query, [a.run_id, b.run_id, [layer.name for layer in a.layers]])
    for layer, neuron, spikes_a, spikes_b in rows:
        return Parting(None, layer, neuron, None, spikes_a, spikes_b)
    return None
