"""`python -m benchmarks.peak MODULE ARGUMENTS...` runs a module as a program, and prints its peak memory in MB last."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path


def peak_mb() -> float:
    """Return the most memory that this process has held."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not getrusage: its maximum begins at what the parent held when it forked.
        [line] = [line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024 / 1e6
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _main() -> int:
    del sys.argv[0]
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if ended.code:
            raise
    print(peak_mb())
    return 0


if __name__ == "__main__":
    sys.exit(_main())
