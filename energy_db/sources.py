"""Which run files are meant: files, folders, globs."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Sequence
from pathlib import Path

from energy_db.errors import NotFoundError


def find_run_files(sources: Iterable[str]) -> list[Path]:
    """Return the run files that are meant by files, folders and globs, in order and each once.

    Raises
    ------
    NotFoundError
        If a folder or glob holds no Parquet file.
    """
    found: dict[Path, None] = {}
    for source in sources:
        found |= dict.fromkeys(_run_files_of(source))
    return list(found)


def _run_files_of(source: str) -> Sequence[Path]:
    path = Path(source)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*.parquet") if file.is_file())
        if not files:
            raise NotFoundError(f"{source}: the folder holds no .parquet file")
        return files
    if path.exists() or not glob.has_magic(source):
        return [path]
    matches = sorted(Path(match) for match in glob.iglob(source, recursive=True))  # noqa: PTH207 (absolute patterns, too)
    if not matches:
        raise NotFoundError(f"{source}: no file matches")
    return [file for match in matches for file in ([match] if match.is_file() else _run_files_of(str(match)))]
