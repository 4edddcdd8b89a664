"""A run file's events on their way in: rolled up, held against the contract, completed by what they show."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from energy_db import sql
from energy_db.engines.duckdb import Engine
from energy_db.errors import ContractError, RunFileError, Violation
from energy_db.guess import did_you_mean
from energy_db.intake.contract import BELOW_N_NEURONS, RunFile, violations
from energy_db.intake.declaration import Declaration
from energy_db.intake.network import MOST_LAYERS, Layer, too_many_to_count
from energy_db.runs import LayerActivity


@dataclass(frozen=True)
class Incoming:
    """A run file that was rolled up and checked; its counts are in the engine's incoming tables.

    Attributes
    ----------
    run_file : RunFile
        The file.
    said : Declaration
        What was declared.
    network : Declaration
        The same, completed by what the events show.
    layers : tuple of LayerActivity
        The network's layers with their spikes.
    inferred : tuple of str
        Which of n_timesteps and n_samples the events had to tell.
    n_events : int
        Rows of the file.
    """

    run_file: RunFile
    said: Declaration
    network: Declaration
    layers: tuple[LayerActivity, ...]
    inferred: tuple[str, ...]
    n_events: int

    @property
    def name(self) -> str:
        """What the run is called: as declared, or by the file's stem."""
        return self.said.name or self.run_file.path.stem

    @property
    def n_spikes(self) -> int:
        """Spikes of the whole run."""
        return sum(layer.n_spikes for layer in self.layers)


def roll_up(engine: Engine, run_file: RunFile, said: Declaration, by_step: bool = True) -> Incoming:
    """Count a run file's events and hold them against the contract; the counts are in the incoming tables.

    Parameters
    ----------
    engine : Engine
        Where to count.
    run_file : RunFile
        The file.
    said : Declaration
        What is declared of it.
    by_step : bool
        Whether to count per timestep, too; a file that is only to be priced does not need it.

    Raises
    ------
    ContractError
        If events break the contract.
    RunFileError
        If there are no events, and no network is declared for a silent run.
    """
    engine.run(f"CREATE OR REPLACE TEMPORARY VIEW incoming_events AS {run_file.events}")
    engine.run(_roll_up("neurons", run_file))
    engine.run(_roll_up("steps", run_file) if by_step else _roll_up_to_one_group(run_file))
    seen = engine.records(sql.ingest_step("describe_layers"))
    if not seen and said.layers is None:
        raise RunFileError(
            f"{run_file.path}: has no events, and no network is declared",
            "A silent run is a valid run once its layers are declared, in a sidecar or with --network.",
        )
    names = _name_layers(run_file, said, [entry["layer_value"] for entry in seen])
    _expect_layers(engine, run_file, said, names)
    if broken := violations(engine, run_file, said):
        raise ContractError(str(run_file.path), broken, _hint_for(said, broken))
    return _with_inferences(engine, run_file, said, names, seen)


def _roll_up(what: str, run_file: RunFile) -> str:
    """Return the statement of a roll-up; where every event is one spike, counting is cheaper than summing."""
    statement = sql.ingest_step(f"roll_up_{what}")
    return statement if "n_spikes" in run_file.columns else statement.replace("sum(n_spikes)", "count(*)")


def _roll_up_to_one_group(run_file: RunFile) -> str:
    """Return the statement that rolls all events up to what validation reads of a timestep.

    It names no constant: only then the file's own statistics answer it, 25 times as fast as a scan.
    """
    extremes = []
    for name, default in (("timestep", 0), ("sample", 0), ("n_spikes", 1)):
        if name in run_file.columns:
            event = "sample_index" if name == "sample" else name
            extremes.append(f"count({event}) n_with_{name}, min({event}) least_{name}, max({event}) most_{name}")
        else:
            extremes.append(f"count(*) n_with_{name}, {default} least_{name}, {default} most_{name}")
    columns = ", ".join(extremes)
    return (
        f"CREATE OR REPLACE TEMPORARY TABLE incoming_steps AS SELECT count(*) n_events, {columns} FROM incoming_events"
    )


def doubts(engine: Engine, incoming: Incoming) -> tuple[str, ...]:
    """Return a note where neurons have more events than there are timesteps to have one in."""
    if "n_spikes" in incoming.run_file.columns:
        return ()
    cells = (incoming.network.n_timesteps or 1) * (incoming.network.n_samples or 1)
    crowded = engine.rows("SELECT layer, neuron, n_events FROM incoming_neurons WHERE n_events > ? LIMIT 1", [cells])
    if not crowded:
        return ()
    layer, neuron, n_events = crowded[0]
    return (
        f"layer {layer} neuron {neuron} has {n_events} events in {cells} timesteps: "
        "does the file hold rows twice, or miss a sample column?",
    )


def _name_layers(run_file: RunFile, said: Declaration, seen: list[Any]) -> dict[Any, str]:
    """Return the name of each value that the layer column may hold."""
    if said.layers is None:
        return {value: str(value) for value in seen if value is not None}
    names = [layer.name for layer in said.layers]
    if not run_file.layers_are_integers:
        return {name: name for name in names}
    if all(name.isdecimal() for name in names):
        by_number = {int(name): name for name in names}
        if len(by_number) < len(names):
            raise RunFileError(f"{run_file.path}: declared layers are the same number: {', '.join(names)}")
        return by_number
    return dict(enumerate(names))


def _expect_layers(engine: Engine, run_file: RunFile, said: Declaration, names: Mapping[Any, str]) -> None:
    declared_sizes = {layer.name: layer.n_neurons for layer in said.layers or ()}
    value_type = (
        "VARCHAR" if not run_file.layers_are_integers else "UBIGINT" if run_file.layer_type == "UBIGINT" else "BIGINT"
    )
    engine.run(
        f"CREATE OR REPLACE TEMPORARY TABLE incoming_layers "
        f"(layer_value {value_type}, layer_name VARCHAR, declared_n_neurons BIGINT)"
    )
    expected = {
        "layer_values": [str(value) for value in names],
        "layer_names": list(names.values()),
        "n_neurons": [declared_sizes.get(name) for name in names.values()],
    }
    engine.run(sql.ingest_step("expect_layers"), expected)


def _with_inferences(
    engine: Engine, run_file: RunFile, said: Declaration, names: Mapping[Any, str], seen: list[dict[str, Any]]
) -> Incoming:
    """Complete the declaration by what the events show, and mark what was inferred."""
    activity = {names[entry["layer_value"]]: entry for entry in seen}
    order = said.layers or tuple(Layer(name) for name in sorted(activity, key=_natural))
    layers = tuple(_infer_layer(layer, said.roles, activity.get(layer.name)) for layer in order)
    if len(order) > MOST_LAYERS:
        raise RunFileError(f"{run_file.path}: has {len(order)} layers, at most {MOST_LAYERS} are supported")
    _refuse_roles_of_nobody(run_file, said.roles, [layer.name for layer in order])
    [(n_events, last_timestep, last_sample)] = engine.rows(
        "SELECT coalesce(sum(n_events), 0), coalesce(max(most_timestep), 0), coalesce(max(most_sample), 0) "
        "FROM incoming_steps"
    )
    inferred = tuple(key for key in ("n_timesteps", "n_samples") if getattr(said, key) is None)
    network = replace(
        said,
        layers=tuple(stored.layer for stored in layers),
        n_timesteps=said.n_timesteps or last_timestep + 1,
        n_samples=said.n_samples or last_sample + 1,
    )
    _refuse_what_no_view_could_count(run_file, network, layers)
    _refuse_other_training(run_file, network, layers)
    return Incoming(run_file, said, network, layers, inferred, int(n_events))


def _refuse_what_no_view_could_count(run_file: RunFile, network: Declaration, layers: Sequence[LayerActivity]) -> None:
    n_steps = (network.n_timesteps or 1) * (network.n_samples or 1)
    if reason := too_many_to_count([la.layer for la in layers], [la.n_spikes for la in layers], n_steps):
        hint = "Is a size of the network, or a timestep or sample of the file, mistaken? Nothing was stored."
        raise RunFileError(f"{run_file.path}: {reason}", hint)


def _refuse_other_training(run_file: RunFile, network: Declaration, layers: Sequence[LayerActivity]) -> None:
    if network.training is None:
        return
    n_spikes = {stored.layer.name: stored.n_spikes for stored in layers}
    if reason := network.training.disagreement(network.n_samples, n_spikes):
        raise RunFileError(
            f"{run_file.path}: {reason}", "The training steps must add up to the run. Nothing was stored."
        )


def _refuse_roles_of_nobody(run_file: RunFile, roles: Mapping[str, str], names: list[str]) -> None:
    for name in roles:
        if name not in names:
            raise RunFileError(
                f"{run_file.path}: a role is given for {name!r}, but the layers are {', '.join(names)}",
                did_you_mean(name, names).strip() or None,
            )


def _infer_layer(layer: Layer, roles: Mapping[str, str], activity: Mapping[str, Any] | None) -> LayerActivity:
    role = roles.get(layer.name, layer.role)
    last_neuron = -1 if activity is None else activity["last_neuron"]
    inferred = [key for key, value in (("role", role), ("n_neurons", layer.n_neurons)) if value is None]
    complete = replace(
        layer,
        role=role or "hidden",
        n_neurons=last_neuron + 1 if layer.n_neurons is None else layer.n_neurons,
    )
    if activity is None:
        return LayerActivity(complete, tuple(inferred), 0, 0)
    return LayerActivity(complete, tuple(inferred), int(activity["n_spikes"]), activity["n_active_neurons"])


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """Sort key that puts layer2 before layer10."""
    parts = re.findall(r"\d+|\D+", name)
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


def _hint_for(said: Declaration, broken: tuple[Violation, ...]) -> str:
    unknown = [violation.value for violation in broken if violation.rule == "must be a declared layer"]
    if unknown:
        names = [layer.name for layer in said.layers or ()]
        return f"{did_you_mean(unknown[0], names)}The declared layers are {', '.join(names)}. Nothing was stored."
    if any(violation.rule == BELOW_N_NEURONS for violation in broken):
        return (
            "Neurons are counted from 0: does the file count from 1? Rows, too, are counted from 0. Nothing was stored."
        )
    return "Nothing was stored. Rows are counted from 0."
