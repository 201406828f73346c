"""The one error type a user sees: one line that says what happened, what was expected and how to fix it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches


class MarEdgeError(Exception):
    """A mistake that the user can fix (wrong file, missing extra, port in use).

    The command line prints it as one line and exits 1. Any other exception is a bug and keeps its traceback.
    """


class MissingExtra(MarEdgeError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; this needs the '{extra}' extra: pip install 'mar-edge[{extra}]'")


@contextmanager
def about(option: str) -> Iterator[None]:
    """Put the option's name before an error raised by code that knows no options."""
    try:
        yield
    except MarEdgeError as error:
        raise MarEdgeError(f"{option}: {error}") from None


def did_you_mean(name: str, known: Iterable[str], least: float = 0.6) -> str:
    """Return ``; did you mean 'nodding'?``, to end a message with, or nothing where no known name is close.

    Upper and lower case, and '-' and '_', count as equal.

    Args:
        least: how close, from 0 to 1 for equal; closer where an unknown name may be meant.
    """
    by_form = {_form(each): each for each in known}
    close = get_close_matches(_form(name), by_form, n=1, cutoff=least)
    return f"; did you mean '{by_form[close[0]]}'?" if close else ""


def _form(name: str) -> str:
    return name.casefold().replace("_", "-").strip()
