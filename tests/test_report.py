"""A report against figures that were worked out by hand.

The run: 8 spikes of two inputs, 20 of four hidden neurons (12, 4, none, 4), 2 of a readout neuron. On loihi2 an input
spike is 0.8 + 0.2 = 1.0 pJ, a hidden one 2.1 pJ, a readout one 0.5 + 0.5 = 1.0 pJ: 8.0 + 42.0 + 2.0 = 52.0 pJ.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from factories import run_file, with_sidecar

from energy_db import EnergyStore, Report
from energy_db.errors import StoreError, UsageError
from energy_db.reports.rows import LayerEnergy, NeuronEnergy, OperationEnergy, StepEnergy

EVENTS = {
    "layer": ["hid", "hid", "hid", "hid", "in", "in", "out"],
    "neuron": [0, 0, 1, 3, 0, 1, 0],
    "timestep": [0, 2, 1, 2, 0, 1, 3],
    "sample": [0, 1, 0, 0, 0, 1, 1],
    "n_spikes": [6, 6, 4, 4, 5, 3, 2],
}
LAYERS = [
    {"name": "in", "role": "input", "n_neurons": 2},
    {"name": "hid", "role": "hidden", "n_neurons": 4},
    {"name": "out", "role": "readout", "n_neurons": 2},
]
NETWORK = {"n_timesteps": 4, "n_samples": 2, "layers": LAYERS}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnergyStore]:
    path = with_sidecar(run_file(tmp_path_factory.mktemp("report") / "worked.parquet", EVENTS), NETWORK)
    with EnergyStore(":memory:") as opened:
        opened.ingest(path)
        yield opened


@pytest.fixture(scope="module")
def report(store: EnergyStore) -> Report:
    return store.report("worked", "loihi2")


def report_of(folder: Path, events: dict[str, list[Any]], network: dict[str, Any], chip: str = "loihi2") -> Report:
    """Price a run in a store that is closed again."""
    path = with_sidecar(run_file(folder / "run.parquet", events), network)
    with EnergyStore(":memory:") as store:
        return store.report(store.ingest(path), chip)


class TestFigures:
    def test_totals(self, report: Report) -> None:
        assert (report.chip, report.cost_version, report.total_spikes) == ("loihi2", "tutorial72", 30)
        assert report.total_energy_pj == 52.0
        assert report.total_energy_nj == pytest.approx(0.052)
        assert report.energy_per_spike_pj == pytest.approx(52 / 30)
        assert report.energy_per_inference_pj == 26.0

    def test_layers_in_the_order_of_the_network(self, report: Report) -> None:
        assert report.layers == (
            LayerEnergy("in", "input", 2, 2, 8, 8.0, pytest.approx(8 / 52), 1.0),
            LayerEnergy("hid", "hidden", 4, 3, 20, 42.0, pytest.approx(42 / 52), 2.1),
            LayerEnergy("out", "readout", 2, 1, 2, 2.0, pytest.approx(2 / 52), 1.0),
        )
        assert report.dominant_layer == "hid"

    def test_operations_the_costliest_first(self, report: Report) -> None:
        assert report.operations == (
            OperationEnergy("synapse_lookup", "transmitted_spike", 28, 0.8, 22.4, pytest.approx(22.4 / 52)),
            OperationEnergy("membrane_update", "neuron_spike", 22, 0.5, 11.0, pytest.approx(11 / 52)),
            OperationEnergy("weight_multiply", "neuron_spike", 22, 0.5, 11.0, pytest.approx(11 / 52)),
            OperationEnergy("aer_routing", "transmitted_spike", 28, 0.2, 5.6, pytest.approx(5.6 / 52)),
            OperationEnergy("spike_generation", "generated_spike", 20, 0.1, 2.0, pytest.approx(2 / 52)),
        )

    def test_neurons_the_costliest_first(self, report: Report) -> None:
        neurons = (
            NeuronEnergy("hid", 0, 12, 25.2, pytest.approx(25.2 / 52)),
            NeuronEnergy("hid", 1, 4, 8.4, pytest.approx(8.4 / 52)),
            NeuronEnergy("hid", 3, 4, 8.4, pytest.approx(8.4 / 52)),
            NeuronEnergy("in", 0, 5, 5.0, pytest.approx(5 / 52)),
            NeuronEnergy("in", 1, 3, 3.0, pytest.approx(3 / 52)),
            NeuronEnergy("out", 0, 2, 2.0, pytest.approx(2 / 52)),
        )
        assert report.neurons() == report.neurons(top=None) == neurons
        assert report.neurons(top=2) == neurons[:2]
        assert report.neurons(top=0) == ()
        assert report.dominant_neuron == neurons[0]

    def test_timeline(self, report: Report) -> None:
        assert report.timeline() == (
            StepEnergy(0, "in", 5, 5.0),
            StepEnergy(0, "hid", 6, 12.6),
            StepEnergy(1, "in", 3, 3.0),
            StepEnergy(1, "hid", 4, 8.4),
            StepEnergy(2, "hid", 10, 21.0),
            StepEnergy(3, "out", 2, 2.0),
        )

    def test_the_default_number_of_neurons_is_20(self, tmp_path: Path) -> None:
        events = {"layer": ["hid"] * 25, "neuron": list(range(25)), "timestep": [0] * 25}
        with EnergyStore(":memory:") as store:
            report = store.report(store.ingest(run_file(tmp_path / "many.parquet", events)), "akida")
            assert [entry.neuron for entry in report.neurons()] == list(range(20))
            assert len(report.neurons(None)) == 25

    def test_a_negative_number_of_neurons_is_refused(self, report: Report) -> None:
        with pytest.raises(UsageError, match="top is -1"):
            report.neurons(-1)

    def test_every_chip(self, store: EnergyStore) -> None:
        chips = store.chips("worked", cost_version="tutorial72")
        assert {entry.chip: entry.total_energy_pj for entry in chips} == {
            "akida": 30 * 3.5,
            "brainscales2": 30 * 0.3,
            "fpga_ice40": 8 * 9.0 + 20 * 15.0 + 2 * 5.0,
            "loihi2": 52.0,
            "spinnaker2": 8 * 5.5 + 20 * 10.0 + 2 * 4.0,
        }


class TestWhyAndWhatToDo:
    def test_why(self, report: Report) -> None:
        # 42 of 52 pJ; the mean of 12, 4, 0 and 4 spikes is 5.
        assert report.why == "hid accounts for 80.8 % of the energy; its neuron 0 fires 2.4 times its layer's mean"

    def test_each_target_says_what_it_would_save(self, report: Report) -> None:
        found = [(entry.target, entry.layer, entry.neuron, pytest.approx(entry.saving_pj)) for entry in report.advice]
        assert found[:1] == [("layer", "hid", None, 25.2)]  # prune: the busiest tenth of four neurons is one
        assert sorted(found[1:3], key=lambda entry: entry[0]) == [
            ("layer", "hid", None, 14.7),  # homeostasis: 7 of 12 spikes are above the mean of 5
            ("neuron", "hid", 0, 14.7),  # 48.5 % of the total
        ]
        assert found[3] == ("layer", "hid", None, 4.2)  # threshold: a tenth of 42
        assert sorted(found[4:]) == [("silent_neurons", "hid", None, 0.0), ("silent_neurons", "out", None, 0.0)]
        assert [entry.saving_share for entry in report.advice] == pytest.approx(
            [entry.saving_pj / 52 for entry in report.advice]
        )

    def test_the_targets_are_those_of_the_tutorial(self, report: Report) -> None:
        of_the_layer = " ".join(entry.action for entry in report.advice if entry.target == "layer")
        assert all(word in of_the_layer for word in ("prune", "threshold", "homeostasis"))
        [of_the_neuron] = [entry.action for entry in report.advice if entry.target == "neuron"]
        assert "over-connected" in of_the_neuron
        assert "threshold" in of_the_neuron

    def test_every_neuron_above_a_tenth_of_the_energy_is_a_target(self, tmp_path: Path) -> None:
        # 40 and 40 of 100 spikes, six more neurons share the rest: two neurons with 40 % each, 27.5 above the mean.
        events = {"layer": ["hid"] * 8, "neuron": list(range(8)), "timestep": [0] * 8}
        events["n_spikes"] = [40, 40, 5, 5, 4, 2, 2, 2]
        report = report_of(tmp_path, events, {"layers": [{"name": "hid", "role": "hidden", "n_neurons": 8}]})
        found = {entry.neuron: entry.saving_pj for entry in report.advice if entry.target == "neuron"}
        assert found == {0: pytest.approx(27.5 * 2.1), 1: pytest.approx(27.5 * 2.1)}

    def test_even_firing_has_no_neuron_to_look_into(self, tmp_path: Path) -> None:
        events = {"layer": ["hid"] * 20, "neuron": list(range(20)), "timestep": [0] * 20}
        report = report_of(tmp_path, events, {"layers": [{"name": "hid", "role": "hidden", "n_neurons": 20}]})
        assert {entry.target for entry in report.advice} == {"layer"}
        # 20 spikes: a tenth of them, and the busiest tenth of the neurons, is two; none is above the mean.
        assert [entry.saving_pj for entry in report.advice] == pytest.approx([4.2, 4.2])

    def test_an_input_layer_is_not_to_be_pruned(self, tmp_path: Path) -> None:
        events = {"layer": ["in"] * 2, "neuron": [0, 0], "timestep": [0, 1]}
        report = report_of(tmp_path, events, {"layers": [{"name": "in", "role": "input", "n_neurons": 3}]})
        [advice] = report.advice
        assert (advice.layer, advice.saving_pj) == ("in", pytest.approx(0.2))
        assert "encode" in advice.action

    def test_a_silent_run(self, tmp_path: Path) -> None:
        silent: dict[str, list[Any]] = {"layer": pa.array([], pa.string()), "neuron": pa.array([], pa.int32())}
        silent["timestep"] = pa.array([], pa.int32())
        report = report_of(tmp_path, silent, NETWORK)
        assert (report.total_energy_pj, report.energy_per_spike_pj, report.energy_per_inference_pj) == (0.0, None, 0.0)
        assert report.dominant_layer is None
        assert [layer.share for layer in report.layers] == [0.0, 0.0, 0.0]
        assert report.why == "no layer burns energy: no operation that is priced took place"


class TestTrust:
    def test_costs_that_nobody_measured(self, report: Report) -> None:
        [warning] = report.warnings
        assert "not measurements" in warning

    def test_costs_without_a_split(self, store: EnergyStore) -> None:
        priced = store.report("worked", "akida")
        assert priced.operations == (OperationEnergy("undivided", "spike", 30, 3.5, 105.0, 1.0),)
        assert any("no split by operation is published for akida" in warning for warning in priced.warnings)

    def test_what_was_inferred(self, tmp_path: Path) -> None:
        with EnergyStore(":memory:") as store:
            bare = store.report(store.ingest(run_file(tmp_path / "bare.parquet", EVENTS)), "loihi2")
        assert bare.total_energy_pj == 30 * 2.1
        told = " ".join(bare.warnings)
        assert "no role is declared for hid, in, out: priced as hidden" in told
        assert all(name in told for name in ("n_timesteps", "n_samples", "hid.n_neurons"))
        assert set(bare.provenance["inferred"]) >= {"n_timesteps", "n_samples", "hid.role", "in.n_neurons"}

    def test_provenance(self, report: Report) -> None:
        assert report.provenance["content_hash"] == report.run.content_hash
        assert report.provenance["source_sha256"] == report.run.source_sha256
        assert report.provenance["source_path"].endswith("worked.parquet")
        assert report.provenance["inferred"] == []
        assert report.provenance["costs"]["status"] == "tutorial"
        assert "Tutorial 72" in report.provenance["costs"]["source"]


class TestFaces:
    def test_summary(self, report: Report) -> None:
        assert report.summary().splitlines() == [
            "Energy report (loihi2, tutorial72): worked",
            "  in: 8 spikes × 1.0 pJ/spike = 0.008 nJ (15.4%)",
            "  hid: 20 spikes × 2.1 pJ/spike = 0.042 nJ (80.8%)",
            "  out: 2 spikes × 1.0 pJ/spike = 0.002 nJ (3.8%)",
            "  Total: 0.052 nJ, 26.0 pJ per inference",
            "  Dominant layer: hid (80.8%)",
            "  Dominant neuron: hid/0 (48.5%)",
            "  Why: hid accounts for 80.8 % of the energy; its neuron 0 fires 2.4 times its layer's mean",
        ]

    def test_to_dict_is_json(self, report: Report) -> None:
        content = json.loads(json.dumps(report.to_dict(top=1), allow_nan=False))
        assert content["schema"] == "energy-db/report/1"
        assert content["run_id"] == report.run.run_id
        assert (content["name"], content["chip"], content["cost_version"]) == ("worked", "loihi2", "tutorial72")
        assert (content["total_spikes"], content["total_energy_pj"]) == (30, 52.0)
        assert content["energy_per_spike_pj"] == pytest.approx(52 / 30)
        assert content["energy_per_inference_pj"] == 26.0
        keys = ("layer", "role", "spikes", "energy_pj", "share", "energy_per_spike_pj")
        assert [content["layers"][1][key] for key in keys] == ["hid", "hidden", 20, 42.0, pytest.approx(42 / 52), 2.1]
        keys = ("operation", "driver", "count", "cost_pj", "energy_pj")
        assert [content["operations"][0][key] for key in keys] == [
            "synapse_lookup", "transmitted_spike", 28, 0.8, 22.4,
        ]  # fmt: skip
        assert content["neurons"] == [
            {"layer": "hid", "neuron": 0, "spikes": 12, "energy_pj": 25.2, "share": pytest.approx(25.2 / 52)}
        ]
        assert content["dominant_layer"] == "hid"
        assert content["dominant_neuron"] == {"layer": "hid", "neuron": 0}
        assert content["warnings"] == list(report.warnings)
        assert len(content["advice"]) == len(report.advice)

    def test_to_arrow_is_exact(self, report: Report) -> None:
        table = report.to_arrow()
        assert table.schema.field("energy_pj").type == pa.decimal128(38, 6)
        assert table.schema.field("n_spikes").type == pa.int64()
        assert table.column("energy_pj").to_pylist() == [Decimal(8), Decimal(42), Decimal(2)]
        assert report.to_arrow("neuron").column("energy_pj").to_pylist()[0] == Decimal("25.2")
        assert report.to_arrow("operation").num_rows == 5
        assert report.to_arrow("step").column("timestep").to_pylist() == [0, 0, 1, 1, 2, 3]
        with pytest.raises(UsageError, match="by is 'week'"):
            report.to_arrow("week")

    def test_to_pandas(self, report: Report) -> None:
        frame = report.to_pandas("layer")
        assert list(frame["layer"]) == ["in", "hid", "out"]
        assert sum(frame["energy_pj"]) == Decimal(52)

    def test_html_escapes_every_name(self, tmp_path: Path) -> None:
        name = "<b>&\"'"
        events = {"layer": [name], "neuron": [0], "timestep": [0]}
        path = run_file(tmp_path / "run.parquet", events)
        with EnergyStore(":memory:") as store:
            page = store.report(store.ingest(path, name="<script>alert(1)</script>"), "loihi2")._repr_html_()
        assert "<script>" not in page
        assert "<b>" not in page
        assert "&lt;script&gt;" in page
        assert "&lt;b&gt;&amp;" in page


def test_a_report_outlives_its_store_but_cannot_ask_it(tmp_path: Path) -> None:
    report = report_of(tmp_path, EVENTS, NETWORK)
    assert (report.total_energy_pj, report.dominant_layer, len(report.advice)) == (52.0, "hid", 6)
    assert [(entry.layer, entry.neuron) for entry in report.neurons(top=1)] == [("hid", 0)]
    assert report.to_dict()["dominant_neuron"] == {"layer": "hid", "neuron": 0}
    assert "hid" in report.summary() and "hid" in report._repr_html_()
    for ask in (partial(report.neurons, None), report.timeline, report.to_arrow, report.to_pandas):
        with pytest.raises(StoreError, match="closed"):
            ask()
