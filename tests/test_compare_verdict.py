"""May two runs be compared, should they be identical, what is a layer called, and why in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from factories import forget_runs
from small_runs import SPIKES, costs, small_run, with_layer, with_spikes

from energy_db import Cost, CostSet, EnergyStore
from energy_db.comparisons import limits, verdict
from energy_db.comparisons.comparison import Comparison
from energy_db.comparisons.explaining import explain
from energy_db.comparisons.faces import fingerprint_line
from energy_db.comparisons.rows import Disparity, Effects, Fingerprint, LayerChange, Parting
from energy_db.errors import NotFoundError, UsageError
from energy_db.runs import Run

NOTHING = Effects(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
SUMS_PART = "The sums by neuron and by timestep (single spikes are not kept of both) part first at"
Compare = Callable[..., Comparison]


@pytest.fixture(scope="module")
def only_store() -> Iterator[EnergyStore]:
    with EnergyStore(":memory:") as opened:
        opened.costs.add(costs())  # the first version of a chip is in force
        opened.costs.add(costs("v3", 3))
        yield opened


@pytest.fixture
def store(only_store: EnergyStore) -> EnergyStore:
    """One store for all tests: each begins without runs."""
    forget_runs(only_store)
    return only_store


@pytest.fixture
def ingest(store: EnergyStore, tmp_path: Path) -> Callable[..., Run]:
    """Store the small run, with something changed; `options` are those of `EnergyStore.ingest`."""

    def run(name: str, *spikes: Any, options: dict[str, Any] | None = None, **changes: Any) -> Run:
        return store.ingest(small_run(tmp_path, name, *spikes, **changes), **(options or {}))

    return run


MORE = with_spikes(out=(1, 1))
THREE_INPUTS = with_layer("in", n_neurons=3)
FOUR_HIDDEN = with_layer("hid", n_neurons=4, fan_out=7)


class TestVerdict:
    @pytest.mark.one_in(4)
    @pytest.mark.parametrize(
        ("before", "after", "expected"),
        [
            # What only one of them says is no contradiction.
            ({"tags": {"dataset": "a"}}, {"seed": 3, "git_commit": "abc", "timestep_us": 10}, []),
            ({}, {"n_timesteps": 5}, [Disparity("timesteps", "4", "5", True)]),
            ({}, {"n_samples": 3}, [Disparity("samples", "2", "3", True)]),
            ({}, {"kind": "training"}, [Disparity("kind", "inference", "training", True)]),
            ({"tags": {"dataset": "a"}}, {"tags": {"dataset": "b"}}, [Disparity("dataset", "a", "b", True)]),
            (
                {},
                {"layers": THREE_INPUTS},
                [
                    Disparity("input", "2 neurons", "3 neurons", True),
                    Disparity(
                        "network",
                        "in (input, 2 neurons, fan-out unknown)",
                        "in (input, 3 neurons, fan-out unknown)",
                        False,
                    ),
                ],
            ),
            (
                {},
                {"layers": FOUR_HIDDEN},
                [
                    Disparity(
                        "network",
                        "hid (hidden, 3 neurons, fan-out unknown)",
                        "hid (hidden, 4 neurons, fan-out 7)",
                        False,
                    )
                ],
            ),
            (
                {},
                {"layers": with_layer("hid", fan_out=[1, 5, 3])},
                [
                    Disparity(
                        "network",
                        "hid (hidden, 3 neurons, fan-out unknown)",
                        "hid (hidden, 3 neurons, fan-out 1 to 5)",
                        False,
                    )
                ],
            ),
            (
                {"timestep_us": 1000},
                {"timestep_us": 500},
                [Disparity("length of a timestep (µs)", "1000.000000", "500.000000", False)],
            ),
            ({"seed": "1"}, {"tags": {"seed": "2"}}, [Disparity("seed", "1", "2", False)]),
            ({"git_commit": "abc"}, {"git_commit": "def"}, [Disparity("git commit", "abc", "def", False)]),
        ],
    )
    def test_what_is_declared(
        self,
        store: EnergyStore,
        ingest: Callable[..., Run],
        before: dict[str, Any],
        after: dict[str, Any],
        expected: list[Disparity],
    ) -> None:
        found = store.compare(ingest("a", **before), ingest("b", MORE, **after), "toy")
        assert list(found.differs) == expected
        assert found.comparable is not any(entry.matters for entry in expected)

    @pytest.mark.thorough
    def test_on_every_chip(self, store: EnergyStore, ingest: Callable[..., Run]) -> None:
        ingest("a")
        ingest("b", MORE, n_timesteps=5)
        found = store.compare_chips("a", "b")
        assert (found.comparable, found.differs) == (False, (Disparity("timesteps", "4", "5", True),))
        of_toy = next(entry for entry in found.chips if entry.chip == "toy")
        assert (of_toy.total_a_pj, of_toy.total_b_pj, of_toy.n_compared, of_toy.n_operations) == (16.0, 17.0, 2, 2)
        assert of_toy.change_share == 1 / 16
        assert of_toy.effects == store.compare("a", "b", "toy").effects
        assert [entry.change_share for entry in found.chips] == sorted(entry.change_share or 0 for entry in found.chips)

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize(
        ("inputs", "a", "b"), [((2, 2), "3 spikes", "4 spikes"), ((1, 2), "3 spikes", "as many, elsewhere")]
    )
    def test_input_spikes(
        self, store: EnergyStore, ingest: Callable[..., Run], inputs: tuple[int, int], a: str, b: str
    ) -> None:
        ingest("a")
        ingest("b", with_spikes(**{"in": inputs}))
        found = store.compare("a", "b", "toy")
        assert found.differs == (Disparity("input", a, b, False),)
        assert found.comparable
        assert found.warnings[-1] == f"the input differs ({a}, {b}): part of the change may come from it"

    def test_the_contract(self, store: EnergyStore, ingest: Callable[..., Run]) -> None:
        ingest("a")
        ingest("b", MORE)
        store._engine.run("UPDATE runs SET contract_version = 9 WHERE run_name = 'b'")
        found = store.compare("a", "b", "toy")
        assert found.differs == (Disparity("run-file contract", "1", "9", True),)
        assert not found.comparable

    @pytest.mark.thorough
    def test_other_costs(self, store: EnergyStore, ingest: Callable[..., Run]) -> None:
        run = ingest("a")
        store.costs.add(
            [costs("v2", 2), CostSet("toy", "lump", "By hand", [Cost("all", "spike", Decimal(5), scope="aggregate")])]
        )
        same_scope = store.compare(run, run, "toy", cost_version_b="v3")
        assert same_scope.differs == (Disparity("cost version", "v1", "v3", False),)
        assert same_scope.comparable
        other_scope = store.compare(run, run, "toy", cost_version_b="lump")
        assert set(other_scope.differs) == {
            Disparity("what the costs include", "operation", "aggregate", True),
            Disparity("cost version", "v1", "lump", False),
        }
        assert other_scope.differs[0].matters
        assert not other_scope.comparable

    @pytest.mark.thorough
    def test_operations_that_only_one_of_them_can_be_priced_for(
        self, store: EnergyStore, ingest: Callable[..., Run]
    ) -> None:
        priced = {"fire": ("spike", 1), "route": ("hop", 3), "leak": ("second", 1000)}
        rows = [Cost(name, driver, Decimal(pj)) for name, (driver, pj) in priced.items()]
        store.costs.add(CostSet("routed", "v1", "By hand", rows))
        ingest("a", options={"counters": [{"driver": "hop", "count": 12}]})
        ingest("b", MORE, timestep_us=1000)
        found = store.compare("a", "b", "routed", cost_version_a="v1", cost_version_b="v1")
        assert found.differs == (Disparity("operations priced", "route", "leak", True),)
        assert not found.comparable
        # 10 and 11 spikes of 1 pJ: like is held against like.
        assert (found.total_a_pj, found.total_b_pj) == (10.0, 11.0)
        left_out = {entry.operation: entry.left_out for entry in found.operations}
        assert left_out["route"] == "b brings no counter hop"
        assert left_out["leak"] == "a: no length of a timestep is declared (timestep_us)"
        assert any(warning.startswith("1 of 3 operations take part (") for warning in found.warnings)

    def test_nothing_that_can_be_priced_in_both(self, store: EnergyStore, ingest: Callable[..., Run]) -> None:
        store.costs.add(CostSet("counted", "v1", "By hand", [Cost("route", "hop", Decimal(3))]))
        ingest("a")
        ingest("b", MORE)
        says = r"no operation of counted can be priced in both runs \(route: a brings no counter hop\)"
        with pytest.raises(NotFoundError, match=says):
            store.compare("a", "b", "counted", cost_version_a="v1", cost_version_b="v1")


EVENTS = [("in", 0, 0, 0, 1), ("hid", 1, 1, 1, 2), ("hid", 0, 3, 0, 1), ("out", 0, 3, 1, 1)]
ONE_MORE = [*EVENTS, ("out", 1, 2, 1, 1), ("hid", 0, 3, 1, 1)]
SEEDED = {"seed": 7}


class TestFingerprint:
    @pytest.mark.thorough
    def test_the_first_spike_apart_is_found(self, store: EnergyStore, ingest: Callable[..., Run]) -> None:
        ingest("a", events=EVENTS, **SEEDED)
        ingest("b", events=ONE_MORE, **SEEDED)
        found = store.compare("a", "b", "toy").fingerprint
        assert found == Fingerprint(True, Parting(2, "out", 1, 1, 0, 1))
        assert store.compare("b", "a", "toy").fingerprint == Fingerprint(True, Parting(2, "out", 1, 1, 1, 0))
        assert fingerprint_line(found) == [
            "Network, input, seed and timesteps are the same: equal weights would give equal spikes. "
            "They part first at timestep 2, layer out, neuron 1 (sample 1): 0 before, 1 after"
        ]

    def test_a_run_is_what_it_is(self, store: EnergyStore, ingest: Callable[..., Run]) -> None:
        run = ingest("a", events=EVENTS, **SEEDED)
        found = store.compare(run, run, "toy").fingerprint
        assert found == Fingerprint(True, None)
        assert fingerprint_line(found) == ["Network, input, seed and timesteps are the same, and so are all spikes"]

    def test_rollups_name_the_step(self, store: EnergyStore, ingest: Callable[..., Run]) -> None:
        ingest("a", events=EVENTS, **SEEDED)
        ingest("b", events=ONE_MORE, options={"events": "none"}, **SEEDED)
        found = store.compare("a", "b", "toy").fingerprint
        assert found == Fingerprint(True, Parting(2, "out", None, None, 0, 1), by_events=False)
        where = "timestep 2, layer out: 0 before, 1 after"
        assert fingerprint_line(found)[0].endswith(f"{SUMS_PART} {where}")

    def test_rollups_name_the_neuron_if_every_step_counts_the_same(
        self, store: EnergyStore, ingest: Callable[..., Run]
    ) -> None:
        ingest("a", events=EVENTS, options={"events": "none"}, **SEEDED)
        moved = [EVENTS[0], ("hid", 2, 1, 1, 2), *EVENTS[2:]]
        ingest("b", events=moved, options={"events": "none"}, **SEEDED)
        found = store.compare("a", "b", "toy").fingerprint
        assert found == Fingerprint(True, Parting(None, "hid", 1, None, 2, 0), by_events=False)
        where = "layer hid, neuron 1, over all timesteps: 2 before, 0 after"
        assert fingerprint_line(found)[0].endswith(f"{SUMS_PART} {where}")

    def test_equal_rollups_are_not_called_equal_spikes(self, store: EnergyStore, ingest: Callable[..., Run]) -> None:
        ingest("a", events=EVENTS, **SEEDED)
        of_another_sample = [EVENTS[0], ("hid", 1, 1, 0, 2), *EVENTS[2:]]
        ingest("b", events=of_another_sample, options={"events": "none"}, **SEEDED)
        found = store.compare("a", "b", "toy").fingerprint
        assert found == Fingerprint(True, None, by_events=False)
        assert fingerprint_line(found)[0].endswith("(single spikes are not kept of both)")

    def test_input_of_equal_sums_and_other_spikes_is_not_the_same(
        self, store: EnergyStore, ingest: Callable[..., Run]
    ) -> None:
        ingest("a", events=EVENTS, **SEEDED)
        ingest("b", events=[("in", 0, 0, 1, 1), *EVENTS[1:]], **SEEDED)
        assert store.compare("a", "b", "toy").fingerprint == Fingerprint(False, None)

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ({}, {}),
            (SEEDED, {}),
            (SEEDED, {"seed": 8}),
            (SEEDED, {**SEEDED, "n_timesteps": 5}),
            (SEEDED, {**SEEDED, "n_samples": 3}),
            (SEEDED, {**SEEDED, "layers": FOUR_HIDDEN}),
            (SEEDED, {**SEEDED, "events": [("in", 1, 0, 0, 1), *ONE_MORE[1:]]}),
        ],
    )
    def test_whatever_differs_promises_nothing(
        self, store: EnergyStore, ingest: Callable[..., Run], before: dict[str, Any], after: dict[str, Any]
    ) -> None:
        a, b = ingest("a", events=EVENTS, **before), ingest("b", **{"events": ONE_MORE, **after})
        found = verdict.fingerprint(store._engine, a, b)
        assert found == Fingerprint(False, None)
        assert fingerprint_line(found) == []

    def test_without_an_input_layer_nothing_is_promised(self, store: EnergyStore, ingest: Callable[..., Run]) -> None:
        layers = with_layer("in", role="hidden")
        ingest("a", events=EVENTS, layers=layers, **SEEDED)
        ingest("b", events=ONE_MORE, layers=layers, **SEEDED)
        assert store.compare("a", "b", "toy").fingerprint == Fingerprint(False, None)


ODD = ("it's", 'quo"te', "a|b", "<script>alert(1)</script>", "x = y > 1", "énergie ☃", "tab\there")


class TestAliases:
    @pytest.fixture
    def renamed(self, store: EnergyStore, ingest: Callable[..., Run]) -> EnergyStore:
        old = {"in": SPIKES["in"], "h": SPIKES["hid"], "out": SPIKES["out"]}
        ingest("a", old, layers=with_layer("hid", name="h"))
        ingest("b", with_spikes(out=(1, 1)))
        return store

    def test_without_them_all_of_a_layer_is_mix(self, renamed: EnergyStore) -> None:
        found = renamed.compare("a", "b", "toy")
        assert [(layer.layer, layer.in_a, layer.in_b, layer.change_pj) for layer in found.layers] == [
            ("in", True, True, 0.0),
            ("hid", False, True, 12.0),
            ("out", True, True, 1.0),
            ("h", True, False, -12.0),
        ]
        # N goes from 10 to 11; hid from nothing to 6/11 of it, at 2 pJ: 6/11 x (10 + 11) / 2 x 2.
        assert found.layers[1].effects.layer_mix == pytest.approx(6 / 11 * 21)
        assert found.warnings[-1] == (
            "h only in the first run and hid only in the second count as layer mix; "
            "if they were renamed, say so: --layers-alias OLD=NEW"
        )

    @pytest.mark.thorough
    def test_with_them_it_is_the_same_layer(self, renamed: EnergyStore) -> None:
        found = renamed.compare("a", "b", "toy", layers_alias={"h": "hid"})
        assert [layer.layer for layer in found.layers] == ["in", "hid", "out"]
        hid = found.layers[1]
        assert (hid.spikes_a, hid.spikes_b, hid.change_pj) == (6, 6, 0.0)
        assert hid.effects.layer_mix == pytest.approx((6 / 11 - 6 / 10) * (10 + 11) / 2 * 2)
        assert not any("renamed" in warning for warning in found.warnings)
        places = [(entry.layer, entry.neuron) for entry in found.neurons(None)]
        assert set(places) == {("in", 0), ("in", 1), ("hid", 0), ("hid", 1), ("out", 0), ("out", 1)}
        assert found.to_arrow().column("layer").to_pylist() == ["in", "hid", "out"]

    @pytest.mark.thorough
    def test_they_hold_for_one_comparison_only(self, renamed: EnergyStore) -> None:
        renamed.compare("a", "b", "toy", layers_alias={"h": "hid"})
        assert len(renamed.compare("a", "b", "toy").layers) == 4

    @pytest.mark.thorough
    def test_two_layers_may_swap_their_names(self, store: EnergyStore, ingest: Callable[..., Run]) -> None:
        ingest("a", layers=with_layer("in", role="hidden"))
        ingest("b", {"hid": (2, 1), "in": (4, 2, 0), "out": (1, 1)}, layers=[
            {"name": "hid", "role": "hidden", "n_neurons": 2},
            {"name": "in", "role": "hidden", "n_neurons": 3},
            {"name": "out", "role": "readout", "n_neurons": 2},
        ])  # fmt: skip
        found = store.compare("a", "b", "toy", layers_alias={"in": "hid", "hid": "in"})
        assert [(layer.layer, layer.change_pj) for layer in found.layers] == [("hid", 0.0), ("in", 0.0), ("out", 1.0)]

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(
        ("aliases", "says"),
        [
            ({"nope": "hid"}, "a has no layer 'nope'"),
            ({"hh": "hid"}, "a has no layer 'hh'\nDid you mean 'h'"),
            ({"h": "hidd"}, "b has no layer 'hidd'\nDid you mean 'hid'"),
            ({"h": "out"}, "a has two layers that would be called out"),
            ({"h": "hid", "in": "hid"}, "a has two layers that would be called hid"),
        ],
    )
    def test_what_cannot_be_meant(self, renamed: EnergyStore, aliases: dict[str, str], says: str) -> None:
        with pytest.raises(UsageError) as error:
            renamed.compare("a", "b", "toy", layers_alias=aliases)
        assert str(error.value).startswith(says)

    @pytest.mark.thorough
    def test_odd_names(self, store: EnergyStore, ingest: Callable[..., Run]) -> None:
        plain = [f"layer{number}" for number in range(len(ODD))]
        for run, names in (("a", ODD), ("b", plain)):
            layers = [{"name": name, "role": "hidden", "n_neurons": 1} for name in names]
            ingest(run, {name: (number + 1,) for number, name in enumerate(names)}, layers=layers)
        found = store.compare("a", "b", "toy", layers_alias=dict(zip(ODD, plain, strict=True)))
        assert [(layer.layer, layer.in_a, layer.change_pj) for layer in found.layers] == [
            (name, True, 0.0) for name in plain
        ]
        back = store.compare("b", "a", "toy", layers_alias=dict(zip(plain, ODD, strict=True)))
        assert [layer.layer for layer in back.layers] == list(ODD)
        assert {entry.layer for entry in back.neurons(None)} == set(ODD)
        page = back._repr_html_()
        assert "<script>" not in page
        assert "\t" not in page
        for number, name in enumerate(ODD):
            apart = limits.judge(limits.read(f"layer:{name}>{number}%"), back)
            assert not apart.is_broken


def layer(name: str, counts: tuple[int, int], in_a: bool = True, in_b: bool = True, **effects: float) -> LayerChange:
    change = sum(effects.values())
    return LayerChange(name, in_a, in_b, *counts, 0.0, change, change, Effects(**{**vars(NOTHING), **effects}))


class TestWords:
    @pytest.mark.parametrize(
        ("layers", "words"),
        [
            ([layer("h", (10, 8), spikes=-5.0)], "h fires 20 % less"),
            ([layer("h", (1000, 1051), spikes=5.0)], "h fires 5.1 % more"),
            ([layer("h", (10, 25), spikes=5.0)], "h fires 2.5 times as often"),
            ([layer("h", (2000, 2), spikes=-5.0)], "h fires over 99 % less"),
            ([layer("h", (10, 0), spikes=-5.0)], "h fell silent"),
            ([layer("h", (0, 10), spikes=5.0)], "h fires, and did not before"),
            ([layer("h", (0, 10), in_a=False, layer_mix=5.0)], "h is new"),
            ([layer("h", (10, 0), in_b=False, layer_mix=-5.0)], "h is gone"),
            ([layer("h", (10, 10), work=5.0)], "a spike of h triggers more"),
            ([layer("h", (10, 9), spikes=-1.0, work=-5.0)], "a spike of h triggers less"),
            ([layer("h", (10, 10), neuron_mix=5.0)], "costlier neurons of h fire"),
            ([layer("h", (10, 10), neuron_mix=-5.0)], "cheaper neurons of h fire"),
            ([layer("h", (10, 10), other_drivers=5.0)], "h has more to pay beside its spikes"),
            # Layers are named until they explain nine tenths of what moved, the largest first.
            ([layer("a", (10, 11), spikes=9.0), layer("b", (10, 11), spikes=0.9)], "a fires 10 % more"),
            (
                [layer("a", (10, 11), spikes=1.0), layer("b", (10, 8), spikes=-5.0)],
                "b fires 20 % less, a fires 10 % more",
            ),
            # A layer that fires as often has another share of the run: that is no news of the layer.
            ([layer("a", (10, 11), spikes=5.0), layer("b", (10, 10), spikes=9.0, layer_mix=-8.0)], "a fires 10 % more"),
        ],
    )
    def test_what_a_layer_did(self, layers: list[LayerChange], words: str) -> None:
        change = sum(entry.change_pj for entry in layers)
        assert explain(100.0, ("v1", "v1"), layers, change, NOTHING) == f"{change:+.1f} %: {words}"

    @pytest.mark.parametrize(
        ("moves", "words"),
        [
            ([-5.0, 5.0], "0 fires 20 % less, 1 fires 10 % more; they cancel out"),
            # Less than a tenth of what moved is left: 0.4 of 9.6 pJ.
            ([-5.0, 4.6], "0 fires 20 % less, 1 fires 10 % more; they cancel out"),
            ([-5.0, 4.0], "0 fires 20 % less, 1 fires 10 % more"),
            # Of many small ones, none of those that make up for three large ones is named.
            (
                [-2.0, -2.0, -2.0, *([0.5] * 12)],
                "0 fires 20 % less, 1 fires 20 % less, 2 fires 20 % less; the other layers make up for it",
            ),
        ],
    )
    def test_what_cancels_out(self, moves: list[float], words: str) -> None:
        layers = [layer(str(place), (10, 8 if move < 0 else 11), spikes=move) for place, move in enumerate(moves)]
        total = sum(moves)
        head = "0.0 %" if not total else f"{total / 100:+.1%}".replace("%", " %")
        assert explain(100.0, ("v1", "v1"), layers, total, NOTHING) == f"{head}: {words}"

    def test_costs_that_make_up_for_the_spikes_say_so_themselves(self) -> None:
        layers = [layer("a", (10, 8), spikes=-5.0), layer("b", (10, 11), spikes=5.0)]
        effects = Effects(**{**vars(NOTHING), "cost": 20.0})
        assert explain(100.0, ("v1", "v2"), layers, 20.0, effects) == (
            "+20.0 %: a fires 20 % less, b fires 10 % more, and the costs of v2 instead of v1, "
            "without which it would be 0.0 %"
        )

    def test_other_costs_alone(self, store: EnergyStore, ingest: Callable[..., Run]) -> None:
        run = ingest("a")
        found = store.compare(run, run, "toy", cost_version_b="v3")
        assert (found.change_pj, found.effects.cost) == (32.0, 32.0)
        assert found.why == "+200.0 %: the costs of v3 instead of v1"

    def test_other_costs_beside_other_spikes(self, store: EnergyStore, ingest: Callable[..., Run]) -> None:
        thrice = {layer: [3 * many for many in each] for layer, each in SPIKES.items()}
        found = store.compare(ingest("a"), ingest("b", thrice), "toy", cost_version_b="v3")
        # 16 units of 1 pJ become 48 of 3: 32 units more at 2 pJ, and 2 pJ more for 32 units.
        assert (found.change_pj, found.effects.spikes, found.effects.cost) == (128.0, 64.0, 64.0)
        assert found.why == (
            "+800.0 %: hid fires 3.0 times as often, in fires 3.0 times as often, "
            "and the costs of v3 instead of v1, without which it would be +400.0 %"
        )

    def test_nothing_changed(self, store: EnergyStore, ingest: Callable[..., Run]) -> None:
        run = ingest("a")
        found = store.compare(run, run, "toy")
        assert (found.why, found.effects, found.change_pj) == ("0.0 %: nothing changed", NOTHING, 0.0)
        assert found.differs == ()

    def test_from_nothing(self, store: EnergyStore, ingest: Callable[..., Run]) -> None:
        silent = {"in": (0, 0), "hid": (0, 0, 0), "out": (0, 0)}
        found = store.compare(ingest("a", silent), ingest("b", with_spikes(hid=(0, 0, 0))), "toy")
        assert (found.total_a_pj, found.total_b_pj, found.change_share) == (0.0, 4.0, None)
        assert found.effects == Effects(4.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        assert found.why == "+4.0 pJ: in fires, and did not before, out fires, and did not before"
