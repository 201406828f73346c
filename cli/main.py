"""``mar-edge``: run the command that was called; where the user made a mistake, say so in one line.

Each command imports its work when it is called.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from importlib import import_module
from typing import Any

import typer

from mar_edge.cli.app import INTERRUPTED, USER_ERROR, UsageError, app
from mar_edge.cli.output import CannotPrint, guarded_streams
from mar_edge.edge.errors import MarEdgeError, did_you_mean

COMMANDS = (
    "demo",
    "serve",
    "replay",
    "subscribe",
    "record",
    "relay",
    "bridge",
    "audit",
    "keygen",
    "view",
    "analyze",
    "annotations",
    "plot",
    "agree",
    "profile",
    "synth",
    "train",
    "teach",
    "average",
    "evaluate",
    "export",
    "calibrate",
    "build",
    "models",
    "doctor",
    "bench",
)
"""In the order in which ``--help`` lists them; each is a module of ``cli``."""

# What an error quotes of a file may be as long as the file.
_LONGEST = 2000


def main() -> None:
    """Run the command line and exit: 0 for success, 1 for a user's mistake, 130 after an interrupt."""
    with guarded_streams():
        code = _run()
    sys.exit(code)


@cache
def command_line() -> Any:
    """Return the command line as ``typer`` runs it, with every command."""
    for name in COMMANDS:
        import_module(f"mar_edge.cli.{name}")  # which registers it
    return typer.main.get_command(app)


def _run() -> int:
    """Run the command that was called, and say what was wrong.

    Errors of the system that name a file are a user's: a folder that may not be read, a name that is too long. Most are
    found where a file is opened; what is left is found here.

    Returns:
        The exit code.
    """
    try:
        code = command_line()(prog_name="mar-edge", standalone_mode=False)
        sys.stdout.flush()
    except CannotPrint as error:
        code = 0 if error.reader_left else _fail(str(error))
    except MarEdgeError as error:
        code = _fail(str(error))
    except OSError as error:
        if error.filename is None:
            raise
        code = _fail(f"cannot use {error.filename}: {error.strerror}")
    except UsageError as error:
        code = _fail(f"{with_suggestion(error.format_message())}; '{_called()} --help' shows the options")
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    return int(code or 0)


def with_suggestion(message: str) -> str:
    """Add the choice that was probably meant to what click says of a value that is none of an option's choices."""
    wrong = re.search(r"'([^']*)' is not one of (.+)", message)
    if wrong is None:
        return message
    choices = re.findall(r"'([^']*)'", wrong[2])
    return message.rstrip(".") + did_you_mean(wrong[1], choices)


def _fail(message: str) -> int:
    line = " ".join(message.split())
    print(f"error: {line if len(line) <= _LONGEST else f'{line[:_LONGEST]} ...'}", file=sys.stderr)
    return USER_ERROR


def _called() -> str:
    command = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    return f"mar-edge {command}".strip()
