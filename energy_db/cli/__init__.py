"""The command line: parse, call one method of the store, print. stdout is data, stderr is talk."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from energy_db.cli.app import cli

__all__ = ["cli", "main"]

_INTERRUPTED = 130


def main() -> None:
    """Run the command line; Ctrl-C ends it from its first import on, and never as a check that failed."""
    try:
        from energy_db.cli import app

        app.main()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing is half-stored\n")
        sys.exit(_INTERRUPTED)


def __getattr__(name: str) -> Any:
    # Fetched when it is first used: the imports that it takes belong into the try of `main`.
    if name == "cli":
        from energy_db.cli import app

        return app.cli
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
