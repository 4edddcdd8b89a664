"""Student's t distribution: what a difference of means must exceed when it comes from few runs.

The distribution is an incomplete beta function, which a continued fraction gives to a dozen digits (Lentz's method;
Press et al., Numerical Recipes, 6.4); the quantile is found by halving. So nobody needs to install SciPy to hold the
mean of five seeds against another.
"""

from __future__ import annotations

import math

_TINY = 1e-300
_CLOSE = 1e-15
_MOST_TERMS = 10_000
_HALVINGS = 200


def two_sided_p(t: float, degrees: float) -> float:
    """Return how likely a value as far from 0 as t, or farther, is by chance.

    Parameters
    ----------
    t : float
        The difference of the means over its standard error.
    degrees : float
        Degrees of freedom, more than 0; need not be whole.

    >>> round(two_sided_p(2.228, 10), 4)
    0.05
    """
    square = t * t
    if math.isinf(square):
        return 0.0
    return _incomplete_beta(degrees / 2, 0.5, degrees / (degrees + square), square / (degrees + square))


def quantile(confidence: float, degrees: float) -> float:
    """Return the t that a value stays within, on both sides of 0, with this probability.

    Parameters
    ----------
    confidence : float
        The probability, between 0 and 1.
    degrees : float
        Degrees of freedom, more than 0; need not be whole.

    >>> round(quantile(0.95, 10), 3)
    2.228
    """
    outside = 1 - confidence
    low, high = 0.0, 1.0
    while two_sided_p(high, degrees) > outside:
        low, high = high, 2 * high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if two_sided_p(middle, degrees) > outside else (low, middle)
    return high


def _incomplete_beta(a: float, b: float, x: float, rest: float) -> float:
    """Return the regularised incomplete beta function at x; the rest is 1 - x, given apart so that no digit is lost."""
    if x <= 0 or rest <= 0:
        return 0.0 if x <= 0 else 1.0
    logarithm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)
    # The fraction converges fast on one side of the mean only; the other side is its mirror image.
    if x < (a + 1) / (a + b + 2):
        return math.exp(logarithm) * _fraction(a, b, x) / a
    return 1 - math.exp(logarithm) * _fraction(b, a, rest) / b


def _fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction of the incomplete beta function, from its front to where nothing changes."""
    up, down = 1.0, _away_from_0(1 - (a + b) * x / (a + 1))
    down = 1 / down
    value = down
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        factor = 1.0
        for term in (even, odd):
            down = 1 / _away_from_0(1 + term * down)
            up = _away_from_0(1 + term / up)
            factor = up * down
            value *= factor
        if abs(factor - 1) < _CLOSE:
            break
    return value


def _away_from_0(number: float) -> float:
    return number if abs(number) > _TINY else _TINY
