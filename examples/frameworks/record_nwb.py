"""Writes an NWB file with a units table, and reads it back: `pip install pynwb energy-db[hdf5]`; made with 4.2.0."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pynwb

from energy_db.adapters import from_nwb

DT_S, START_S, DURATION_S = 0.001, 10.0, 2.0
AREAS = ["V1", "LM", "V1", "LM", "V1", "LGN"]


def session() -> pynwb.NWBFile:
    """Return a session whose units lie in three areas and on two shanks; the third and the last one are silent."""
    file = pynwb.NWBFile("units of three areas", "energy-db", datetime(2026, 8, 1, tzinfo=UTC))
    device = file.create_device("probe")
    shanks = [file.create_electrode_group(f"shank{i}", "a shank", "cortex", device) for i in range(2)]
    file.add_unit_column("area", "where the unit lies")
    rng = np.random.default_rng(1)
    for unit, area in enumerate(AREAS):
        n_spikes = 0 if unit in (2, 5) else 30 + 20 * unit
        times = np.sort(rng.uniform(START_S, START_S + DURATION_S, n_spikes))
        file.add_unit(spike_times=times, area=area, electrode_group=shanks[unit % 2], id=100 + unit)
    return file


def main(path: str) -> None:
    """Hold the adapter against what pynwb reads from the file, and keep file and counts."""
    target = Path(path).with_name("nwb-units.nwb")
    with pynwb.NWBHDF5IO(target, "w") as io:
        io.write(session(), cache_spec=False)  # the specification would be most of the file
    with pynwb.NWBHDF5IO(target, "r") as io:
        units = io.read().units
        trains = [units.get_unit_spike_times(i) for i in range(len(units.id))]
        areas, shanks = list(units["area"][:]), [group.name for group in units["electrode_group"][:]]
    kept = {"count_units": [len(train) for train in trains], "areas": areas, "shanks": shanks}
    kept |= {f"times_{unit}": train for unit, train in enumerate(trains)}
    known = {"dt_s": DT_S, "duration_s": DURATION_S, "start_s": START_S}
    assert from_nwb(target, **known).n_spikes == {"units": sum(kept["count_units"])}
    by_area = {
        area: sum(len(t) for t, a in zip(trains, areas, strict=True) if a == area) for area in dict.fromkeys(areas)
    }
    recording = from_nwb(target, layer_column="area", **known)
    assert recording.n_spikes == by_area, (recording.n_spikes, by_area)
    np.savez_compressed(path, **kept)
    print(by_area)


if __name__ == "__main__":
    main(sys.argv[1])
