"""Costs as values, the seal of a version, and the catalogue of a store from Python."""

from __future__ import annotations

import dataclasses
import importlib.util
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from factories import dump

from energy_db import Cost, CostSet, EnergyStore
from energy_db.catalogue import files, lint, shipped
from energy_db.catalogue.sets import COST_COLUMNS, VERSION_COLUMNS, Chip, cost_row
from energy_db.engines.duckdb import MEMORY, Engine
from energy_db.errors import CostError, NotFoundError, StoreError, UsageError

TOP = Path(__file__).parents[1]
ADD = Cost("add", "neuron_spike", 5)
MINE = CostSet("toy", "rev1", "Our bench", [ADD, Cost("send", "generated_spike", "1.25", low_pj=1, high_pj=2)])
TUTORIAL_CHIPS = ("akida", "brainscales2", "fpga_ice40", "loihi2", "spinnaker2")


def migration(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, TOP / "migrations" / "versions" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestNumbers:
    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            (23.6, "23.600000"), (0.1, "0.100000"), ("23.6", "23.600000"), (Decimal("1E+3"), "1000.000000"),
            (5, "5.000000"), (0, "0.000000"), (-0.0, "0.000000"), (1e-6, "0.000001"), (np.float64(2.5), "2.500000"),
            (np.int64(7), "7.000000"), ("999999999999999999.999999", "999999999999999999.999999"),
        ],
    )  # fmt: skip
    def test_what_is_a_number_is_kept_exactly(self, given: Any, kept: str) -> None:
        assert str(Cost("add", "spike", given).energy_pj) == kept

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            (True, "energy_pj is True, must be a number"),
            ("many", "energy_pj is 'many', must be a number"),
            ([1], "must be a number"),
            (float("nan"), "must be a finite number"),
            ("Infinity", "must be a finite number"),
            (-0.5, "is -0.5, must not be negative"),
            (0.1 + 0.2, "has more than the 6 decimals"),
            ("1e-999999", "has more than the 6 decimals"),
            (10**18, "must be below 10^18"),
            (Decimal("1e999999"), "must be below 10^18"),
        ],
    )
    def test_what_is_none_is_refused(self, given: Any, says: str) -> None:
        with pytest.raises(CostError, match="cost of 'add'") as caught:
            Cost("add", "spike", given)
        assert says in str(caught.value)

    def test_power_is_energy_a_second(self, tmp_path: Path) -> None:
        cost = '[[version.cost]]\noperation = "{}"\ndriver = "second"\nscope = "static"\n'
        static = cost.format("board") + "power_w = 0.1044\nlow_w = 0.1\nhigh_w = 0.11\nreference = true\n"
        fine = cost.format("leakage") + "power_w = 2.7e-17\n"
        head = '[chip]\nname = "toy"\n[[version]]\nname = "v1"\nsource = "A paper"\n'
        path = tmp_path / "toy.toml"
        path.write_text(head + static + fine, encoding="utf-8")
        [version] = files.read_chip(path).versions
        # A watt is 10^12 picojoules a second.
        found = [(str(cost.energy_pj), str(cost.low_pj), str(cost.high_pj)) for cost in version.costs]
        assert found == [
            ("104400000000.000000", "100000000000.000000", "110000000000.000000"),
            ("0.000027", "None", "None"),
        ]
        path.write_text(head + cost.format("leakage") + "power_w = 1e-19\n", encoding="utf-8")
        with pytest.raises(CostError, match="power_w is 1E-19, has more than the 18 decimals"):
            files.read_chip(path)


class TestInheritance:
    def test_a_row_says_only_what_differs(self) -> None:
        own_source = Cost("b", "spike", 1, source="A thesis")
        own_all = Cost("c", "spike", 1, source="A thesis", doi="10.2/b", status="simulated")
        costs = CostSet(
            "toy", "v1", "A paper", [Cost("a", "spike", 1), own_source, own_all], status="measured", doi="10.1/a"
        ).costs
        assert [(cost.status, cost.source, cost.doi) for cost in costs] == [
            ("measured", "A paper", "10.1/a"),
            ("measured", "A thesis", None),  # the DOI is that of the paper, not of the thesis
            ("simulated", "A thesis", "10.2/b"),
        ]

    def test_rows_of_a_file_inherit_the_circumstances(self, tmp_path: Path) -> None:
        path = tmp_path / "toy.toml"
        path.write_text(
            '[chip]\nname = "toy"\n[[version]]\nname = "v1"\nsource = "A paper"\nnode_nm = 28\nsupply_v = 0.55\n'
            'confidence = "read in the source itself"\n'
            '[[version.cost]]\noperation = "a"\ndriver = "spike"\n'
            '[[version.cost]]\noperation = "b"\ndriver = "spike"\nnode_nm = 14\nconfidence = "quoted"\n',
            encoding="utf-8",
        )
        first, second = files.read_chip(path).versions[0].costs
        assert (first.node_nm, first.supply_v, first.confidence) == (28, Decimal("0.55"), "read in the source itself")
        assert (second.node_nm, second.supply_v, second.confidence) == (14, Decimal("0.55"), "quoted")
        assert first.energy_pj is None

    @pytest.mark.parametrize(
        ("wrong", "says"),
        [
            ({"costs": [1]}, "costs holds 1, must hold only Cost"),
            ({"costs": 5}, "costs is 5, must be a list of Cost"),
            ({"source": None}, "source is None, must be a text"),
            ({"in_force_from": "2026-01-01"}, "in_force_from is '2026-01-01', must be a date"),
            ({"published_on": datetime(2026, 1, 1)}, "must be a date"),
            ({"note": "two\nlines"}, "note is 'two\\nlines', must be on one line"),
        ],
    )
    def test_values_of_another_kind(self, wrong: dict[str, Any], says: str) -> None:
        with pytest.raises(CostError, match="cost set 'rev1' of 'toy'") as caught:
            CostSet(**{"chip": "toy", "version": "rev1", "source": "Our bench", "costs": [ADD], **wrong})
        assert says in str(caught.value)


class TestSeal:
    def test_it_is_the_one_that_the_migration_writes(self) -> None:
        frozen = migration("0003_drivers_and_receipts")
        assert (frozen.VERSION, frozen.COST) == (VERSION_COLUMNS, COST_COLUMNS)
        sets = [
            new for chip in files.shipped_chips(TUTORIAL_CHIPS) for new in chip.versions if new.version == "tutorial72"
        ]
        assert len(sets) == 5
        for new in sets:
            assert new.content_hash == frozen._hash(new.version_row, [cost_row(cost) for cost in new.costs])

    def test_what_the_store_gives_back_has_the_same(self, tmp_store: Path) -> None:
        everything = dataclasses.replace(
            MINE,
            doi="10.1/a",
            published_on=date(2026, 1, 2),
            note='naïve "µJ" \\ 漢',
            costs=[*MINE.costs, Cost("x", "spike", None, node_nm=28, supply_v="0.55", is_reference=True, note="é")],
        )
        with EnergyStore(tmp_store) as store:
            store.costs.add(everything)
            assert shipped.changed_versions(store._engine) == []
            [row] = store.costs.versions("toy")
            assert row["content_hash"] == everything.content_hash

    def test_neither_order_nor_way_of_writing_matters(self) -> None:
        again = CostSet("toy", "rev1", "Our bench", [
            Cost("send", "generated_spike", 1.25, low_pj="1.0", high_pj=Decimal(2), source="Our bench"),
            Cost("add", "neuron_spike", "5.000", scope="operation", status="user"),
        ])  # fmt: skip
        assert again.content_hash == MINE.content_hash

    @pytest.mark.parametrize(
        "change",
        [{"energy_pj": 6}, {"low_pj": 1}, {"high_pj": 9}, {"driver": "spike"}, {"scope": "marginal"}, {"note": "x"},
         {"is_reference": True}, {"status": "vendor"}, {"source": "x"}, {"doi": "10.1/x"}, {"confidence": "x"},
         {"node_nm": 7}, {"supply_v": 1}, {"energy_pj": None}],
        ids=str,
    )  # fmt: skip
    def test_every_value_of_a_cost_is_under_it(self, change: dict[str, Any]) -> None:
        other = dataclasses.replace(MINE, costs=[dataclasses.replace(MINE.costs[0], **change), MINE.costs[1]])
        assert other.content_hash != MINE.content_hash

    @pytest.mark.parametrize(
        "change",
        [{"chip": "toy2"}, {"version": "rev2"}, {"label": "x"}, {"source": "x"}, {"status": "vendor"}, {"note": "x"},
         {"doi": "10.1/x"}, {"published_on": date(2026, 1, 1)}],
        ids=str,
    )  # fmt: skip
    def test_every_value_of_a_version_is_under_it(self, change: dict[str, Any]) -> None:
        assert dataclasses.replace(MINE, **change).content_hash != MINE.content_hash

    def test_when_it_is_in_force_is_not_under_it(self) -> None:
        assert dataclasses.replace(MINE, in_force_from=date(2026, 1, 1)).content_hash == MINE.content_hash


class TestShipped:
    def test_every_file_is_right_and_named_as_its_chip(self) -> None:
        known = {name: meaning for name, (meaning, _) in files.shipped_drivers().items()}
        assert [str(problem) for problem in lint.lint_files(None, known, {})] == []

    def test_a_store_has_all_of_it(self, tmp_store: Path) -> None:
        sets = {(new.chip, new.version): new for chip in files.shipped_chips() for new in chip.versions}
        stored = dump(tmp_store)
        assert {row[:2] for row in stored["cost_versions"]} == set(sets)
        assert len(stored["costs"]) == sum(len(new.costs) for new in sets.values())
        assert {row[0] for row in stored["chips"]} == {chip for chip, _ in sets}
        assert [row[0] for row in stored["cost_in_force"]] == list(range(1, len(stored["cost_in_force"]) + 1))

    def test_what_is_in_force_became_known_with_the_release(self, tmp_store: Path) -> None:
        dated = {(new.chip, new.version): new.in_force_from for chip in files.shipped_chips() for new in chip.versions}
        for _, chip, version, day, recorded_at, reason in dump(tmp_store)["cost_in_force"]:
            assert dated[chip, version] == day
            assert recorded_at == datetime(day.year, day.month, day.day)
            assert reason == "shipped with energy-db"

    def test_only_some_chips(self) -> None:
        engine = Engine(MEMORY)
        with EnergyStore(":memory:") as whole:
            for table in ("chips", "cost_versions", "costs", "cost_in_force", "drivers"):
                columns = ", ".join(f"{row[0]} {row[1]}" for row in whole._engine.rows(f"DESCRIBE {table}"))
                engine.run(f"CREATE TABLE {table} ({columns})")
        shipped.install_shipped(engine, ["akida", "loihi2"])
        assert engine.rows("SELECT chip FROM chips ORDER BY chip") == [("akida",), ("loihi2",)]
        shipped.install_shipped(engine, ["akida", "odin"])
        assert engine.rows("SELECT chip FROM chips ORDER BY chip") == [("akida",), ("loihi2",), ("odin",)]
        numbers = [row[0] for row in engine.rows("SELECT fact_number FROM cost_in_force ORDER BY fact_number")]
        assert numbers == list(range(1, len(numbers) + 1))
        engine.close()

    def test_a_chip_with_a_fact_keeps_it(self, tmp_store: Path) -> None:
        theirs = dataclasses.replace(MINE, version="released", in_force_from=date(2020, 1, 1))
        with EnergyStore(tmp_store) as store:
            store.costs.add(MINE)
            shipped.install(store._engine, [Chip("toy", "Toy", "", (theirs,))])
            assert store.costs.version_for("toy") == "rev1"
            assert [row["cost_version"] for row in store.costs.versions("toy")] == ["released", "rev1"]

    def test_a_later_release_reaches_a_store_that_only_releases_have_spoken_to(self, tmp_store: Path) -> None:
        old = dataclasses.replace(MINE, version="old", in_force_from=date(2020, 1, 1))
        new = dataclasses.replace(MINE, version="new", in_force_from=date(2020, 3, 1))
        with EnergyStore(tmp_store) as store:
            shipped.install(store._engine, [Chip("toy", "Toy", "", (old,))])
            for _ in range(2):
                shipped.install(store._engine, [Chip("toy", "Toy", "", (new, old))])
                facts = [(row["cost_version"], row["in_force_from"]) for row in store.costs.in_force("toy")]
                assert facts == [("old", date(2020, 1, 1)), ("new", date(2020, 3, 1))]
            assert store.costs.version_for("toy") == "new"
            assert store.costs.version_for("toy", as_of="2020-02-01") == "old"
            store.costs.put_in_force("toy", "old", reason="ours")
            newest = dataclasses.replace(MINE, version="newest", in_force_from=date(2020, 4, 1))
            shipped.install(store._engine, [Chip("toy", "Toy", "", (new, old, newest))])
            assert len(store.costs.in_force("toy")) == 3

    def test_the_catalogue_says_what_may_be_compared(self, tmp_store: Path) -> None:
        with EnergyStore(tmp_store, read_only=True) as store:
            groups = {(row["chip"], row["cost_version"]): row["scope_group"] for row in store.costs.versions()}
        assert groups["loihi2", "tutorial72"] == "operation (tutorial)"
        assert groups["akida", "tutorial72"] == "aggregate (tutorial)"
        assert groups["odin", "frenkel2019"] == "operation + static"
        assert groups["truenorth", "merolla2014"] == "reference only"


class TestAdd:
    def test_a_cost_set(self, tmp_store: Path) -> None:
        before = datetime.now(UTC).replace(tzinfo=None)
        with EnergyStore(tmp_store) as store:
            [added] = store.costs.add(MINE)
            assert added == {
                "status": "added",
                "chip": "toy",
                "cost_version": "rev1",
                "n_operations": 2,
                "n_reference": 0,
                "in_force_from": datetime.now(UTC).date(),
                "content_hash": MINE.content_hash,
            }
            shown = store.costs.show("toy")
            assert [(row["operation"], row["energy_pj"], row["status"]) for row in shown] == [
                ("add", Decimal(5), "user"),
                ("send", Decimal("1.25"), "user"),
            ]
            assert {"chip": "toy", "title": "toy", "note": ""} in store.costs.chips()
            [(added_at,)] = store._engine.rows("SELECT added_at FROM cost_versions WHERE chip = 'toy'")
            assert before <= added_at <= datetime.now(UTC).replace(tzinfo=None)
            assert [result.check for result in store.verify() if result.n_failures] == []

    def test_the_same_again_is_unchanged(self, tmp_store: Path) -> None:
        with EnergyStore(tmp_store) as store:
            store.costs.add(MINE, in_force="2020-01-01")
        before = dump(tmp_store)
        with EnergyStore(tmp_store) as store:
            assert [row["status"] for row in store.costs.add(MINE)] == ["unchanged"]
            assert [row["status"] for row in store.costs.add([MINE, MINE], in_force="2020-01-01")] == ["unchanged"] * 2
        assert dump(tmp_store) == before

    def test_a_file_says_once_when_it_is_in_force(self, tmp_store: Path) -> None:
        """What was said since is not overruled by adding the same file again."""
        dated = dataclasses.replace(MINE, in_force_from=date(2020, 1, 1))
        with EnergyStore(tmp_store) as store:
            store.costs.add([dated, dataclasses.replace(MINE, version="rev2")])
            store.costs.put_in_force("toy", "rev2", "2020-01-01")
            assert [row["in_force_from"] for row in store.costs.add(dated)] == [None]
            assert store.costs.version_for("toy") == "rev2"

    def test_a_dry_run_keeps_nothing(self, tmp_store: Path) -> None:
        before = dump(tmp_store)
        with EnergyStore(tmp_store) as store:
            assert [row["status"] for row in store.costs.add(MINE, dry_run=True)] == ["would be added"]
        assert dump(tmp_store) == before

    def test_a_second_version_is_not_in_force_by_itself(self, tmp_store: Path) -> None:
        with EnergyStore(tmp_store) as store:
            store.costs.add(MINE)
            [added] = store.costs.add(dataclasses.replace(MINE, version="rev2"))
            assert added["in_force_from"] is None
            assert store.costs.version_for("toy") == "rev1"

    def test_a_day_that_is_asked_for(self, tmp_store: Path) -> None:
        with EnergyStore(tmp_store) as store:
            store.costs.add(MINE)
            store.costs.add(dataclasses.replace(MINE, version="rev2"), in_force=date(2020, 1, 1))
            # Today's fact about rev1 is the later day.
            assert store.costs.version_for("toy") == "rev1"
            store.costs.add(dataclasses.replace(MINE, version="rev3"), in_force=datetime.now(UTC).date())
            assert store.costs.version_for("toy") == "rev3"

    def test_a_day_for_several_versions_is_nobody_knows_which(self, tmp_store: Path) -> None:
        before = dump(tmp_store)
        with EnergyStore(tmp_store) as store, pytest.raises(UsageError, match="2 of the given versions can price"):
            store.costs.add([MINE, dataclasses.replace(MINE, version="rev2")], in_force="2020-01-01")
        assert dump(tmp_store) == before

    def test_reference_figures_alone_are_never_in_force(self, tmp_store: Path) -> None:
        board = CostSet("toy", "bench", "Our bench", [Cost("board", "second", 5, scope="system", is_reference=True)])
        with EnergyStore(tmp_store) as store:
            [added] = store.costs.add(board)
            assert (added["n_operations"], added["n_reference"], added["in_force_from"]) == (0, 1, None)
            for ask in (lambda: store.costs.version_for("toy"), lambda: store.costs.version_for("toy", "bench"),
                        lambda: store.costs.put_in_force("toy", "bench")):  # fmt: skip
                with pytest.raises(NotFoundError, match="has reference figures only, which are shown but never summed"):
                    ask()
            assert [row["operation"] for row in store.costs.show("toy")] == ["board"]
            assert [result.check for result in store.verify() if result.n_failures] == []
            store.costs.add(MINE)
            with pytest.raises(NotFoundError, match=r"Price with rev1\."):
                store.costs.version_for("toy", "bench")

    def test_drivers_are_declared_once(self, tmp_store: Path) -> None:
        rows = Cost("read", "rram_row", 3)
        declared = CostSet("toy", "rev1", "Our bench", [rows], drivers={"rram_row": "One row of a crossbar is read."})
        with EnergyStore(tmp_store) as store:
            with pytest.raises(CostError, match="the driver 'rram_row' is unknown"):
                store.costs.add(dataclasses.replace(declared, drivers={}))
            store.costs.add(declared)
            assert store.costs.drivers()["rram_row"] == "One row of a crossbar is read."
            assert store._engine.rows("SELECT is_imported FROM drivers WHERE driver = 'rram_row'") == [(True,)]
            store.costs.add(CostSet("toy", "rev2", "Our bench", [rows]))
            with pytest.raises(CostError, match="known already, with the meaning 'One row of a crossbar"):
                store.costs.add(dataclasses.replace(declared, version="rev3", drivers={"rram_row": "Something else."}))

    def test_python_sets_are_held_against_the_same_rules(self, tmp_store: Path) -> None:
        before = dump(tmp_store)
        mixed = CostSet("toy", "v1", " ", [ADD, Cost("lump", "spike", 1, scope="aggregate")], status="good")
        with EnergyStore(tmp_store) as store, pytest.raises(CostError) as caught:
            store.costs.add(mixed)
        lines = str(caught.value).splitlines()
        assert lines[0].startswith("version 'v1': source is empty.")
        assert lines[1].startswith("version 'v1': status is 'good', must be one of")
        assert lines[2].startswith("version 'v1': it mixes the scopes aggregate, operation")
        assert dump(tmp_store) == before

    @pytest.mark.parametrize("what", [5, None, {"chip": "toy"}, [3], [MINE, None]])
    def test_what_is_no_cost_set(self, tmp_store: Path, what: Any) -> None:
        with EnergyStore(tmp_store) as store, pytest.raises(UsageError, match="neither a CostSet nor a cost file"):
            store.costs.add(what)

    @pytest.mark.parametrize(
        "write",
        [
            lambda costs: costs.add(MINE),
            lambda costs: costs.add(MINE, dry_run=True),
            lambda costs: costs.put_in_force("loihi2", "tutorial72"),
            lambda costs: costs.withdraw("loihi2", "tutorial72", "no"),
        ],
        ids=["add", "dry run", "put_in_force", "withdraw"],
    )
    def test_a_read_only_store_is_not_written(self, tmp_store: Path, write: Any) -> None:
        with (
            EnergyStore(tmp_store, read_only=True) as store,
            pytest.raises(StoreError, match="is open read-only: costs"),
        ):
            write(store.costs)

    def test_a_closed_store(self, tmp_store: Path) -> None:
        store = EnergyStore(tmp_store)
        costs = store.costs
        store.close()
        with pytest.raises(StoreError, match="is closed"):
            costs.add(MINE)

    def test_a_path_with_spaces(self, tmp_store: Path, tmp_path: Path) -> None:
        folder = tmp_path / "my own chips"
        folder.mkdir()
        path = folder / "a chip's 1.toml"
        path.write_text(
            '[chip]\nname = "toy"\n[[version]]\nname = "v1"\nsource = "It\'s mine"\n'
            '[[version.cost]]\noperation = "a"\ndriver = "spike"\nenergy_pj = 1\n',
            encoding="utf-8",
        )
        with EnergyStore(tmp_store) as store:
            assert [row["status"] for row in store.costs.add(path)] == ["added"]
            assert store.costs.lint([path]) == []


class TestLookingUp:
    def test_names_that_are_none(self, tmp_store: Path) -> None:
        with EnergyStore(tmp_store, read_only=True) as store:
            asks = (
                store.costs.show,
                store.costs.versions,
                store.costs.version_for,
                store.costs.cite,
                store.costs.in_force,
            )
            for ask in asks:
                with pytest.raises(NotFoundError, match=r"unknown chip 'lohi2'\nDid you mean 'loihi2'\?"):
                    ask("lohi2")
            for ask in (store.costs.show, store.costs.version_for, store.costs.cite):
                with pytest.raises(NotFoundError, match=r"has no cost version 'tutorial'\nDid you mean 'tutorial72'\?"):
                    ask("akida", "tutorial")
            with pytest.raises(UsageError, match="the chip is 5, must be the name of one"):
                store.costs.version_for(5)  # type: ignore[arg-type]

    @pytest.mark.parametrize("version", [None, 5])
    def test_versions_that_are_no_name(self, tmp_store: Path, version: Any) -> None:
        with EnergyStore(tmp_store) as store:
            for ask in (store.costs.put_in_force, lambda chip, name: store.costs.withdraw(chip, name, "no")):
                with pytest.raises(UsageError, match=rf"the cost version is {version}, must be the name of one"):
                    ask("loihi2", version)

    def test_of_several_for_reference_each_is_named_with_its_command(self, tmp_store: Path) -> None:
        boards = [
            CostSet("toy", name, "Our bench", [Cost("board", "second", 5, scope="system", is_reference=True)])
            for name in ("bench1", "bench2")
        ]
        with EnergyStore(tmp_store) as store:
            store.costs.add(boards)
            for ask in (store.costs.show, store.costs.cite):
                with pytest.raises(NotFoundError, match="toy has 2 versions, all for reference only") as caught:
                    ask("toy")
                commands = ["energy-db costs show toy --cost bench1", "energy-db costs show toy --cost bench2"]
                assert [line.strip() for line in str(caught.value).splitlines()[2:]] == commands

    def test_reference_rows_come_last(self, tmp_store: Path) -> None:
        with EnergyStore(tmp_store, read_only=True) as store:
            flags = [row["is_reference"] for row in store.costs.show("loihi", "davies2018")]
        assert flags == sorted(flags) and len(set(flags)) == 2
