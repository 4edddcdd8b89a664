"""Why a goal is not met, by the beginning of the figure's name; written by hand, from what was looked into."""

from __future__ import annotations

from collections.abc import Sequence

PLANNING = (
    "the views look up by whom and how sure everything is priced, and what is not; to plan that anew for each question "
    "takes longer than to answer it"
)
REASONS = {
    "layer report, warm": PLANNING,
    "layer report / bare point query": PLANNING,
    "every spike priced": (
        "to look up the price of each spike by its run and layer takes three times the count already, prices being "
        "free; sums of the same digits come from energy_by_neuron in milliseconds"
    ),
    "ingest / bare CREATE TABLE AS, 200k neurons": (
        "half of the time goes into storing the events, as for CREATE TABLE AS, a fifth into counting them by neuron, "
        "each of which has only fifty; a file's statistics, by which it would count faster, are not believed "
        "(docs/decisions/0002); the goal was set for a hundred million events"
    ),
    "energy by layer of all runs": (
        "energy_by_layer prices under every version of the chip, then chooses the one in force; with a version named, "
        "energy_by_layer_all_versions takes half as long"
    ),
    "report FILE": (
        "a store in memory is made first, with the views and the costs of the chip, which takes a tenth of a second; "
        "the SQL beside it prices one number"
    ),
    "store bytes": (
        "a store takes 2.2 MB with nothing but the costs in it, and 3.8 MB with one run of any size: every table "
        "begins with blocks of its own, which few events cannot fill"
    ),
    "top-20 neurons over the history": (
        "the goal was set for runs of a million events, this history has runs of a hundredth of --events; the roll-up "
        "takes the same time for any number of spikes, plain SQL on the files does not"
    ),
}


def why_missed(figures: Sequence[str]) -> str:
    """Return a Markdown list of the figures that miss their goals, with the reasons, as far as anybody knows them."""
    known = {figure: reason for figure in figures for begin, reason in REASONS.items() if figure.startswith(begin)}
    lines = [f"- {figure}: {reason}." for figure, reason in known.items()]
    unknown = [figure for figure in figures if figure not in known]
    if unknown:
        lines.append(f"- Not looked into (goals are for ten million events and 1,000 runs): {'; '.join(unknown)}.")
    return "\n".join(lines)
