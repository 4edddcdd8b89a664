"""NIR, the neuromorphic intermediate representation: what its graphs and recorded data say, read from their files."""

from energy_db.adapters.nir.data import from_nir
from energy_db.adapters.nir.network import nir_network

__all__ = ["from_nir", "nir_network"]
