"""Why a goal is not met, by the beginning of the figure's name; written by hand, from what was looked into."""

from __future__ import annotations

REASONS = {
    "top-20 neurons over the history": (
        "the goal was set for runs of a million events, this history has runs of a hundredth of --events; the roll-up "
        "takes the same time for any number of spikes, plain SQL on the files does not"
    ),
}


def why(figure: str) -> str:
    """Return why a figure misses its goal, as far as anybody knows."""
    found = [reason for begin, reason in REASONS.items() if figure.startswith(begin)]
    return found[0] if found else "not looked into; goals are for 10 million events and 1,000 runs"
