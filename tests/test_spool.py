"""A spool: many writers, one store, nothing lost and nothing twice; whoever is killed, and whenever."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import numpy as np
import pytest
from factories import EVENTS, NETWORK, Shell, dump, run_file, with_sidecar
from pyarrow import parquet

from energy_db import EnergyStore
from energy_db.errors import RunFileError, StoreError, UsageError
from energy_db.record import Recording, RunWriter, Spool, recover
from energy_db.record.recording import of_arrays

FOLLOW = [sys.executable, "-m", "energy_db", "ingest", "--spool", "spool", "--follow", "--every", "0.05"]
N_WRITERS, N_RUNS = 8, 25

# Writes so many runs, of which all writers call some by the same name, and says what it wrote.
WRITER = """
import sys
import numpy as np
from energy_db.record import RunWriter, Spool

writer, n_runs = int(sys.argv[1]), int(sys.argv[2])
for number in range(n_runs):
    spikes = np.random.default_rng([writer, number]).random((4, 2, 16)) < 0.3
    name = f"shared-{number}" if number % 2 else f"eval-{writer}-{number}"
    with RunWriter(Spool("spool"), layers=["hidden"], name=name, tags={"writer": writer}) as recording:
        recording.add("hidden", spikes)
    print(int(spikes.sum()), flush=True)
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def spikes_of(writer: int, number: int) -> np.ndarray:
    return np.random.default_rng([writer, number]).random((4, 2, 16)) < 0.3


def fill(n_runs: int, spool: Spool | None = None) -> int:
    """Put runs into the spool from this process; returns their spikes."""
    arrays = [spikes_of(99, number) for number in range(n_runs)]
    for number, spikes in enumerate(arrays):
        (spool or Spool("spool")).publish(of_arrays({"hidden": spikes}, "TBN"), name=f"run-{number}")
    return sum(int(spikes.sum()) for spikes in arrays)


@contextmanager
def follower(*options: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([*FOLLOW, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[str], number: int) -> tuple[int, str, str]:
    process.send_signal(number)
    output, talk = process.communicate(timeout=30)
    assert "Traceback" not in talk
    return process.returncode, output, talk


def wait_until_empty(process: subprocess.Popen[str] | None = None, folder: str = "spool") -> None:
    deadline = time.monotonic() + 60
    while list(Path(folder).glob("*.parquet")):
        assert time.monotonic() < deadline, "the spool is never empty"
        assert process is None or process.poll() is None, "the follower ended"
        time.sleep(0.02)


def assert_sound(n_runs: int, n_spikes: int) -> None:
    with EnergyStore("energy.duckdb", read_only=True) as store:
        assert len(store.runs()) == n_runs
        assert sum(run.n_spikes for run in store.runs()) == n_spikes
        assert [result.check for result in store.verify() if result.n_failures] == []
        [(n_events, n_counted)] = (
            store.sql("SELECT count(*) AS a, sum(n_spikes) AS b FROM spike_events").to_pandas().values
        )
        assert (n_events, n_counted) == (n_spikes, n_spikes)


class TestPublishing:
    def test_a_sidecar_goes_into_the_copy(self, here: Path) -> None:
        sidecar = {
            **NETWORK,
            "tags": {"accuracy": 0.980, "fast": True},
            "kind": "probe",
            "seed": 3,
            "recorded_at": "2026-01-02T03:04:05+01:00",
        }
        sidecar["layers"] = [{**NETWORK["layers"][0], "fan_out": [1, 2, 4]}, NETWORK["layers"][1]]
        sidecar["counters"] = [{"driver": "hop", "count": 7}]
        source = with_sidecar(
            run_file(here / "mine.parquet", metadata={"energy_db": json.dumps({"tags": {"a": "b"}})}), sidecar
        )
        published = Spool("spool").publish(source)
        assert published.parent == Path("spool")
        assert not published.with_suffix(".json").exists()
        assert parquet.read_table(published).to_pydict() == EVENTS
        with EnergyStore(":memory:") as direct, EnergyStore(":memory:") as store:
            wanted, run = direct.ingest(source), store.ingest(published)
        assert run.name == "mine"
        assert run.tags == {"a": "b", "accuracy": "0.98", "fast": "true"}
        assert run.layers[0].fan_out == (1, 2, 4)
        assert run.counters == {"hop": 7}
        assert str(run.recorded_at) == "2026-01-02 02:04:05"
        for fact in (
            "content_hash",
            "name",
            "tags",
            "kind",
            "seed",
            "recorded_at",
            "layers",
            "timestep_us",
            "inferred",
        ):
            assert getattr(run, fact) == getattr(wanted, fact)

    def test_a_tag_keeps_its_digits(self, here: Path) -> None:
        text = '{"n_timesteps": 4, "n_samples": 2, "tags": {"accuracy": 0.980}, "timestep_us": 0.000001}'
        published = Spool("spool").publish(with_sidecar(run_file(here / "mine.parquet"), text))
        with EnergyStore(":memory:") as store:
            run = store.ingest(published)
        assert run.tags == {"accuracy": "0.980"}
        assert str(run.timestep_us) == "0.000001"

    def test_a_timestep_of_more_digits_than_json_keeps_is_refused(self, here: Path) -> None:
        source = with_sidecar(run_file(here / "mine.parquet"), '{"timestep_us": 123456789012.123456}')
        with pytest.raises(RunFileError, match="more digits"):
            Spool("spool").publish(source)
        assert list(Path("spool").iterdir()) == []

    def test_what_declares_all_keeps_its_bytes_and_so_its_identity(self, here: Path) -> None:
        source = run_file(here / "mine.parquet", metadata={"energy_db": json.dumps({**NETWORK, "run": "mine"})})
        published = Spool("spool").publish(source)
        assert published.read_bytes() == source.read_bytes()
        assert Spool("spool").publish(source) == published
        assert list(Path("spool").iterdir()) == [published]

    def test_a_recording_keeps_its_counters_roles_and_name(self, here: Path) -> None:
        arrays = of_arrays({"hidden": spikes_of(1, 1), "out": spikes_of(1, 2)}, "TBN")
        recording = Recording(arrays.layers, arrays.spikes, 4, 2, counters={"driver": ["hop"], "count": [12]})
        published = Spool("spool").publish(recording, name="rec", roles={"out": "readout"}, tags={"b": 1})
        with EnergyStore(":memory:") as store:
            run = store.ingest(published)
        assert (run.name, run.counters, run.tags) == ("rec", {"hop": 12}, {"b": "1"})
        assert [layer.role for layer in run.layers] == ["hidden", "readout"]
        assert run.n_spikes == spikes_of(1, 1).sum() + spikes_of(1, 2).sum()

    def test_what_cannot_be_published(self, here: Path) -> None:
        spool = Spool("spool")
        recording = of_arrays({"hidden": spikes_of(1, 1)}, "TBN")
        with pytest.raises(UsageError, match="needs a name"):
            spool.publish(recording)
        with pytest.raises(UsageError, match="a role is given for 'out', but the layers are hidden"):
            spool.publish(recording, name="a", roles={"out": "readout"})
        with pytest.raises(UsageError, match="unknown key 'colour'"):
            spool.publish(recording, name="a", colour="red")
        with pytest.raises(RunFileError, match="no such file"):
            spool.publish("gone.parquet")
        Path("cut.parquet").write_bytes(run_file(here / "whole.parquet").read_bytes()[:-20])
        with pytest.raises(RunFileError, match=r"cut\.parquet: is not a readable Parquet file"):
            spool.publish("cut.parquet")
        with_sidecar(here / "whole.parquet", "no JSON")
        with pytest.raises(RunFileError, match=r"whole\.json: is not JSON"):
            spool.publish("whole.parquet")
        with pytest.raises(StoreError, match="cannot be made"):
            Spool("gone/spool").publish(recording, name="a")
        assert list(Path("spool").iterdir()) == []

    def test_a_writer_goes_to_a_spool(self, here: Path) -> None:
        with RunWriter(Spool("spool"), layers=["hidden"], name="a/b") as writer:
            writer.add("hidden", spikes_of(1, 1))
            assert writer.journal_folder.parent == here / "spool"
            assert writer.journal_folder.name.startswith("a_b-")
            assert writer.journal_folder.name.endswith(f"-{os.getpid()}.recording")
            assert Spool("spool").waiting() == []
            assert Spool("spool").abandoned() == []
        [path] = Spool("spool").waiting()
        assert [entry.name for entry in Path("spool").iterdir()] == [path.name]
        with EnergyStore(":memory:") as store:
            assert (store.ingest(path).name, store.run("a/b").n_spikes) == ("a/b", spikes_of(1, 1).sum())
        with pytest.raises(UsageError, match="a run that goes to a spool needs a name"):
            RunWriter(Spool("spool"), layers=["hidden"])

    def test_an_aborted_recording_is_abandoned_and_can_be_published(self, here: Path) -> None:
        writer = RunWriter(Spool("spool"), layers=["hidden"], name="a")
        writer.add("hidden", spikes_of(1, 1))
        writer.abort()
        [folder] = Spool("spool").abandoned()
        assert folder.resolve() == writer.journal_folder
        path = Spool("spool").publish(recover(folder))
        with EnergyStore(":memory:") as store:
            assert store.ingest(path).tags == {"recording": "cut short"}

    def test_a_recording_that_is_just_being_published_is_not_abandoned(self, here: Path) -> None:
        writer = RunWriter(Spool("spool"), layers=["hidden"], name="a")
        writer.add("hidden", spikes_of(1, 1))
        writer._worker.end(writer._reach.snapshot())
        assert Spool("spool").abandoned() == []
        os.utime(writer.journal_folder, (time.time() - 100, time.time() - 100))
        assert [folder.name for folder in Spool("spool").abandoned()] == [writer.journal_folder.name]


class TestMoving:
    def test_the_oldest_first_and_nothing_that_is_hidden(self, here: Path) -> None:
        for name, age in (("b", 10), ("a", 5), ("c", 20)):
            os.utime(run_file(_made("spool") / f"{name}.parquet"), (1_000_000 - age, 1_000_000 - age))
        Path("spool/.d.parquet").touch()
        Path("spool/e.parquet").mkdir()
        Path("spool/notes.txt").touch()
        assert [path.name for path in Spool("spool").waiting()] == ["c.parquet", "b.parquet", "a.parquet"]

    def test_nothing_is_covered_and_sidecars_go_along(self, here: Path) -> None:
        spool = Spool("spool")
        for layer in ("one", "two"):
            path = with_sidecar(
                run_file(_made("spool") / "a.parquet", {**EVENTS, "layer": [layer] * 6}), {"kind": layer}
            )
            assert spool.refuse(path, f"not {layer}") is not None
        assert sorted(entry.name for entry in Path("spool/refused").iterdir()) == [
            "a-2.json", "a-2.parquet", "a-2.txt", "a.json", "a.parquet", "a.txt"
        ]  # fmt: skip
        assert Path("spool/refused/a-2.txt").read_text() == "not two\n"
        assert json.loads(Path("spool/refused/a-2.json").read_text()) == {"kind": "two"}

    def test_what_another_process_moved_is_nobodys_trouble(self, here: Path) -> None:
        _made("spool")
        assert Spool("spool").done(Path("spool/gone.parquet")) is None
        assert Spool("spool").refuse(Path("spool/gone.parquet"), "why") is None


def _made(folder: str) -> Path:
    Path(folder).mkdir(exist_ok=True)
    return Path(folder)


class TestOnePass:
    def test_good_and_bad_files(self, shell: Shell) -> None:
        n_spikes = fill(3)
        Path("spool/empty.parquet").touch()
        Path("spool/text.parquet").write_text("no Parquet")
        run_file(Path("spool/negative.parquet"), {**EVENTS, "neuron": [-1, 1, 1, 2, 0, 1]})
        done = shell("ingest", "--spool", "spool", "--json")
        assert done.exit_code == 4
        rows = json.loads(done.stdout)["rows"]
        assert sorted(row["name"] for row in rows) == ["run-0", "run-1", "run-2"]
        assert {row["status"] for row in rows} == {"stored"}
        assert {*done.stderr.splitlines()[-1].split(", ")} == {"3 stored", "3 refused"}
        assert Spool("spool").waiting() == []
        assert len(list(Path("spool/done").iterdir())) == 3
        refused = {path.stem: path.read_text() for path in Path("spool/refused").glob("*.txt")}
        assert set(refused) == {"empty", "text", "negative"}
        assert "is empty (0 bytes)" in refused["empty"]
        assert "must not be negative: 1 bad row" in refused["negative"]
        assert_sound(3, n_spikes)

    def test_again_is_nothing(self, shell: Shell) -> None:
        fill(1)
        assert shell("ingest", "--spool", "spool").exit_code == 0
        again = shell("ingest", "--spool", "spool", "--json")
        assert (again.exit_code, json.loads(again.stdout)["rows"]) == (0, [])
        assert "nothing waits in spool" in again.stderr

    @pytest.mark.thorough
    def test_what_was_stored_and_not_moved_is_unchanged(self, shell: Shell) -> None:
        n_spikes = fill(2)
        with EnergyStore("energy.duckdb") as store:
            store.ingest(Spool("spool").waiting()[0])
        done = shell("ingest", "--spool", "spool", "-f", "csv")
        assert [row["status"] for row in csv.DictReader(done.stdout.splitlines())] == ["unchanged", "stored"]
        assert_sound(2, n_spikes)

    def test_a_file_that_vanishes_is_left_out(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        n_spikes = fill(1)
        waiting = [Path("spool/gone.parquet"), *Spool("spool").waiting()]
        monkeypatch.setattr(Spool, "waiting", lambda spool: waiting)
        done = shell("ingest", "--spool", "spool")
        assert done.exit_code == 0
        assert done.stderr.endswith("1 stored\n")
        assert not Path("spool/refused").exists()
        assert_sound(1, n_spikes)

    def test_a_dry_run_moves_nothing(self, shell: Shell) -> None:
        fill(1)
        Path("spool/empty.parquet").touch()
        done = shell("ingest", "--spool", "spool", "--dry-run")
        assert {*done.stderr.splitlines()[-1].split(", ")} == {"1 would be stored", "1 refused"}
        assert len(Spool("spool").waiting()) == 2
        assert not Path("energy.duckdb").exists()

    def test_journals_of_the_dead_are_named(self, shell: Shell) -> None:
        writer = RunWriter(Spool("spool"), layers=["hidden"], name="a")
        writer.add("hidden", spikes_of(1, 1))
        assert "its writer is gone" not in shell("ingest", "--spool", "spool").stderr
        writer.abort()
        name = writer.journal_folder.name
        assert f"keep what it holds with: energy-db ingest spool/{name}" in shell("ingest", "--spool", "spool").stderr
        assert shell("ingest", f"spool/{name}").exit_code == 0

    @pytest.mark.parametrize(
        ("arguments", "exit_code", "says"),
        [
            (["--spool", "gone"], 4, "gone: there is no such folder"),
            (["--spool", "kept.parquet"], 4, "kept.parquet: the spool cannot be read"),
            (["--spool", "spool", "a.parquet"], 2, "a.parquet is named, too"),
            (["--spool", "spool", "--name", "x"], 2, "--name does not go with --spool"),
            (["--spool", "spool", "--run-id", "x"], 2, "--run-id does not go with --spool"),
            (["--spool", "spool", "--counters", "x.csv"], 2, "--counters does not go with --spool"),
            (["--spool", "spool", "--from", "npz"], 2, "--from does not go with --spool"),
            (["--spool", "spool", "--dt", "1ms"], 2, "--dt goes with --from FORMAT"),
            (["--follow", "kept.parquet"], 2, "--follow goes with --spool DIR"),
            (["--every", "3", "kept.parquet"], 2, "--every goes with --spool DIR"),
            (["--spool", "spool", "--every", "3"], 2, "--every goes with --follow"),
            (["--spool", "spool", "--follow", "--every", "0"], 2, "0"),
            (["--spool", "spool", "--follow", "--dry-run"], 2, "would wait forever"),
            (["--spool", "spool", "--follow", "--json"], 2, "--follow writes a line for each run"),
            (["--spool", "spool", "--follow", "-o", "x.csv"], 2, "--follow writes a line for each run"),
        ],
    )  # fmt: skip
    def test_what_does_not_go_together(
        self, shell: Shell, small_store: Path, arguments: list[str], exit_code: int, says: str
    ) -> None:
        _made("spool")
        run_file(Path("kept.parquet"))
        done = shell("ingest", *arguments)
        assert done.exit_code == exit_code, done.output
        assert says in done.stderr
        assert "Traceback" not in done.output


@pytest.mark.usefixtures("here")
class TestFollowing:
    @pytest.mark.thorough
    def test_many_writers_and_one_follower(self, tmp_store: Path) -> None:
        """8 processes write 25 runs each while one stores them: 200 runs, whose spikes NumPy counts anew."""
        _made("spool")
        with follower() as process:
            writers = [
                subprocess.Popen(
                    [sys.executable, "-c", WRITER, str(number), str(N_RUNS)], stdout=subprocess.PIPE, text=True
                )
                for number in range(N_WRITERS)
            ]
            said = [writer.communicate(timeout=120)[0].split() for writer in writers]
            wait_until_empty(process)
            exit_code, output, talk = ended(process, signal.SIGTERM)
        assert exit_code == 0
        assert talk.endswith("200 stored\n")
        assert len(output.splitlines()) == N_WRITERS * N_RUNS
        written = {
            (writer, number): int(spikes_of(writer, number).sum())
            for writer in range(N_WRITERS)
            for number in range(N_RUNS)
        }
        assert [int(word) for words in said for word in words] == list(written.values())
        assert_sound(N_WRITERS * N_RUNS, sum(written.values()))
        with EnergyStore("energy.duckdb", read_only=True) as store:
            of_writers = dict.fromkeys(range(N_WRITERS), 0)
            for run in store.runs():
                of_writers[int(run.tags["writer"])] += run.n_spikes
            assert of_writers == {
                w: sum(n for (writer, _), n in written.items() if writer == w) for w in range(N_WRITERS)
            }
            assert len(store.runs(name="shared-1")) == N_WRITERS
        assert sorted(entry.name for entry in Path("spool").iterdir()) == ["done"]

    @pytest.mark.thorough
    def test_a_follower_that_is_killed_again_and_again(self, tmp_store: Path) -> None:
        n_spikes = fill(40)
        random = Random(5)
        n_killed = 0
        while list(Path("spool").glob("*.parquet")) and n_killed < 12:
            with follower() as process:
                assert process.stdout is not None
                process.stdout.readline()
                time.sleep(random.uniform(0, 0.06))
                process.kill()
            n_killed += 1
        assert n_killed > 3
        with follower() as process:
            wait_until_empty(process)
            assert ended(process, signal.SIGTERM)[0] == 0
        assert_sound(40, n_spikes)
        assert len(list(Path("spool/done").iterdir())) == 40

    @pytest.mark.thorough
    def test_two_followers(self, tmp_store: Path) -> None:
        n_spikes = fill(30)
        with follower() as one, follower() as other:
            wait_until_empty()
            ends = [ended(process, signal.SIGTERM) for process in (one, other)]
        assert [exit_code for exit_code, _, _ in ends] == [0, 0]
        assert sum(len(output.splitlines()) for _, output, _ in ends) == 30
        assert_sound(30, n_spikes)

    @pytest.mark.thorough
    def test_a_store_that_somebody_holds_is_waited_for(self, tmp_store: Path) -> None:
        n_spikes = fill(2)
        reader = EnergyStore(tmp_store, read_only=True)
        with follower() as process:
            assert process.stderr is not None
            assert "waiting for the store: energy.duckdb is held by" in process.stderr.readline()
            time.sleep(0.5)
            assert len(Spool("spool").waiting()) == 2
            reader.close()
            wait_until_empty(process)
            exit_code, _, talk = ended(process, signal.SIGTERM)
        assert exit_code == 0
        assert "waiting" not in talk
        assert talk.endswith("\n2 stored\n")
        assert_sound(2, n_spikes)

    @pytest.mark.thorough
    def test_others_read_while_nothing_waits(self, tmp_store: Path) -> None:
        fill(1)
        with follower() as process:
            wait_until_empty(process)
            time.sleep(0.3)
            with EnergyStore(tmp_store, read_only=True) as store:
                assert len(store.runs()) == 1
            assert ended(process, signal.SIGINT)[0] == 130

    @pytest.mark.thorough
    @pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
    def test_how_it_ends(self, tmp_store: Path, number: int, exit_code: int) -> None:
        _made("spool")
        run_file(Path("spool/bad.parquet"), {"layer": ["a"]})
        with follower("--format", "csv") as process:
            fill(1)
            wait_until_empty(process)
            found, output, talk = ended(process, number)
        assert found == exit_code
        [row] = csv.DictReader(output.splitlines())
        assert (row["status"], row["name"], row["spikes"]) == ("stored", "run-0", str(spikes_of(99, 0).sum()))
        assert {*talk.splitlines()[-1].split(", ")} == {"1 stored", "1 refused"}

    @pytest.mark.thorough
    def test_it_finishes_the_present_file_and_leaves_the_others(self, tmp_store: Path) -> None:
        fill(60)
        with follower() as process:
            assert process.stdout is not None
            process.stdout.readline()
            exit_code, _, _ = ended(process, signal.SIGTERM)
        n_done = len(list(Path("spool/done").iterdir()))
        assert exit_code == 0
        assert 1 <= n_done < 60
        assert len(Spool("spool").waiting()) == 60 - n_done
        assert len(dump(tmp_store)["runs"]) == n_done
