"""Which run files are meant: files, folders, globs."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from energy_db.errors import RunFileError
from energy_db.record.journal import is_journal


def find_run_files(sources: Iterable[str]) -> tuple[list[Path], list[RunFileError]]:
    """Return the run files that are meant by files, folders and globs, in order and each once.

    Returns
    -------
    tuple of (list of Path, list of RunFileError)
        The files, and what is wrong with the folders and globs that hold none.
    """
    found: dict[Path, None] = {}
    errors = []
    for source in sources:
        try:
            found |= dict.fromkeys(_run_files_of(source))
        except RunFileError as error:
            errors.append(error)
    return list(found), errors


def _run_files_of(source: str) -> list[Path]:
    path = Path(source)
    if path.is_dir() and not is_journal(path):
        return _run_files_in(path)
    if path.exists():
        return [path]
    if not glob.has_magic(source):
        raise RunFileError(f"{source}: no such file")
    matches = sorted(Path(match) for match in glob.iglob(source, recursive=True))  # noqa: PTH207 (absolute ones, too)
    if not matches:
        raise RunFileError(f"{source}: no file matches")
    return [file for match in matches for file in (_run_files_in(match) if match.is_dir() else [match])]


def _run_files_in(folder: Path) -> list[Path]:
    files = sorted(file for file in folder.rglob("*.parquet") if file.is_file())
    if not files:
        raise RunFileError(f"{folder}: the folder holds no .parquet file")
    return files
