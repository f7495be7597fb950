"""Whether a count has really changed: exact tests of two Poisson rates, with false discoveries held down.

Complaints are few, so the usual approximations fail and a doubling may be chance. Given k events in time t and k0 in
t0, k of k + k0 is binomial with share t / (t + t0) if nothing has changed: the conditional test of Przyborowski and
Wilenski (1940), exact at any count. Many kinds and buildings are looked at at once, so what is called a change is held
to a false discovery rate after Benjamini and Hochberg (1995): of all changes named, one in twenty may be chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, lgamma, log, log1p

FALSE_DISCOVERIES = 0.05
CONFIDENCE = 0.95
_HALVINGS = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class RateChange:
    """`now` events in a time `exposure` times as long as that of the `before` events.

    `ratio` of the rates with its 95 % interval; None or infinite where there was nothing before. `p` is two-sided.
    """

    now: int
    before: int
    ratio: float | None
    low: float
    high: float
    p: float
    p_more: float


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
        p_more=more,
    )


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
    return min(1.0, sum(_chance(count, trials, share) for count in range(least, trials + 1)))


def _chance(count: int, trials: int, share: float) -> float:
    ways = lgamma(trials + 1) - lgamma(count + 1) - lgamma(trials - count + 1)
    return exp(ways + count * log(share) + (trials - count) * log1p(-share))


def share_interval(count: int, trials: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Of `count` in `trials`, exact (Clopper and Pearson); 0 to 1 where there were none."""
    if trials == 0:
        return 0.0, 1.0
    tail = (1 - confidence) / 2
    low = 0.0 if count == 0 else _share_where(count, trials, tail)
    high = 1.0 if count == trials else _share_where(count + 1, trials, 1 - tail)
    return low, high


def _share_where(least: int, trials: int, chance: float) -> float:
    """The share at which at least so many come with this chance; the tail rises with the share."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if upper_tail(least, trials, middle) < chance:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def adjusted(chances: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's q of each p, in the same order: below 0.05 it is a discovery."""
    order = sorted(range(len(chances)), key=lambda number: chances[number], reverse=True)
    found, least = [1.0] * len(chances), 1.0
    for place, number in enumerate(order):
        least = min(least, chances[number] * len(chances) / (len(chances) - place))
        found[number] = least
    return found
