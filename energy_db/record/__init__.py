"""Recording: spikes of any framework, while it runs or afterwards, on their way to a run file or a store.

`RunWriter` takes spikes as they come; `Recording` is what the adapters of `energy_db.adapters` make of a finished
recording; a `Spool` takes the runs of many processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from energy_db.record.hooks import watch
    from energy_db.record.journal import recover
    from energy_db.record.recording import Recording
    from energy_db.record.spikes import Spikes
    from energy_db.record.spool import Spool
    from energy_db.record.writer import RunWriter

__all__ = ["Recording", "RunWriter", "Spikes", "Spool", "recover", "watch"]

_HOMES = {
    "Recording": "recording",
    "RunWriter": "writer",
    "Spikes": "spikes",
    "Spool": "spool",
    "recover": "journal",
    "watch": "hooks",
}


def __getattr__(name: str) -> Any:
    # As in energy_db itself: what is not used is not waited for.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
