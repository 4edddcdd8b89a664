"""The tutorial's accountant: spike counts per layer in, joules out, without a file; on the store's own SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from threading import Lock
from typing import Any

from energy_db import lifecycle, runs, sql
from energy_db.catalogue import ledger
from energy_db.engines.duckdb import Engine
from energy_db.errors import UsageError
from energy_db.intake.contract import CONTRACT_VERSION
from energy_db.intake.declaration import Declaration
from energy_db.intake.network import ROLES, Layer, too_many_to_count
from energy_db.intake.reading import LARGEST_COUNT
from energy_db.reports import pricing, report
from energy_db.reports.faces import dominant_line, layer_lines, total_in_nanojoules
from energy_db.reports.rows import LayerEnergy, OperationEnergy, Totals
from energy_db.runs import LayerActivity

_one_at_a_time = Lock()


@dataclass(frozen=True)
class EnergyReport(Totals):
    """What counted spikes cost on a chip; made by `EnergyAccountant.account`.

    Attributes
    ----------
    chip, cost_version : str
        The chip and the cost set that price the spikes.
    total_spikes : int
        All spikes.
    total_energy_pj : float or None
        Their energy in pJ, of the operations that could be priced; None if none could.
    layers : tuple of LayerEnergy
        Every layer, in order.
    operations : tuple of OperationEnergy
        Every operation of the chip, the costliest first.
    """

    chip: str
    cost_version: str
    total_spikes: int
    total_energy_pj: float | None
    layers: tuple[LayerEnergy, ...]
    operations: tuple[OperationEnergy, ...]

    def summary(self) -> str:
        """Return the report in a few lines of text, as in the tutorial."""
        lines = [f"Energy Accounting ({self.chip}):", *layer_lines(self.layers)]
        lines.append(f"  Total: {total_in_nanojoules(self, ' per inference')}")
        return "\n".join(lines + dominant_line(self.layers, self.dominant_layer))


class EnergyAccountant:
    """Prices spike counts on one chip.

    Parameters
    ----------
    chip : str
        A chip of the catalogue: 'loihi2', 'spinnaker2', 'akida', 'brainscales2' or 'fpga_ice40'.
    cost_version : str, optional
        The cost set to price with; by default the one in force today.

    Raises
    ------
    NotFoundError
        If the chip or the cost version is not in the catalogue.

    Examples
    --------
    >>> from energy_db import EnergyAccountant
    >>> accountant = EnergyAccountant("loihi2")
    >>> report = accountant.account(["hidden", "output"], [(784, 256), (256, 10)], [5000, 200], 100)
    >>> print(report.summary())
    Energy Accounting (loihi2):
      hidden: 5000 spikes × 2.1 pJ/spike = 10.5 nJ (98.1%)
      output: 200 spikes × 1.0 pJ/spike = 0.2 nJ (1.9%)
      Total: 10.7 nJ per inference
      Dominant layer: hidden (98.1%)
    """

    def __init__(self, chip: str, cost_version: str | None = None) -> None:
        self.chip = chip
        with _one_at_a_time:
            self.cost_version = ledger.version_for(_engine_for(chip), chip, cost_version)

    def account(
        self,
        layer_names: Sequence[str],
        layer_sizes: Sequence[tuple[int, int]],
        spike_counts: Sequence[int],
        n_timesteps: int,
        roles: Sequence[str] | None = None,
    ) -> EnergyReport:
        """Price the spikes of each layer.

        Parameters
        ----------
        layer_names : sequence of str
            The layers, in order.
        layer_sizes : sequence of (int, int)
            Inputs and neurons of each layer.
        spike_counts : sequence of int
            Spikes of each layer over all timesteps.
        n_timesteps : int
            Timesteps of the run.
        roles : sequence of {'input', 'hidden', 'readout'}, optional
            What the spikes of each layer trigger. By default the last of two or more layers is the readout and the
            others are hidden, as in the tutorial.

        Raises
        ------
        UsageError
            If the lists are of unequal length, or a count is negative, not a whole number, or too large.
        """
        layers = _layers(layer_names, layer_sizes, spike_counts, roles)
        n_steps = _whole("n_timesteps", n_timesteps, least=1)
        if reason := too_many_to_count([la.layer for la in layers], [la.n_spikes for la in layers], n_steps):
            raise UsageError(reason)
        with _one_at_a_time:
            return _price(_engine_for(self.chip), layers, n_steps, self.chip, self.cost_version)


def _engine_for(chip: str) -> Engine:
    """Return the store in memory for a chip; of a chip that nobody knows, for all, so that an error can name them."""
    return _engine(chip if sql.shipped_chip(chip) else None)


@cache
def _engine(chip: str | None) -> Engine:
    return lifecycle.scratch_store(report.VIEWS, None if chip is None else [chip])


def _price(engine: Engine, layers: Sequence[LayerActivity], n_timesteps: int, chip: str, version: str) -> EnergyReport:
    """Store the counts as a run, price it, and roll all of it back."""
    engine.run("BEGIN TRANSACTION")
    try:
        run_key = runs.insert(engine, _run_row(layers, n_timesteps), layers, {})
        engine.run(sql.ingest_step("store_driver_counts"), {"run_key": run_key})
        priced = pricing.build(engine, runs.load(engine, run_key), chip, version)
    finally:
        engine.run("ROLLBACK")
    # Only spikes were counted: nobody knows how many neurons made them.
    layers_priced = tuple(replace(layer, n_active_neurons=None) for layer in priced.layers)
    return EnergyReport(chip, version, priced.total_spikes, priced.total_energy_pj, layers_priced, priced.operations)


def _run_row(layers: Sequence[LayerActivity], n_timesteps: int) -> dict[str, Any]:
    network = Declaration(layers=tuple(stored.layer for stored in layers), n_timesteps=n_timesteps, n_samples=1)
    n_spikes = sum(stored.n_spikes for stored in layers)
    return {
        "run_id": "counts",
        "run_name": "counts",
        "kind": "inference",
        "ingested_at": datetime.now(UTC).replace(tzinfo=None),
        "n_timesteps": n_timesteps,
        "n_samples": 1,
        "inferred": "",
        "n_spikes": n_spikes,
        "n_events": 0,
        "has_events": False,
        "contract_version": CONTRACT_VERSION,
        "activity_hash": "",
        "content_hash": runs.content_hash("", network),
    }


def _layers(
    names: Sequence[str],
    sizes: Sequence[tuple[int, int]],
    counts: Sequence[int],
    roles: Sequence[str] | None,
) -> list[LayerActivity]:
    given = {"layer_names": names, "layer_sizes": sizes, "spike_counts": counts}
    if roles is not None:
        given["roles"] = roles
    for name, values in given.items():
        if isinstance(values, str) or not (hasattr(values, "__len__") and hasattr(values, "__getitem__")):
            raise UsageError(f"{name} is {values!r}, must be a list with one entry per layer")
    lengths = ", ".join(f"{name} has {len(values)}" for name, values in given.items())
    if len({len(values) for values in given.values()}) != 1:
        raise UsageError(f"one entry per layer is needed, but {lengths}")
    if len(names) == 0:
        raise UsageError("at least one layer is needed")
    names = [str(name) for name in names]
    if not all(names):
        raise UsageError("layer names must not be empty")
    if len(set(names)) != len(names):
        raise UsageError(f"layer names must differ, but they are {', '.join(names)}")
    roles = roles if roles is not None else ["hidden"] * max(1, len(names) - 1) + ["readout"] * (len(names) > 1)
    layers = []
    for name, size, count, role in zip(names, sizes, counts, roles, strict=True):
        n_inputs, n_neurons = _size(name, size)
        spikes = _whole(f"spike_counts of {name}", count)
        if spikes and not n_neurons:
            raise UsageError(f"{name} has no neurons, but {spikes} spikes")
        if role not in ROLES:
            raise UsageError(f"the role of {name} is {role!r}, must be one of {', '.join(ROLES)}")
        layers.append(LayerActivity(Layer(name, str(role), n_inputs, n_neurons), (), spikes, 0))
    if sum(layer.n_spikes for layer in layers) > LARGEST_COUNT:
        raise UsageError(f"spike_counts add up to more than {LARGEST_COUNT}")
    return layers


def _size(name: str, size: tuple[int, int]) -> tuple[int, int]:
    try:
        n_inputs, n_neurons = size
    except (TypeError, ValueError) as error:
        raise UsageError(f"layer_sizes of {name} is {size!r}, must be a pair (inputs, neurons)") from error
    return _whole(f"inputs of {name}", n_inputs), _whole(f"neurons of {name}", n_neurons)


def _whole(what: str, value: Any, least: int = 0) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or not least <= int(value) <= LARGEST_COUNT:
        raise UsageError(f"{what} is {value!r}, must be a whole number of {least} or more")
    return int(value)
