"""The one error type a user sees: one line that says what happened, what was expected and how to fix it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class MarEdgeError(Exception):
    """A mistake the user can mend (wrong file, missing extra, port in use).

    The command line prints it as one line and exits 1; anything else is a bug of ours and keeps
    its traceback.
    """


class MissingExtra(MarEdgeError):
    """A role's optional packages are not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; this needs the '{extra}' extra: pip install 'mar-edge[{extra}]'")


@contextmanager
def about(option: str) -> Iterator[None]:
    """Name the option that a mistake is in, where the code that notices it knows of no options."""
    try:
        yield
    except MarEdgeError as error:
        raise MarEdgeError(f"{option}: {error}") from None
