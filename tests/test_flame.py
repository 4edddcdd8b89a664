"""Flame graphs: sound by the format that speedscope publishes, and exact to the last digit."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from factories import Shell, assert_refused, mostly_thorough, run_file

from energy_db import EnergyStore
from energy_db.errors import NotFoundError

PARITY = Path(__file__).parents[1] / "examples" / "parity"


@pytest.fixture(scope="module")
def store(digits: Path) -> Iterator[EnergyStore]:
    with EnergyStore(":memory:") as opened:
        opened.ingest(digits / "digits-baseline.parquet")
        opened.ingest(PARITY / "sanafe_loihi.parquet", counters=PARITY / "sanafe_loihi.csv")
        yield opened


def read(text: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return content


def assert_sound(content: dict[str, Any]) -> None:
    """Hold a file against speedscope's published types: File, Frame and SampledProfile."""
    assert content["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    frames = content["shared"]["frames"]
    assert all(set(frame) == {"name"} and isinstance(frame["name"], str) for frame in frames)
    [profile] = content["profiles"]
    assert content["activeProfileIndex"] == 0
    assert set(profile) == {"type", "name", "unit", "startValue", "endValue", "samples", "weights"}
    assert (profile["type"], profile["unit"], profile["startValue"]) == ("sampled", "none", 0)
    assert len(profile["samples"]) == len(profile["weights"])
    used = {index for stack in profile["samples"] for index in stack}
    assert used == set(range(len(frames)))
    assert all(weight > 0 for weight in profile["weights"])
    assert profile["endValue"] == sum(profile["weights"])


def stacks(content: dict[str, Any]) -> dict[tuple[str, ...], Decimal]:
    """The energy of each stack, by the names of its frames."""
    names = [frame["name"] for frame in content["shared"]["frames"]]
    [profile] = content["profiles"]
    pairs = zip(profile["samples"], profile["weights"], strict=True)
    found = {tuple(names[index] for index in stack): Decimal(weight) for stack, weight in pairs}
    assert len(found) == len(profile["samples"])
    return found


def exact_total(store: EnergyStore, run: str, chip: str, cost_version: str) -> Decimal:
    query = "SELECT energy_pj FROM energy_by_chip_all_versions WHERE run_id = ? AND chip = ? AND cost_version = ?"
    [row] = store.sql(query, [store.run(run).run_id, chip, cost_version]).to_pylist()
    total: Decimal = row["energy_pj"]
    return total


@pytest.mark.one_in(3)
@pytest.mark.parametrize("top", mostly_thorough([20, 0, 1, 100, None], 2))
@pytest.mark.parametrize(
    ("run", "chip", "cost_version"),
    [
        ("digits-baseline", "loihi2", "tutorial72"),
        ("digits-baseline", "loihi", "davies2018"),  # charges every neuron for every timestep; a part is unpriced
        ("digits-baseline", "seneca", "tang2023_bf16"),  # static power, which has no layer
        ("sanafe_loihi", "loihi", "sanafe_2_2_9"),  # counters
    ],
)
def test_adds_up_to_the_report(store: EnergyStore, run: str, chip: str, cost_version: str, top: int | None) -> None:
    report = store.report(run, chip, cost_version=cost_version)
    content = read(report.to_speedscope(top))
    assert_sound(content)
    assert sum(stacks(content).values()) == exact_total(store, run, chip, cost_version)
    cells: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for (_, layer, operation, *_), pj in stacks(content).items():
        cells[layer.removeprefix("layer "), operation.removeprefix("operation ")] += pj
    expected = {(layer or "(no layer)", name): pj for (layer, name), pj in report.by_layer_and_operation().items()}
    assert dict(cells) == {cell: pj for cell, pj in expected.items() if pj}


@pytest.mark.parametrize(("chip", "cost_version"), [("loihi2", "tutorial72"), ("loihi", "davies2018")])
def test_gives_each_neuron_what_the_view_says(store: EnergyStore, chip: str, cost_version: str) -> None:
    report = store.report("digits-baseline", chip, cost_version=cost_version)
    found: dict[str, Decimal] = defaultdict(Decimal)
    for stack, pj in stacks(read(report.to_speedscope(None))).items():
        found[stack[-1]] += pj
    rows = report.to_arrow("neuron").to_pylist()
    assert dict(found) == {f"neuron {row['layer']}/{row['neuron']}": row["energy_pj"] for row in rows}


def test_by_hand(small_store: Path) -> None:
    # On loihi2 a spike of a hidden layer costs 2.1 pJ, one of the readout 1.0:
    # neuron 1 of hidden fires twice, neurons 0 and 2 once, neurons 0 and 1 of output once.
    with EnergyStore(small_store) as store:
        content = read(store.report("kept", "loihi2").to_speedscope(1))
    by_leaf: dict[str, Decimal] = defaultdict(Decimal)
    for (network, layer, _, *leaf), pj in stacks(content).items():
        assert network == "network kept"
        by_leaf[leaf[0] if leaf else layer] += pj
    assert by_leaf == {
        "neuron hidden/1": Decimal("4.2"),
        "other neurons of hidden": Decimal("4.2"),
        "layer output": Decimal("2.0"),
    }


def test_follows_the_fan_out_of_each_neuron_and_its_own_counters(tmp_path: Path) -> None:
    # davies2018: 23.6 pJ a synaptic event, 1.7 a transmitted spike, 52 a neuron and timestep, 4 and 3 a hop.
    events = {"layer": ["a", "a", "a"], "neuron": [0, 0, 1], "timestep": [0, 1, 0]}
    layer = {"name": "a", "role": "hidden", "n_inputs": 1, "n_neurons": 3, "fan_out": [5, 7, 9]}
    counters = [
        {"layer": "a", "neuron": 0, "driver": "hop_east", "count": 10},
        {"layer": "a", "neuron": 2, "driver": "hop_east", "count": 4},
    ]
    with EnergyStore(":memory:") as store:
        network = {"n_timesteps": 2, "n_samples": 1, "layers": [layer]}
        run = store.ingest(run_file(tmp_path / "a.parquet", events), network=network, counters=counters)
        found = stacks(read(store.report(run, "loihi", cost_version="davies2018").to_speedscope(None)))
    own = {stack[2:]: pj for stack, pj in found.items()}
    assert own == {
        ("operation synaptic_op", "neuron a/0"): 2 * 5 * Decimal("23.6"),
        ("operation synaptic_op", "neuron a/1"): 7 * Decimal("23.6"),
        ("operation spike_within_tile", "neuron a/0"): 2 * Decimal("1.7"),
        ("operation spike_within_tile", "neuron a/1"): Decimal("1.7"),
        **{("operation neuron_update_inactive", f"neuron a/{neuron}"): 2 * Decimal(52) for neuron in range(3)},
        ("operation hop_east_west", "neuron a/0"): 10 * Decimal(3),
        ("operation hop_east_west", "neuron a/2"): 4 * Decimal(3),
    }


def test_keeps_every_digit(tmp_path: Path) -> None:
    # More digits than a float holds: 10^16 + 1 hops of 3 pJ; 23.6 for the synapse, 1.7 for the spike, 52 for the step.
    events = {"layer": ["a"], "neuron": [0], "timestep": [0]}
    layer = {"name": "a", "role": "hidden", "n_inputs": 1, "n_neurons": 1, "fan_out": 1}
    hops = [{"layer": "a", "driver": "hop_east", "count": 10**16 + 1}]
    with EnergyStore(":memory:") as store:
        network = {"n_timesteps": 1, "n_samples": 1, "layers": [layer]}
        run = store.ingest(run_file(tmp_path / "a.parquet", events), network=network, counters=hops)
        content = read(store.report(run, "loihi", cost_version="davies2018").to_speedscope())
    assert content["profiles"][0]["endValue"] == Decimal("30000000000000080.3")
    assert 30000000000000003 in content["profiles"][0]["weights"]


def test_names_stay_names(tmp_path: Path) -> None:
    name = 'a "b" </script>\\'
    events = {"layer": [name], "neuron": [0], "timestep": [0]}
    layer = {"name": name, "role": "hidden", "n_inputs": 1, "n_neurons": 1, "fan_out": 1}
    with EnergyStore(":memory:") as store:
        network = {"n_timesteps": 1, "n_samples": 1, "layers": [layer]}
        run = store.ingest(run_file(tmp_path / "a.parquet", events), network=network, name=name)
        content = read(store.report(run, "loihi2").to_speedscope())
    assert {f"network {name}", f"layer {name}"} <= {frame["name"] for frame in content["shared"]["frames"]}


def test_says_when_nothing_is_priced(store: EnergyStore) -> None:
    with pytest.raises(NotFoundError, match="no operation could be priced"):
        store.report("digits-baseline", "cmos32").to_speedscope()


class TestExport:
    @pytest.mark.thorough
    def test_to_stdout_and_to_a_file(self, small_store: Path, shell: Shell, tmp_path: Path) -> None:
        printed = shell("export", "kept", "--chip", "loihi2", "--format", "speedscope")
        written = shell("export", "kept", "--chip", "loihi2", "--format", "speedscope", "-o", "run.json")
        assert (printed.exit_code, written.exit_code) == (0, 0)
        assert written.stdout == ""
        assert "www.speedscope.app" in written.stderr
        assert (tmp_path / "run.json").read_text(encoding="utf-8") == printed.stdout
        assert_sound(read(printed.stdout))

    def test_top(self, small_store: Path, shell: Shell) -> None:
        def leaves(top: str) -> int:
            result = shell("export", "--chip", "loihi2", "--format", "speedscope", "--top", top)
            return sum("neuron " in name for stack in stacks(read(result.stdout)) for name in stack[3:4])

        # Five operations for each of three hidden neurons; two for each of the readout's two, which send nothing.
        assert leaves("0") == 0
        assert leaves("all") == 5 * 3 + 2 * 2

    @pytest.mark.parametrize(
        ("arguments", "exit_code", "says"),
        [
            (["kept", "--chip", "loihi2"], 2, "--format"),
            (["kept", "--format", "speedscope"], 2, "--chip"),
            (["kept", "--chip", "loihi2", "--format", "flame"], 2, "flame"),
            (["kept", "--chip", "lohi2", "--format", "speedscope"], 3, "lohi2"),
            (["kpt", "--chip", "loihi2", "--format", "speedscope"], 3, "kpt"),
            (["kept", "--chip", "loihi2", "--format", "speedscope", "-o", "energy.duckdb"], 2, "the store itself"),
            (["kept", "--chip", "cmos32", "--format", "speedscope"], 3, "no operation could be priced"),
        ],
    )
    def test_refuses(self, small_store: Path, shell: Shell, arguments: list[str], exit_code: int, says: str) -> None:
        assert_refused(shell, small_store, exit_code, ["export", *arguments], says)
