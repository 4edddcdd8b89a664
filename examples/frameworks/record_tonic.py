"""Makes events and has Tonic bin them: `pip install tonic energy-db`; made with Tonic 1.7.0.

Datasets are downloaded, so these events are made up, in the layouts of NMNIST and of the spoken digits of SHD.
"""

import sys
from pathlib import Path

import numpy as np
from tonic.datasets import NMNIST, SHD
from tonic.transforms import ToFrame

from energy_db.adapters import from_aer_file, from_tonic
from energy_db.record import Recording

SENSOR, N_CHANNELS = (6, 5, 2), 20
DT_US, DURATION_US = 1000, 12_000


def made_up(dtype: np.dtype, n_events: int, seed: int) -> np.ndarray:
    """Return events in time, crowded so that a pixel has several in one timestep."""
    rng = np.random.default_rng(seed)
    events = np.zeros(n_events, dtype)
    events["t"] = np.sort(rng.integers(0, DURATION_US, n_events))
    events["t"][:2] = DT_US - 1, DT_US  # on both sides of an edge
    events["t"].sort()
    for field, size in zip(("x", "y", "p"), SENSOR, strict=True):
        if field in dtype.names:
            events[field] = np.minimum(rng.integers(0, size, n_events), rng.integers(0, size, n_events))
    return events


def frames(events: np.ndarray, sensor_size: tuple[int, ...]) -> np.ndarray:
    """Return Tonic's own counts, [T, P, Y, X], from time 0."""
    binned = ToFrame(sensor_size, time_window=DT_US, start_time=0, end_time=DURATION_US)
    return binned(events.copy())


def dense(recording: Recording) -> np.ndarray:
    """Return a recording's spikes as an array, [B, T, N]."""
    array = np.zeros((recording.n_samples, recording.n_timesteps, recording.layers[0].n_neurons), int)
    for part in recording.spikes():
        array[part.sample, part.timestep, part.neuron] = part.n_spikes
    return array


def main(path: str) -> None:
    """Hold the adapters against the frames that Tonic makes, and keep the events."""
    samples = [made_up(NMNIST.dtype, n_events, seed) for seed, n_events in enumerate((400, 250))]
    own = np.stack([frames(events, SENSOR) for events in samples])
    assert own.max() > 1
    recording = from_tonic(samples, size=SENSOR, dt_us=DT_US, duration_us=DURATION_US)
    assert (dense(recording) == own.reshape(len(samples), recording.n_timesteps, -1)).all()
    spoken = made_up(SHD.dtype, 150, seed=2)
    spoken["x"], spoken["p"] = np.random.default_rng(3).integers(0, N_CHANNELS, len(spoken)), 1
    own_spoken = frames(spoken, (N_CHANNELS, 1, 1))
    of_spoken = from_tonic(spoken, size=(N_CHANNELS, 1, 1), dt_us=DT_US, duration_us=DURATION_US)
    assert (dense(of_spoken)[0] == own_spoken.reshape(of_spoken.n_timesteps, -1)).all()
    text = Path(path).with_name("aer-events.csv")
    rows = np.stack([samples[0][field] for field in ("t", "x", "y", "p")], axis=1)
    np.savetxt(text, rows, fmt="%d", delimiter=",", header="t,x,y,p", comments="")
    of_text = from_aer_file(text, columns="t x y p", size=SENSOR, dt=DT_US, duration=DURATION_US)
    assert (dense(of_text) == own[:1].reshape(1, of_text.n_timesteps, -1)).all()
    kept = {"sample_0": samples[0], "sample_1": samples[1], "spoken": spoken, "spoken_frames": own_spoken}
    np.savez_compressed(path, **kept, count_frames=own, count_of_sample_0=own[0])
    print({"input": int(own.sum()), "spoken": int(own_spoken.sum())})


if __name__ == "__main__":
    main(sys.argv[1])
