"""DataFrames and SQL clients on a publication give what the report gives, and what NumPy counts.

pandas and SQLAlchemy are always here; Polars and Ibis run the blocks of docs/bi.md as they stand (`make bi-tools`).
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import sqlalchemy
from click.testing import CliRunner
from published import LAYERS, RUNS, block_of, expected_layers, spikes_of, tool, total_pj

import energy_db
from energy_db import EnergyStore
from energy_db.cli import cli


def rows(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in frame.itertuples(index=False)]


class TestPublication:
    @pytest.mark.thorough
    def test_it_says_what_the_report_of_the_store_says(self, publication: Path) -> None:
        with energy_db.connect(publication) as connection:
            published = connection.execute(LAYERS).fetchall()
        assert published == expected_layers()
        with EnergyStore("energy.duckdb", read_only=True) as store:
            reports = {run: store.report(run, "loihi2") for run in RUNS}
        assert [(run, layer.layer, layer.spikes) for run in sorted(RUNS) for layer in reports[run].layers] == [
            row[:3] for row in published
        ]
        for run, report in reports.items():
            assert report.total_energy_pj == float(total_pj(run))
            assert [layer.energy_pj for layer in report.layers] == [
                float(pj) for name, *_, pj in published if name == run
            ]

    def test_its_costliest_neurons_are_those_that_numpy_finds(self, publication: Path) -> None:
        query = "SELECT n_spikes, energy_pj FROM mart.top_neuron_energy WHERE chip = 'loihi2' AND run_name = ?"
        with energy_db.connect(publication) as connection:
            for run in RUNS:
                found = connection.execute(f"{query} AND neuron_rank <= 3 ORDER BY neuron_rank", [run]).fetchall()
                counts = spikes_of(run)
                hidden = sorted((int(n) for name in ("hidden1", "hidden2") for n in counts[name]), reverse=True)
                others = sorted((int(n) for name in ("input", "output") for n in counts[name]), reverse=True)
                priced = sorted(
                    [(n * Decimal("2.1"), n) for n in hidden] + [(n * Decimal("1.0"), n) for n in others], reverse=True
                )
                assert found == [(n, pj) for pj, n in priced[:3]]

    def test_the_command_line_writes_it_as_csv(self, publication: Path) -> None:
        query = "SELECT run_name, energy_pj FROM mart.run_energy WHERE chip = 'loihi2' ORDER BY run_name"
        command = ["--db", str(publication), "sql", query, "--format", "csv", "-o", "runs.csv"]
        assert CliRunner().invoke(cli, command).exit_code == 0
        lines = [f"{run},{total_pj(run).normalize():f}" for run in sorted(RUNS)]
        assert Path("runs.csv").read_text(encoding="utf-8").splitlines() == ["run_name,energy_pj", *lines]

    def test_a_tool_that_attaches_it_needs_use_for_its_views(self, publication: Path) -> None:
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH '{publication}' AS published (READ_ONLY)")
            by_run = "SELECT sum(energy_pj) FROM published.mart.run_energy WHERE chip = 'loihi2'"
            total = sum(map(total_pj, RUNS), Decimal(0))
            assert connection.execute(by_run).fetchall() == [(total,)]
            by_neuron = "SELECT sum(energy_pj) FROM published.mart.neuron_energy WHERE chip = 'loihi2'"
            with pytest.raises(duckdb.CatalogException):
                connection.execute(by_neuron)
            connection.execute("USE published")
            assert connection.execute(by_neuron).fetchall() == [(total,)]


class TestSqlAlchemy:
    @pytest.fixture
    def engine(self, publication: Path) -> sqlalchemy.Engine:
        return sqlalchemy.create_engine(f"duckdb:///{publication}", connect_args={"read_only": True})

    def test_pandas_reads_it(self, engine: sqlalchemy.Engine) -> None:
        assert rows(pd.read_sql(LAYERS, engine, coerce_float=False)) == expected_layers()
        frame = pd.read_sql(LAYERS, engine)
        assert frame.groupby("run_name")["energy_pj"].sum().round(6).to_dict() == {
            run: float(total_pj(run)) for run in RUNS
        }
        engine.dispose()

    def test_its_tables_are_listed_with_their_comments(self, engine: sqlalchemy.Engine) -> None:
        found = sqlalchemy.inspect(engine)
        names = {*found.get_table_names(schema="energy.mart"), *found.get_view_names(schema="energy.mart")}
        assert {"runs", "run_energy", "layer_energy", "neuron_energy", "publication"} <= names
        assert found.has_table("layer_energy", schema="mart")
        comment = found.get_table_comment("layer_energy", schema="mart")["text"]
        assert comment.startswith("Energy of each layer of each run")
        engine.dispose()


def run_block(heading: str) -> dict[str, Any]:
    """Run the block of docs/bi.md under a heading, and return the names that it made."""
    names: dict[str, Any] = {}
    exec(compile(block_of(heading), f"docs/bi.md: {heading}", "exec"), names)
    return names


@pytest.mark.usefixtures("publication")
class TestBlocksOfTheDocumentation:
    def test_polars(self) -> None:
        polars = tool("polars")
        names = run_block("Polars")
        assert names["layers"].rows() == expected_layers()
        assert names["layers"].schema["energy_pj"] == polars.Decimal(38, 6)
        assert names["totals"].rows() == [(run, total_pj(run)) for run in sorted(RUNS)]

    def test_ibis(self) -> None:
        ibis = tool("ibis")
        if duckdb.__version__ >= "2":
            pytest.skip(f"Ibis {ibis.__version__} does not work with DuckDB 2: make bi-tools runs it with DuckDB 1.5")
        totals = run_block("Ibis")["totals"]
        assert [tuple(row.values()) for row in totals.to_pylist()] == [(run, total_pj(run)) for run in sorted(RUNS)]
