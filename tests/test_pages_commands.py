"""The options --html and --plot of the command line, and what is said without the packages that draw."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from factories import EVENTS, Shell, run_file, with_sidecar
from pages_read import Page, words_of

from energy_db import EnergyStore
from energy_db.errors import MissingExtraError
from energy_db.pages import drawing


@pytest.fixture
def small(small_store: Path) -> Iterator[EnergyStore]:
    with EnergyStore(small_store) as store:
        yield store


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
    @pytest.mark.thorough
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

    def test_by_a_grain_draws_its_figure(self, small_store: Path, shell: Shell, tmp_path: Path) -> None:
        result = shell("report", "kept", "--chip", "loihi2", "--by", "step", "--plot", "steps.svg")
        assert result.exit_code == 0, result.output
        assert "kept on loihi2: energy over time" in words_of(tmp_path / "steps.svg")

    @pytest.mark.thorough
    def test_a_comparison_by_a_grain_draws_its_figure(self, small_store: Path, shell: Shell, tmp_path: Path) -> None:
        with EnergyStore(small_store) as store:
            store.ingest(with_sidecar(run_file(tmp_path / "more.parquet", {**EVENTS, "neuron": [0, 1, 1, 1, 0, 0]})))
        result = shell("compare", "kept", "more", "--chip", "loihi2", "--by", "neuron", "--plot", "neurons.svg")
        assert result.exit_code == 0, result.output
        assert "kept → more on loihi2, by neuron" in words_of(tmp_path / "neurons.svg")

    @pytest.mark.one_in(2)
    @pytest.mark.parametrize("verb", [["report", "kept"], ["report", "kept", "--chip", "loihi2"]])
    def test_every_verb_draws_its_main_figure(
        self, small_store: Path, shell: Shell, tmp_path: Path, verb: list[str]
    ) -> None:
        for name, begins in (("a.svg", b"<svg"), ("a.png", b"\x89PNG")):
            result = shell(*verb, "--plot", name)
            assert result.exit_code == 0, result.output
            assert (tmp_path / name).read_bytes().startswith(begins)

    @pytest.mark.thorough
    def test_compare_and_trend_have_pages(self, small_store: Path, shell: Shell, tmp_path: Path) -> None:
        with EnergyStore(small_store) as store:
            store.ingest(with_sidecar(run_file(tmp_path / "more.parquet", {**EVENTS, "neuron": [0, 1, 1, 1, 0, 1]})))
        for verb in (["compare", "kept", "more"], ["trend"]):
            result = shell(*verb, "--chip", "loihi2", "--html", f"{verb[0]}.html", "--plot", f"{verb[0]}.svg")
            assert result.exit_code == 0, result.output
            assert Page((tmp_path / f"{verb[0]}.html").read_text(encoding="utf-8")).all("figure")
            ElementTree.parse(tmp_path / f"{verb[0]}.svg")

    @pytest.mark.thorough
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
