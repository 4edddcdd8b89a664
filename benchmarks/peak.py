"""`python -m benchmarks.peak ARGUMENTS...` does what `energy-db ARGUMENTS...` does, and prints its peak in MB last."""

from __future__ import annotations

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


if __name__ == "__main__":
    from energy_db.cli import cli

    # Not energy_db.cli.main, which ends the process at once.
    cli(sys.argv[1:], standalone_mode=False)
    print(peak_mb())
