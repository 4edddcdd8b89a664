"""Run files as they are written: Parquet, one row for each event, the declaration in the metadata.

And streams of such rows, as they are read back.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from io import BufferedReader, FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from energy_db.errors import EnergyDbError, RunFileError, StoreError, UsageError
from energy_db.record.spikes import Spikes, from_events

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow

METADATA_KEY = "energy_db"
ROWS_OF_A_GROUP = 1_000_000
READ_AGAIN = "It is as it was: try again, or copy it to another disk first."
MORE_MEMORY = "It is as it was: try again with more memory; if no memory is enough, it is damaged there."
_LZ4_EXPANDS_AT_MOST = 256


def schema(declaration: str) -> pyarrow.Schema:
    """Return the columns of a run file, with its declaration as metadata."""
    import pyarrow as pa

    columns = [
        ("layer", pa.dictionary(pa.int16(), pa.string())),
        *((name, pa.int32()) for name in ("neuron", "timestep", "sample", "n_spikes")),
    ]
    return pa.schema(columns, metadata={METADATA_KEY: declaration})


def batch_of(spikes: Spikes, layers: Sequence[str], columns: pyarrow.Schema) -> pyarrow.RecordBatch:
    """Return spikes as rows of a run file; layers are those of the network, in order."""
    import numpy as np
    import pyarrow as pa

    position = np.full(len(spikes), layers.index(spikes.layer), np.int16)
    counts = np.ones(len(spikes), np.int32) if spikes.n_spikes is None else spikes.n_spikes
    names = pa.DictionaryArray.from_arrays(pa.array(position), pa.array(list(layers), pa.string()))
    return pa.RecordBatch.from_arrays([names, spikes.neuron, spikes.timestep, spikes.sample, counts], schema=columns)


def no_rows(layers: Sequence[str]) -> pyarrow.RecordBatch:
    """Return no rows of a run file."""
    import numpy as np

    nothing = np.zeros(0, np.int32)
    return batch_of(Spikes(layers[0], nothing, nothing, nothing), layers, schema("").remove_metadata())


def together(batches: Sequence[pyarrow.RecordBatch]) -> pyarrow.RecordBatch:
    """Return batches as one."""
    import pyarrow as pa

    # A table without rows has no batches.
    return next(iter(pa.Table.from_batches(batches).combine_chunks().to_batches()), batches[0])


def write(path: Path, layers: Sequence[str], parts: Iterable[Spikes], declaration: str) -> None:
    """Write a run file: at once and whole, or not at all.

    Parameters
    ----------
    path : Path
        The file; one that exists is replaced.
    layers : sequence of str
        The network's layers, in order.
    parts : iterable of Spikes
        The events.
    declaration : str
        What is declared, as JSON.
    """
    columns = schema(declaration)
    with _whole_or_not(path, columns) as writer:
        for part in parts:
            batch = batch_of(part, layers, columns)
            for start in range(0, batch.num_rows, ROWS_OF_A_GROUP):
                writer.write_batch(batch.slice(start, ROWS_OF_A_GROUP))


def write_batches(path: Path, batches: Iterable[pyarrow.RecordBatch], columns: pyarrow.Schema) -> None:
    """Write a run file from rows that are in its form already: at once and whole, or not at all."""
    import pyarrow as pa

    with _whole_or_not(path, columns) as writer:
        for group in _grouped(batches):
            writer.write_table(pa.Table.from_batches(group).cast(columns), row_group_size=ROWS_OF_A_GROUP)


def _grouped(batches: Iterable[pyarrow.RecordBatch]) -> Iterator[list[pyarrow.RecordBatch]]:
    """Yield batches together until they fill a row group."""
    group: list[pyarrow.RecordBatch] = []
    n_rows = 0
    for batch in batches:
        group.append(batch)
        n_rows += batch.num_rows
        if n_rows >= ROWS_OF_A_GROUP:
            yield group
            group, n_rows = [], 0
    if group:
        yield group


def parts_of(table: Any, layers: Sequence[str]) -> Iterator[Spikes]:
    """Yield the spikes of an Arrow table or batch that has the columns of a run file, layer by layer.

    Raises
    ------
    UsageError
        If a column is missing or holds what cannot be meant, or a layer is not one of the network's.
    """
    import pyarrow as pa
    from pyarrow import compute

    rows = pa.table(table)
    missing = [name for name in ("layer", "neuron", "timestep") if name not in rows.column_names]
    if missing:
        raise UsageError(f"the table lacks the columns {', '.join(missing)}", f"It has {', '.join(rows.column_names)}.")
    names = rows["layer"].cast(pa.string())
    for name in compute.unique(names).to_pylist():
        if name not in layers:
            raise UsageError(f"the table names the layer {name!r}", f"The layers are {', '.join(layers)}.")
        own = rows.filter(compute.equal(names, name))
        held = {column: own[column].to_numpy() for column in own.column_names if column != "layer"}
        yield from_events(name, held["neuron"], held["timestep"], held.get("sample"), held.get("n_spikes"))


def declaration_of(path: Path) -> str | None:
    """Return what a run file's own metadata declares, as JSON text; None if it declares nothing.

    Raises
    ------
    RunFileError
        If it is no Parquet file, or cut short.
    """
    with _opened(path) as file:
        told = (file.schema_arrow.metadata or {}).get(METADATA_KEY.encode())
    try:
        return None if told is None else str(told.decode())
    except UnicodeDecodeError as error:
        raise RunFileError(f"{path} (metadata key {METADATA_KEY}): is not UTF-8: {error}") from error


def copy_with(source: Path, target: Path, declaration: str) -> None:
    """Write the rows of a run file to another one that declares something else: at once and whole, or not at all.

    Raises
    ------
    RunFileError
        If the source is no Parquet file, or cannot be read to its end.
    """
    import pyarrow as pa

    with _opened(source) as file:
        metadata = {**(file.schema_arrow.metadata or {}), METADATA_KEY.encode(): declaration.encode()}
        with _whole_or_not(target, file.schema_arrow.with_metadata(metadata)) as writer:
            batches = file.iter_batches(ROWS_OF_A_GROUP)
            while (batch := _next(batches, source)) is not None:
                writer.write_table(pa.Table.from_batches([batch]), row_group_size=ROWS_OF_A_GROUP)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise _unreadable(path, error) from error
    with file:
        yield file


def _next(batches: Iterator[Any], path: Path) -> Any:
    try:
        return next(batches, None)
    except (ValueError, OSError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> RunFileError:
    reason = str(error).partition("\n")[0]
    return RunFileError(
        f"{path}: is not a readable Parquet file: {reason}",
        "Was it written completely? A Parquet writer must be closed before its file can be read.",
    )


@contextmanager
def _whole_or_not(path: Path, columns: pyarrow.Schema) -> Iterator[Any]:
    from pyarrow import parquet

    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with parquet.ParquetWriter(unfinished, columns, compression="zstd", compression_level=1) as writer:
            yield writer
        unfinished.replace(path)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise EnergyDbError(f"{path}: cannot be written: {reason}", "Is the disk full?") from error
    finally:
        unfinished.unlink(missing_ok=True)


class Stream:
    """An Arrow stream of rows of a run file, as far as it is whole; it is read once.

    Parameters
    ----------
    path : Path
        The file.
    understand : callable
        Makes sense of a batch and what was written with it; a batch of which none can be made is damaged.

    Attributes
    ----------
    n_rows : int
        Rows that were read so far.
    """

    def __init__(
        self, path: Path, understand: Callable[[pyarrow.RecordBatch, Mapping[bytes, bytes]], dict[str, Any]]
    ) -> None:
        self.n_rows = 0
        self._path = path
        self._understand = understand
        self._n_whole_bytes = self._n_bytes = 0

    @property
    def damage(self) -> str | None:
        """Where the bytes begin that could not be read, if there are any."""
        return None if self._n_whole_bytes == self._n_bytes else f"damaged at {self._place}"

    @property
    def _place(self) -> str:
        return f"byte {self._n_whole_bytes} of {self._n_bytes}"

    def batches(self) -> Iterator[tuple[pyarrow.RecordBatch, dict[str, Any]]]:
        """Yield the batches that are whole, each with the sense of what was written with it.

        Raises
        ------
        StoreError
            If the file cannot be read, or memory runs out, of which nobody may think that the file is damaged.
        """
        try:
            with _Bounded(self._path) as source:
                self._n_bytes = source.n_bytes
                stream = self._whole(source, lambda: _rows_in(source))
                while stream and (found := self._whole(source, lambda: self._next(stream))):
                    self.n_rows += found[0].num_rows
                    yield found
        except MemoryError as error:
            raise StoreError(f"{self._path}: memory ran out at {self._place}", MORE_MEMORY) from error
        except OSError as error:
            reason = error.strerror or error
            raise StoreError(f"{self._path}: cannot be read at {self._place}: {reason}", READ_AGAIN) from error

    def _next(self, stream: pyarrow.RecordBatchReader) -> tuple[pyarrow.RecordBatch, dict[str, Any]]:
        batch, about = stream.read_next_batch_with_custom_metadata()
        batch.validate(full=True)
        return batch, self._understand(batch, about)

    def _whole(self, source: _Bounded, read: Callable[[], Any]) -> Any:
        """Return the next part of the stream; None at its end, and where it is damaged."""
        import pyarrow as pa

        try:
            part = read()
        except StopIteration:
            if source.tell() < source.n_bytes:  # damage that looks like the mark of the end
                return None
            part = None
        except MemoryError:
            # Damage may ask for any memory: where there is room for the most that these bytes can mean, it was damage.
            if not _is_room_for(_LZ4_EXPANDS_AT_MOST * (source.wanted_to - self._n_whole_bytes)):
                raise
            return None
        except OSError as error:
            if error.errno is not None:  # of the disk; those of Arrow, about bytes, have no number
                raise
            return None
        except (pa.ArrowException, ValueError, LookupError, TypeError):
            return None
        self._n_whole_bytes = source.tell()
        return part


class _Bounded(BufferedReader):
    """A file that makes room for no more bytes than it has, whatever length damage asks for."""

    def __init__(self, path: Path) -> None:
        super().__init__(FileIO(path))
        self.n_bytes = os.fstat(self.fileno()).st_size
        self.wanted_to = 0

    def read(self, size: int | None = -1, /) -> bytes:
        start = self.tell()
        self.wanted_to = self.n_bytes if size is None or size < 0 else min(start + size, self.n_bytes)
        return super().read(self.wanted_to - start)


def _rows_in(source: _Bounded) -> pyarrow.RecordBatchReader:
    import pyarrow as pa

    stream = pa.ipc.open_stream(source)
    if not stream.schema.equals(schema("")):
        raise ValueError("these are no columns of a run file")
    return stream


def _is_room_for(n_bytes: int) -> bool:
    import pyarrow as pa

    try:
        pa.allocate_buffer(n_bytes)
    except MemoryError:
        return False
    return True
