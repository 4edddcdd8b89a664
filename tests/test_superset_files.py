"""The files of examples/superset fit each other and the schema mart; `make superset` tries them in a Superset."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import public_surface
import pytest
import yaml

FOLDER = Path(__file__).parents[1] / "examples" / "superset"


def read(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


DATABASE = read(FOLDER / "databases" / "energy.yaml")
DATASETS = {found["uuid"]: found for found in map(read, sorted(FOLDER.glob("datasets/energy/*.yaml")))}
CHARTS = {found["uuid"]: found for found in map(read, sorted(FOLDER.glob("charts/*.yaml")))}
[DASHBOARD] = map(read, FOLDER.glob("dashboards/*.yaml"))
PLACES = [place for place in DASHBOARD["position"].values() if isinstance(place, dict)]
DRAWN = [place["meta"] for place in PLACES if place["type"] == "CHART"]
FILTERS = DASHBOARD["metadata"]["native_filter_configuration"]


@pytest.fixture(scope="module")
def public_columns() -> public_surface.Columns:
    return public_surface.column_types()


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda dataset: str(dataset["table_name"]))
def test_a_dataset_has_the_columns_of_the_mart(public_columns: public_surface.Columns, dataset: dict[str, Any]) -> None:
    name = f"{dataset['schema']}.{dataset['table_name']}"
    columns = [column for column in dataset["columns"] if "expression" not in column]
    assert dataset["database_uuid"] == DATABASE["uuid"]
    assert {column["column_name"]: column["type"] for column in columns} == {
        column: kind for (view, column), kind in public_columns.items() if view == name
    }
    assert {column["column_name"] for column in columns if column.get("is_dttm")} == {
        column["column_name"] for column in columns if column["type"] in ("DATE", "TIMESTAMP")
    }


def columns_of(dataset: dict[str, Any]) -> set[str]:
    return {column["column_name"] for column in dataset["columns"]}


def metrics_of(dataset: dict[str, Any]) -> set[str]:
    return {metric["metric_name"] for metric in dataset["metrics"]}


@pytest.mark.parametrize("chart", CHARTS.values(), ids=lambda chart: str(chart["slice_name"]))
def test_a_chart_asks_for_what_its_dataset_has(chart: dict[str, Any]) -> None:
    dataset, params = DATASETS[chart["dataset_uuid"]], chart["params"]
    columns = {*params.get("groupby", []), *params.get("all_columns", []), *params.get("column_config", {})}
    columns |= {params[name] for name in ("x_axis",) if name in params}
    columns |= {re.findall(r'"(\w+)"', order)[0] for order in params.get("order_by_cols", [])}
    metrics = {*params.get("metrics", []), *(params[name] for name in ("metric",) if name in params)}
    assert columns <= columns_of(dataset)
    assert metrics <= metrics_of(dataset)
    assert columns | metrics
    assert params["viz_type"] == chart["viz_type"]


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda dataset: str(dataset["table_name"]))
def test_no_metric_mixes_the_energies_of_several_chips(dataset: dict[str, Any]) -> None:
    mixing = [
        metric["metric_name"]
        for metric in dataset["metrics"]
        if re.search("_pj|change_share", metric["expression"])
        and not metric["expression"].startswith("CASE WHEN min(chip) = max(chip) THEN ")
    ]
    assert mixing == []


def test_the_dashboard_shows_every_chart_once_under_its_title() -> None:
    assert sorted(meta["uuid"] for meta in DRAWN) == sorted(CHARTS)
    assert [meta["sliceName"] for meta in DRAWN] == [CHARTS[meta["uuid"]]["slice_name"] for meta in DRAWN]
    assert max(Counter(meta["chartId"] for meta in DRAWN).values()) == 1


def test_rows_are_as_wide_as_the_dashboard_and_hold_each_other() -> None:
    position = DASHBOARD["position"]
    for row in (place for place in PLACES if place["type"] == "ROW"):
        assert sum(position[child]["meta"]["width"] for child in row["children"]) == 12
    for place in PLACES:
        assert all(position[child]["parents"][-1] == place["id"] for child in place.get("children", []))


@pytest.mark.parametrize("chosen", FILTERS, ids=lambda chosen: str(chosen["name"]))
def test_a_filter_leaves_out_the_charts_that_lack_its_column(chosen: dict[str, Any]) -> None:
    [target] = chosen["targets"]
    column = target["column"]["name"]
    assert column in columns_of(DATASETS[target["datasetUuid"]])
    assert chosen["controlValues"].get("sortMetric") in {None, *metrics_of(DATASETS[target["datasetUuid"]])}
    excluded = {meta["sliceName"] for meta in DRAWN if meta["chartId"] in chosen["scope"]["excluded"]}
    without = {
        chart["slice_name"] for chart in CHARTS.values() if column not in columns_of(DATASETS[chart["dataset_uuid"]])
    }
    assert without <= excluded


def test_nothing_is_of_one_machine_and_every_uuid_stands_for_one_thing() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.yaml")}
    assert DATABASE["sqlalchemy_uri"] == "duckdb:////path/to/bi/energy.duckdb"
    assert DATABASE["extra"]["engine_params"] == {"connect_args": {"read_only": True}}
    assert [
        path for path, text in texts.items() if re.search(r"/(home|work|tmp|root|Users)/|datasource: \d", text)
    ] == []
    own = [found["uuid"] for found in (DATABASE, DASHBOARD, *map(read, FOLDER.glob("datasets/energy/*.yaml")))]
    own += [read(path)["uuid"] for path in FOLDER.glob("charts/*.yaml")]
    assert len(set(own)) == len(own)
