"""What of the engine's own messages is said of the store, and what is left to whoever asked."""

from __future__ import annotations

import duckdb
import pytest

from energy_db.engines.wording import trouble_of_all

# As the engine has them, with figures filled in.
OF_THE_STORE = [
    "Corrupt database file: computed checksum 1 does not match stored checksum 2 in block at location 12288",
    "corrupt database file - index entry without table entry",
    "Corrupt file - database identifier in header out of range",
    "Corrupt WAL file: entry at byte position 8 computed checksum 1 does not match stored checksum 2",
    "Corrupted bitpacking segment: unknown bitpacking mode",
    "Corrupted database: list offset row ID is out of range",
    "Failed to scan DICT_FSST string segment: invalid FSST symbol table. Database file appears to be corrupted.",
    "Row group column count is unaligned with table column count. Corrupt file?",
    "In DeserializeDeletes, vector_index 9 is out of range for the max row group size of 4. Corrupted file?",
    "delete vector info mask marks either all rows deleted or all rows alive, but a VECTOR_INFO block must always "
    "encode a partial delete. The database file may be corrupted.",
]
OF_ANOTHER_FILE = [
    'Failed to read file "run.parquet": metadata is corrupt. Column has 3 values but row group has 4 rows',
    "Parquet file is likely corrupted, missing dictionary",
    "Parquet file (run.parquet) corrupted: uncompressed page size mismatch (expected 1, actual: 2)",
    "DELTA_BYTE_ARRAY - prefix is out of range - corrupt file?",
    'Corrupt temporary file "a.tmp": header describes 9 bytes but file is 8',
    'No files found that match the pattern "corrupted.parquet"',
]


@pytest.mark.parametrize("message", OF_THE_STORE)
def test_a_store_that_makes_no_sense_is_damaged(message: str) -> None:
    trouble = trouble_of_all("energy.duckdb", duckdb.IOException(f"IO Error: {message}"))
    assert trouble is not None
    assert str(trouble).startswith(f"energy.duckdb is damaged: {message}\n")
    assert "energy-db verify says what" in str(trouble)


@pytest.mark.parametrize("message", OF_ANOTHER_FILE)
def test_of_another_file_nothing_is_said_of_the_store(message: str) -> None:
    assert trouble_of_all("energy.duckdb", duckdb.IOException(f"IO Error: {message}")) is None
