"""What one spike, one synaptic event and one neuron in a timestep cost in each layer: for whoever counts by himself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from energy_db import runs, sql
from energy_db.engines.duckdb import Engine
from energy_db.intake.contract import CONTRACT_VERSION
from energy_db.intake.declaration import Declaration
from energy_db.intake.network import Layer
from energy_db.reports.cells import VIEW, read_cells
from energy_db.runs import LayerActivity

# So many timesteps that their time is whole microseconds, whatever a single one lasts.
_N_TIMESTEPS = 1_000_000
# The views that a store needs for it.
VIEWS = ("units_by_role", "_cost_by_layer", VIEW)
# Chosen ids have no blanks: no run that is kept is called so.
_RUN_ID = "unit prices"


@dataclass(frozen=True)
class LayerPrice:
    """Unit prices of a layer, over all operations that can be priced.

    Attributes
    ----------
    layer : Layer
        The layer.
    spike_pj : float
        Energy of one spike, in pJ; without its synaptic events where neurons differ in their fan-out.
    synaptic_event_pj : float
        Energy of one synaptic event where neurons differ in their fan-out, in pJ, else 0.
    neuron_step_pj : float
        Energy of one neuron in one timestep of one sample, whatever it does, in pJ.
    """

    layer: Layer
    spike_pj: float
    synaptic_event_pj: float
    neuron_step_pj: float

    def energy_pj(self, n_spikes: float, n_synaptic_events: float, n_neuron_steps: float) -> float:
        """Return the energy of so many spikes, synaptic events and neurons times timesteps, in pJ."""
        by_spikes = self.spike_pj * n_spikes + self.synaptic_event_pj * n_synaptic_events
        return by_spikes + self.neuron_step_pj * n_neuron_steps


@dataclass(frozen=True)
class UnitPrices:
    """Unit prices of a network on a chip.

    Attributes
    ----------
    chip, cost_version : str
        The chip and the cost set.
    layers : tuple of LayerPrice
        Every layer, in order.
    step_pj : float
        Energy of one timestep of one sample that no layer causes, such as static power, in pJ.
    unpriced : tuple of str
        Operations that cannot be priced from spikes, each with the reason; they are in no energy.
    is_priced : bool
        Whether any operation can be priced from spikes.
    """

    chip: str
    cost_version: str
    layers: tuple[LayerPrice, ...]
    step_pj: float
    unpriced: tuple[str, ...]
    is_priced: bool


def unit_prices(
    engine: Engine, layers: Sequence[Layer], timestep_us: Decimal | None, chip: str, cost_version: str
) -> UnitPrices:
    """Return what the units of a network cost.

    They are those of a run that is stored, priced and rolled back, so that all that prices runs prices these, too.

    Parameters
    ----------
    engine : Engine
        The store, open for writing.
    layers : sequence of Layer
        The network, with roles and sizes.
    timestep_us : Decimal or None
        Length of a timestep in microseconds.
    chip, cost_version : str
        The chip and the cost set; both must be in the catalogue.
    """
    with _priced_and_rolled_back(engine, layers, timestep_us) as run_id:
        key = [run_id, chip, cost_version]
        by_layer = {
            row["layer"]: row
            for row in engine.records(
                "SELECT layer, spike_cost_pj, synaptic_event_cost_pj, neuron_cost_pj FROM _cost_by_layer "
                "WHERE run_id = ? AND chip = ? AND cost_version = ?",
                key,
            )
        }
        cells = read_cells(engine, key)
    priced = []
    for layer in layers:
        row = by_layer.get(layer.name, {})
        spike, event, neuron = (float(row.get(f"{unit}_cost_pj", 0)) for unit in ("spike", "synaptic_event", "neuron"))
        priced.append(LayerPrice(layer, spike, event, neuron / _N_TIMESTEPS))
    of_no_layer = sum((cell.energy_pj for cell in cells if cell.layer_index is None and cell.energy_pj), Decimal(0))
    unpriced = dict.fromkeys(f"{cell.operation}: {cell.unpriced}" for cell in cells if cell.unpriced is not None)
    is_priced = any(cell.energy_pj is not None for cell in cells)
    return UnitPrices(chip, cost_version, tuple(priced), float(of_no_layer) / _N_TIMESTEPS, tuple(unpriced), is_priced)


class _RollBackError(Exception):
    """Leaves the transaction of a run that is not to be kept."""


@contextmanager
def _priced_and_rolled_back(engine: Engine, layers: Sequence[Layer], timestep_us: Decimal | None) -> Iterator[str]:
    """Store a run with one spike in every layer, and roll it back."""
    try:
        with engine.transaction():
            run_key = runs.insert(engine, _run_row(layers, timestep_us), [_spiking_once(layer) for layer in layers], {})
            # Of layers whose neurons differ, single synaptic events are priced: their number is of no interest.
            uneven = [index for index, layer in enumerate(layers) if isinstance(layer.fan_out, tuple)]
            engine.run(
                "UPDATE layers SET n_synaptic_events = 1 "
                "WHERE run_key = ? AND layer_index IN (SELECT unnest(?::INTEGER[]))",
                [run_key, uneven],
            )
            engine.run(sql.ingest_step("store_driver_counts"), {"run_key": run_key})
            yield _RUN_ID
            raise _RollBackError
    except _RollBackError:
        pass


def _spiking_once(layer: Layer) -> LayerActivity:
    fan_out = None if isinstance(layer.fan_out, tuple) else layer.fan_out
    return LayerActivity(replace(layer, fan_out=fan_out, n_neurons=layer.n_neurons or 1), (), 1, 1)


def _run_row(layers: Sequence[Layer], timestep_us: Decimal | None) -> dict[str, object]:
    network = Declaration(layers=tuple(layers), n_timesteps=_N_TIMESTEPS, n_samples=1, timestep_us=timestep_us)
    return {
        "run_id": _RUN_ID,
        "run_name": _RUN_ID,
        "kind": "inference",
        "ingested_at": datetime.now(UTC).replace(tzinfo=None),
        "n_timesteps": _N_TIMESTEPS,
        "n_samples": 1,
        "timestep_us": timestep_us,
        "inferred": "",
        "n_spikes": len(layers),
        "n_events": 0,
        "has_events": False,
        "contract_version": CONTRACT_VERSION,
        "activity_hash": "",
        "content_hash": runs.content_hash("", network),
    }
