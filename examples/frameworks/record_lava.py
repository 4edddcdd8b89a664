"""Records a small network of Lava: `pip install lava-nc`, which takes Python 3.10 only; made with lava-nc 0.10.0.

energy-db needs Python 3.11, so that this only keeps what the monitors recorded; the tests hold the adapter against it.
"""

import sys

import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.dense.process import Dense
from lava.proc.lif.process import LIF
from lava.proc.monitor.process import Monitor

N_TIMESTEPS = 20


def main(path: str) -> None:
    """Run the network, and keep what the monitors recorded, by process and port."""
    hidden = LIF(shape=(6,), vth=3, du=0.2, dv=0.1, bias_mant=np.arange(6) * 0.5)
    weights = Dense(weights=np.ones((4, 6)) * np.arange(4)[:, None])
    out = LIF(shape=(4,), vth=8, du=0.3, dv=0.2)
    hidden.s_out.connect(weights.s_in)
    weights.a_out.connect(out.a_in)
    monitors = [Monitor(), Monitor()]
    for monitor, process in zip(monitors, (hidden, out), strict=True):
        monitor.probe(process.s_out, N_TIMESTEPS)
    hidden.run(condition=RunSteps(num_steps=N_TIMESTEPS), run_cfg=Loihi2SimCfg())
    data = {}
    for monitor in monitors:
        data.update(monitor.get_data())
    hidden.stop()
    kept = {f"data_{process}": ports["s_out"] for process, ports in data.items()}
    counts = {f"count_{process}": np.count_nonzero(ports["s_out"], axis=0) for process, ports in data.items()}
    np.savez_compressed(path, **kept, **counts)
    print({process: int(np.count_nonzero(ports["s_out"])) for process, ports in data.items()})


if __name__ == "__main__":
    main(sys.argv[1])
