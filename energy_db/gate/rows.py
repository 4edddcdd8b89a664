"""What a check says of a limit: whether it is kept, why, and what would bring the run back under it."""

from __future__ import annotations

from dataclasses import dataclass

PASS, FAIL, UNCHECKED = "pass", "fail", "unchecked"


@dataclass(frozen=True)
class LimitResult:
    """What came of one limit; energies in pJ, of the run or, if the limit says so, of the mean sample.

    Attributes
    ----------
    limit : str
        Where the limit is written, such as 'energy-budget.toml, limit 2'.
    kind : {'absolute', 'relative'}
        Whether it limits the energy itself, or its increase over the baseline.
    chip, cost_version : str
        What priced the run.
    layer : str or None
        The layer; None for the whole run.
    per : {'run', 'inference'}
        Whether the energy of the run is meant, or of the mean sample.
    verdict : {'pass', 'fail', 'unchecked'}
        Whether the limit is kept, broken, or could not be checked.
    energy_pj : float or None
        The energy; None if a part of it is not known.
    limit_pj : float or None
        The most that it may be; None where the baseline is not known.
    excess_pj : float or None
        The energy less the limit: what must be saved, or, if negative, the room that is left.
    limit_share : float or None
        The energy as a share of the limit; None of a limit of zero.
    max_increase : float or None
        The increase that is allowed, as a share of the baseline; None for an absolute limit.
    baseline : str or None
        What the increase is measured from, for people.
    baseline_run_id : str or None
        The run that the baseline is; of a group, its newest.
    baseline_pj : float or None
        The baseline's energy.
    increase : float or None
        The increase, as a share of the baseline; None of a baseline of zero.
    reason : str or None
        Why it could not be checked.
    """

    limit: str
    kind: str
    chip: str
    cost_version: str
    layer: str | None
    per: str
    verdict: str
    energy_pj: float | None = None
    limit_pj: float | None = None
    excess_pj: float | None = None
    limit_share: float | None = None
    max_increase: float | None = None
    baseline: str | None = None
    baseline_run_id: str | None = None
    baseline_pj: float | None = None
    increase: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Why:
    """Why a run costs what it does on a chip.

    Attributes
    ----------
    chip, cost_version : str
        What priced it.
    baseline : str or None
        What it is explained against; None if it is explained by itself.
    text : str
        The reason, in one sentence.
    """

    chip: str
    cost_version: str
    baseline: str | None
    text: str


@dataclass(frozen=True)
class WayBack:
    """Something to change that brings a run back, or nearer, under a broken limit.

    Attributes
    ----------
    limit : str
        The limit.
    chip : str
        The chip.
    layer : str
        Where to change something.
    action : str
        What to do.
    saving_pj : float
        What it would save, in pJ, of the run or of the mean sample as the limit is meant, if the rest stayed the same.
    needed_pj : float
        What must be saved.
    suffices : bool
        Whether it is enough alone.
    """

    limit: str
    chip: str
    layer: str
    action: str
    saving_pj: float
    needed_pj: float
    suffices: bool
