"""The journal of a live recording: a folder that survives the death of its writer.

It holds an Arrow stream of events and what was declared at the start. Each batch of the stream carries how far the
recording had come, so that whatever prefix of the stream is whole can be read as a run.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from energy_db.errors import RunFileError, StoreError
from energy_db.intake.declaration import TRAINING
from energy_db.intake.training import joined
from energy_db.record import run_file
from energy_db.record.reach import completed

if TYPE_CHECKING:
    import pyarrow

SUFFIX = ".recording"
# What the last batch of a recording that came to its end says beside how far it had come.
COMPLETE = "complete"
DECLARATION, _EVENTS = "declaration.json", "events.arrows"
_REACHED = b"reached"
_open_here: set[Path] = set()


class Journal:
    """A journal that is being written; one process, one thread at a time.

    Parameters
    ----------
    folder : Path
        The folder; it must not exist.
    declaration : mapping
        What is declared of the run, in the form of a sidecar.

    Raises
    ------
    StoreError
        If the folder exists, or cannot be made.
    """

    def __init__(self, folder: Path, declaration: Mapping[str, Any]) -> None:
        self.folder = folder.absolute()
        try:
            self.folder.mkdir()
        except FileExistsError as error:
            raise StoreError(
                f"{folder}: an earlier recording is there",
                f"If it was cut short, keep what it holds: energy-db ingest {folder}; then remove the folder.",
            ) from error
        except OSError as error:
            raise StoreError(f"{folder} cannot be made: {error.strerror}") from error
        try:
            self._begin(declaration)
        except OSError as error:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise StoreError(f"{folder} cannot be written: {error.strerror or error}", "Is the disk full?") from error

    def _begin(self, declaration: Mapping[str, Any]) -> None:
        import pyarrow as pa

        (self.folder / DECLARATION).write_text(json.dumps(declaration), encoding="utf-8")
        self._file = (self.folder / _EVENTS).open("wb")
        _lock(self._file.fileno())
        _open_here.add(self.folder)
        columns = run_file.schema("")
        self._stream = pa.ipc.new_stream(
            self._file, columns.remove_metadata(), options=pa.ipc.IpcWriteOptions(compression="lz4")
        )

    def append(self, batch: pyarrow.RecordBatch, reached: Mapping[str, Any]) -> None:
        """Write a batch to the disk; when this returns, it outlives the process.

        Parameters
        ----------
        batch : pyarrow.RecordBatch
            Rows of a run file.
        reached : mapping
            How far the recording has come, as keys of a sidecar.

        Raises
        ------
        StoreError
            If it cannot be written; what was written before stays.
        """
        try:
            self._stream.write_batch(batch, custom_metadata={_REACHED: json.dumps(reached)})
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise StoreError(
                f"{self.folder} cannot be written: {error.strerror or error}",
                f"Is the disk full? Keep what was written before: energy-db ingest {self.folder}",
            ) from error

    def close(self) -> None:
        """End the stream, and leave it for whoever reads it."""
        if not self._file.closed:
            # Each batch is on the disk, or its writer was told that it is not: only the mark of the end can be missing.
            with suppress(OSError):
                self._stream.close()
            with suppress(OSError):
                self._file.close()
            _open_here.discard(self.folder)


def is_journal(folder: Path) -> bool:
    """Whether a folder is that of a live recording, finished or cut short."""
    return (folder / DECLARATION).is_file() and (folder / _EVENTS).is_file()


def is_being_written(folder: Path) -> bool:
    """Whether the writer of a journal lives; where files cannot be locked, only that of this process is known."""
    return folder.absolute() in _open_here or _is_locked(folder / _EVENTS)


def folder_name(name: str, *apart: object) -> str:
    """Return what the journal of a run is called, kept apart from others of the name by process or machine."""
    signs = "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in name).lstrip(".")
    return "-".join([signs, *map(str, apart)]) + SUFFIX


def remove(folder: Path) -> None:
    """Remove a journal whose events are kept elsewhere."""
    shutil.rmtree(folder)


@dataclass(frozen=True)
class JournaledRun:
    """A live recording, as its journal holds it; `EnergyStore.ingest` takes it.

    Attributes
    ----------
    folder : Path
        The journal.
    declared : mapping
        What is declared of it, in the form of a sidecar.
    origin : str, optional
        Where it came from, in the words of the store.
    notes : tuple of str
        What its reader should know.
    counters : None
        Nothing is counted beside spikes.
    """

    folder: Path
    declared: Mapping[str, Any]
    origin: str | None = None
    notes: tuple[str, ...] = ()
    counters: None = None

    def declaration(self) -> dict[str, Any]:
        """Return what the recording declares, in the form of a sidecar."""
        return dict(self.declared)

    def write(self, path: str | PathLike[str]) -> Path:
        """Write it as a run file, at once and whole; a file that exists is replaced."""
        target = Path(path)
        columns = run_file.schema(json.dumps(self.declaration()))
        run_file.write_batches(target, (batch for batch, _ in _batches(self.folder)), columns)
        return target


def recover(folder: str | PathLike[str]) -> JournaledRun:
    """Return what a recording that was cut short had brought to its journal.

    Parameters
    ----------
    folder : path-like
        The journal, a folder `NAME.recording` beside what was to be written.

    Raises
    ------
    RunFileError
        If it is no journal, is still being written, or holds no events.

    Examples
    --------
    After a crash, `EnergyStore.ingest(recover("run.recording"))` stores what was recorded until then; so does
    `energy-db ingest run.recording`.
    """
    path = Path(folder).absolute()
    if not is_journal(path):
        raise RunFileError(f"{path}: is not the folder of a recording", f"It is called NAME{SUFFIX}.")
    if is_being_written(path):
        raise RunFileError(f"{path}: is still being recorded", "Wait for its end, or stop it.")
    n_events = 0
    reached: dict[str, Any] = {}
    steps: list[Any] = []
    for batch, reached_then in _batches(path):
        n_events += batch.num_rows
        steps += [reached_then[TRAINING]] if TRAINING in reached_then else []
        reached = reached_then
    if not reached:
        raise RunFileError(
            f"{path}: the recording ended before anything was written, or its beginning is damaged",
            "Nothing can be read of it: remove the folder.",
        )
    declared = _declared(path, reached, steps)
    found = f"{n_events} events of {declared.get('n_samples')} samples; remove {path} once you have them"
    how = "recorded to its end" if COMPLETE in reached else "cut short"
    return JournaledRun(path, declared, str(path), (f"{how}: {found}",))


def _declared(folder: Path, reached: Mapping[str, Any], steps: Sequence[Any]) -> dict[str, Any]:
    """Return what was declared of a recording at its start, completed by how far it had come."""
    try:
        declared = completed(json.loads((folder / DECLARATION).read_text(encoding="utf-8")), reached)
        if steps:
            declared[TRAINING] = joined(steps)
        if COMPLETE not in reached:
            declared["tags"] = {**declared.get("tags", {}), "recording": "cut short"}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise RunFileError(
            f"{folder}: the declaration of the recording is damaged: {type(error).__name__}: {error}",
            f"Mend its {DECLARATION}, which is written like a sidecar.",
        ) from error
    return declared


def _batches(folder: Path) -> Iterator[tuple[pyarrow.RecordBatch, dict[str, Any]]]:
    """Yield the batches that were written to their ends, each with how far the recording had come."""
    import pyarrow as pa

    with (folder / _EVENTS).open("rb") as source:
        try:
            stream = pa.ipc.open_stream(source)
        except (pa.ArrowException, OSError, MemoryError):  # not even the schema is whole
            return
        if stream.schema.names != run_file.schema("{}").names:
            return
        while whole := _next_whole(stream):
            yield whole


def _next_whole(stream: pyarrow.RecordBatchReader) -> tuple[pyarrow.RecordBatch, dict[str, Any]] | None:
    """Return the next batch with how far the recording had come; None at the end, or where the stream is damaged."""
    import pyarrow as pa

    try:
        batch, about = stream.read_next_batch_with_custom_metadata()
        batch.validate(full=True)
        return batch, dict(json.loads(about[_REACHED]))
    except (StopIteration, pa.ArrowException, OSError, MemoryError, ValueError, LookupError, TypeError):
        return None


def _lock(descriptor: int) -> None:
    # A lock of fcntl goes with its process, and is not inherited by the workers of a data loader.
    with suppress(ImportError):
        import fcntl

        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_locked(path: Path) -> bool:
    with suppress(ImportError):
        import fcntl

        with path.open("r+b") as file:
            try:
                fcntl.lockf(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
    return False
