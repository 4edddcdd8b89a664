"""Others build queries and dashboards on the public views: what is renamed, dropped or retyped there is announced."""

from __future__ import annotations

import public_surface
import pytest
from public_surface import Change, Columns, complaints, parse_changes, parse_pin, pin, pinned_anew, unannounced

from energy_db import sql

PINNED: Columns = {
    ("energy", "run_id"): "VARCHAR",
    ("energy", "n_spikes"): "BIGINT",
    ("mart.runs", "run_id"): "VARCHAR",
    ("mart.runs", "seconds"): "DOUBLE",
}
RENAMED: Columns = {
    ("energy", "run_id"): "VARCHAR",
    ("energy", "spike_count"): "BIGINT",
    ("mart.runs", "run_id"): "VARCHAR",
    ("mart.runs", "seconds"): "DOUBLE",
}
DROPPED = {key: kind for key, kind in PINNED.items() if key != ("energy", "n_spikes")}
RETYPED = {**PINNED, ("energy", "n_spikes"): "DOUBLE"}
VIEW_DROPPED = {key: kind for key, kind in PINNED.items() if key[0] != "mart.runs"}
VIEW_RENAMED = {**VIEW_DROPPED, ("mart.all_runs", "run_id"): "VARCHAR", ("mart.all_runs", "seconds"): "DOUBLE"}
N_SPIKES = {("energy", "n_spikes"): "BIGINT"}
RUNS = {("mart.runs", "run_id"): "VARCHAR", ("mart.runs", "seconds"): "DOUBLE"}


def page(*rows: str) -> str:
    table = ["| version | view | column | change | instead |", "|---|---|---|---|---|", *rows]
    return "\n".join(["# Changes", "", *table, "", "The end."])


@pytest.fixture(name="current", scope="module")
def columns_of_today() -> Columns:
    return public_surface.public_columns()


@pytest.fixture(name="pinned", scope="module")
def columns_of_the_pin() -> Columns:
    return parse_pin(public_surface.PIN.read_text(encoding="utf-8"))


@pytest.fixture(name="changes", scope="module")
def announced_changes() -> list[Change]:
    return parse_changes(public_surface.CHANGES.read_text(encoding="utf-8"))


class TestTheViewsOfToday:
    def test_no_column_changes_unannounced(self, pinned: Columns, current: Columns, changes: list[Change]) -> None:
        if found := list(complaints(pinned, current, changes)):
            pytest.fail("\n\n".join(found), pytrace=False)

    def test_the_pin_is_current(self, current: Columns) -> None:
        assert public_surface.PIN.read_text(encoding="utf-8") == pin(current), "run: make docs"

    def test_what_is_announced_is_true(self, current: Columns, changes: list[Change]) -> None:
        unreleased = [change for change in changes if change.version == public_surface.UNRELEASED]
        assert [change for change in unreleased if not change.is_true(current)] == []

    def test_all_rooms_but_the_checks_are_pinned(self, current: Columns) -> None:
        rooms = {view.room for view in sql.views() if view.name in {name for name, _ in current}}
        assert rooms == {"activity", "energy", "compare", "mart"}
        assert {"mart.publication", "mart.run_energy", "mart.layer_comparison", "energy_by_spike"} <= {
            name for name, _ in current
        }
        assert not any(name.startswith("_") for name, _ in current)

    def test_types_are_those_of_the_engine(self, current: Columns) -> None:
        assert current["mart.layer_energy", "energy_pj"] == "DECIMAL(38,6)"
        assert current["mart.layer_energy", "energy_share"] == "DOUBLE"
        assert current["mart.runs", "run_date"] == "DATE"


class TestComparing:
    @pytest.mark.parametrize(
        ("current", "broken"),
        [
            (PINNED, {}),
            ({**PINNED, ("energy", "new"): "DATE", ("other", "run_id"): "VARCHAR"}, {}),
            (dict(reversed(PINNED.items())), {}),
            (RENAMED, N_SPIKES),
            (DROPPED, N_SPIKES),
            (RETYPED, N_SPIKES),
            (VIEW_DROPPED, RUNS),
            (VIEW_RENAMED, RUNS),
        ],
    )
    def test_what_nobody_announced(self, current: Columns, broken: Columns) -> None:
        assert unannounced(PINNED, current, []) == broken

    @pytest.mark.parametrize(
        ("current", "row"),
        [
            (RENAMED, "| Unreleased | `energy` | `n_spikes` | renamed | `spike_count`, as elsewhere |"),
            (DROPPED, "| Unreleased | `energy` | `n_spikes` | dropped | join `mart.runs` |"),
            (RETYPED, "| Unreleased | `energy` | `n_spikes` | retyped | `DOUBLE` |"),
            (VIEW_DROPPED, "| Unreleased | `mart.runs` | all | dropped | nothing |"),
            (VIEW_RENAMED, "| Unreleased | `mart.runs` | all | renamed | `mart.all_runs` |"),
        ],
    )
    def test_what_is_announced_may_change(self, current: Columns, row: str) -> None:
        changes = parse_changes(page(row))
        assert unannounced(PINNED, current, changes) == {}
        assert list(complaints(PINNED, current, changes)) == []
        assert pinned_anew(PINNED, current, changes) == current
        assert changes[0].is_true(current)
        assert not changes[0].is_true(PINNED)

    @pytest.mark.parametrize(
        ("current", "row"),
        [
            # of another view, another column, another kind
            (RENAMED, "| Unreleased | `mart.runs` | `n_spikes` | renamed | `spike_count` |"),
            (RENAMED, "| Unreleased | `energy` | `run_id` | renamed | `spike_count` |"),
            (DROPPED, "| Unreleased | `energy` | `n_spikes` | retyped | `DOUBLE` |"),
            (RETYPED, "| Unreleased | `energy` | `n_spikes` | dropped | nothing |"),
            # a successor that does not exist, or is of another type
            (RENAMED, "| Unreleased | `energy` | `n_spikes` | renamed | `spikes` |"),
            (RENAMED, "| Unreleased | `energy` | `n_spikes` | renamed | `run_id` |"),
            (RETYPED, "| Unreleased | `energy` | `n_spikes` | retyped | `HUGEINT` |"),
            # what an earlier release announced is done with
            (DROPPED, "| 0.1.0 | `energy` | `n_spikes` | dropped | nothing |"),
            # the view is still there
            (DROPPED, "| Unreleased | `energy` | all | renamed | `mart.runs` |"),
        ],
    )
    def test_what_announces_something_else_does_not_count(self, current: Columns, row: str) -> None:
        changes = parse_changes(page(row))
        assert unannounced(PINNED, current, changes) == N_SPIKES
        assert pinned_anew(PINNED, current, changes).items() >= N_SPIKES.items()

    def test_a_column_that_a_renamed_view_lost_needs_its_own_line(self) -> None:
        changes = parse_changes(page("| Unreleased | `mart.runs` | all | renamed | `mart.all_runs` |"))
        current = {key: kind for key, kind in VIEW_RENAMED.items() if key != ("mart.all_runs", "seconds")}
        assert unannounced(PINNED, current, changes) == {("mart.runs", "seconds"): "DOUBLE"}
        [complaint] = complaints(PINNED, current, changes)
        assert complaint.splitlines()[1:] == [
            "| Unreleased | `mart.runs` | `seconds` | dropped | what to use instead |",
        ]

    def test_the_pin_takes_what_is_new_and_keeps_what_is_gone(self) -> None:
        assert list(pinned_anew(PINNED, {**RENAMED, ("checked", "run_id"): "VARCHAR"}, []).items()) == [
            (("checked", "run_id"), "VARCHAR"),
            (("energy", "run_id"), "VARCHAR"),
            (("energy", "spike_count"), "BIGINT"),
            (("energy", "n_spikes"), "BIGINT"),
            (("mart.runs", "run_id"), "VARCHAR"),
            (("mart.runs", "seconds"), "DOUBLE"),
        ]

    def test_a_complaint_says_what_to_write_and_where(self) -> None:
        [gone] = complaints(PINNED, RENAMED, [])
        assert gone == (
            "energy.n_spikes (BIGINT) is gone. Others have built on it. Put it back; or announce it in the table of "
            "docs/changes.md, and run make docs:\n"
            "| Unreleased | `energy` | `n_spikes` | renamed | `its new name` |\n"
            "| Unreleased | `energy` | `n_spikes` | dropped | what to use instead |"
        )
        [retyped] = complaints(PINNED, RETYPED, [])
        assert retyped.startswith("energy.n_spikes was BIGINT, and is DOUBLE. ")
        assert retyped.splitlines()[1:] == ["| Unreleased | `energy` | `n_spikes` | retyped | `DOUBLE` |"]

    def test_a_view_that_is_gone_is_complained_of_once(self) -> None:
        [complaint] = complaints(PINNED, VIEW_DROPPED, [])
        assert complaint.startswith("the view mart.runs is gone. ")
        assert complaint.splitlines()[2] == "| Unreleased | `mart.runs` | all | dropped | what to use instead |"

    @pytest.mark.parametrize("current", [DROPPED, RETYPED, VIEW_DROPPED])
    def test_the_line_that_is_proposed_is_taken(self, current: Columns) -> None:
        [complaint] = complaints(PINNED, current, [])
        assert unannounced(PINNED, current, parse_changes(page(complaint.splitlines()[-1]))) == {}


class TestReading:
    def test_a_pin_is_read_as_it_is_written(self) -> None:
        columns = {("a", "x"): "DECIMAL(38,6)", ("a", "y"): "DATE"}
        assert pin(columns) == 'view,column,type\na,x,"DECIMAL(38,6)"\na,y,DATE\n'
        assert parse_pin(pin(columns)) == columns

    def test_another_table_is_no_pin(self) -> None:
        with pytest.raises(ValueError, match="must begin with"):
            parse_pin("a,b\n1,2\n")

    def test_examples_in_blocks_announce_nothing(self) -> None:
        example = "```text\n| Unreleased | `energy` | `n_spikes` | dropped | nothing |\n```\n"
        assert parse_changes(example + page()) == []

    @pytest.mark.parametrize(
        ("row", "complaint"),
        [
            (
                "| Unreleased | `energy` | `n_spikes` | moved | `x` |",
                "says 'moved', must say renamed, dropped, retyped",
            ),
            ("| Unreleased | `energy` | `n_spikes` | dropped | |", "must say version, view, column, change, instead"),
            ("| Unreleased | `energy` | `n_spikes` | dropped |", "must say version, view, column, change, instead"),
            (
                "| Unreleased | `energy` | `n_spikes` | renamed | x |",
                "must end with the new name or type, in backticks",
            ),
            ("| Unreleased | `energy` | all | retyped | `DATE` |", "must name the column that is retyped"),
        ],
    )
    def test_a_line_that_cannot_be_meant(self, row: str, complaint: str) -> None:
        with pytest.raises(ValueError, match=complaint):
            parse_changes(page(row))

    def test_a_page_without_the_table(self) -> None:
        with pytest.raises(ValueError, match=r"changes\.md has no table with the columns version, view"):
            parse_changes("# Changes\n\n| view | column |\n|---|---|\n")
