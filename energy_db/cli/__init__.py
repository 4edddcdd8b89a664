"""The command line: parse, call one method of the store, print. stdout is data, stderr is talk."""

from energy_db.cli.app import cli, main

__all__ = ["cli", "main"]
