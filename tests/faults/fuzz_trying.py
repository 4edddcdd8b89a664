"""How mutations are tried: within limits, by the thousand, each by its seed; refusals leave a store untouched."""

from __future__ import annotations

import json
import os
import resource
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from world import keep_figures, number_from_outside

from energy_db import EnergyStore, sql
from energy_db.errors import EnergyDbError, StoreError

N_MUTATIONS = number_from_outside("FAULTS_MUTATIONS", 300)
FIRST_SEED = number_from_outside("FAULTS_SEED", 0)
MOST_SECONDS, MOST_MB = 20, 1500
RUNS_OF_A_STORE = 500
STOPPED = "the engine stops at it"
Outcome = tuple[str, list[str]]
"""What became of a mutation, and what kinds of mutation it was."""


@contextmanager
def within_limits(kind: str, seed: int) -> Iterator[None]:
    """Let what hangs, takes all memory, or ends in an error that is none of ours, name the seed that made it so."""

    def out_of_time(*_: object) -> None:
        raise TimeoutError(f"takes more than {MOST_SECONDS} s")

    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(MOST_SECONDS)
    try:
        yield
    except EnergyDbError as error:
        assert error.message.strip()
        assert len(str(error)) < 20_000, f"says {len(str(error))} characters"
        raise
    finally:
        signal.alarm(0)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert used < MOST_MB, f"{used:.0f} MB after {kind} {seed}"


def fuzz(kind: str, attempt: Callable[[int, Random], Outcome]) -> None:
    """Try so many mutations, keep how often each outcome was seen, and name the seeds of those that went wrong."""
    outcomes: Counter[str] = Counter()
    by_mutation: dict[str, Counter[str]] = {}
    wrong = []
    for seed in range(FIRST_SEED, FIRST_SEED + N_MUTATIONS):
        try:
            outcome, mutations = attempt(seed, Random(seed))
        except Exception as error:  # all seeds that show something are wanted, not the first only
            wrong.append(f"FAULTS_SEED={seed} FAULTS_MUTATIONS=1: {type(error).__name__}: {str(error)[:300]}")
            if N_MUTATIONS == 1:
                raise
            continue
        outcomes[outcome] += 1
        for mutation in set(mutations):
            by_mutation.setdefault(mutation, Counter())[outcome] += 1
    keep_figures(f"fuzz-{kind}", dict(outcomes))
    keep_by_mutation(kind, by_mutation)
    assert not wrong, f"{len(wrong)} of {N_MUTATIONS} {kind}:\n" + "\n".join(wrong[:20])
    if N_MUTATIONS >= 100:
        assert outcomes["taken"] and outcomes["refused"]


def keep_by_mutation(kind: str, by_mutation: dict[str, Counter[str]]) -> None:
    if folder := os.environ.get("FAULTS_RESULTS"):
        path = Path(folder) / "by-mutation" / f"{kind}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(by_mutation, indent=1, sort_keys=True) + "\n", encoding="utf-8")


class Stores:
    """A store that is made anew when it has taken many runs."""

    def __init__(self) -> None:
        self.store = EnergyStore(":memory:")
        self.n_used = 0

    def next(self) -> EnergyStore:
        self.n_used += 1
        if self.n_used % RUNS_OF_A_STORE == 0 or not self._is_alive():
            self.store.close()
            self.store = EnergyStore(":memory:")
        return self.store

    def _is_alive(self) -> bool:
        try:
            return table_sizes(self.store) is not None
        except StoreError:  # a damaged run file has stopped the engine
            return False


@contextmanager
def untouched_if_refused(store: EnergyStore, kind: str, seed: int, *named: str) -> Iterator[None]:
    """Assert that a refusal names one of the files and leaves every table as long as it was."""
    before = table_sizes(store)
    try:
        with within_limits(kind, seed):
            yield
    except EnergyDbError as error:
        assert not named or any(name in str(error) for name in named), f"names no file: {error}"
        if STOPPED not in error.message:  # a store in memory is gone then; test_bad_input.py tries one that is a file
            assert table_sizes(store) == before, f"refused, and yet something was stored: {error}"
        raise


def table_sizes(store: EnergyStore) -> list[tuple[Any, ...]]:
    query = " UNION ALL ".join(f"SELECT '{table.name}', count(*) FROM {table.name}" for table in sql.tables())
    return store._engine.rows(query)
