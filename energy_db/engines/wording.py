"""How SQL quotes texts and names, and what the engine's own messages are turned into."""

from __future__ import annotations

import re
from pathlib import Path

from energy_db.errors import StoreError, StoreLockedError

_BROKEN = ("FatalException", "InternalException", "SerializationException")
# How the engine says that it cannot make sense of the store's own file. Of a Parquet file or a temporary one it says
# something similar, which is not meant here.
_DAMAGE = re.compile(
    r"(?i)^corrupted |^corrupt (file|wal)|corrupt database file|database file (appears to|may) be corrupted"
    r"|table column count.* corrupt file|^in deserializedeletes"
)
# A table, of which a reader would make a database in memory; and what needs an extension to be fetched.
_OF_ANOTHER_KIND = (
    "in-memory database in read-only mode",
    "_scanner",
    "not a valid DuckDB database",
    "requires the extension",
)
WAY_BACK = "Restore it from a backup or a publication, or ingest the run files again into a new store."
CLOSE_IT = "Close the other EnergyStore, connection or SQLAlchemy engine first."


def literal(text: str) -> str:
    """Quote a text for use in a statement that takes no parameters."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Quote the name of a column."""
    return '"' + name.replace('"', '""') + '"'


def first_line(error: BaseException) -> str:
    """Return the first line of an engine's message, without its class."""
    line = str(error).strip().partition("\n")[0]
    return line.partition("Error: ")[2] or line


def write_error(path: str, error: Exception) -> StoreError:
    """Return what to say where a commit fails."""
    question = "" if "Permission denied" in str(error) else " Is the disk full?"
    return StoreError(
        f"{path} cannot be written: {first_line(error)}",
        f"Nothing was stored; the store is as it was.{question}",
    )


def trouble_of_all(path: str, error: Exception) -> StoreError | None:
    """Return what to say of trouble that any statement can have; None if the statement itself is the trouble."""
    line = first_line(error)
    if type(error).__name__ == "OutOfMemoryException":
        hint = "Raise it (--memory-limit), or take fewer threads (--threads 1). Nothing was changed."
        return StoreError(f"the memory limit is too small: {line}", hint)
    if type(error).__name__ in _BROKEN or _DAMAGE.search(line):
        return StoreError(
            f"{path} is damaged: {line}",
            "energy-db verify says what. Restore it from a backup or a publication, or ingest the run files again.",
        )
    return None


def other_kind(path: str) -> StoreError:
    """Return what to say of a file that the engine would open, but not as a database of its own."""
    return StoreError(
        f"{path} cannot be opened as a store: it is another kind of file",
        "Name a store, or a file that does not exist yet, by --db or ENERGY_DB.",
    )


def open_error(path: str, error: Exception) -> StoreError:
    """Return what to say of a file that the engine does not open."""
    message = str(error)
    if "Could not set lock" in message:
        holder = message.partition("held in ")[2].partition(". ")[0].strip() or "another process"
        return StoreLockedError(
            f"{path} is held by {holder}",
            "Wait until it is done (energy-db --wait 60 ...), or close it there. Several readers can share a store, a "
            "writer needs it alone.",
        )
    if "different configuration" in message:
        return StoreLockedError(
            f"{path} is already open in this process in another mode",
            f"{CLOSE_IT} Or use it: store.engine reads beside a store that writes.",
        )
    if any(sign in message for sign in _OF_ANOTHER_KIND):
        return other_kind(path)
    if Path(path).is_dir():
        return StoreError(f"{path} is a folder, not a store")
    if not Path(path).parent.is_dir():
        return StoreError(f"{path}: the folder {Path(path).parent} does not exist", "Create the folder first.")
    hint = f"If {path}.wal is not of this file, move it away." if Path(f"{path}.wal").exists() else None
    return StoreError(f"{path} cannot be opened as a store: {first_line(error)}", hint)
