"""A SQL-backed energy analytics store for spiking neural networks: spikes in, joules out, history kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from energy_db.accounting import EnergyAccountant, EnergyReport
    from energy_db.catalogue.book import Catalogue
    from energy_db.catalogue.sets import Cost, CostSet
    from energy_db.comparisons.comparison import Comparison
    from energy_db.connecting import connect
    from energy_db.errors import EnergyDbError
    from energy_db.gate.check import CheckReport
    from energy_db.history.groups import GroupComparison
    from energy_db.history.rows import History
    from energy_db.history.trend import Trend
    from energy_db.intake.topology import fan_out
    from energy_db.reports.report import Report
    from energy_db.runs import Run
    from energy_db.store import EnergyStore

__version__ = "0.1.0"
__all__ = [
    "Catalogue",
    "CheckReport",
    "Comparison",
    "Cost",
    "CostSet",
    "EnergyAccountant",
    "EnergyDbError",
    "EnergyReport",
    "EnergyStore",
    "GroupComparison",
    "History",
    "Report",
    "Run",
    "Trend",
    "__version__",
    "connect",
    "fan_out",
]

_HOMES = {
    "Catalogue": "catalogue.book",
    "CheckReport": "gate.check",
    "Comparison": "comparisons.comparison",
    "Cost": "catalogue.sets",
    "CostSet": "catalogue.sets",
    "EnergyAccountant": "accounting",
    "EnergyReport": "accounting",
    "EnergyDbError": "errors",
    "GroupComparison": "history.groups",
    "History": "history.rows",
    "Report": "reports.report",
    "Trend": "history.trend",
    "Run": "runs",
    "EnergyStore": "store",
    "connect": "connecting",
    "fan_out": "intake.topology",
}


def __getattr__(name: str) -> Any:
    # Names are fetched when they are first used: `energy-db --help` must not wait for the engine.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
