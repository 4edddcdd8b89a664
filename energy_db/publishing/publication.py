"""What one publication is, where it lies, and how many rows it has."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Publication:
    """A copy of a store for readers.

    Attributes
    ----------
    folder : str
        The folder of publications.
    database : str
        The database under its stable name: what BI tools open.
    version : str
        The folder of this very publication, which stays until later ones push it out.
    number : int
        Its number, from 1.
    published_at : datetime
        When it was made (UTC).
    n_runs, n_spikes : int
        Runs, and recorded spikes of all of them.
    has_events : bool
        Whether it holds the single spike events.
    chips : tuple of str
        The chips that its facts are priced on; empty for all.
    notes : tuple of str
        What a reader should know: stable names that could not be replaced.
    """

    folder: str
    database: str
    version: str
    number: int
    published_at: datetime
    n_runs: int
    n_spikes: int
    has_events: bool
    chips: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**asdict(self), "published_at": self.published_at.isoformat(sep=" ", timespec="seconds")}
