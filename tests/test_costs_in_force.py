"""Which cost version is in force: dated facts, as known when, corrections and withdrawals.

The run is factories.EVENTS: 4 hidden and 2 readout spikes, that is 6 neuron_spikes and 4 generated_spikes. So
rev1 (5 and 1 pJ) makes 6 x 5 + 4 x 1 = 34 pJ, rev2 (4 and 2) 24 + 8 = 32 pJ, rev3 (7 and 0.5) 42 + 2 = 44 pJ.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from factories import dump

from energy_db import Cost, CostSet, EnergyStore
from energy_db.catalogue import ledger, shipped
from energy_db.catalogue.ledger import Fact
from energy_db.catalogue.sets import Chip
from energy_db.errors import CostError, NotFoundError, UsageError

PJ = {"rev1": 34.0, "rev2": 32.0, "rev3": 44.0}


def revision(name: str, spike_pj: object, sent_pj: object, day: date | None = None) -> CostSet:
    costs = [Cost("update", "neuron_spike", spike_pj), Cost("send", "generated_spike", sent_pj)]  # type: ignore[arg-type]
    return CostSet("toy", name, "Our bench", costs, in_force_from=day)


REV1 = revision("rev1", 5, 1, date(2020, 1, 1))
REV2 = revision("rev2", 4, 2, date(2020, 3, 1))
REV3 = revision("rev3", 7, "0.5")


@pytest.fixture
def store(small_store: Path) -> Iterator[EnergyStore]:
    """A store whose release knew rev1 from January 2020 and rev2 from March 2020 on."""
    with EnergyStore(small_store) as opened:
        shipped.install(opened._engine, [Chip("toy", "Toy", "", (REV1, REV2))])
        yield opened


def total(store: EnergyStore, **asked: Any) -> float | None:
    version = store.costs.version_for("toy", asked.get("cost_version"), as_of=asked.get("as_of"))
    return store.report("kept", "toy", cost_version=version).total_energy_pj


def today() -> date:
    return datetime.now(UTC).date()


class TestThreeQuestions:
    """Two versions in force one after the other, and a correction today that reaches back."""

    @pytest.fixture(autouse=True)
    def _corrected(self, store: EnergyStore) -> None:
        store.costs.add(REV3)
        store.costs.put_in_force("toy", "rev3", date(2020, 3, 1), reason="rev2 was measured at the wrong voltage")

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize("name", PJ)
    def test_a_pinned_version(self, store: EnergyStore, name: str) -> None:
        assert total(store, cost_version=name) == PJ[name]

    def test_what_is_in_force_now(self, store: EnergyStore) -> None:
        assert total(store) == PJ["rev3"]
        assert store.report("kept", "toy").total_energy_pj == PJ["rev3"]
        rows = store.sql("SELECT energy_pj FROM energy_by_chip WHERE chip = 'toy'").to_pylist()
        assert [float(row["energy_pj"]) for row in rows] == [PJ["rev3"]]

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(
        ("day", "name"),
        [
            ("2020-01-01", "rev1"),
            ("2020-02-29", "rev1"),
            ("2020-03-01", "rev2"),  # the correction was not known then
            ("2021-01-01", "rev2"),
            (today() - timedelta(days=1), "rev2"),
            (today(), "rev3"),
            (today() + timedelta(days=400), "rev3"),
        ],
    )
    def test_as_of_a_day(self, store: EnergyStore, day: date | str, name: str) -> None:
        assert total(store, as_of=day) == PJ[name]

    def test_as_of_before_everything(self, store: EnergyStore) -> None:
        with pytest.raises(NotFoundError, match="no cost version is in force for 'toy' on 2019-12-31, as known then"):
            total(store, as_of="2019-12-31")

    def test_a_pinned_version_goes_before_the_day(self, store: EnergyStore) -> None:
        assert store.costs.version_for("toy", "rev3", as_of="2020-01-01") == "rev3"

    def test_the_history_is_all_there(self, store: EnergyStore) -> None:
        keys = ("cost_version", "in_force_from", "is_in_force", "reason")
        assert [tuple(row[key] for key in keys) for row in store.costs.in_force("toy")] == [
            ("rev1", date(2020, 1, 1), False, "shipped with energy-db"),
            ("rev2", date(2020, 3, 1), False, "shipped with energy-db"),
            ("rev3", date(2020, 3, 1), True, "rev2 was measured at the wrong voltage"),
        ]
        then = store.costs.in_force("toy", as_of="2020-02-01")
        assert [(row["cost_version"], row["is_in_force"]) for row in then] == [("rev1", True)]

    def test_the_store_is_sound(self, store: EnergyStore) -> None:
        assert [result.check for result in store.verify() if result.n_failures] == []


class TestFacts:
    def test_one_may_be_taken_back_by_another(self, store: EnergyStore) -> None:
        for version in ("rev1", "rev2", "rev1"):
            store.costs.put_in_force("toy", version, "2020-06-01")
        assert store.costs.version_for("toy") == "rev1"
        days = [row["in_force_from"] for row in store.costs.in_force("toy")]
        assert days == [date(2020, 1, 1), date(2020, 3, 1), *[date(2020, 6, 1)] * 3]

    def test_the_same_again_is_unchanged(self, store: EnergyStore) -> None:
        assert store.costs.put_in_force("toy", "rev1", "2020-06-01")["status"] == "added"
        assert store.costs.put_in_force("toy", "rev1", "2020-06-01")["status"] == "unchanged"
        assert len(store.costs.in_force("toy")) == 3

    def test_a_dry_run_keeps_nothing(self, store: EnergyStore) -> None:
        told = store.costs.put_in_force("toy", "rev1", "2020-06-01", reason="why not", dry_run=True)
        assert (told["status"], told["in_force_from"], told["reason"]) == (
            "would be added",
            date(2020, 6, 1),
            "why not",
        )
        assert len(store.costs.in_force("toy")) == 2

    def test_from_today_if_no_day_is_named(self, store: EnergyStore) -> None:
        assert store.costs.put_in_force("toy", "rev1")["in_force_from"] == today()
        assert store.costs.version_for("toy") == "rev1"

    def test_a_day_to_come_does_not_hold_yet(self, store: EnergyStore) -> None:
        day = today() + timedelta(days=30)
        store.costs.put_in_force("toy", "rev1", day)
        assert store.costs.version_for("toy") == "rev2"
        assert store.costs.version_for("toy", as_of=day) == "rev1"

    def test_the_number_decides_and_not_the_clock(self, store: EnergyStore) -> None:
        """Clocks are set back: of two facts for one day the one with the greater number holds."""
        day, later, earlier = date(2020, 6, 1), datetime(2020, 6, 9), datetime(2020, 6, 2)
        ledger.add_facts(store._engine, [Fact("toy", "rev2", day, later, ""), Fact("toy", "rev1", day, earlier, "")])
        assert store.costs.version_for("toy") == "rev1"
        assert store.costs.version_for("toy", as_of="2020-06-10") == "rev1"
        assert store.costs.version_for("toy", as_of="2020-06-05") == "rev1"

    def test_python_and_the_view_agree(self, store: EnergyStore) -> None:
        store.costs.put_in_force("toy", "rev1", "2020-06-01")
        store.costs.put_in_force("loihi2", "tutorial72", today() + timedelta(days=1))
        view = store._engine.rows("SELECT chip, cost_version FROM cost_version_in_force ORDER BY chip")
        assert [(row["chip"], row["cost_version"]) for row in store.costs.in_force() if row["is_in_force"]] == view
        assert ("toy", "rev1") in view

    def test_numbers_go_on_over_chips(self, store: EnergyStore) -> None:
        [(before,)] = store._engine.rows("SELECT max(fact_number) FROM cost_in_force")
        store.costs.put_in_force("toy", "rev1", "2020-06-01")
        store.costs.put_in_force("loihi2", "tutorial72", "2020-06-01")
        rows = store._engine.rows("SELECT fact_number, chip FROM cost_in_force ORDER BY fact_number DESC LIMIT 2")
        assert rows == [(before + 2, "loihi2"), (before + 1, "toy")]

    @pytest.mark.parametrize("day", ["yesterday", "2020-13-01", 5, datetime(2020, 1, 1)])
    def test_what_is_no_day(self, store: EnergyStore, day: Any) -> None:
        for ask in (
            lambda: store.costs.put_in_force("toy", "rev1", day),
            lambda: store.costs.version_for("toy", as_of=day),
            lambda: store.costs.in_force("toy", as_of=day),
            lambda: store.costs.add(REV3, in_force=day),
        ):
            with pytest.raises(UsageError, match="must be a date\nWrite it as 2026-01-31"):
                ask()

    def test_versions_that_are_none(self, store: EnergyStore) -> None:
        with pytest.raises(NotFoundError, match=r"toy has no cost version 'rev9'\nDid you mean 'rev2'|'rev1'"):
            store.costs.put_in_force("toy", "rev9")
        with pytest.raises(UsageError, match="reason is 5, must be a text"):
            store.costs.put_in_force("toy", "rev1", reason=5)  # type: ignore[arg-type]


class TestWithdrawal:
    def test_it_still_prices_and_says_so(self, store: EnergyStore) -> None:
        told = store.costs.withdraw("toy", "rev2", "Wrong voltage; use rev3.")
        assert told["status"] == "withdrawn"
        assert total(store) == PJ["rev2"]
        rows = {row["cost_version"]: row["is_withdrawn"] for row in store.costs.versions("toy")}
        assert rows == {"rev1": False, "rev2": True}
        assert ledger.withdrawal(store._engine, "toy", "rev2") == "Wrong voltage; use rev3."
        assert ledger.withdrawal(store._engine, "toy", "rev1") is None

    def test_it_cannot_come_in_force_again(self, store: EnergyStore) -> None:
        store.costs.withdraw("toy", "rev1", "Wrong voltage.")
        with pytest.raises(CostError, match="toy rev1 was withdrawn: Wrong voltage"):
            store.costs.put_in_force("toy", "rev1")

    def test_twice_is_once(self, store: EnergyStore) -> None:
        store.costs.withdraw("toy", "rev1", "First reason.")
        told = store.costs.withdraw("toy", "rev1", "Second reason.")
        assert (told["status"], told["reason"]) == ("unchanged", "First reason.")
        assert len(store._engine.rows("SELECT * FROM cost_withdrawals")) == 1

    def test_a_dry_run_keeps_nothing(self, store: EnergyStore) -> None:
        assert store.costs.withdraw("toy", "rev1", "No.", dry_run=True)["status"] == "would be withdrawn"
        assert store._engine.rows("SELECT * FROM cost_withdrawals") == []

    @pytest.mark.parametrize("reason", ["", "  "])
    def test_it_needs_a_reason(self, store: EnergyStore, reason: str) -> None:
        with pytest.raises(UsageError, match="a withdrawal needs a reason"):
            store.costs.withdraw("toy", "rev1", reason)

    def test_no_number_is_touched(self, small_store: Path) -> None:
        before = dump(small_store)
        with EnergyStore(small_store) as opened:
            opened.costs.withdraw("loihi2", "tutorial72", "Nobody knows where it is from.")
        after = dump(small_store)
        assert [table for table in before if before[table] != after[table]] == ["cost_withdrawals"]
