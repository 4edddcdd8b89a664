"""compare --fail-on: what breaks a limit, what cannot be a limit, and which exit code says so.

From `before` to `after`, inputs cost 3 pJ and 3 pJ, the hidden layer 12 and 14, the readout 1 and 2: 16 and 19, which
is 18.75 % more. Half of two answers are right, then three quarters: 16 and 12.67 pJ for each, which is 20.8 % less.
All spikes go from 10 to 12, so their effect is 2 x (0.275 x 1 + 0.591667 x 2 + 0.133333 x 1) = 3.18 pJ.
"""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from factories import Shell, assert_refused
from small_runs import costs, small_run, with_spikes

from energy_db import Cost, CostSet, EnergyStore
from energy_db.cli import cli
from energy_db.comparisons import limits

DONE, BROKEN, USAGE, NOT_FOUND = 0, 1, 2, 3


@pytest.fixture(scope="module")
def _stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("limits")
    silent = {"in": (0, 0), "hid": (0, 0, 0), "out": (0, 0)}
    with EnergyStore(folder / "energy.duckdb") as store:
        store.costs.add(costs())
        store.ingest(small_run(folder, "before", tags={"accuracy": "0.5"}))
        store.ingest(small_run(folder, "after", with_spikes(hid=(5, 2, 0), out=(1, 1)), tags={"accuracy": "75 %"}))
        store.ingest(small_run(folder, "untagged", with_spikes(out=(2, 0))))
        store.ingest(small_run(folder, "longer", with_spikes(out=(3, 0)), n_timesteps=5))
        store.costs.add(CostSet("fine", "v1", "By hand", [Cost("fire", "spike", Decimal("0.007"))]))
        store.ingest(small_run(folder, "hundred", with_spikes(hid=(90, 6, 0))))
        store.ingest(small_run(folder, "and3", with_spikes(hid=(90, 6, 3))))
        store.ingest(small_run(folder, "silent", silent, tags={"accuracy": "0"}))
    return folder / "energy.duckdb"


@pytest.fixture(autouse=True)
def store(_stored: Path, tmp_path: Path) -> Path:
    """A store in the folder that `shell` works in."""
    return Path(shutil.copy(_stored, tmp_path / "energy.duckdb"))


def compared(shell: Shell, *arguments: str, before: str = "before", after: str = "after") -> tuple[int, str]:
    """Return the exit code, and what was said of the limits."""
    result = shell("compare", before, after, "--chip", "toy", "-f", "json", *arguments)
    assert "Traceback" not in result.output
    return result.exit_code, result.stderr


LIMITS = {
    "energy>5%": BROKEN,
    "energy>18.7%": BROKEN,
    "energy>18.75%": DONE,
    "energy > 18.75 %": DONE,
    "energy>20%": DONE,
    "energy>-1%": BROKEN,
    "energy>3pJ": DONE,
    "energy>2.9 pJ": BROKEN,
    "energy>.0029nJ": BROKEN,
    "energy>0.000003 uJ": DONE,
    "energy>0.0000029 µJ": BROKEN,
    "energy>0.0000029 μJ": BROKEN,
    "energy>1J": DONE,
    "energy<-5%": DONE,
    "energy<18.75%": DONE,
    "energy<20%": BROKEN,
    "layer:in>0%": DONE,
    "layer:hid>16%": BROKEN,
    "layer:hid>2pJ": DONE,
    "layer:hid>1.9pJ": BROKEN,
    "layer:out>99%": BROKEN,
    "layer:out>100%": DONE,
    "spikes>3.1pJ": BROKEN,
    "spikes>3.2pJ": DONE,
    "spikes>19%": BROKEN,
    "spikes>20%": DONE,
    "layer_mix<-0.18pJ": BROKEN,
    "layer_mix<-0.19pJ": DONE,
    "neuron_mix>0%": DONE,
    "work>0pJ": DONE,
    "other_drivers>0%": DONE,
    "cost>0%": DONE,
    "energy_per_correct>0%": DONE,
    "energy_per_correct<-20.8%": BROKEN,
    "energy_per_correct<-20.9%": DONE,
    "energy_per_correct<-3.3 pJ": BROKEN,
}


@pytest.fixture(scope="module")
def judged(_stored: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Result]:
    """What compare says of all limits that are kept, and of all that are broken, asked together."""
    store = Path(shutil.copy(_stored, tmp_path_factory.mktemp("judged") / "energy.duckdb"))
    question = ["--db", str(store), "compare", "before", "after", "--chip", "toy", "-f", "json"]
    found = {}
    for wanted in (DONE, BROKEN):
        options = [word for limit, exit_code in LIMITS.items() if exit_code == wanted for word in ("--fail-on", limit)]
        found[wanted] = CliRunner().invoke(cli, [*question, *options], catch_exceptions=False)
    return found


@pytest.mark.parametrize(("limit", "exit_code"), LIMITS.items())
def test_a_limit_is_kept_or_broken(judged: dict[int, Result], limit: str, exit_code: int) -> None:
    result = judged[exit_code]
    assert result.exit_code == exit_code
    assert "Traceback" not in result.output
    said = [line for line in result.stderr.splitlines() if f" {limit}: " in line]
    assert [line.partition(" ")[0] for line in said] == ["FAIL" if exit_code else "pass"]


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("limit", "exit_code"),
    [("energy>18.7%", BROKEN), ("energy>18.75%", DONE), ("layer:hid>2pJ", DONE), ("layer:hid>1.9pJ", BROKEN)],
)
def test_a_limit_alone_decides(shell: Shell, limit: str, exit_code: int) -> None:
    assert compared(shell, "--fail-on", limit)[0] == exit_code


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ("", "'' is no limit"),
        ("energy", "'energy' is no limit"),
        ("energy>", "'energy>' is no limit"),
        ("energy>5", "'energy>5' is no limit"),
        (">5%", "'>5%' is no limit"),
        ("layer:>5%", "'layer:' cannot be limited"),
        ("energy>=5%", "'energy>=5%' is no limit"),
        ("energy>5%%", "'energy>5%%' is no limit"),
        ("energy>x%", "'energy>x%' is no limit"),
        ("energy>nan%", "'energy>nan%' is no limit"),
        ("energy>5%>3%", "'energy>5%>3%' is no limit"),
        ("energy>5kWh", "'kWh' is no unit of energy"),
        ("energy>1234567890123456789pJ", "more than 18 digits"),
        ("energy>0.1234567890123456789%", "more than 18 digits"),
        ("energy>5PJ", "'PJ' is no unit of energy"),
        ("energie>5%", "Did you mean 'energy'?"),
        ("latency>5%", "'latency' cannot be limited"),
        ("spike>5%", "Did you mean 'spikes'?"),
    ],
)
def test_what_is_no_limit(shell: Shell, store: Path, limit: str, says: str) -> None:
    # The runs are not there: what is wrong with the words is found before the store is asked.
    assert_refused(shell, store, USAGE, ["compare", "x", "y", "--chip", "toy", "--fail-on", limit], says)


@pytest.mark.one_in(4)
@pytest.mark.parametrize(
    ("before", "after", "limit", "says"),
    [
        ("before", "after", "layer:hidd>5%", ["neither run has a layer 'hidd'", "Did you mean 'hid'?"]),
        ("before", "untagged", "energy_per_correct>0%", ["not both runs carry the tag accuracy", "energy-db tag"]),
        ("untagged", "before", "energy_per_correct>0%", "not both runs carry the tag accuracy"),
        ("silent", "before", "energy_per_correct>1pJ", "no sample of silent was right (accuracy 0)"),
        ("silent", "silent", "energy_per_correct>0%", "no sample of silent was right (accuracy 0)"),
        ("silent", "untagged", "energy_per_correct>0%", "not both runs carry the tag accuracy"),
        ("silent", "before", "energy>5%", ["energy was zero, a share of that is nothing", "in joules"]),
        ("silent", "after", "layer:out>5%", "layer:out was zero, a share of that is nothing"),
        ("before", "longer", "energy>0%", ["not comparable: timesteps: 4 / 5", "--allow"]),
    ],
)
def test_what_cannot_be_judged(shell: Shell, before: str, after: str, limit: str, says: str | list[str]) -> None:
    exit_code, said = compared(shell, "--fail-on", limit, before=before, after=after)
    assert exit_code == NOT_FOUND
    for piece in [says] if isinstance(says, str) else says:
        assert piece in said


@pytest.mark.thorough
def test_what_is_not_comparable_may_be_judged_all_the_same(shell: Shell) -> None:
    assert compared(shell, "--fail-on", "energy>0%", "--allow", after="longer")[0] == BROKEN
    assert compared(shell, "--fail-on", "energy>50%", "--allow", after="longer")[0] == DONE


@pytest.mark.thorough
def test_from_zero_a_limit_in_joules_holds(shell: Shell) -> None:
    assert compared(shell, "--fail-on", "energy>1pJ", before="silent")[0] == BROKEN
    assert compared(shell, "--fail-on", "energy>20pJ", before="silent")[0] == DONE
    assert compared(shell, "--fail-on", "energy>0%", before="silent", after="silent")[0] == DONE


def test_of_several_limits_one_is_enough(shell: Shell) -> None:
    result = shell("compare", "before", "after", "--chip", "toy", "--json", "--fail-on", "energy>50%",
                   "--fail-on", "layer:out>50%")  # fmt: skip
    assert result.exit_code == BROKEN
    assert result.stderr.splitlines()[-2:] == [
        "pass energy>50%: +3.0 pJ (+18.8 %)",
        "FAIL layer:out>50%: +1.0 pJ (+100.0 %)",
    ]
    assert json.loads(result.stdout)["limits"] == [
        {"limit": "energy>50%", "is_broken": False, "change": "+3.0 pJ (+18.8 %)"},
        {"limit": "layer:out>50%", "is_broken": True, "change": "+1.0 pJ (+100.0 %)"},
    ]


@pytest.mark.thorough
@pytest.mark.parametrize("by", ["layer", "neuron", "operation", "effect"])
def test_rows_of_one_grain_say_the_limits_as_well(shell: Shell, by: str) -> None:
    arguments = ("compare", "before", "after", "--chip", "toy", "--by", by, "--json")
    found = json.loads(shell(*arguments, "--fail-on", "energy>5%").stdout)
    assert found["limits"] == [{"limit": "energy>5%", "is_broken": True, "change": "+3.0 pJ (+18.8 %)"}]
    assert "limits" not in json.loads(shell(*arguments).stdout)


@pytest.mark.thorough
def test_pages_say_which_limit_broke(shell: Shell) -> None:
    arguments = ("compare", "before", "after", "--chip", "toy")
    limit = ("--fail-on", "energy>50%", "--fail-on", "layer:out>50%")
    lines = shell(*arguments, *limit).stdout.splitlines()
    start = lines.index("Limits")
    assert [line.split("  ")[0] for line in lines[start + 3 : start + 5]] == ["energy>50%", "layer:out>50%"]
    assert lines[start + 3].endswith("+3.0 pJ (+18.8 %)   pass")
    assert lines[start + 4].endswith("+1.0 pJ (+100.0 %)  FAIL")
    markdown = shell(*arguments, *limit, "-f", "md").stdout
    assert "## Limits\n\n| limit | change | result |" in markdown
    assert " | +1.0 pJ (+100.0 %) | FAIL |" in markdown
    assert "Limits" not in shell(*arguments).stdout


@pytest.mark.thorough
def test_limits_that_are_kept_are_said_as_well(shell: Shell) -> None:
    assert compared(shell, "--fail-on", "energy<-5%", after="before")[1].endswith("pass energy<-5%: 0.0 pJ (0.0 %)\n")
    zero = compared(shell, "--fail-on", "energy>5%", before="silent", after="silent")[1]
    assert "pass energy>5%: none: it was zero and is zero" in zero


def test_names_of_layers_may_hold_the_signs_of_a_limit() -> None:
    assert limits.read("layer:a>b<c>5%") == limits.Limit("layer:a>b<c", ">", 0.05, True, "layer:a>b<c>5%")
    assert limits.read("layer:x = 1%>2 nJ").measure == "layer:x = 1%"


def test_an_amount_is_read_without_rounding() -> None:
    # As doubles, 2.05 times a million is the last digit less than 2050000.
    assert 2.05 * 1e6 < 2_050_000
    assert limits.read("energy>2.05uJ").amount == 2_050_000
    assert limits.read("energy<-.5nJ").amount == -500


def test_what_is_just_within_is_within(shell: Shell) -> None:
    # 100 and 103 spikes of 0.007 pJ: 3 % more, but as doubles, 0.021 / 0.7 is the least bit more than 0.03.
    assert 0.021 / 0.7 > 0.03
    result = shell("compare", "hundred", "and3", "--chip", "fine", "--by", "effect", "--fail-on", "energy>3%")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (DONE, "pass energy>3%: +0.021 pJ (+3.0 %)")
