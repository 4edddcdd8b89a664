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

    Attributes
    ----------
    folder : Path
        The folder.
    n_events : int
        Events on the disk.

    Raises
    ------
    StoreError
        If the folder exists, or cannot be made.
    """

    def __init__(self, folder: Path, declaration: Mapping[str, Any]) -> None:
        self.folder = folder.absolute()
        self.n_events = 0
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
        self.n_events += batch.num_rows

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
    n_events : int
        Events that it holds: as many were written to it, or could be read of it.
    origin : str, optional
        Where it came from, in the words of the store.
    notes : tuple of str
        What its reader should know.
    counters : None
        Nothing is counted beside spikes.
    """

    folder: Path
    declared: Mapping[str, Any]
    n_events: int
    origin: str | None = None
    notes: tuple[str, ...] = ()
    counters: None = None

    def declaration(self) -> dict[str, Any]:
        """Return what the recording declares, in the form of a sidecar."""
        return dict(self.declared)

    def write(self, path: str | PathLike[str]) -> Path:
        """Write it as a run file, at once and whole; a file that exists is replaced.

        Raises
        ------
        RunFileError
            If the journal is damaged: nothing is written then.
        StoreError
            If it cannot be read, or memory runs out.
        """
        target = Path(path)
        columns = run_file.schema(json.dumps(self.declaration()))
        try:
            run_file.write_batches(target, self._all_batches(), columns)
        except MemoryError as error:
            raise StoreError(f"{self.folder}: memory ran out while it was read", run_file.MORE_MEMORY) from error
        return target

    def _all_batches(self) -> Iterator[pyarrow.RecordBatch]:
        events = _events_of(self.folder)
        for batch, _ in events.batches():
            yield batch
        # What is behind damage looks as if it had never been: whoever writes less must not think it is all.
        if events.n_rows != self.n_events:
            raise RunFileError(
                f"{self.folder}: {events.damage or 'was changed'}: "
                f"{events.n_rows} of its {self.n_events} events can be read",
                "A copy of the folder may hold the rest.",
            )


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
    StoreError
        If it cannot be read, or memory runs out.

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
    events = _events_of(path)
    reached: dict[str, Any] = {}
    steps: list[Any] = []
    for _, reached_then in events.batches():
        steps += [reached_then[TRAINING]] if TRAINING in reached_then else []
        reached = reached_then
    if not reached:
        raise _nothing_in(path, events.damage)
    declared = _declared(path, reached, steps)
    note = _note(
        path, f"{events.n_rows} events of {declared.get('n_samples')} samples", COMPLETE in reached, events.damage
    )
    return JournaledRun(path, declared, events.n_rows, str(path), (note,))


def _note(folder: Path, found: str, is_complete: bool, damage: str | None) -> str:
    """Say what was found in a journal, and whether anything is left in it."""
    if damage is None or is_complete:
        how = "recorded to its end" if is_complete else "cut short"
        return f"{how}: {found}; remove {folder} once you have them"
    return f"cut short, or {damage}: {found}; what is behind cannot be read: keep {folder} if it matters"


def _nothing_in(folder: Path, damage: str | None) -> RunFileError:
    what = f"{folder}: the recording ended before anything was written"
    if damage is None:
        return RunFileError(what, "Nothing is in it: remove the folder.")
    return RunFileError(f"{what}, or is {damage}", "Nothing can be read of it; a copy of the folder may hold more.")


def _declared(folder: Path, reached: Mapping[str, Any], steps: Sequence[Any]) -> dict[str, Any]:
    """Return what was declared of a recording at its start, completed by how far it had come."""
    try:
        text = (folder / DECLARATION).read_bytes()
    except OSError as error:
        raise StoreError(
            f"{folder / DECLARATION} cannot be read: {error.strerror or error}", run_file.READ_AGAIN
        ) from error
    try:
        declared = completed(json.loads(text.decode("utf-8")), reached)
        if steps:
            declared[TRAINING] = joined(steps)
        if COMPLETE not in reached:
            declared["tags"] = {**declared.get("tags", {}), "recording": "cut short"}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise RunFileError(
            f"{folder}: the declaration of the recording is damaged: {type(error).__name__}: {error}",
            f"Mend its {DECLARATION}, which is written like a sidecar.",
        ) from error
    return declared


def _events_of(folder: Path) -> run_file.Stream:
    return run_file.Stream(folder / _EVENTS, _reached)


def _reached(batch: pyarrow.RecordBatch, about: Mapping[bytes, bytes]) -> dict[str, Any]:
    """Return how far the recording had come with a batch.

    Raises
    ------
    ValueError, LookupError, TypeError
        If the batch does not say it, or says it of other layers than its own.
    """
    reached = dict(json.loads(about[_REACHED]))
    layers = set(batch.column("layer").dictionary.to_pylist())
    of_layers = [reached["n_neurons"], joined([reached[TRAINING]])["n_spikes"] if TRAINING in reached else layers]
    if any(set(each) != layers for each in of_layers) or not {"n_timesteps", "n_samples"} <= reached.keys():
        raise LookupError("how far the recording had come")
    return reached


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
