"""What somebody probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return "Did you mean ...? " where a known word is close, else an empty text.

    >>> did_you_mean("lohi2", ["akida", "loihi2"])
    "Did you mean 'loihi2'? "
    """
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(word.lower(), by_lower, 1)
    return f"Did you mean {by_lower[close[0]]!r}? " if close else ""
