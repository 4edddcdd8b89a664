"""Files that are damaged anywhere: found and named, or shown to matter to nothing that is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import duckdb
import pytest
from world import keep_figures, number_from_outside, run_verb, write_run

pytestmark = pytest.mark.faults

N_DAMAGES = number_from_outside("FAULTS_KILLS", 20)
READ = "SELECT (SELECT bit_xor(hash(t)) FROM {0} AS t), (SELECT count(*) FROM {0})"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    write_run(folder / "a.parquet", 1)
    assert run_verb(folder, "ingest", "a.parquet").returncode == 0
    return folder / "energy.duckdb"


def content(store: Path) -> dict[str, object]:
    with duckdb.connect(str(store), read_only=True) as connection:
        tables = connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
        return {name: connection.execute(READ.format(name)).fetchall() for (name,) in tables}


def flip_a_bit(data: bytearray, random: Random) -> None:
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def zero_a_page(data: bytearray, random: Random) -> None:
    begin = random.randrange(len(data) // 4096) * 4096
    data[begin : begin + 4096] = bytes(4096)


def cut_short(data: bytearray, random: Random) -> None:
    del data[random.randrange(len(data)) :]


def swap_two_blocks(data: bytearray, random: Random) -> None:
    size, head = 131072, 3 * 4096
    one, other = (head + size * random.randrange((len(data) - head) // size) for _ in range(2))
    data[one : one + size], data[other : other + size] = data[other : other + size], data[one : one + size]


DAMAGES: list[Callable[[bytearray, Random], None]] = [flip_a_bit, zero_a_page, cut_short, swap_two_blocks]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damage_is_named_or_matters_to_nothing(
    store: Path, tmp_path: Path, damage: Callable[[bytearray, Random], None]
) -> None:
    whole, sound = content(store), store.read_bytes()
    random, counts = Random(damage.__name__), Counter()
    broken = tmp_path / "energy.duckdb"
    for attempt in range(max(3, N_DAMAGES // len(DAMAGES))):
        data = bytearray(sound)
        damage(data, random)
        broken.write_bytes(data)
        done = run_verb(tmp_path, "verify")
        assert done.returncode in (0, 1, 4), f"{damage.__name__} {attempt}: {done.returncode} {done.stderr}"
        assert "Traceback" not in done.stderr
        assert "unexpected" not in done.stderr, done.stderr
        counts[{0: "matters to nothing", 1: "a check fails", 4: "refused"}[done.returncode]] += 1
        if done.returncode == 0:
            assert content(broken) == whole, f"{damage.__name__} {attempt} went unnoticed"
    keep_figures(f"damage-{damage.__name__}", dict(counts))
    assert counts.total() > counts["matters to nothing"]


@pytest.mark.parametrize(
    "data", [b"", b"hello\n" * 1000, b"<!doctype html><p>Sign in", b"PAR1" + bytes(100), bytes(20_000)], ids=range(5)
)
@pytest.mark.parametrize(
    "asked", [["verify"], ["runs"], ["report", "latest", "--chip", "loihi2"], ["migrate"]], ids=str
)
def test_what_is_no_store_is_refused(tmp_path: Path, data: bytes, asked: list[str]) -> None:
    (tmp_path / "energy.duckdb").write_bytes(data)
    done = run_verb(tmp_path, *asked)
    assert (done.returncode, "energy.duckdb" in done.stderr) == (4, True)
    assert "Traceback" not in done.stderr
    assert (tmp_path / "energy.duckdb").read_bytes() == data
