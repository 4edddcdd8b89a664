"""How live energies begin: the network is priced once, and a training that is kept gets its journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from energy_db import lifecycle, sql
from energy_db.catalogue import ledger
from energy_db.engines.duckdb import Engine
from energy_db.errors import UsageError
from energy_db.record.declaring import read_told
from energy_db.record.live import LiveEnergy
from energy_db.record.training import TrainingLog
from energy_db.record.watching import Pricing
from energy_db.reports.unit_prices import VIEWS, unit_prices

if TYPE_CHECKING:
    from energy_db.intake.network import Layer
    from energy_db.record.progress import Progress
    from energy_db.record.target import Target
    from energy_db.reports.unit_prices import UnitPrices


def start_live(
    target: Target,
    engine: Engine,
    told: Mapping[str, Any],
    chip: str,
    cost_version: str | None,
    n_timesteps: int | None,
    on_scalar: Callable[[str, float], object] | None,
) -> LiveEnergy:
    """Return the live energy of a network; the parameters are those of `EnergyStore.live`, what is told as a sidecar.

    Raises
    ------
    NotFoundError
        If the chip or the cost version is not in the catalogue.
    UsageError
        If what is told cannot be meant, or no operation of the chip can be priced from spikes.
    StoreError
        If the journal of an earlier training of the name is there.
    """
    said, sidecar = read_told(told)
    layers = [replace(layer, role=layer.role or "hidden") for layer in said.layers or ()]
    version = ledger.version_for(engine, chip, cost_version)
    prices = unit_prices(engine, layers, said.timestep_us, chip, version)
    _refuse_unpriced(prices)
    log = TrainingLog(target, said.name, sidecar, f"{chip} {version}") if said.name else None
    return LiveEnergy(prices, n_timesteps=n_timesteps, on_scalar=on_scalar, log=log)


def shipped_pricing(chip: str, cost_version: str | None) -> tuple[str, Callable[[Sequence[Layer]], Pricing]]:
    """Return what prices recordings that are looked at from outside: the costs that are shipped, without a store.

    Parameters
    ----------
    chip : str
        A chip that is shipped.
    cost_version : str or None
        The cost set; by default the one in force today.

    Returns
    -------
    str
        The chip and the cost version.
    callable
        Makes of a network what prices its moments.

    Raises
    ------
    NotFoundError
        If the chip or the cost version is not shipped.
    """
    engine = lifecycle.scratch_store(VIEWS, sql.shipped_chip(chip))
    version = ledger.version_for(engine, chip, cost_version)

    def price(layers: Sequence[Layer]) -> Pricing:
        prices = unit_prices(engine, layers, None, chip, version)
        _refuse_unpriced(prices)
        return Pricing(lambda moment: _energies(prices, moment), prices.unpriced)

    return f"{chip} {version}", price


def _refuse_unpriced(prices: UnitPrices) -> None:
    if not prices.is_priced:
        reasons = "; ".join(prices.unpriced) or "no costs to sum"
        raise UsageError(
            f"nothing of {prices.chip} {prices.cost_version} can be priced from spikes: {reasons}",
            "energy-db costs shows what its versions price.",
        )


def _energies(prices: UnitPrices, moment: Progress) -> tuple[dict[str, float], float]:
    n_steps = (moment.n_timesteps or 0) * (moment.n_samples or 0)
    of_layers = {
        name: price.energy_pj(
            moment.n_spikes[name], moment.n_synaptic_events.get(name, 0), (moment.n_neurons[name] or 0) * n_steps
        )
        for price in prices.layers
        for name in [price.layer.name]
    }
    return of_layers, prices.step_pj * n_steps
