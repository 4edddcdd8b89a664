"""What somebody probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LONG_ENOUGH = 4  # to be meant where it is a part of a known word


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return "Did you mean ...? " where a known word is close, else an empty text.

    >>> did_you_mean("lohi2", ["akida", "loihi2"])
    "Did you mean 'loihi2'? "
    >>> did_you_mean("timesteps", ["timestep_us", "n_timesteps"])
    "Did you mean 'n_timesteps'? "
    """
    by_lower = {candidate.lower(): candidate for candidate in known}
    wanted = word.lower()
    whole = [candidate for candidate in by_lower if wanted in candidate and len(wanted) >= _LONG_ENOUGH]
    close = whole if len(whole) == 1 else difflib.get_close_matches(wanted, by_lower, 1)
    return f"Did you mean {by_lower[close[0]]!r}? " if close else ""
