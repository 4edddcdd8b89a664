"""A recording as it is looked at from another terminal: from its journal alone, without the store and its lock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from energy_db.errors import EnergyDbError, NotFoundError
from energy_db.intake import declaration as declared
from energy_db.intake.network import Layer
from energy_db.record import journal
from energy_db.record.progress import Progress, read_progress


@dataclass(frozen=True)
class LayerSeen:
    """What is seen of a layer.

    Attributes
    ----------
    layer, role : str
        The layer; the role is None if nobody said.
    n_neurons : int or None
        Neurons; None if nobody said yet.
    n_spikes : int
        Spikes so far.
    firing_rate : float or None
        Mean spikes of a neuron in a timestep since the moment before; None if it cannot be told.
    energy_pj, energy_per_sample_pj : float or None
        Energy so far, and of a sample since the moment before, in pJ; None if nothing prices it.
    history : tuple of float
        Energy of a sample, or where nothing prices it its spikes, between moments, the oldest first.
    """

    layer: str
    role: str | None
    n_neurons: int | None
    n_spikes: int
    firing_rate: float | None
    energy_pj: float | None
    energy_per_sample_pj: float | None
    history: tuple[float, ...]


@dataclass(frozen=True)
class Sight:
    """A recording at one moment.

    Attributes
    ----------
    name : str
        What the run is called.
    moment : Progress
        How far it has come.
    layers : tuple of LayerSeen
        Its layers, in order.
    unlayered_energy_pj : float
        Energy so far that no layer causes, in pJ.
    unpriced : tuple of str
        Operations that are in no energy, each with the reason, where it was priced from outside.
    """

    name: str
    moment: Progress
    layers: tuple[LayerSeen, ...]
    unlayered_energy_pj: float
    unpriced: tuple[str, ...]


@dataclass(frozen=True)
class Pricing:
    """What prices the moments of a recording.

    Attributes
    ----------
    energies : callable
        Returns the energies of a moment in pJ: of each layer, and what no layer causes.
    unpriced : tuple of str
        Operations that are in no energy, each with the reason.
    """

    energies: Callable[[Progress], tuple[Mapping[str, float], float]]
    unpriced: tuple[str, ...] = ()


def find_recording(name: str | None, folders: Sequence[Path]) -> Path:
    """Return the journal of a recording.

    Parameters
    ----------
    name : str, optional
        The journal itself, the run file that it will be, or the name of the run; by default the newest recording that
        is still written, or else the newest of all.
    folders : sequence of Path
        Where to look for a name.

    Raises
    ------
    NotFoundError
        If nothing of the name is being recorded there.
    """
    if name is not None:
        paths = [Path(name)]
        if paths[0].suffix == ".parquet":
            paths.append(paths[0].with_suffix(journal.SUFFIX))
        for path in paths:
            if journal.is_journal(path):
                return path
    there = {path.resolve(): path for folder in folders for path in folder.glob(f"*{journal.SUFFIX}")}
    recordings = {path: run for path in there.values() if (run := _name_of(path)) is not None}
    meant = [path for path, run in recordings.items() if name in (None, run)]
    if meant:
        return max(meant, key=lambda path: (journal.is_being_written(path), path.stat().st_mtime))
    where = " and ".join(str(folder) for folder in folders)
    listed = f"Recorded there now: {', '.join(recordings.values())}. " if recordings else ""
    what = "nothing" if name is None else f"no run {name!r}"
    raise NotFoundError(
        f"{what} is being recorded in {where}",
        f"{listed}Name its folder, NAME{journal.SUFFIX}; a finished run is shown by energy-db report.",
    )


def look(folder: Path, price: Callable[[Sequence[Layer]], Pricing] | None = None) -> Sight | None:
    """Return what is seen of a recording; None before its first moment.

    Parameters
    ----------
    folder : Path
        Its journal.
    price : callable, optional
        Makes of the network what prices a moment; by default the recording's own energies are shown, if it has any.

    Raises
    ------
    NotFoundError
        If the journal is gone: the recording came to its end.
    """
    try:
        said = _declared(folder)
    except FileNotFoundError as error:
        raise NotFoundError(f"{folder} is gone: the recording came to its end") from error
    moments = read_progress(folder)
    if not moments:
        return None
    layers = said.layers or ()
    pricing = price(_sized(layers, moments[-1])) if price else Pricing(_as_it_prices_itself)
    priced = [pricing.energies(moment) for moment in moments]
    energies = [of_layers for of_layers, _ in priced]
    seen = tuple(_layer_seen(layer, moments, [each.get(layer.name) for each in energies]) for layer in layers)
    return Sight(said.name or folder.stem, moments[-1], seen, priced[-1][1], pricing.unpriced)


def _as_it_prices_itself(moment: Progress) -> tuple[Mapping[str, float], float]:
    return moment.energy_pj or {}, moment.unlayered_energy_pj


def _name_of(folder: Path) -> str | None:
    """Return what a recording is called; None for what has just begun, is gone, or was killed before it said so."""
    try:
        return _declared(folder).name or folder.stem
    except (OSError, EnergyDbError):
        return None


def _declared(folder: Path) -> declared.Declaration:
    text = (folder / journal.DECLARATION).read_text(encoding="utf-8", errors="replace")
    return declared.read_text(text, str(folder), f"Its {journal.DECLARATION} is damaged.")


def _sized(layers: Sequence[Layer], moment: Progress) -> list[Layer]:
    return [Layer(la.name, la.role or "hidden", la.n_inputs, moment.n_neurons[la.name], la.fan_out) for la in layers]


def _layer_seen(layer: Layer, moments: Sequence[Progress], energies: Sequence[float | None]) -> LayerSeen:
    """Return what is seen of a layer; what is said of now is said of the time between the last two moments."""
    name, last = layer.name, moments[-1]
    start = Progress(0.0, 0, last.n_timesteps, {name: 0}, {}, {})
    stretches = list(pairwise([start, *moments]))
    n_spikes = [after.n_spikes[name] - before.n_spikes[name] for before, after in stretches]
    n_samples = [(after.n_samples or 0) - (before.n_samples or 0) for before, after in stretches]
    known = [0.0 if energy is None else energy for energy in energies]
    spent = [after - before for before, after in pairwise([0.0, *known])]
    is_priced = energies[-1] is not None
    per_sample = [pj / n for pj, n in zip(spent, n_samples, strict=True) if n]
    n_neurons = last.n_neurons[name]
    # What came last brought samples: the end of a recording is a moment, too.
    newest = next((place for place in reversed(range(len(stretches))) if n_samples[place]), -1)
    n_cells = (n_neurons or 0) * (last.n_timesteps or 0) * n_samples[newest]
    return LayerSeen(
        layer=name,
        role=layer.role,
        n_neurons=n_neurons,
        n_spikes=last.n_spikes[name],
        firing_rate=n_spikes[newest] / n_cells if n_cells else None,
        energy_pj=energies[-1],
        energy_per_sample_pj=per_sample[-1] if is_priced and per_sample else None,
        history=tuple(per_sample if is_priced else [float(count) for count in n_spikes]),
    )
