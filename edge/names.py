"""A name that is none of those known: which of them may have been meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'nodding'?``, to end a message with, or nothing where no known name is close.

    Capitals, '-' and '_' count as equal.
    """
    by_form = {_form(each): each for each in known}
    close = get_close_matches(_form(name), by_form, n=1)
    return f"; did you mean '{by_form[close[0]]}'?" if close else ""


def _form(name: str) -> str:
    return name.casefold().replace("_", "-").strip()
