"""Whether a count has really changed: exact tests of two Poisson rates, with false discoveries held down.

Complaints are few, so the usual approximations fail and a doubling may be chance. Given k events in time t and k0 in
t0, k of k + k0 is binomial with share t / (t + t0) if nothing has changed: the conditional test of Przyborowski and
Wilenski (1940), exact at any count. Many kinds and buildings are looked at at once, so what is called a change is held
to a false discovery rate after Benjamini and Hochberg (1995): of all changes named, one in twenty may be chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, lgamma, log, log1p, sqrt
from statistics import NormalDist

FALSE_DISCOVERIES = 0.05
CONFIDENCE = 0.95
_MOST_STEPS = 500
_PRECISION = 1e-12
_NEAR = 1e-6
"""A step of Newton's so small leaves an error of about its square."""
_TINY = 1e-300


@dataclass(frozen=True, kw_only=True, slots=True)
class RateChange:
    """`now` events in a time `exposure` times as long as that of the `before` events.

    `ratio` of the rates with its 95 % interval; None or infinite where there was nothing before.

    `p` is two-sided.
    """

    now: int
    before: int
    ratio: float | None
    low: float
    high: float
    p: float


def rate_change(now: int, before: int, *, exposure: float = 1.0) -> RateChange:
    """Compares two counts. `exposure`: how many times as long the time of `now` is."""
    whole, share = now + before, exposure / (1 + exposure)
    more, fewer = upper_tail(now, whole, share), 1 - upper_tail(now + 1, whole, share)
    low, high = share_interval(now, whole)
    return RateChange(
        now=now,
        before=before,
        ratio=now / before / exposure if before else None,
        low=_odds(low) / exposure,
        high=_odds(high) / exposure,
        p=min(1.0, 2 * min(more, fewer)) if whole else 1.0,
    )


def chance_of_more(now: int, before: int, *, exposure: float = 1.0) -> float:
    """The one-sided p: how often so many or more come `now` where nothing has changed."""
    return upper_tail(now, now + before, exposure / (1 + exposure))


def _odds(share: float) -> float:
    return share / (1 - share) if share < 1 else inf


def upper_tail(least: int, trials: int, share: float) -> float:
    """The chance of at least so many of `trials`."""
    if least <= 0:
        return 1.0
    if least > trials or share <= 0:
        return 0.0
    if share >= 1:
        return 1.0
    return _beta_share(least, trials - least + 1, share)


def _beta_share(a: int, b: int, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b), which that tail is: as cheap for thousands as for ten."""
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta_share(b, a, 1 - x)
    return min(1.0, _density(a, b, x) * x * (1 - x) / a / _fraction(a, b, x))


def _density(a: int, b: int, x: float) -> float:
    """The slope of I_x(a, b)."""
    return exp(lgamma(a + b) - lgamma(a) - lgamma(b) + (a - 1) * log(x) + (b - 1) * log1p(-x))


def _fraction(a: int, b: int, x: float) -> float:
    """The continued fraction of DLMF 8.17.22 by Lentz's method; it ends where another step changes nothing."""
    value, c, d = 1.0, 1.0, 0.0
    for step in range(_MOST_STEPS):
        m = (step + 1) // 2
        if step % 2:
            factor = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            factor = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / ((1 + factor * d) or _TINY)
        c = (1 + factor / c) or _TINY
        value *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return value


def share_interval(count: int, trials: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Of `count` in `trials`, exact (Clopper and Pearson); 0 to 1 where there were none."""
    if trials == 0:
        return 0.0, 1.0
    tail = (1 - confidence) / 2
    low = 0.0 if count == 0 else _share_where(count, trials, tail)
    high = 1.0 if count == trials else _share_where(count + 1, trials, 1 - tail)
    return low, high


def _share_where(least: int, trials: int, chance: float) -> float:
    """The share at which at least so many come with this chance; Newton's steps, held between two bounds."""
    a, b = least, trials - least + 1
    low, high, share = 0.0, 1.0, _nearly_where(a, b, chance)
    for _ in range(_MOST_STEPS):
        off, slope = _beta_share(a, b, share) - chance, _density(a, b, share)
        low, high = (share, high) if off < 0 else (low, share)
        better = share - off / slope if slope else low
        if not low < better < high:
            better = (low + high) / 2
        step, share = abs(better - share), better
        if step < _NEAR * min(share, 1 - share):
            break
    return share


def _nearly_where(a: int, b: int, chance: float) -> float:
    """The same by Wilson's interval: near enough that Newton's steps are few."""
    z, whole = NormalDist().inv_cdf(chance), a + b
    middle = (a + z * z / 2) / (whole + z * z)
    return middle + z / (whole + z * z) * sqrt(a * b / whole + z * z / 4)


def adjusted(chances: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's q of each p, in the same order: below 0.05 it is a discovery."""
    order = sorted(range(len(chances)), key=lambda number: chances[number], reverse=True)
    found, least = [1.0] * len(chances), 1.0
    for place, number in enumerate(order):
        least = min(least, chances[number] * len(chances) / (len(chances) - place))
        found[number] = least
    return found
