"""`python -m benchmarks`: measure the figures of README.md, and write them there and into results/latest.json."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from benchmarks import figures
from benchmarks.against import peers
from benchmarks.figures import Measured
from benchmarks.measures import MEASURES as OF_THE_ENGINE
from benchmarks.scene import Scene

MEASURES: Mapping[str, Callable[[Scene], Iterable[Measured]]] = {**OF_THE_ENGINE, "peers": peers}


def main() -> None:
    """Measure what the command line asks for."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="energy-db-benchmarks-") as folder:
        scene = Scene(Path(folder), arguments.events, arguments.runs, arguments.pairs)
        measured = list(_measure(scene, arguments.only or list(MEASURES)))
    print(figures.text_of(measured))
    if not arguments.only:
        settings = {"events": scene.n_events, "runs": scene.n_runs, "pairs": scene.pairs}
        figures.write(measured, settings, arguments.out)


def _measure(scene: Scene, names: list[str]) -> Iterator[Measured]:
    for name in names:
        for measured in MEASURES[name](scene):
            print(measured.line, file=sys.stderr, flush=True)
            yield measured


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--events", type=_at_least(1000), default=10_000_000, help="spikes of the large run")
    parser.add_argument("--runs", type=_at_least(2), default=1000, help="runs of the history")
    parser.add_argument("--pairs", type=_at_least(1), default=9, help="how often each pair is taken")
    parser.add_argument(
        "--only", action="append", choices=list(MEASURES), help="only this measure; prints, writes nothing"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder of README.md and results/")
    return parser.parse_args()


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"must be {least} or more")
        return int(text)

    return number


if __name__ == "__main__":
    main()
