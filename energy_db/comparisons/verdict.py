"""May two runs be held against each other? In what they differ beside their spikes, and where equal ones part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from energy_db.comparisons.rows import Disparity, Fingerprint, OperationChange, Parting
from energy_db.engines.duckdb import Engine
from energy_db.runs import Run

_BOTH = "run_id_a = ? AND run_id_b = ?"
_TAGS_OF_THE_INPUT = ("dataset",)


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
    found = [*of_runs(engine, a, b), *_of_costs(engine, chip, versions), *_of_operations(operations)]
    return _by_weight(found)


def of_runs(engine: Engine, a: Run, b: Run) -> tuple[Disparity, ...]:
    """Return in what two runs differ beside their spikes, whatever chip they are priced on."""
    return _by_weight([*_of_declarations(a, b), *_of_contracts(engine, a, b), *_of_inputs(engine, a, b)])


def _by_weight(found: Sequence[Disparity]) -> tuple[Disparity, ...]:
    return tuple(sorted(found, key=lambda disparity: not disparity.matters))


def fingerprint(engine: Engine, a: Run, b: Run) -> Fingerprint:
    """Say whether two runs should be identical, and if so, where they part.

    Network, input, timesteps, samples and seed must be the same: then the same weights give the same spikes. A run
    without an input layer or without a seed promises nothing.
    """
    facts = [(run.layers, run.n_timesteps, run.n_samples, seed_of(run)) for run in (a, b)]
    is_equal = facts[0] == facts[1] and seed_of(a) is not None and bool(_input(engine, a, b)["is_same_input"])
    return Fingerprint(is_equal, _first_apart(engine, a, b) if is_equal else None)


def seed_of(run: Run) -> str | None:
    """Return the seed of a run, as declared or as a tag."""
    return run.seed if run.seed is not None else run.tags.get("seed")


def _of_declarations(a: Run, b: Run) -> Iterator[Disparity]:
    pairs = [
        ("timesteps", a.n_timesteps, b.n_timesteps, True),
        ("samples", a.n_samples, b.n_samples, True),
        ("kind", a.kind, b.kind, True),
        *((tag, a.tags.get(tag), b.tags.get(tag), True) for tag in _TAGS_OF_THE_INPUT),
        ("length of a timestep (µs)", a.timestep_us, b.timestep_us, False),
        ("network", _network(a, b), _network(b, a), False),
        ("seed", seed_of(a), seed_of(b), False),
        ("git commit", a.git_commit, b.git_commit, False),
    ]
    for what, first, second, matters in pairs:
        # What only one of them says is no contradiction.
        if first != second and None not in (first, second):
            yield Disparity(what, str(first), str(second), matters)


def _network(run: Run, other: Run) -> str:
    """Return the layers of a run that the other does not have like that; 'as the other' if there are none."""
    own = [
        f"{layer.name} ({layer.role}, {layer.n_neurons} neurons, fan-out {_fan_out(layer.fan_out)})"
        for layer in run.layers
        if layer not in other.layers
    ]
    return ", ".join(own) or "the same without them"


def _fan_out(fan_out: int | tuple[int, ...] | None) -> str:
    if isinstance(fan_out, tuple):
        return f"{min(fan_out)} to {max(fan_out)}" if fan_out else "of none"
    return "unknown" if fan_out is None else str(fan_out)


def _of_contracts(engine: Engine, a: Run, b: Run) -> Iterator[Disparity]:
    versions = dict(
        engine.rows("SELECT run_id, contract_version FROM runs WHERE run_id IN (?, ?)", [a.run_id, b.run_id])
    )
    if versions[a.run_id] != versions[b.run_id]:
        yield Disparity("run-file contract", str(versions[a.run_id]), str(versions[b.run_id]), True)


def _input(engine: Engine, a: Run, b: Run) -> dict[str, Any]:
    [row] = engine.records(f"SELECT * FROM inputs_compared WHERE {_BOTH}", [a.run_id, b.run_id])
    return row


def _of_inputs(engine: Engine, a: Run, b: Run) -> Iterator[Disparity]:
    neurons = [sum(layer.n_neurons or 0 for layer in run.layers if layer.role == "input") for run in (a, b)]
    row = _input(engine, a, b)
    if all(neurons) and neurons[0] != neurons[1]:
        yield Disparity("input", f"{neurons[0]} neurons", f"{neurons[1]} neurons", True)
    elif row["is_same_input"] is False:
        before, after = f"{row['input_spikes_a']} spikes", f"{row['input_spikes_b']} spikes"
        yield Disparity("input", before, "as many, elsewhere" if before == after else after, False)


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
