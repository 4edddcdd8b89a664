"""What lies under the path of a store, before the engine is asked to open it."""

from __future__ import annotations

from pathlib import Path

from energy_db.errors import StoreError

_MAGIC, _AT = b"DUCK", 8
_OTHERS = {b"PAR1": "a Parquet file", b"SQLite format 3": "an SQLite database", b"ARROW1": "an Arrow file"}


def refuse_other_kinds(path: str) -> None:
    """Make sure that a file, if there is one, begins as a database of the engine.

    The engine would take a table (.parquet, .csv, .json) for a view of a database in memory, in which all that is
    stored is lost, and would fetch an extension from a server for a database of another kind.

    Raises
    ------
    StoreError
        If it begins otherwise.
    """
    file = Path(path)
    if not file.is_file():
        return
    try:
        with file.open("rb") as opened:
            head = opened.read(max(_AT + len(_MAGIC), *map(len, _OTHERS)))
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error
    if head[_AT : _AT + len(_MAGIC)] == _MAGIC:
        return
    kind = next((kind for magic, kind in _OTHERS.items() if head.startswith(magic)), "another kind of file")
    raise StoreError(
        f"{path} cannot be opened as a store: it is {kind if head else 'an empty file'}",
        "Name a store, or a file that does not exist yet, by --db or ENERGY_DB.",
    )
