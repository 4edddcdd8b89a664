"""Adapters: recordings of other tools, as `Recording`; they look at shapes and names and import no framework."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from energy_db.adapters.aer import from_aer_file, from_tonic
    from energy_db.adapters.neo import from_neo
    from energy_db.adapters.nest import from_nest, from_nest_files
    from energy_db.adapters.nir import from_nir
    from energy_db.adapters.nwb import from_nwb
    from energy_db.adapters.sanafe import from_sanafe
    from energy_db.adapters.simulators import from_brian2, from_lava, from_nengo
    from energy_db.adapters.sonata import from_sonata
    from energy_db.adapters.spikingjelly import from_spikingjelly
    from energy_db.adapters.tensors import from_lava_dl, from_norse, from_rockpool, from_sinabs, from_snntorch

__all__ = [
    "from_aer_file",
    "from_brian2",
    "from_lava",
    "from_lava_dl",
    "from_nengo",
    "from_neo",
    "from_nest",
    "from_nest_files",
    "from_nir",
    "from_norse",
    "from_nwb",
    "from_rockpool",
    "from_sanafe",
    "from_sinabs",
    "from_snntorch",
    "from_sonata",
    "from_spikingjelly",
    "from_tonic",
]

_HOMES = {
    "from_aer_file": "aer",
    "from_brian2": "simulators",
    "from_lava": "simulators",
    "from_lava_dl": "tensors",
    "from_nengo": "simulators",
    "from_neo": "neo",
    "from_nest": "nest",
    "from_nest_files": "nest",
    "from_nir": "nir",
    "from_norse": "tensors",
    "from_nwb": "nwb",
    "from_rockpool": "tensors",
    "from_sanafe": "sanafe",
    "from_sinabs": "tensors",
    "from_snntorch": "tensors",
    "from_sonata": "sonata",
    "from_spikingjelly": "spikingjelly",
    "from_tonic": "aer",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
