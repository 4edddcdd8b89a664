"""Conservation: under every shipped cost version, on every example run, all grains add up to the same last digit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from energy_db import EnergyStore

EXAMPLES = Path(__file__).parents[1] / "examples"
DIGITS = ("digits-baseline", "digits-reseeded", "digits-sparse")
# A run file of a peer, and what it counted beside its spikes.
PEERS = {
    "p1": ("p1", None),
    "p1_lemaire": ("p1", "p1_lemaire"),
    "p1_simple": ("p1", "p1_simple"),
    "sanafe_loihi": ("sanafe_loihi", "sanafe_loihi"),
    "sanafe_example": ("sanafe_example", "sanafe_example"),
}
# The grains at which an operation must be known for a view to hold it. A synapse is the grain of synaptic events where
# neurons differ in their fan-out: they can be told by neuron, not by timestep.
ALL = {"spike", "synapse", "neuron", "layer", "run"}
HELD = {"chip": ALL, "layer": ALL, "operation": ALL, "neuron": {"spike", "synapse", "neuron"}, "step": {"spike"}}
CELLS = """
    SELECT
        runs.run_name,
        cells.chip,
        cells.cost_version,
        CASE WHEN cells.driver = 'synaptic_event' AND own.run_key IS NOT NULL THEN 'synapse' ELSE cells.grain END,
        cells.energy_pj
    FROM energy_by_layer_operation_all_versions AS cells
    INNER JOIN runs ON cells.run_id = runs.run_id
    LEFT JOIN (SELECT DISTINCT run_key, layer_index FROM fan_out) AS own
        ON runs.run_key = own.run_key AND cells.layer_index = own.layer_index
    WHERE cells.energy_pj IS NOT NULL
"""

Key = tuple[str, str, str]


@pytest.fixture(scope="module")
def store() -> Iterator[EnergyStore]:
    with EnergyStore(":memory:") as opened:
        for name in DIGITS:
            opened.ingest(EXAMPLES / f"{name}.parquet")
        for name, (file, counters) in PEERS.items():
            given = None if counters is None else EXAMPLES / "parity" / f"{counters}.csv"
            opened.ingest(EXAMPLES / "parity" / f"{file}.parquet", name=name, counters=given)
        yield opened


@pytest.fixture(scope="module", params=[1, 2])
def threads(store: EnergyStore, request: pytest.FixtureRequest) -> int:
    """How many threads the store takes while a test asks it."""
    store._engine.run(f"SET threads = {request.param}")
    return int(request.param)


@pytest.fixture(scope="module")
def cells(store: EnergyStore, threads: int) -> dict[str, dict[Key, Decimal]]:
    """Return the energy of every run and version, by the finest grain at which its operations are known."""
    found: dict[str, dict[Key, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for run, chip, version, grain, energy in store._engine.rows(CELLS):
        found[grain][run, chip, version] += energy
    return found


def test_every_run_file_of_the_examples_is_here() -> None:
    stored = {*DIGITS, *(file for file, _ in PEERS.values())}
    assert stored == {path.stem for path in EXAMPLES.rglob("*.parquet")}
    assert {counters for _, counters in PEERS.values()} - {None} == {path.stem for path in EXAMPLES.rglob("*.csv")}


@pytest.mark.one_in(5)
@pytest.mark.parametrize("view", HELD)
def test_every_grain_adds_up_under_every_version(
    store: EnergyStore, cells: dict[str, dict[Key, Decimal]], view: str
) -> None:
    runs_by_versions = store._engine.rows(
        "SELECT run_name, chip, cost_version FROM runs CROSS JOIN cost_catalogue WHERE n_operations > 0"
    )
    expected: dict[Key, Decimal] = {
        key: sum((cells[grain].get(key, Decimal(0)) for grain in HELD[view]), Decimal(0)) for key in runs_by_versions
    }
    in_sql = store._engine.rows(
        "SELECT run_name, chip, cost_version, coalesce(CAST(sum(energy_pj) AS DECIMAL(38, 6)), 0) "
        f"FROM energy_by_{view}_all_versions GROUP BY run_name, chip, cost_version"
    )
    found = {(run, chip, version): energy for run, chip, version, energy in in_sql}
    assert {key: found.get(key, Decimal(0)) for key in expected} == expected
    assert set(found) <= set(expected)
    assert len(expected) == (len(DIGITS) + len(PEERS)) * len({key[1:] for key in expected}) > 300


def test_the_examples_reach_every_grain(cells: dict[str, dict[Key, Decimal]]) -> None:
    assert {grain for grain, energies in cells.items() if any(energies.values())} == ALL


@pytest.mark.thorough
def test_verify_says_so(store: EnergyStore) -> None:
    assert [result.check for result in store.verify() if result.n_failures] == []
