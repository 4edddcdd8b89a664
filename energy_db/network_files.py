"""Networks that a caller gives: a sidecar as a file or as its content, or the graph of a NIR file."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from energy_db.adapters.hdf5 import is_hdf5
from energy_db.intake.declaration import Declaration, read_file, read_mapping


def read_network(network: str | PathLike[str] | Mapping[str, Any] | None) -> Declaration | None:
    """Read what is declared of a network.

    Parameters
    ----------
    network : path-like or mapping, optional
        A JSON file in the form of a sidecar, or a NIR graph, which is known by its HDF5 content; or the content of a
        sidecar.

    Raises
    ------
    RunFileError
        If the file cannot be read, or says something that cannot be.
    """
    if network is None:
        return None
    if isinstance(network, Mapping):
        return read_mapping(network, "network")
    if not is_hdf5(network):
        return read_file(Path(network))
    from energy_db.adapters.nir import nir_network

    return read_mapping(nir_network(network), str(network))
