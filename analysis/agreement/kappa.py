"""Cohen's kappa from a table of joint counts. Exact: whole numbers until the last division."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

_Category = TypeVar("_Category", bound=Hashable)


@dataclass(frozen=True)
class Kappa:
    """Cohen's kappa, or why there is none.

    Attributes:
        value: In [-1, 1]; None where it is undefined.
        agreed: Share of the bins in which both coded the same; None without bins.
        bins: Number of bins.
        why_undefined: A phrase; "" where there is a value.
    """

    value: float | None
    agreed: float | None
    bins: int
    why_undefined: str = ""


def cohen_kappa(joint: Mapping[tuple[_Category, _Category], int]) -> Kappa:
    """Compute kappa from how often one coder chose the first and the other the second of two categories.

    kappa = (p_o - p_e) / (1 - p_e), with the observed agreement p_o and that expected by chance p_e (Cohen 1960, A
    coefficient of agreement for nominal scales).
    """
    total = sum(joint.values())
    if not total:
        return Kappa(None, None, 0, "no time bins")
    ones: Counter[_Category] = Counter()
    others: Counter[_Category] = Counter()
    for (one, other), number in joint.items():
        ones[one] += number
        others[other] += number
    agreed = sum(number for (one, other), number in joint.items() if one == other)
    by_chance = sum(number * others[category] for category, number in ones.items())
    share = float(Fraction(agreed, total))
    if by_chance == total * total:
        return Kappa(None, share, total, "both coded the same throughout, so chance alone agrees")
    return Kappa(float(Fraction(agreed * total - by_chance, total * total - by_chance)), share, total)
