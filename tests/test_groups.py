"""Two groups of runs: which runs, what is compared, what is refused; figures by hand.

On loihi2 a hidden spike costs 2.1 pJ and a readout spike 1.0 pJ (docs/method.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from factories import run_file, with_sidecar
from small_runs import Spikes, costs, small_run, with_layer, with_spikes

from energy_db import EnergyStore
from energy_db.comparisons.rows import Disparity
from energy_db.errors import NotComparableError, NotFoundError, UsageError
from energy_db.history import groups_text
from energy_db.history.groups import SCHEMA, GroupComparison
from energy_db.history.welch import Difference

# branch, seed, spikes of hidden and output, accuracy
RUNS = [
    ("main", 1, 10, 4, "0.90"),
    ("main", 2, 12, 4, "0.92"),
    ("main", 3, 14, 4, "0.94"),
    ("sparse", 1, 2, 6, "0.88"),
    ("sparse", 2, 4, 6, None),
    ("alone", 9, 5, 5, "0.5"),
]


def add(store: EnergyStore, path: Path, hidden: int, output: int, **declared: Any) -> str:
    columns = {
        "layer": ["hidden"] * hidden + ["output"] * output,
        "neuron": [0] * (hidden + output),
        "timestep": [*range(hidden), *range(output)],
    }
    layers = [
        {"name": "hidden", "role": "hidden", "n_neurons": 2, "fan_out": declared.pop("fan_out", 1)},
        {"name": "output", "role": "readout", "n_neurons": 1, "fan_out": 0},
    ]
    sidecar = {"run": path.stem, "n_timesteps": 20, "n_samples": 2, "layers": layers, **declared}
    return store.ingest(with_sidecar(run_file(path, columns), sidecar), run_id=path.stem).run_id


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnergyStore]:
    folder = tmp_path_factory.mktemp("groups")
    with EnergyStore(folder / "energy.duckdb") as opened:
        for branch, seed, hidden, output, accuracy in RUNS:
            tags = {"branch": branch} | ({"accuracy": accuracy} if accuracy else {})
            add(opened, folder / f"{branch}-{seed}.parquet", hidden, output, seed=seed, tags=tags)
        yield opened


@pytest.fixture(scope="module")
def found(store: EnergyStore) -> GroupComparison:
    return store.compare_groups("group:branch=main", "group:branch=sparse", "loihi2")


def facts(difference: Difference) -> tuple[float | None, ...]:
    a, b = difference.a, difference.b
    return (a.n, a.mean, a.sd, b.n, b.mean, b.sd, difference.change)


class TestFigures:
    def test_energies_by_hand(self, found: GroupComparison) -> None:
        # main: 25.0, 29.2 and 33.4 pJ; sparse: 10.2 and 14.4 pJ.
        assert facts(found.energy) == pytest.approx((3, 29.2, 4.2, 2, 12.3, 4.2 / 2**0.5, -16.9))
        # Squared errors 17.64 / 3 = 5.88 and 8.82 / 2 = 4.41; degrees 10.29 ** 2 / (5.88 ** 2 / 2 + 4.41 ** 2 / 1).
        assert found.energy.degrees == pytest.approx(105.8841 / (17.2872 + 19.4481))
        assert found.energy.change_share == pytest.approx(-16.9 / 29.2)
        # The table's t of 95 % is 3.182 for 3 degrees and 4.303 for 2: for 2.88 it lies between.
        margin = (found.energy.high - found.energy.low) / 2 / 10.29**0.5
        assert 3.182 < margin < 3.4
        assert facts(found.energy_per_inference) == pytest.approx((3, 14.6, 2.1, 2, 6.15, 2.1 / 2**0.5, -8.45))

    def test_layers_add_up_to_the_whole(self, found: GroupComparison) -> None:
        assert [row.layer for row in found.layers] == ["hidden", "output"]
        hidden, output = (row.energy for row in found.layers)
        assert facts(hidden) == pytest.approx((3, 25.2, 4.2, 2, 6.3, 4.2 / 2**0.5, -18.9))
        # The output does not scatter: it differs exactly.
        assert facts(output) == (3, 4.0, 0.0, 2, 6.0, 0.0, 2.0)
        assert (output.low, output.high, output.p_value, output.degrees) == (2.0, 2.0, 0.0, None)
        assert hidden.change + output.change == pytest.approx(found.energy.change)

    def test_spikes_and_accuracy(self, found: GroupComparison) -> None:
        assert facts(found.spikes) == pytest.approx((3, 16, 2.0, 2, 9, 2**0.5, -7))
        assert found.accuracy is None  # one run of two carries it
        assert list(found.measures) == ["energy_pj", "energy_per_inference_pj", "spikes"]

    def test_accuracy_where_two_runs_of_each_carry_it(self, store: EnergyStore) -> None:
        both = store.compare_groups(["main-1", "main-2"], ["main-3", "alone-9"], "loihi2")
        assert both.accuracy is not None
        assert facts(both.accuracy)[:2] == pytest.approx((2, 0.91))
        assert both.accuracy.change == pytest.approx(0.72 - 0.91)

    def test_why(self, found: GroupComparison, store: EnergyStore) -> None:
        assert found.why.startswith("-57.9 %, more than chance (p = 0.0")
        assert found.why.endswith("hidden -18.9 pJ, output +2.0 pJ")
        wide = store.compare_groups("group:branch=main", "group:branch=sparse", "loihi2", confidence=0.999)
        assert wide.why.startswith("-57.9 %, which may be chance (p = 0.0")
        assert wide.energy.low < found.energy.low < found.energy.high < wide.energy.high

    def test_swapping_the_groups_flips_every_sign(self, found: GroupComparison, store: EnergyStore) -> None:
        back = store.compare_groups("group:branch=sparse", "group:branch=main", "loihi2")
        for name, there in found.measures.items():
            assert (back.measures[name].low, back.measures[name].high) == (-there.high, -there.low)
        assert [row.energy.change for row in back.layers] == [-row.energy.change for row in found.layers]

    def test_another_cost_version(self, store: EnergyStore) -> None:
        version = "sc_neurocore_3_16_0"
        names = ["main-1", "main-2", "main-3"]
        totals = [store.report(name, "akida", cost_version=version).total_energy_pj for name in names]
        priced = store.compare_groups("group:branch=main", "group:branch=sparse", "akida", cost_version=version)
        assert None not in totals
        assert priced.energy.a.most == max(total for total in totals if total is not None)


class TestGroups:
    def test_named_and_listed_groups_are_the_same(self, found: GroupComparison, store: EnergyStore) -> None:
        runs = [store.run(name) for name in ("main-1", "main-2", "main-3")]
        listed = store.compare_groups(runs, ["sparse-1", "sparse-2", "sparse-2"], "loihi2")
        assert listed.measures == found.measures
        assert (found.a.label, listed.a.label) == ("group:branch=main", "main-1, main-2, main-3")
        assert [run.run_id for run in found.a.runs] == ["main-3", "main-2", "main-1"]

    def test_any_condition_names_a_group(self, store: EnergyStore) -> None:
        cut = store.compare_groups("group:spikes>=16", "group:spikes<16", "loihi2")
        assert [sorted(run.run_id for run in group.runs) for group in (cut.a, cut.b)] == [
            ["main-2", "main-3"],
            ["alone-9", "main-1", "sparse-1", "sparse-2"],
        ]

    def test_a_condition_on_energy_is_meant_on_the_chip(self, store: EnergyStore) -> None:
        # 25.0, 29.2 and 33.4 pJ, and 10.2 and 14.4; the run alone costs 15.5.
        cut = store.compare_groups("group:energy>=0.02nJ", "group:energy<15pJ", "loihi2")
        assert [len(group.runs) for group in (cut.a, cut.b)] == [3, 2]

    def test_more_conditions_narrow_both(self, store: EnergyStore) -> None:
        cut = store.compare_groups("group:branch=main", "group:branch=sparse", "loihi2", where=["seed<3"])
        assert [len(group.runs) for group in (cut.a, cut.b)] == [2, 2]

    @pytest.mark.parametrize(
        ("a", "error", "says"),
        [
            ("group:branch=alone", NotComparableError, "group:branch=alone has too few runs: 1"),
            (["main-1"], NotComparableError, "main-1 has too few runs: 1"),
            ([], NotComparableError, "an empty list has too few runs: 0"),
            ("group:branch=nowhere", NotFoundError, "no run is in group:branch=nowhere"),
            ("group:brunch=main", NotFoundError, "no run has a tag or field 'brunch'"),
            ("group:main", UsageError, "'main' is not a condition"),
            ("main-1", UsageError, "'main-1' is no group"),
            (["main-1", "nobody"], NotFoundError, "no run is called 'nobody'"),
            ("group:seed=1", UsageError, "share 1 of their runs: sparse-1"),
        ],
    )
    def test_what_is_no_group(self, store: EnergyStore, a: Any, error: type[Exception], says: str) -> None:
        with pytest.raises(error, match=says):
            store.compare_groups(a, "group:branch=sparse", "loihi2")

    @pytest.mark.parametrize("confidence", [0, 1, 95, -0.5])
    def test_the_confidence_is_a_probability(self, store: EnergyStore, confidence: float) -> None:
        with pytest.raises(UsageError, match="must be between 0 and 1"):
            store.compare_groups("group:branch=main", "group:branch=sparse", "loihi2", confidence=confidence)

    @pytest.mark.parametrize("confidence", ["0.9", None, True, float("nan")])
    def test_what_is_no_confidence(self, store: EnergyStore, confidence: Any) -> None:
        with pytest.raises(UsageError, match="must be between 0 and 1"):
            store.compare_groups("group:branch=main", "group:branch=sparse", "loihi2", confidence=confidence)

    def test_the_errors_exit_with_3(self) -> None:
        assert (NotComparableError.exit_code, NotFoundError.exit_code) == (3, 3)


class TestVerdict:
    def test_equal_runs_are_comparable(self, found: GroupComparison) -> None:
        assert (found.comparable, found.differs) == (True, (Disparity("seed", "3, 2, 1", "2, 1", False),))
        assert found.warnings == ("the costs tutorial72 are literature values of a tutorial, not measurements",)

    @pytest.mark.thorough
    def test_what_differs_is_said(self, store: EnergyStore, tmp_path: Path) -> None:
        with EnergyStore(tmp_path / "other.duckdb") as other:
            for name, samples, kind in (("a1", 2, "inference"), ("a2", 2, "inference"), ("b1", 3, "training")):
                add(other, tmp_path / f"{name}.parquet", 1 + samples + len(kind), 1 + int(name[1]), n_samples=samples,
                    kind=kind, fan_out=samples)  # fmt: skip
            add(other, tmp_path / "b2.parquet", 2, 1, seed=4)
            add(other, tmp_path / "b3.parquet", 3, 1, seed=4)
            split = other.compare_groups(["a1", "a2"], ["b1", "b2", "b3"], "loihi2")
        assert not split.comparable
        assert [(entry.what, entry.a, entry.b, entry.matters) for entry in split.differs] == [
            ("samples", "2", "3, 2", True),
            ("kind", "inference", "training, inference", True),
            (
                "network",
                "hidden (hidden, 2 neurons, fan-out 2)",
                "hidden (hidden, 2 neurons, fan-out 3), hidden (hidden, 2 neurons, fan-out 1)",
                False,
            ),
        ]
        assert any("2 runs of b1, b2, b3 share their seed" in warning for warning in split.warnings)

    @pytest.mark.one_in(4)
    @pytest.mark.parametrize(
        ("declared", "expected"),
        [
            # The last of four runs stands for itself; the first two are the group before.
            ([{"tags": {"dataset": "x"}}, {}, {}, {}], None),
            (
                [{}, {}, {}, {"layers": with_layer("in", n_neurons=3)}],
                Disparity("input", "2 neurons", "2 neurons, 3 neurons", True),
            ),
            (
                [{}, {}, {}, {"spikes": with_spikes(**{"in": (2, 2)})}],
                Disparity("input", "3 spikes", "3 spikes, 4 spikes", False),
            ),
            (
                [{}, {}, {}, {"spikes": with_spikes(**{"in": (1, 2)})}],
                Disparity("input", "3 spikes", "as many, elsewhere", False),
            ),
            # Where the first runs declare no input, the others are held against each other.
            (
                [
                    {"layers": with_layer("in", role="hidden")},
                    {"layers": with_layer("in", role="hidden")},
                    {},
                    {"spikes": with_spikes(**{"in": (2, 2)})},
                ],
                Disparity("input", "unknown", "3 spikes, 4 spikes", False),
            ),
            # Two values in one group are two values, though the other group says none.
            (
                [{"tags": {"dataset": "x"}}, {"tags": {"dataset": "y"}}, {}, {}],
                Disparity("dataset", "x, y", "unknown", True),
            ),
            (
                [{}, {}, {"git_commit": "abc"}, {"git_commit": "def"}],
                Disparity("git commit", "unknown", "abc, def", False),
            ),
            ([{"tags": {"seed": "1"}}, {}, {"seed": 2}, {}], Disparity("seed", "1", "2", False)),
        ],
    )
    def test_groups_are_held_to_what_runs_are(
        self, tmp_path: Path, declared: list[dict[str, Any]], expected: Disparity | None
    ) -> None:
        with EnergyStore(tmp_path / "other.duckdb") as other:
            other.costs.add(costs())
            runs = []
            for number, changes in enumerate(declared):
                spikes: Spikes = with_spikes(out=(number, 0), **{"in": (2, 1)}) | changes.pop("spikes", {})
                runs.append(other.ingest(small_run(tmp_path, f"r{number}", spikes, **changes)))
            split = other.compare_groups(runs[:2], runs[2:], "toy")
        assert [entry for entry in split.differs if entry.what != "network"] == ([expected] if expected else [])
        assert split.comparable is not (expected is not None and expected.matters)

    def test_the_contract_of_groups(self, tmp_path: Path) -> None:
        with EnergyStore(tmp_path / "other.duckdb") as other:
            other.costs.add(costs())
            runs = [other.ingest(small_run(tmp_path, f"r{n}", with_spikes(out=(n, 0)))) for n in range(4)]
            other._engine.run("UPDATE runs SET contract_version = 9 WHERE run_name = 'r3'")
            split = other.compare_groups(runs[:2], runs[2:], "toy")
        assert (split.comparable, split.differs) == (False, (Disparity("run-file contract", "1", "1, 9", True),))

    @pytest.mark.thorough
    def test_what_is_not_priced_everywhere_takes_no_part(self, store: EnergyStore, tmp_path: Path) -> None:
        with EnergyStore(tmp_path / "other.duckdb") as other:
            for number, hops in enumerate((7, 9, None, 8)):
                counters = [{"driver": "hop_east", "count": hops}] if hops else None
                declared = {"counters": counters} if counters else {}
                add(other, tmp_path / f"r{number}.parquet", 2 + number, 1, **declared)
            groups = ["r0", "r1"], ["r2", "r3"]
            split = other.compare_groups(*groups, "loihi")
            reports = {run: other.report(run, "loihi") for run in ("r0", "r1", "r2", "r3")}
        assert any("take part, as they are priced in every run" in warning for warning in split.warnings)
        shared = {row.operation for row in reports["r2"].operations if row.energy_pj is not None}
        sums = [
            sum(row.energy_pj or 0 for row in reports[run].operations if row.operation in shared) for run in groups[0]
        ]
        assert split.energy.a.mean == pytest.approx(sum(sums) / 2)
        assert split.energy.a.mean < (reports["r0"].total_energy_pj or 0)

    def test_a_layer_that_only_one_group_has(self, tmp_path: Path) -> None:
        with EnergyStore(tmp_path / "other.duckdb") as other:
            for name, layer in (("a1", "old"), ("a2", "old"), ("b1", "new"), ("b2", "new")):
                columns = {
                    "layer": [layer] * int(name[1]),
                    "neuron": [0] * int(name[1]),
                    "timestep": range(int(name[1])),
                }
                path = with_sidecar(run_file(tmp_path / f"{name}.parquet", columns), {"n_timesteps": 4})
                other.ingest(path, run_id=name)
            split = other.compare_groups(["a1", "a2"], ["b1", "b2"], "loihi2")
        # One and two hidden spikes of 2.1 pJ: a mean of 3.15 pJ moves from the old layer to the new one.
        assert [(row.layer, row.energy.change) for row in split.layers] == [
            ("new", pytest.approx(3.15)),
            ("old", pytest.approx(-3.15)),
        ]
        assert split.energy.change == 0.0

    def test_nothing_priced_is_an_error(self, store: EnergyStore) -> None:
        with pytest.raises(NotFoundError, match="can be priced in every run"):
            store.compare_groups("group:branch=main", "group:branch=sparse", "cmos45", cost_version="horowitz2014")


class TestFaces:
    def test_json(self, found: GroupComparison) -> None:
        said = json.loads(json.dumps(found.to_dict()))
        assert said["schema"] == SCHEMA == "energy-db/compare-groups/1"
        assert said["a"] == {"group": "group:branch=main", "n": 3, "run_ids": ["main-3", "main-2", "main-1"]}
        assert said["accuracy"] is None
        assert said["energy_pj"]["a"]["mean"] == pytest.approx(29.2)
        assert said["energy_pj"]["low"] == found.energy.low
        assert [row["layer"] for row in said["layers"]] == ["hidden", "output"]
        assert list(said["layers"][0]["energy_pj"]) == list(said["energy_pj"])

    def test_page(self, found: GroupComparison) -> None:
        lines = groups_text.page(found).splitlines()
        assert lines[0] == "group:branch=main (3 runs) -> group:branch=sparse (2 runs) on loihi2 (costs tutorial72)"
        assert lines[2] == "Comparable: yes"
        assert lines[3] == "Differs: seed: 3, 2, 1 / 2, 1"
        assert lines[4] == "Mean energy: 29.2 pJ -> 12.3 pJ, -16.9 pJ (-57.9 %)"
        assert lines[5].startswith("Interval of 95 %: -2")
        assert "Energy by layer" in lines
        assert any(line.startswith("output") and line.endswith("none, exact") for line in lines)

    def test_markdown(self, found: GroupComparison) -> None:
        text = groups_text.markdown(found)
        assert text.startswith("# group:branch=main (3 runs)")
        assert "## Energy by layer\n\n| layer |" in text

    def test_rows_for_machines(self, found: GroupComparison) -> None:
        rows = groups_text.machine_rows(found)
        assert [(row["measure"], row["layer"]) for row in rows] == [
            ("energy_pj", None),
            ("energy_per_inference_pj", None),
            ("spikes", None),
            ("energy_pj", "hidden"),
            ("energy_pj", "output"),
        ]
        assert rows[4]["change"] == 2.0
        assert {len(row) for row in rows} == {18}
