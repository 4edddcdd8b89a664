"""Pages without a browser: they are whole, fetch nothing, run nothing, and show the numbers of the report.

tests/browser looks at the same pages in a real one.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from factories import EVENTS, NETWORK, run_file, with_sidecar
from pages_read import HOSTILE, Page, bars, references, wide_pictures, wide_run, words_of

from energy_db import EnergyStore
from energy_db.comparisons.comparison import Comparison
from energy_db.errors import NotFoundError, UsageError
from energy_db.pages import drawing, report_figures, theme, trend_page
from energy_db.reports.report import Report
from energy_db.units import energy, percent

MEGABYTE = 1024 * 1024


@pytest.fixture
def small(small_store: Path) -> Iterator[EnergyStore]:
    with EnergyStore(small_store) as store:
        yield store


@pytest.fixture(scope="module")
def two_runs(digits: Path) -> Iterator[EnergyStore]:
    with EnergyStore(":memory:") as store:
        for name in ("baseline", "sparse"):
            store.ingest(digits / f"digits-{name}.parquet")
        yield store


@pytest.fixture(scope="module")
def hostile_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EnergyStore]:
    """A store whose run, layers and tags are named as somebody would who wants a page to run something."""
    folder = tmp_path_factory.mktemp("hostile")
    layers = [
        {"name": name, "role": "hidden", "n_inputs": 3, "n_neurons": 3, "fan_out": 2} for name in (*HOSTILE, "\x1b[31m")
    ]
    names = [layer["name"] for layer in layers]
    events = {"layer": [*names, names[0]], "neuron": [0] * len(names) + [1], "timestep": [0] * (len(names) + 1)}
    path = run_file(folder / "hostile.parquet", events)
    network = {"n_timesteps": 1, "n_samples": 1, "layers": layers}
    with EnergyStore(":memory:") as store:
        store.ingest(path, network=network, name=HOSTILE[0], run_id="first")
        more = {name: values[1:] for name, values in events.items()}
        store.ingest(run_file(folder / "next.parquet", more), network=network, name=HOSTILE[1], run_id="second")
        yield store


def pages_of(store: EnergyStore) -> dict[str, str]:
    """Every kind of page of the newest two runs of a store."""
    after, before = store.runs(limit=2)
    return {
        "report": store.report(after, "loihi2").to_html(),
        "ranking": store.chips(before).to_html(),
        "comparison": store.compare(before, after, "loihi2").to_html(),
        "trend": store.trend(chip="loihi2", by="layer").to_html(),
    }


@pytest.fixture(scope="module")
def pages(two_runs: EnergyStore) -> dict[str, str]:
    return pages_of(two_runs)


@pytest.fixture(scope="module")
def comparison(two_runs: EnergyStore) -> Comparison:
    return two_runs.compare("digits-baseline", "digits-sparse", "loihi2")


@pytest.fixture(scope="module")
def comparison_page(comparison: Comparison) -> str:
    return comparison.to_html()


@pytest.fixture(scope="module")
def ranking_page(two_runs: EnergyStore) -> str:
    return two_runs.chips("digits-baseline").to_html()


@pytest.fixture(scope="module")
def kept_and_more(_small_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comparison]:
    """What the first three events of `kept` cost, against all of them."""
    folder = tmp_path_factory.mktemp("more")
    events = {name: values[:3] for name, values in EVENTS.items()}
    with EnergyStore(shutil.copy(_small_store, folder / "energy.duckdb")) as store:
        store.ingest(with_sidecar(run_file(folder / "more.parquet", events)))
        yield store.compare("kept", "more", "loihi2")


@pytest.fixture(scope="module")
def hostile_pages(hostile_store: EnergyStore) -> dict[str, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trend_page, "MOST_SERIES", 1)  # each takes a while to draw
        return pages_of(hostile_store)


@pytest.fixture(scope="module")
def kept(_small_store: Path) -> Iterator[Report]:
    """The report of the run `kept`."""
    with EnergyStore(_small_store, read_only=True) as store:
        yield store.report("kept", "loihi2")


@pytest.fixture(scope="module")
def kept_page(kept: Report) -> str:
    return kept.to_html()


def assert_colours_of_both_themes(source: str) -> None:
    used = set(re.findall(r"var\(--([a-z0-9_]+)\)", source.replace("var(--up) url", "")))
    assert used <= set(theme.colours(is_dark=False)) == set(theme.colours(is_dark=True))
    drawn = "".join(wide_pictures(source))
    assert not re.search(r'(fill|stroke)="(#|rgb|black|white)', drawn)


class TestEveryPage:
    @pytest.mark.thorough
    def test_is_whole_and_fetches_and_runs_nothing(self, pages: dict[str, str]) -> None:
        for kind, source in pages.items():
            page = Page(source)
            assert source.startswith("<!DOCTYPE html>"), kind
            assert list(references(page)) == [], kind
            assert page.all("html") == [{"lang": "en"}]
            assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")
            assert "default-src 'none'" in source
            assert len(source) < MEGABYTE / 2, kind

    @pytest.mark.thorough
    def test_says_what_its_figures_show_and_their_numbers(self, pages: dict[str, str]) -> None:
        for kind, source in pages.items():
            page = Page(source)
            pictures = [attributes for attributes in page.all("div") if attributes.get("role") == "img"]
            assert len(pictures) == 2 * len(page.all("figure")), kind
            assert all(attributes["aria-labelledby"] for attributes in pictures)
            assert len(page.captions) >= len(page.all("figure"))
            scopes = {attributes.get("scope") for attributes in page.all("th")}
            assert scopes == {"row", "col"}
            assert len(page.all("h1")) == len(page.all("title")) == 1

    @pytest.mark.thorough
    def test_shows_names_as_they_are(self, hostile_pages: dict[str, str]) -> None:
        for kind, source in hostile_pages.items():
            page = Page(source)
            assert list(references(page)) == [], kind
            assert "\x1b" not in source
        page = Page(hostile_pages["report"])
        assert {row[0] for row in page.rows} >= set(HOSTILE)

    def test_uses_colours_of_both_themes(self, kept_page: str, comparison_page: str) -> None:
        for source in (kept_page, comparison_page):
            assert_colours_of_both_themes(source)

    @pytest.mark.thorough
    def test_uses_colours_of_both_themes_however_much_it_draws(self, pages: dict[str, str]) -> None:
        for source in pages.values():
            assert_colours_of_both_themes(source)


class TestReportPage:
    @pytest.mark.thorough
    def test_begins_with_the_verdict_and_ends_with_the_origin(self, kept: Report, kept_page: str) -> None:
        report, text = kept, Page(kept_page).text
        assert text.index(report.why) < text.index("10.4 pJ") < text.index("Where the energy goes")
        foot = text[text.index("Where the figures are from") :]
        for fact in (
            report.run.run_id,
            report.run.content_hash,
            report.provenance["report_hash"],
            report.provenance["costs"]["content_hash"],
            report.provenance["costs"]["source"],
            "(tutorial)",
            f"energy-db report {report.run.run_id} --chip loihi2 --cost tutorial72 --html FILE",
        ):
            assert fact in foot

    def test_draws_bars_as_long_as_the_energies(self, kept_page: str) -> None:
        # 4 hidden spikes of 2.1 pJ, 2 readout spikes of 1.0 pJ.
        picture = wide_pictures(kept_page)[0]
        hidden, output = (length for _, length in sorted(bars(picture).items()))
        assert hidden / output == pytest.approx(8.4 / 2.0, rel=1e-3)
        assert "8.4 pJ · 80.8%" in picture
        assert "2.0 pJ · 19.2%" in picture

    @pytest.mark.thorough
    def test_shows_the_largest_layers_and_sums_the_others(self, tmp_path: Path) -> None:
        path, network, spikes = wide_run(tmp_path, 40, 100)
        with EnergyStore(":memory:") as store:
            run = store.ingest(path, network=network)
            source = store.report(run, "loihi2").to_html()
        assert len(source) < MEGABYTE
        page = Page(source)
        assert len([row for row in page.rows if row and re.fullmatch(r"layer\d{3}", row[0])]) >= 40
        picture = wide_pictures(source)[0]
        assert len(bars(picture)) == 24  # the bar of the others would dwarf them
        # Each spike of a hidden layer costs 2.1 pJ.
        rest = 2.1 * sum(sorted(spikes)[: 40 - 24])
        assert f"{energy(rest)} · {percent(rest / (2.1 * spikes.sum()))}" in picture
        assert "16 other layers" in picture
        assert len(page.all("li")) < 50  # of the savings only the largest are not folded
        assert re.search(r"All \d{2,3} savings", page.text)

    def test_gathers_many_timesteps(self, tmp_path: Path) -> None:
        path, network, _ = wide_run(tmp_path, 3, 10)
        with EnergyStore(":memory:") as store:
            report = store.report(store.ingest(path, network=network), "loihi2")
            entries = report.timeline(5)
            single = report.timeline()
            figure = report_figures.step_figure(report)
        assert figure is not None
        assert "5 timesteps gathered into one" in figure.says
        assert sum(entry.spikes for entry in entries) == report.total_spikes
        assert {entry.timestep % 5 for entry in entries} == {0}
        for entry in entries:
            inside = [e for e in single if e.layer == entry.layer and entry.timestep <= e.timestep < entry.timestep + 5]
            assert entry.spikes == sum(e.spikes for e in inside)
            assert entry.energy_pj == pytest.approx(sum(e.energy_pj for e in inside))
        with pytest.raises(UsageError, match="every is 0"):
            report.timeline(0)

    def test_shows_what_has_no_layer(self, two_runs: EnergyStore) -> None:
        figure = report_figures.layer_figure(two_runs.report("digits-baseline", "seneca"))
        assert figure is not None
        assert "(no layer)" in drawing.inline(figure.drawing, drawing.WIDE)

    def test_says_when_nothing_is_priced(self, two_runs: EnergyStore, tmp_path: Path) -> None:
        report = two_runs.report("digits-baseline", "cmos32")
        assert report.total_energy_pj is None
        text = Page(report.to_html()).text
        assert "no energy is known on cmos32" in text
        assert "nothing can be told by timestep" in text
        with pytest.raises(NotFoundError, match="nothing to draw"):
            report.plot(tmp_path / "nothing.svg")

    def test_puts_chips_beside_each_other_that_compare(self, two_runs: EnergyStore, ranking_page: str) -> None:
        ranking, page = two_runs.chips("digits-baseline"), Page(ranking_page)
        groups = {entry.scope_group for entry in ranking if entry.rank is not None}
        assert {f"Chips, {group}" for group in groups} <= set(page.captions)
        assert "chips are ranked only among those that they compare with" in page.text

    def test_gives_more_operations_than_colours_a_common_one(self) -> None:
        operations = [SimpleNamespace(operation=f"op{at}", energy_pj=9.0 - at) for at in range(9)]
        keys = report_figures.operation_keys(SimpleNamespace(operations=operations))  # type: ignore[arg-type]
        assert [key.meaning for key in keys] == ["op0", "op1", "op2", "op3", "op4", "op5", "3 other operations"]
        assert len({key.colour for key in keys}) == 7


class TestComparisonPage:
    def test_leads_from_before_to_after(self, comparison: Comparison, comparison_page: str) -> None:
        source, text = comparison_page, Page(comparison_page).text
        assert comparison.why in text
        assert "Comparable: yes" in text
        assert "98.1 % → 94.4 %" in text  # the runs' tag accuracy
        waterfall = wide_pictures(source)[0]
        lengths = [length for _, length in sorted(bars(waterfall).items())]
        before, *steps, after = lengths
        assert before / after == pytest.approx(comparison.total_a_pj / comparison.total_b_pj, rel=1e-3)
        shown = [amount for amount in vars(comparison.effects).values() if abs(amount) >= 1e-6]
        for length, amount in zip(steps, shown, strict=True):
            assert length / before == pytest.approx(abs(amount) / comparison.total_a_pj, rel=1e-2)

    @pytest.mark.thorough
    def test_warns_of_what_does_not_compare(self, small: EnergyStore, tmp_path: Path) -> None:
        longer = {**NETWORK, "n_timesteps": 9}
        other = small.ingest(with_sidecar(run_file(tmp_path / "longer.parquet", EVENTS), longer))
        comparison = small.compare("kept", other, "loihi2")
        assert not comparison.comparable
        page = Page(comparison.to_html())
        assert {"class": "notes alarm"} in page.all("ul")
        assert "NOT comparable" in page.text

    @pytest.mark.thorough
    def test_of_a_run_with_itself_says_that_nothing_changed(self, small: EnergyStore) -> None:
        page = Page(small.compare("kept", "kept", "loihi2").to_html())
        assert len(wide_pictures(page.source)) == 1
        assert "hidden" in {row[0] for row in page.rows}


class TestPictures:
    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(
        ("by", "says"),
        [
            (None, "energy by layer and operation"),
            ("layer", "energy by layer and operation"),
            ("operation", "energy by operation"),
            ("neuron", "the costliest neurons"),
            ("step", "energy over time"),
        ],
    )
    def test_of_a_report_by_each_grain(self, kept: Report, tmp_path: Path, by: str | None, says: str) -> None:
        kept.plot(tmp_path / "figure.svg", by)
        assert f"kept on loihi2: {says}" in words_of(tmp_path / "figure.svg")

    @pytest.mark.one_in(3)
    @pytest.mark.parametrize(
        ("by", "title", "words"),
        [
            (None, "kept → more on loihi2", "before: kept"),
            ("effect", "kept → more on loihi2", "before: kept"),
            ("layer", "kept → more on loihi2, by layer", "hidden"),
            ("operation", "kept → more on loihi2, by operation", "synapse_lookup"),
            ("neuron", "kept → more on loihi2, by neuron", "hidden / 2"),
        ],
    )
    def test_of_a_comparison_by_each_grain(
        self, kept_and_more: Comparison, tmp_path: Path, by: str | None, title: str, words: str
    ) -> None:
        kept_and_more.plot(tmp_path / "figure.svg", by)
        said = words_of(tmp_path / "figure.svg")
        assert {title, words} <= said

    def test_of_no_such_grain_or_of_nothing(self, kept: Report, small: EnergyStore, tmp_path: Path) -> None:
        same = small.compare("kept", "kept", "loihi2")
        for thing in (kept, same):
            with pytest.raises(UsageError, match="by is 'chip', must be one of"):
                thing.plot(tmp_path / "figure.svg", "chip")
        with pytest.raises(NotFoundError, match="no layer changed on loihi2"):
            same.plot(tmp_path / "figure.svg", "layer")

    @pytest.mark.thorough
    def test_are_sound_whatever_the_names(self, hostile_store: EnergyStore, tmp_path: Path) -> None:
        path = tmp_path / "figure.svg"
        hostile_store.report("first", "loihi2").plot(path)
        words = words_of(path)
        assert HOSTILE[0] in words
        assert r"\x1b[31m" in words

    def test_bring_their_title_and_the_key_of_colours(self, two_runs: EnergyStore, tmp_path: Path) -> None:
        path = tmp_path / "figure.svg"
        two_runs.report("digits-baseline", "loihi2").plot(path)
        words = "".join(ElementTree.parse(path).getroot().itertext())
        assert "digits-baseline on loihi2: energy by layer and operation" in words
        assert "synapse_lookup" in words
        assert "var(" not in path.read_text(encoding="utf-8")

    def test_name_the_two_formats(self, small: EnergyStore, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"neither .svg nor .png"):
            small.report("kept", "loihi2").plot(tmp_path / "figure.gif")
