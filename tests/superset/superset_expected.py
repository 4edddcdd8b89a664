"""What every chart of the dashboard must show, worked out from the store by its reports, without the schema mart.

Rows are as Superset answers them: by the label that they are drawn at, or in the order of a table.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from superset_store import CHIPS, DIGITS, LAYERS, NIGHTLY, spikes_of_night

from energy_db import EnergyStore
from energy_db.reports.report import Report

CHIP = "loihi2"
# What a spike costs on loihi2 with the costs tutorial72, by the role of its layer (docs/method.md).
SPIKE_PJ = {"input": Decimal("1.0"), "hidden": Decimal("2.1"), "readout": Decimal("1.0")}

Rows = list[dict[str, Any]]


def energy_by_hand(number: int) -> Decimal:
    """Return what a night costs on loihi2, from its spikes."""
    spikes = spikes_of_night(number)
    return sum((sum(spikes[layer["name"]]) * SPIKE_PJ[layer["role"]] for layer in LAYERS), Decimal(0))


class Expected:
    """The charts, by title, for the run name and chip that the dashboard opens with."""

    def __init__(self, store: EnergyStore) -> None:
        runs = store.sql("SELECT run_id, run_name, recorded_at FROM runs ORDER BY recorded_at, run_id").to_pylist()
        nights = [run for run in runs if run["run_name"] == NIGHTLY]
        self.times = [run["recorded_at"] for run in nights]
        self.reports = [store.report(run["run_id"], CHIP) for run in nights]
        self.newest = self.reports[-1]
        self.on_chips = [store.report(nights[-1]["run_id"], chip) for chip in CHIPS]
        self.others = [store.report(run["run_id"], CHIP) for run in runs if run["run_name"] in DIGITS]
        self.costs = store.sql("SELECT * FROM cost_catalogue WHERE is_in_force ORDER BY chip").to_pylist()

    def rows_of(self, title: str) -> Rows:
        makers: dict[str, Callable[[], Rows]] = {
            "Energy": lambda: [{"newest_energy": self.newest.total_energy_pj}],
            "Energy per inference": lambda: [{"newest_energy_per_inference": self.newest.energy_per_inference_pj}],
            "Change": lambda: [{"newest_change": self._changes()[0]["change_share"]}],
            "Spikes": lambda: [{"newest_spikes": self.newest.total_spikes}],
            "Energy by layer": self._layers,
            "Energy by operation": self._operations,
            "Where it goes on each chip": self._shares,
            "Newest run of each name": self._names,
            "Energy of each run over time": self._history,
            "Each run against the previous one": self._changes,
            "Costliest neurons": self._neurons,
            "Chips, and where their costs are from": self._chips,
        }
        return makers[title]()

    def _layers(self) -> Rows:
        return [{"part": layer.layer, NIGHTLY: layer.energy_pj} for layer in self.newest.layers]

    def _operations(self) -> Rows:
        return [{"operation": found.operation, NIGHTLY: found.energy_pj} for found in self.newest.operations]

    def _shares(self) -> Rows:
        return [{"chip": report.chip, **_shares_of(report)} for report in self.on_chips]

    def _names(self) -> Rows:
        return [{"run_name": each.run.name, "energy": each.total_energy_pj} for each in (*self.others, self.newest)]

    def _history(self) -> Rows:
        figures = zip(self.times, self.reports, strict=True)
        return [{"run_at": _milliseconds(time), NIGHTLY: report.total_energy_pj} for time, report in figures]

    def _changes(self) -> Rows:
        rows = []
        before = None
        for number, (time, report) in enumerate(zip(self.times, self.reports, strict=True), start=1):
            now = report.total_energy_pj
            change = None if before is None or now is None else now - before
            rows.append(
                {
                    "run_name": NIGHTLY,
                    "run_number": number,
                    "run_at": _milliseconds(time),
                    "previous_energy_pj": before,
                    "energy_pj": now,
                    "change_pj": change,
                    "change_share": None if change is None or before is None else change / before,
                }
            )
            before = now
        return rows[::-1]

    def _neurons(self) -> Rows:
        return [
            {
                "run_name": NIGHTLY,
                "layer": found.layer,
                "neuron": found.neuron,
                "n_spikes": found.spikes,
                "energy_pj": found.energy_pj,
            }
            for found in self.newest.neurons(20)
        ]

    def _chips(self) -> Rows:
        columns = ("chip", "cost_version", "status", "source", "doi")
        return [{name: row[name] for name in columns} for row in self.costs if row["chip"] in CHIPS]


def _shares_of(report: Report) -> dict[str, float | None]:
    assert report.total_energy_pj
    parts = {layer.layer: layer.energy_pj for layer in report.layers} | {"whole chip": report.unlayered_energy_pj}
    return {name: None if energy is None else energy / report.total_energy_pj for name, energy in parts.items()}


def _milliseconds(time: datetime) -> float:
    return time.replace(tzinfo=UTC).timestamp() * 1000
