"""Whether a latency grows with what is stored: k of latency ~ size^k, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import linear_regression, variance

from energy_db.history.student import quantile

CONFIDENCE = 0.95


def growth_exponent(latency_by_size: Mapping[int, float]) -> float:
    """Return k: 0 if the size does not matter, 1 if twice the size takes twice the time."""
    return _fit(latency_by_size)[0]


def growth_interval(latency_by_size: Mapping[int, float]) -> str:
    """Return where k lies in 95 of 100 cases, by the slope's standard error; three sizes or more."""
    slope, error = _fit(latency_by_size)
    if error is None:
        return "95 % interval unknown"
    width = quantile(CONFIDENCE, len(latency_by_size) - 2) * error
    return f"95 % interval {slope - width:.3g} to {slope + width:.3g}"


def _fit(latency_by_size: Mapping[int, float]) -> tuple[float, float | None]:
    """Return the slope on logarithms, and its standard error."""
    sizes = [math.log(size) for size in latency_by_size]
    latencies = [math.log(latency) for latency in latency_by_size.values()]
    slope, intercept = linear_regression(sizes, latencies)
    free = len(sizes) - 2
    if free < 1:
        return slope, None
    left = sum((y - intercept - slope * x) ** 2 for x, y in zip(sizes, latencies, strict=True))
    return slope, math.sqrt(left / free / (variance(sizes) * (len(sizes) - 1)))
