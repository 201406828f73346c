"""The one error type a user sees: one line that says what happened, what was expected and how to fix it."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager

NEWEST_MEDIAPIPE_PYTHON = (3, 12)
"""The last that the MediaPipe we use has wheels for; ``requires-python`` ends with it too."""


class MarEdgeError(Exception):
    """A mistake the user can mend (wrong file, missing extra, port in use).

    The command line prints it as one line and exits 1; anything else is a bug of ours and keeps
    its traceback.
    """


class MissingExtra(MarEdgeError):
    """A role's optional packages are not installed; where this Python cannot install them, the message says so."""

    def __init__(self, package: str, extra: str) -> None:
        if extra == "mediapipe" and sys.version_info[:2] > NEWEST_MEDIAPIPE_PYTHON:
            super().__init__(
                f"{package} is not installed, and MediaPipe has no wheel for Python {platform.python_version()}; use "
                "Python 3.10 to 3.12, or --pose rtmw-m, which does without it"
            )
            return
        super().__init__(f"{package} is not installed; this needs the '{extra}' extra: pip install 'mar-edge[{extra}]'")


@contextmanager
def about(option: str) -> Iterator[None]:
    """Name the option that a mistake is in, where the code that notices it knows of no options."""
    try:
        yield
    except MarEdgeError as error:
        raise MarEdgeError(f"{option}: {error}") from None
