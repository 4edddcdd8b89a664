"""The house rules that a test can hold: who imports whom, what is documented, what the SQL rooms may read."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from types import FunctionType

import public_surface
import pytest

import energy_db
from energy_db import EnergyStore, sql

TOP = Path(__file__).parents[1]
PACKAGE = TOP / "energy_db"
MODULES = {".".join(path.relative_to(TOP).with_suffix("").parts): path for path in sorted(PACKAGE.rglob("*.py"))}

# A module imports from floors below its own only.
FLOORS = (
    {
        "asking",
        "errors",
        "units",
        "guess",
        "sql",
        "engines",
        "intake",
        "catalogue",
        "catalogue.entries",
        "reports",
        "reports.advice",
        "reports.rows",
        "comparisons",
        "comparisons.rows",
        "history",
        "history.pareto",
        "history.spread",
        "history.noiseless",
        "history.levels",
        "history.permuting",
        "history.sparkline",
        "history.student",
        "gate",
        "gate.rows",
        "pages",
        "pages.theme",
        "publishing",
        "publishing.publication",
        "exporting",
        "record",
        "record.buffer",
        "record.step_energy",
        "adapters",
    },
    {
        "engines.limits",
        "engines.own_file",
        "engines.patience",
        "engines.vetting",
        "engines.wording",
        "intake.arguments",
        "intake.reading",
        "intake.topology",
        "asking.queries",
        "gate.amounts",
        "record.axes",
        "record.arrays",
        "tables",
        "history.changepoints",
        "history.welch",
    },
    {
        "engines.open_here",
    },
    {
        "intake.given_files",
        "intake.network",
        "intake.training",
        "history.accepting",
        "gate.budget",
        "pages.drawing",
        "record.spikes",
        "adapters.timing",
        "adapters.text_files",
        "adapters.hdf5",
    },
    {
        "intake.declaration",
        "adapters.nir.graph",
        "catalogue.sets",
        "pages.markup",
        "engines.duckdb",
        "record.run_file",
        "record.counting",
        "record.numbers",
        "record.synapses",
    },
    {
        "intake.contract",
        "adapters.nir.steps",
        "record.reach",
        "publishing.setting",
        "exporting.writing",
        "catalogue.citation",
        "catalogue.files",
        "catalogue.ledger",
        "runs",
        "history.filters",
        "history.trend_text",
        "reports.cells",
        "reports.faces",
        "engines.alchemy",
        "engines.copying",
        "pages.layout",
        "pages.origin",
    },
    {
        "selectors",
        "pages.charts",
        "publishing.snapshot",
        "pages.history_chart",
        "reports.flame",
        "reports.unit_prices",
        "record.recording",
        "adapters.nir.network",
        "record.journal",
        "record.progress",
        "record.hooks",
        "record.live",
    },
    {
        "record.spool",
        "adapters.tensors",
        "adapters.simulators",
        "adapters.nest",
        "adapters.neo",
        "adapters.nwb",
        "adapters.sonata",
        "adapters.sanafe",
        "adapters.address_events",
    },
    {
        "pages.report_figures",
        "pages.trend_page",
        "intake.sources",
        "record.worker",
        "record.target",
        "record.declaring",
        "adapters.spikingjelly",
        "adapters.aer",
        "adapters.nir.data",
    },
    {"pages.report_page", "history.trend", "record.writer", "record.training", "adapters.nir", "adapters.formats"},
    {"record.watching", "network_files", "asking.listing", "asking.shelf", "asking.values"},
    {
        "intake.incoming",
        "intake.counter_sources",
        "catalogue.lint",
        "publishing.catalog",
        "catalogue.shipped",
        "reports.difference",
        "reports.receipt",
        "reports.recost",
        "reports.report",
        "history.rows",
        "history.groups",
        "comparisons.reading",
        "comparisons.verdict",
        "history.metrics",
        "comparisons.explaining",
        "comparisons.faces",
        "gate.levels",
        "gate.question",
    },
    {"pages.comparison_figures", "publishing.folder"},
    {"pages.comparison_page"},
    {
        "intake.counters",
        "catalogue.adding",
        "reports.pricing",
        "comparisons.comparison",
        "comparisons.chips",
        "comparisons.methods",
        "history.question",
        "history.reasons",
        "reports.ranking",
        "gate.baselines",
        "gate.blessings",
        "gate.faces",
        "gate.ways_back",
        "lifecycle",
        "verification",
    },
    {
        "intake.identity",
        "catalogue.book",
        "connecting",
        "priced",
        "comparisons.comparing",
        "comparisons.limits",
        "gate.check",
    },
    {"history.sorting", "history.series", "gate.evidence", "record.starting"},
    {
        "intake.ingest",
        "intake.merging",
        "gate.checking",
        "compared",
        "history.following",
        "history.listing",
        "history.listing_text",
        "history.comparing_groups",
    },
    {"tracked", "history.groups_text"},
    {"gated"},
    {"merged", "publishing.publish", "archiving"},
    {"published", "exporting.stores", "exporting.run_files", "exporting.views"},
    {"exported"},
    {"asked"},
    {"kept"},
    {"store", "accounting", "unstored"},
    {"cli.output", "cli.modes", "cli.formats", "cli.following", "cli.forked"},
    {"cli.pages"},
    {
        "cli.archive",
        "cli.progress",
        "cli.publish",
        "cli.ingested",
        "cli.curation",
        "cli.groups",
        "cli.query",
        "cli.recost",
        "cli.runs",
        "cli.trend",
        "cli.upkeep",
        "cli.watch",
    },
    {"cli.merging", "cli.spooling"},
    {"cli.record", "cli.costs", "cli.gate"},
    {"cli.reports"},
    {"cli.compare", "cli.export"},
    {"cli.app"},
    {"cli"},
    {"__main__"},
)
FLOOR_OF = {f"energy_db.{name}": floor for floor, names in enumerate(FLOORS) for name in names}

# Third party -> the modules whose business it is.
DOORS = {
    "duckdb": {"energy_db.engines.duckdb"},
    "sqlalchemy": {"energy_db.engines.alchemy"},
    "alembic": {"energy_db.engines.alchemy"},
    "duckdb_engine": {"energy_db.engines.alchemy"},
    "click": {name for name in MODULES if name.startswith("energy_db.cli.")},
    "rich": {"energy_db.cli.progress"},
    "pyarrow": {
        "energy_db.tables",
        "energy_db.exporting.writing",
        "energy_db.record.run_file",
        "energy_db.record.journal",
    },
    "pandas": set(),
    "numpy": {
        "energy_db.intake.topology",
        "energy_db.history.permuting",
        *(name for name in MODULES if name.startswith(("energy_db.record.", "energy_db.adapters."))),
    },
    "h5py": {"energy_db.adapters.hdf5"},
    "altair": {name for name in MODULES if name.startswith("energy_db.pages.")},
    "vl_convert": {"energy_db.pages.drawing"},
}
SLOW = ("rich", "pyarrow", "pandas", "numpy", "h5py", "altair", "vl_convert", "energy_db.engines.alchemy")


@dataclasses.dataclass(frozen=True)
class Import:
    """One imported name, and whether it is for type checkers only, or inside a function."""

    name: str
    for_types: bool
    is_lazy: bool


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> tuple[Import, ...]:
    def visit(node: ast.AST, for_types: bool, is_lazy: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            inner_types = for_types or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
            inner_lazy = is_lazy or isinstance(node, ast.FunctionDef)
            if isinstance(child, ast.Import):
                names = [alias.name for alias in child.names]
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{path}: relative import"
                names = [f"{child.module}.{alias.name}" for alias in child.names]
            else:
                names = []
                yield from visit(child, inner_types, inner_lazy)
            for name in names:
                yield Import(name, inner_types, inner_lazy)

    return tuple(visit(tree_of(path), False, False))


def module_of(name: str) -> str | None:
    """Return the module of the house that an imported name is from."""
    candidates = [name, name.rpartition(".")[0]]
    found = next((candidate for candidate in candidates if candidate in MODULES), None)
    package = next((candidate for candidate in candidates if f"{candidate}.__init__" in MODULES), None)
    return found or package


@cache
def import_graph() -> dict[str, set[str]]:
    """Return who imports whom when it runs; what is imported inside a function counts, too."""
    graph: dict[str, set[str]] = defaultdict(set)
    for name, path in MODULES.items():
        importer = name.removesuffix(".__init__")
        graph[importer] |= {
            imported
            for found in imports(path)
            if not found.for_types and (imported := module_of(found.name)) and imported != "energy_db"
        }
    return dict(graph)


class TestPython:
    def test_every_module_has_a_floor(self) -> None:
        assert set(FLOOR_OF) == {name.removesuffix(".__init__") for name in MODULES} - {"energy_db"}

    def test_imports_go_down(self) -> None:
        upward = [
            f"{importer} -> {imported}"
            for importer, imported_ones in import_graph().items()
            for imported in imported_ones
            if importer != "energy_db" and FLOOR_OF[imported] >= FLOOR_OF[importer]
        ]
        assert upward == []

    def test_imports_make_no_circle(self) -> None:
        TopologicalSorter(import_graph()).prepare()

    @pytest.mark.parametrize("package", DOORS)
    def test_each_third_party_has_one_door(self, package: str) -> None:
        importers = {
            name
            for name, path in MODULES.items()
            for found in imports(path)
            if found.name.partition(".")[0] == package and not found.for_types
        }
        assert importers <= DOORS[package]

    def test_slow_packages_are_imported_where_they_are_used(self) -> None:
        eager = [
            f"{name} -> {found.name}"
            for name, path in MODULES.items()
            for found in imports(path)
            if found.name.startswith(SLOW) and not (found.is_lazy or found.for_types)
        ]
        assert eager == []

    @pytest.mark.parametrize("way_in", ["import energy_db", "from energy_db.cli import cli; cli(['--help'])"])
    def test_the_way_in_is_light(self, way_in: str) -> None:
        code = f"import sys\ntry:\n    {way_in}\nexcept SystemExit: pass\nprint(*sys.modules, file=sys.stderr)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=TOP)
        loaded = {name.partition(".")[0] for name in done.stderr.split()}
        assert "energy_db" in loaded
        assert loaded.isdisjoint({"duckdb", "_duckdb", "pyarrow", "numpy", "pandas", "sqlalchemy", "alembic", "rich"})

    def test_files_and_functions_are_short(self) -> None:
        long_files = {name: len(path.read_text().splitlines()) for name, path in MODULES.items()}
        assert {name: lines for name, lines in long_files.items() if lines > 350} == {}
        long_functions = {
            f"{name}.{node.name}": lines
            for name, path in MODULES.items()
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.FunctionDef) and (lines := lines_of_code(node)) > 60
        }
        assert long_functions == {}


def lines_of_code(function: ast.FunctionDef) -> int:
    """Return the lines of a function, without its docstring, which is as long as its subject needs."""
    first = function.body[0]
    docstring = first if ast.get_docstring(function) else None
    length = (function.end_lineno or 0) - function.lineno + 1
    return length - ((docstring.end_lineno or 0) - docstring.lineno + 1 if docstring else 0)


def public_definitions(node: ast.AST, path: str) -> Iterator[tuple[str, ast.AST]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.ClassDef) and not child.name.startswith("_"):
            yield f"{path}.{child.name}", child
            if isinstance(child, ast.ClassDef):
                yield from public_definitions(child, f"{path}.{child.name}")


def public_classes() -> list[type]:
    values = [getattr(energy_db, name) for name in energy_db.__all__]
    return [value for value in values if inspect.isclass(value)]


def public_methods(owner: type) -> Iterator[FunctionType]:
    for name, member in vars(owner).items():
        if isinstance(member, FunctionType) and not name.startswith("_"):
            yield member


class TestDocumentation:
    def test_every_public_name_has_a_docstring(self) -> None:
        bare = [name for name, path in MODULES.items() if not ast.get_docstring(tree_of(path))]
        bare += [
            name
            for module, path in MODULES.items()
            for name, node in public_definitions(tree_of(path), module)
            if not ast.get_docstring(node)
        ]
        assert bare == []

    @pytest.mark.parametrize("owner", public_classes(), ids=lambda owner: owner.__name__)
    def test_attributes_and_parameters_of_the_public_api_are_documented(self, owner: type) -> None:
        subjects = [(owner, names_to_explain(owner))]
        subjects += [(method, set(inspect.signature(method).parameters)) for method in public_methods(owner)]
        silent = {
            f"{subject.__name__}({name})"
            for subject, names in subjects
            for name in names - {"self"}
            if not re.search(rf"\b{name}\b", subject.__doc__ or "")
        }
        assert silent == set()


def names_to_explain(owner: type) -> set[str]:
    if dataclasses.is_dataclass(owner):
        return {field.name for field in dataclasses.fields(owner) if not field.name.startswith("_")}
    if owner.__init__ is Exception.__init__:
        return set()
    return set(inspect.signature(owner.__init__).parameters)


VIEWS = {view.name: view for view in sql.views()}
PUBLIC_VIEWS = [view for view in VIEWS.values() if not view.is_private]
ROOMS_READ = {
    "activity": {"activity"},
    "energy": {"activity", "energy"},
    "compare": {"activity", "energy", "compare"},
    "mart": {"activity", "energy", "compare", "mart"},
    "checks": {"activity", "energy", "compare"},
}
TYPES = {"VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP"}
UNITS = {"pJ", "count", "s", "µs", "1", "1/timestep"}
# Numbers that say which, not how much.
ORDINALS = {
    "blessing_number",
    "busiest_neuron",
    "epoch",
    "layer_index",
    "neuron",
    "neuron_rank",
    "publication_number",
    "run_key",
    "run_number",
    "sample_index",
    "timestep",
    "training_step",
}
IN_THEIR_OWN_UNITS = {"tag_number"}


@pytest.fixture(scope="module")
def file_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnergyStore]:
    with EnergyStore(tmp_path_factory.mktemp("house") / "energy.duckdb") as store:
        yield store


@pytest.fixture(scope="module")
def types() -> public_surface.Columns:
    return public_surface.column_types()


def column_types(store: EnergyStore, name: str) -> dict[str, str]:
    return {row[0]: row[1] for row in store._engine.rows(f"DESCRIBE {name}")}


class TestSql:
    @pytest.mark.parametrize("view", VIEWS.values(), ids=lambda view: view.name)
    def test_views_read_what_their_room_may(self, view: sql.SqlObject) -> None:
        for name in sql.views_read_by(view):
            source = VIEWS[name]
            assert source.room in ROOMS_READ[view.room], f"{view.name} reads {name} of {source.room}"
            assert not source.is_private or source.room == view.room, f"{view.name} reads the private {name}"

    def test_activity_knows_no_costs(self) -> None:
        for view in (view for view in VIEWS.values() if view.room == "activity"):
            assert not re.search(r"\b(costs|cost_versions|cost_in_force|chips)\b", without_comments(view.statement))

    @pytest.mark.parametrize("thing", [*sql.tables(), *VIEWS.values()], ids=lambda thing: thing.name)
    def test_every_table_view_and_column_is_explained(self, file_store: EnergyStore, thing: sql.SqlObject) -> None:
        assert re.fullmatch(r"[A-Z].*\.", thing.sentence), thing.sentence
        assert re.fullmatch(r"one row.*\.", thing.grain), thing.grain
        assert list(thing.columns) == list(column_types(file_store, thing.name))
        assert [column for column, text in thing.columns.items() if not re.match(r"[A-Z].*[.\]]$", text)] == []

    @pytest.mark.parametrize("view", PUBLIC_VIEWS, ids=lambda view: view.name)
    def test_public_views_have_plain_types(self, file_store: EnergyStore, view: sql.SqlObject) -> None:
        types = {re.sub(r"\(.*\)", "", kind) for kind in column_types(file_store, view.name).values()}
        assert types <= TYPES | {"DECIMAL"}

    def test_a_column_name_has_one_type(self, file_store: EnergyStore) -> None:
        found: dict[str, set[str]] = defaultdict(set)
        for view in PUBLIC_VIEWS:
            for column, kind in column_types(file_store, view.name).items():
                found[column].add(kind)
        assert {column: kinds for column, kinds in found.items() if len(kinds) > 1} == {}

    def test_a_column_name_has_one_unit(self) -> None:
        found: dict[str, set[str]] = defaultdict(set)
        for view in PUBLIC_VIEWS:
            for column, text in view.columns.items():
                found[column] |= set(re.findall(r"\[(.*)\]$", text)) or {""}
        assert {column: units for column, units in found.items() if len(units) > 1} == {}
        assert all(units == {"pJ"} for column, units in found.items() if column.endswith("_pj"))

    @pytest.mark.parametrize("thing", [*PUBLIC_VIEWS, *sql.publication_tables()], ids=lambda thing: thing.name)
    def test_every_number_has_a_unit_or_says_which(self, types: public_surface.Columns, thing: sql.SqlObject) -> None:
        numbers = {name for name in thing.columns if re.match("BIGINT|DOUBLE|DECIMAL", types[thing.name, name])}
        measured = {name: found[1] for name, text in thing.columns.items() if (found := re.search(r"\[(.*)\]$", text))}
        assert set(measured.values()) <= UNITS
        assert set(measured) == numbers - ORDINALS - IN_THEIR_OWN_UNITS

    def test_the_explanations_are_in_the_catalogue(self, file_store: EnergyStore) -> None:
        public = [view for view in PUBLIC_VIEWS if view.room != "checks"]
        rows = file_store._engine.rows(
            f"SELECT {qualified('view_name')}, comment FROM duckdb_views() WHERE NOT internal"
        )
        rows += file_store._engine.rows("SELECT table_name, comment FROM duckdb_tables()")
        for thing in (*sql.tables(), *public):
            assert dict(rows)[thing.name] == f"{thing.sentence} Grain: {thing.grain}"
            columns = file_store._engine.rows(
                f"SELECT column_name, comment FROM duckdb_columns() WHERE {qualified('table_name')} = ?", [thing.name]
            )
            assert dict(columns) == thing.columns


def qualified(name: str) -> str:
    """Return SQL for a name of the catalogue as it stands in a query."""
    return f"CASE schema_name WHEN 'mart' THEN 'mart.' ELSE '' END || {name}"


def without_comments(text: str) -> str:
    return re.sub(r"--[^\n]*", "", text)


CATALOGUE = r"(costs|cost_versions|cost_in_force|chips|blessings|blessing_revocations)"
CHANGES = [
    rf"\b(UPDATE|DELETE\s+FROM|DROP\s+TABLE(\s+IF\s+EXISTS)?|TRUNCATE(\s+TABLE)?|ALTER\s+TABLE)\s+\"?{CATALOGUE}\b",
    rf"\bINSERT\s+OR\s+REPLACE\s+INTO\s+{CATALOGUE}\b",
    rf"\bMERGE\s+INTO\s+{CATALOGUE}\b",
    r"\bON\s+CONFLICT\b",
    r"\b(UPDATE|DELETE\s+FROM|DROP\s+TABLE|TRUNCATE|ALTER\s+TABLE)\s+\{",  # a name that only running shows
]
SOURCES = [*PACKAGE.rglob("*.py"), *(TOP / "migrations").rglob("*.py"), *TOP.glob("schema/*.sql")]
SOURCES += [*TOP.glob("queries/*/*.sql")]


# DuckDB changes a keyed table by rebuilding it: this migration does, and test_migrations holds every row against it.
REBUILDS = TOP / "migrations" / "versions" / "0003_drivers_and_receipts.py"
SOURCES.remove(REBUILDS)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(TOP)))
def test_nothing_changes_or_removes_a_cost_or_a_blessing(path: Path) -> None:
    text = without_comments(path.read_text(encoding="utf-8"))
    assert [match[0] for pattern in CHANGES for match in re.finditer(pattern, text, re.IGNORECASE)] == []


def test_the_search_for_changes_finds_one() -> None:
    guilty = ["update costs set energy_pj = 0", "DELETE FROM cost_versions", "DROP TABLE {name}", "ALTER TABLE chips"]
    assert all(any(re.search(pattern, text, re.IGNORECASE) for pattern in CHANGES) for text in guilty)
