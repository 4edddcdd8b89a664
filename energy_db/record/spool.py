"""A folder where many writers put run files at once, for one store to take them in."""

from __future__ import annotations

import filecmp
import hashlib
import json
import os
import shutil
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from os import PathLike
from pathlib import Path
from typing import Any
from uuid import uuid4

from energy_db.errors import RunFileError, StoreError, UsageError
from energy_db.intake import declaration as declared
from energy_db.intake.declaration import Declaration
from energy_db.record import journal, run_file
from energy_db.record.journal import JournaledRun
from energy_db.record.progress import read_progress
from energy_db.record.recording import Recording, declared_layer

_DIGITS_OF_A_NAME = 16
_SECONDS_OF_A_PUBLICATION = 60


class Spool:
    """A folder of run files that wait to be stored: on one machine, or shared by many.

    A store has one writer at a time; a spool has as many as there are. `energy-db ingest --spool FOLDER` stores what
    waits, and moves it to `done/`, or to `refused/` with a text that says why.

    Parameters
    ----------
    folder : path-like
        The folder; it is made when the first run goes there.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from energy_db.record import Spool
    >>> spool = Spool(mkdtemp())
    >>> path = spool.publish("examples/digits-baseline.parquet")
    >>> spool.waiting() == [path]
    True
    """

    def __init__(self, folder: str | PathLike[str]) -> None:
        self.folder = Path(folder)

    def __repr__(self) -> str:
        return f"Spool({str(self.folder)!r})"

    def publish(
        self,
        source: str | PathLike[str] | Recording | JournaledRun,
        *,
        name: str | None = None,
        roles: Mapping[str, str] | None = None,
        **known: Any,
    ) -> Path:
        """Put a run into the folder, at once and whole, under a name that is made from its content.

        Parameters
        ----------
        source : path-like, Recording or JournaledRun
            A run file, whose sidecar goes into the metadata of the copy; or a recording, as an adapter returns it.
        name : str, optional
            What to call the run; a recording needs it, unless it knows the file that it was read from.
        roles : mapping of str to {'input', 'hidden', 'readout'}, optional
            Roles of single layers.
        **known
            Anything else to know, by the keys of a sidecar: `tags`, `kind`, `seed`, `git_commit`, `recorded_at`,
            `timestep_us`, or all `layers` of the network.

        Returns
        -------
        Path
            The file in the folder.

        Raises
        ------
        UsageError
            If a recording has no name, or an argument cannot be meant.
        RunFileError
            If the file or its sidecar cannot be read.
        StoreError
            If the folder cannot be written to.
        """
        said = declared.from_options({"run": name, **known}, roles or {})
        self.make()
        unfinished = self.folder / f".{uuid4().hex}.unfinished"
        try:
            if isinstance(source, str | PathLike):
                _write_file(Path(source), said, unfinished)
            else:
                _write_recording(source, said, unfinished)
            with unfinished.open("r+b") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                os.fsync(file.fileno())
            published = self.folder / f"{digest[:_DIGITS_OF_A_NAME]}.parquet"
            unfinished.replace(published)
            _sync_folder(self.folder)
        except OSError as error:
            raise StoreError(f"{self.folder}: nothing can be put there: {error.strerror or error}") from error
        finally:
            unfinished.unlink(missing_ok=True)
        return published

    def waiting(self) -> list[Path]:
        """Return the run files that wait, the oldest first; files that are still being written are hidden.

        Raises
        ------
        StoreError
            If there is no such folder, or it cannot be read.
        """
        found = []
        for entry in self._entries():
            if entry.name.endswith(".parquet") and not entry.name.startswith("."):
                with suppress(FileNotFoundError):  # another process has moved it meanwhile
                    if entry.is_file():
                        found.append((entry.stat().st_mtime_ns, entry.name))
        return [self.folder / name for _, name in sorted(found)]

    def done(self, path: Path) -> Path | None:
        """Move a run file that is stored to `done/`; returns where it is, or None if another process moved it."""
        return _move(path, self.folder / "done")

    def refuse(self, path: Path, message: str) -> Path | None:
        """Move a run file that cannot be stored to `refused/`, beside a text that says why.

        Returns where it is, or None if another process moved it.
        """
        return _move(path, self.folder / "refused", message)

    def abandoned(self) -> list[Path]:
        """Return the journals whose writers ended without publishing them.

        A recording that came to its end is being published, which takes its time: for a minute it counts as alive.
        """
        folders = [self.folder / entry.name for entry in self._entries() if entry.name.endswith(journal.SUFFIX)]
        return sorted(folder for folder in folders if journal.is_journal(folder) and _is_abandoned(folder))

    def make(self) -> None:
        """Make the folder, if it is not there yet.

        Raises
        ------
        StoreError
            If it cannot be made.
        """
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise StoreError(f"{self.folder}: the spool cannot be made: {error.strerror}") from error

    def journal_folder(self, name: str) -> Path:
        """Return where a recording of this process that goes here has its journal; machines may share the folder."""
        return self.folder / journal.folder_name(name, socket.gethostname(), os.getpid())

    def _entries(self) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.folder) as entries:
                return list(entries)
        except FileNotFoundError as error:
            raise StoreError(
                f"{self.folder}: there is no such folder", "The first writer makes it; or make it yourself."
            ) from error
        except OSError as error:
            raise StoreError(f"{self.folder}: the spool cannot be read: {error.strerror}") from error


def _write_file(source: Path, said: Declaration, target: Path) -> None:
    """Copy a run file; all that is said of it beside the file goes into the copy."""
    if not source.is_file():
        raise RunFileError(f"{source}: no such file")
    of_file = Declaration()
    if text := run_file.declaration_of(source):
        of_file = declared.read_text(text, f"{source} (metadata key {run_file.METADATA_KEY})", "Write it as JSON text.")
    sidecar = source.with_suffix(".json")
    beside = declared.read_file(sidecar) if sidecar.is_file() else Declaration()
    full = _with_roles(said.over(beside).over(of_file).over(Declaration(name=source.stem)))
    if full == of_file:  # the same bytes stay the same file
        shutil.copyfile(source, target)
    else:
        run_file.copy_with(source, target, _as_json(full, str(source)))


def _write_recording(recording: Recording | JournaledRun, said: Declaration, target: Path) -> None:
    """Write a recording, with its counters and its name, as a run file."""
    where = recording.origin or "the recording"
    own = declared.read_mapping({**recording.declaration(), "counters": _rows_of(recording.counters)}, where)
    full = _with_roles(said.over(own))
    if recording.origin:
        full = full.over(Declaration(name=Path(recording.origin).stem))
    if full.name is None:
        raise UsageError("a run that goes to a spool needs a name", "Give it: name='evaluation'.")
    text = _as_json(full, where)
    if isinstance(recording, JournaledRun):
        replace(recording, declared=json.loads(text)).write(target)
    else:
        run_file.write(target, [layer.name for layer in full.layers or ()], recording.spikes(), text)


def _with_roles(said: Declaration) -> Declaration:
    """Return a declaration with the roles of single layers in its layers."""
    names = [layer.name for layer in said.layers or ()]
    for name in said.roles:
        if name not in names:
            listed = ", ".join(names) or "not declared"
            raise UsageError(
                f"a role is given for {name!r}, but the layers are {listed}", "Declare them: layers=[...]."
            )
    layers = tuple(replace(layer, role=said.roles.get(layer.name, layer.role)) for layer in said.layers or ())
    return replace(said, layers=layers or None, roles={})


def _rows_of(counters: Any) -> list[Mapping[str, Any]] | None:
    """Return counters, in a form that `EnergyStore.ingest` takes, as the rows of a sidecar."""
    if counters is None:
        return None
    if hasattr(counters, "to_pylist"):
        return list(counters.to_pylist())
    if isinstance(counters, Mapping):
        columns = {name: list(values) for name, values in counters.items()}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if isinstance(counters, list | tuple):
        return list(counters)
    raise UsageError(
        f"the counters of a recording are {type(counters).__name__}, which cannot go into a run file",
        "Give them as a list of rows, or as a mapping of columns.",
    )


def _as_json(said: Declaration, where: str) -> str:
    """Return a declaration in the form of a sidecar, from which the same is read."""
    layers = None if said.layers is None else [declared_layer(layer) for layer in said.layers]
    steps = said.training
    training = steps and {"epoch": steps.epochs, "n_samples": steps.n_samples, "n_spikes": steps.n_spikes}
    content = {
        "run": said.name,
        "n_timesteps": said.n_timesteps,
        "n_samples": said.n_samples,
        "timestep_us": said.timestep_us,
        "layers": layers,
        "counters": said.counters and list(said.counters.rows),
        "tags": said.tags or None,
        "kind": said.kind,
        "seed": said.seed,
        "git_commit": said.git_commit,
        "recorded_at": said.recorded_at and said.recorded_at.isoformat(),
        "training": training,
    }

    def plain(value: Any) -> Any:
        if not isinstance(value, Decimal):
            return value.item()  # a number of NumPy
        if Decimal(repr(float(value))) != value:
            raise RunFileError(f"{where}: {value} has more digits than JSON numbers keep")
        return float(value)

    return json.dumps({key: value for key, value in content.items() if value is not None}, default=plain)


def _is_abandoned(folder: Path) -> bool:
    try:
        if journal.is_being_written(folder):
            return False
        moments = read_progress(folder)
        age = time.time() - folder.stat().st_mtime
    except FileNotFoundError:  # its writer has just removed it
        return False
    return not (moments and moments[-1].is_complete and age < _SECONDS_OF_A_PUBLICATION)


def _move(path: Path, folder: Path, message: str | None = None) -> Path | None:
    """Move a run file, behind it its sidecar, so that it is never without what was said of it."""
    folder.mkdir(exist_ok=True)
    try:
        place = _free_place(path, folder)
        if message is not None:
            place.with_suffix(".txt").write_text(message + "\n", encoding="utf-8")
        path.replace(place)
    except FileNotFoundError:
        return None
    with suppress(FileNotFoundError):
        path.with_suffix(".json").replace(place.with_suffix(".json"))
    return place


def _free_place(path: Path, folder: Path) -> Path:
    """Return where a file can be moved to without covering another one of its name."""
    place, number = folder / path.name, 2
    while place.exists() and not filecmp.cmp(path, place, shallow=False):
        place = folder / f"{path.stem}-{number}{path.suffix}"
        number += 1
    return place


def _sync_folder(folder: Path) -> None:
    with suppress(PermissionError):  # Windows opens no folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
