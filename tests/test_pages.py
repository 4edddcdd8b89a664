"""Pages without a browser: they are whole, fetch nothing, run nothing, and show the numbers of the report.

tests/browser looks at the same pages in a real one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from factories import EVENTS, NETWORK, Shell, run_file, with_sidecar
from pages_read import HOSTILE, Page, bars, references, wide_pictures, wide_run

from energy_db import EnergyStore
from energy_db.errors import MissingExtraError, NotFoundError, UsageError
from energy_db.pages import drawing, theme
from energy_db.pages.report_figures import operation_keys
from energy_db.units import energy, percent

MEGABYTE = 1024 * 1024


@pytest.fixture
def small(small_store: Path) -> Iterator[EnergyStore]:
    with EnergyStore(small_store) as store:
        yield store


@pytest.fixture(scope="module")
def three_runs(digits: Path) -> Iterator[EnergyStore]:
    with EnergyStore(":memory:") as store:
        for name in ("baseline", "reseeded", "sparse"):
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
        store.ingest(run_file(folder / "third.parquet", {name: values[2:] for name, values in events.items()}),
                     network=network, name=HOSTILE[2], run_id="third")  # fmt: skip
        yield store


def pages_of(store: EnergyStore) -> dict[str, str]:
    """Every kind of page of the newest two runs of a store."""
    after, before = store.runs(limit=2)
    return {
        "report": store.report(after, "loihi2").to_html(),
        "ranking": store.chips(after).to_html(),
        "comparison": store.compare(before, after, "loihi2").to_html(),
        "trend": store.trend(chip="loihi2", by="layer").to_html(),
    }


@pytest.fixture(scope="module")
def pages(three_runs: EnergyStore) -> dict[str, str]:
    return pages_of(three_runs)


@pytest.fixture(scope="module")
def hostile_pages(hostile_store: EnergyStore) -> dict[str, str]:
    return pages_of(hostile_store)


class TestEveryPage:
    def test_is_whole_and_fetches_and_runs_nothing(self, pages: dict[str, str]) -> None:
        for kind, source in pages.items():
            page = Page(source)
            assert source.startswith("<!DOCTYPE html>"), kind
            assert list(references(page)) == [], kind
            assert page.all("html") == [{"lang": "en"}]
            assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")
            assert "default-src 'none'" in source
            assert len(source) < MEGABYTE / 2, kind

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

    def test_shows_names_as_they_are(self, hostile_pages: dict[str, str]) -> None:
        for kind, source in hostile_pages.items():
            page = Page(source)
            assert list(references(page)) == [], kind
            assert "\x1b" not in source
        page = Page(hostile_pages["report"])
        assert {row[0] for row in page.rows} >= set(HOSTILE)

    def test_is_the_same_again(self, three_runs: EnergyStore, pages: dict[str, str]) -> None:
        assert three_runs.trend(chip="loihi2", by="layer").to_html() == pages["trend"]

    def test_uses_colours_of_both_themes(self, pages: dict[str, str]) -> None:
        for source in pages.values():
            used = set(re.findall(r"var\(--([a-z0-9_]+)\)", source.replace("var(--up) url", "")))
            assert used <= set(theme.colours(is_dark=False)) == set(theme.colours(is_dark=True))
            drawn = "".join(wide_pictures(source))
            assert not re.search(r'(fill|stroke)="(#|rgb|black|white)', drawn)


class TestReportPage:
    def test_begins_with_the_verdict_and_ends_with_the_origin(self, small: EnergyStore) -> None:
        report = small.report("kept", "loihi2")
        text = Page(report.to_html()).text
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

    def test_draws_bars_as_long_as_the_energies(self, small: EnergyStore) -> None:
        # 4 hidden spikes of 2.1 pJ, 2 readout spikes of 1.0 pJ.
        picture = wide_pictures(small.report("kept", "loihi2").to_html())[0]
        hidden, output = (length for _, length in sorted(bars(picture).items()))
        assert hidden / output == pytest.approx(8.4 / 2.0, rel=1e-3)
        assert "8.4 pJ · 80.8%" in picture
        assert "2.0 pJ · 19.2%" in picture

    def test_shows_the_largest_layers_and_sums_the_others(self, tmp_path: Path) -> None:
        path, network, spikes = wide_run(tmp_path, 200, 10_000)
        with EnergyStore(":memory:") as store:
            run = store.ingest(path, network=network)
            source = store.report(run, "loihi2").to_html()
        assert len(source) < 3 * MEGABYTE
        page = Page(source)
        assert len([row for row in page.rows if row and re.fullmatch(r"layer\d{3}", row[0])]) >= 200
        picture = wide_pictures(source)[0]
        assert len(bars(picture)) == 24  # the bar of the others would dwarf them
        # Each spike of a hidden layer costs 2.1 pJ.
        rest = 2.1 * np_sum_of_smallest(spikes, 200 - 24)
        assert f"{energy(rest)} · {percent(rest / (2.1 * spikes.sum()))}" in picture
        assert "176 other layers" in picture
        assert len(page.all("li")) < 50  # of the savings only the largest are not folded
        assert re.search(r"All \d{3} savings", page.text)

    def test_gathers_many_timesteps(self, tmp_path: Path) -> None:
        path, network, _ = wide_run(tmp_path, 3, 10)
        with EnergyStore(":memory:") as store:
            report = store.report(store.ingest(path, network=network), "loihi2")
            entries = report.timeline(5)
            single = report.timeline()
            text = Page(report.to_html()).text
        assert "5 timesteps gathered into one" in text
        assert sum(entry.spikes for entry in entries) == report.total_spikes
        assert {entry.timestep % 5 for entry in entries} == {0}
        for entry in entries:
            inside = [e for e in single if e.layer == entry.layer and entry.timestep <= e.timestep < entry.timestep + 5]
            assert entry.spikes == sum(e.spikes for e in inside)
            assert entry.energy_pj == pytest.approx(sum(e.energy_pj for e in inside))
        with pytest.raises(UsageError, match="every is 0"):
            report.timeline(0)

    def test_shows_what_has_no_layer(self, three_runs: EnergyStore) -> None:
        source = three_runs.report("digits-baseline", "seneca").to_html()
        assert "(no layer)" in wide_pictures(source)[0]

    def test_says_when_nothing_is_priced(self, three_runs: EnergyStore, tmp_path: Path) -> None:
        report = three_runs.report("digits-baseline", "cmos32")
        assert report.total_energy_pj is None
        text = Page(report.to_html()).text
        assert "no energy is known on cmos32" in text
        assert "nothing can be told by timestep" in text
        with pytest.raises(NotFoundError, match="nothing to draw"):
            report.plot(tmp_path / "nothing.svg")

    def test_puts_chips_beside_each_other_that_compare(self, three_runs: EnergyStore) -> None:
        ranking = three_runs.chips("digits-baseline")
        page = Page(ranking.to_html())
        groups = {entry.scope_group for entry in ranking if entry.rank is not None}
        assert {f"Chips, {group}" for group in groups} <= set(page.captions)
        assert "chips are ranked only among those that they compare with" in page.text

    def test_gives_more_operations_than_colours_a_common_one(self, three_runs: EnergyStore) -> None:
        operations = [SimpleNamespace(operation=f"op{at}", energy_pj=9.0 - at) for at in range(9)]
        keys = operation_keys(SimpleNamespace(operations=operations))  # type: ignore[arg-type]
        assert [name for name, _ in keys] == ["op0", "op1", "op2", "op3", "op4", "op5", "3 other operations"]
        assert len({colour for _, colour in keys}) == 7


def np_sum_of_smallest(values: object, count: int) -> float:
    return float(sum(sorted(values)[:count]))  # type: ignore[call-overload]


class TestComparisonPage:
    def test_leads_from_before_to_after(self, three_runs: EnergyStore) -> None:
        comparison = three_runs.compare("digits-baseline", "digits-sparse", "loihi2")
        source = comparison.to_html()
        text = Page(source).text
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

    def test_warns_of_what_does_not_compare(self, small: EnergyStore, tmp_path: Path) -> None:
        longer = {**NETWORK, "n_timesteps": 9}
        other = small.ingest(with_sidecar(run_file(tmp_path / "longer.parquet", EVENTS), longer))
        comparison = small.compare("kept", other, "loihi2")
        assert not comparison.comparable
        page = Page(comparison.to_html())
        assert {"class": "notes alarm"} in page.all("ul")
        assert "NOT comparable" in page.text

    def test_of_a_run_with_itself_says_that_nothing_changed(self, small: EnergyStore) -> None:
        page = Page(small.compare("kept", "kept", "loihi2").to_html())
        assert len(wide_pictures(page.source)) == 1
        assert "hidden" in {row[0] for row in page.rows}


class TestMissingExtra:
    @pytest.fixture(autouse=True)
    def _without_the_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(drawing, "find_spec", lambda name: None)

    def test_python_names_it(self, small: EnergyStore, tmp_path: Path) -> None:
        report = small.report("kept", "loihi2")
        for draw in (report.to_html, lambda: report.plot(tmp_path / "a.svg"), small.chips("kept").to_html):
            with pytest.raises(MissingExtraError, match=r"pip install 'energy-db\[plot\]'"):
                draw()

    @pytest.mark.parametrize("option", ["--html=a.html", "--plot=a.svg"])
    def test_the_command_line_names_it_before_it_works(self, small_store: Path, shell: Shell, option: str) -> None:
        result = shell("report", "kept", "--chip", "loihi2", option)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "pip install 'energy-db[plot]'" in result.stderr

    def test_notebooks_do_without(self, small: EnergyStore) -> None:
        assert "hidden" in small.report("kept", "loihi2")._repr_html_()
        assert "hidden" in small.compare("kept", "kept", "loihi2")._repr_html_()


class TestCommandLine:
    def test_the_page_comes_beside_the_data(self, small_store: Path, shell: Shell, tmp_path: Path) -> None:
        plain = shell("report", "kept", "--chip", "loihi2", "--json")
        paged = shell("report", "kept", "--chip", "loihi2", "--json", "--html", "page.html")
        assert paged.exit_code == 0, paged.output
        assert paged.stdout == plain.stdout
        assert "the page is page.html" in paged.stderr
        page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
        assert "10.4 pJ" in page.text
        assert "On other chips" in page.text
        assert sorted(path.name for path in tmp_path.glob("*.html")) == ["page.html"]

    @pytest.mark.parametrize("verb", [["report", "kept"], ["report", "kept", "--chip", "loihi2"]])
    def test_every_verb_draws_its_main_figure(
        self, small_store: Path, shell: Shell, tmp_path: Path, verb: list[str]
    ) -> None:
        for name, begins in (("a.svg", b"<svg"), ("a.png", b"\x89PNG")):
            result = shell(*verb, "--plot", name)
            assert result.exit_code == 0, result.output
            assert (tmp_path / name).read_bytes().startswith(begins)

    def test_compare_and_trend_have_pages(self, small_store: Path, shell: Shell, tmp_path: Path) -> None:
        with EnergyStore(small_store) as store:
            store.ingest(with_sidecar(run_file(tmp_path / "more.parquet", {**EVENTS, "neuron": [0, 1, 1, 1, 0, 1]})))
        for verb in (["compare", "kept", "more"], ["trend"]):
            result = shell(*verb, "--chip", "loihi2", "--html", f"{verb[0]}.html", "--plot", f"{verb[0]}.svg")
            assert result.exit_code == 0, result.output
            assert Page((tmp_path / f"{verb[0]}.html").read_text(encoding="utf-8")).all("figure")
            ElementTree.parse(tmp_path / f"{verb[0]}.svg")

    def test_a_run_file_has_a_page(self, shell: Shell, tmp_path: Path) -> None:
        with_sidecar(run_file(tmp_path / "loose.parquet"))
        result = shell("report", "loose.parquet", "--chip", "loihi2", "--html", "page.html")
        assert result.exit_code == 0, result.output
        text = Page((tmp_path / "page.html").read_text(encoding="utf-8")).text
        assert "10.4 pJ" in text
        assert "Energy over time" in text
        assert "energy-db report loose.parquet --chip loihi2" in text

    @pytest.mark.parametrize(
        ("options", "exit_code", "says"),
        [
            (["--plot", "a.pdf"], 2, "ends in .svg or .png"),
            (["--html", "a.svg", "--plot", "a.svg"], 2, "both name"),
            (["--html", "-"], 2, "--html - is not needed"),
            (["--html", "energy.duckdb"], 2, "is the store itself"),
            (["--html", "nowhere/a.html"], 4, "does not exist"),
            (["--plot", "."], 2, "ends in .svg or .png"),
        ],
    )
    def test_refuses_before_it_works(
        self, small_store: Path, shell: Shell, options: list[str], exit_code: int, says: str
    ) -> None:
        result = shell("report", "kept", "--chip", "loihi2", *options)
        assert (result.exit_code, result.stdout) == (exit_code, ""), result.output
        assert says in result.stderr


class TestPictures:
    def test_are_sound_whatever_the_names(self, hostile_store: EnergyStore, tmp_path: Path) -> None:
        path = tmp_path / "figure.svg"
        hostile_store.report("first", "loihi2").plot(path)
        root = ElementTree.parse(path).getroot()
        words = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
        assert HOSTILE[0] in words
        assert r"\x1b[31m" in words

    def test_bring_their_title_and_the_key_of_colours(self, three_runs: EnergyStore, tmp_path: Path) -> None:
        path = tmp_path / "figure.svg"
        three_runs.report("digits-baseline", "loihi2").plot(path)
        words = "".join(ElementTree.parse(path).getroot().itertext())
        assert "digits-baseline on loihi2: energy by layer and operation" in words
        assert "synapse_lookup" in words
        assert "var(" not in path.read_text(encoding="utf-8")

    def test_name_the_two_formats(self, small: EnergyStore, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"neither .svg nor .png"):
            small.report("kept", "loihi2").plot(tmp_path / "figure.gif")
