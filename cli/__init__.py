"""The command line: options in, one line out where something is wrong. Each command imports its work when called."""

from __future__ import annotations

import re
import sys
from typing import Annotated, Any

import typer

import mar_edge
from mar_edge.cli.output import CannotPrint, guarded_streams
from mar_edge.edge.errors import MarEdgeError, did_you_mean

USER_ERROR = 1
INTERRUPTED = 130
# What an error quotes of a file may be as long as the file.
_LONGEST = 2000

app = typer.Typer(
    name="mar-edge",
    help="Micro-actions from a camera, live: which one, when it begins, when it ends.",
    invoke_without_command=True,
    add_completion=False,
    # Plain help: rich would double the time that --help takes.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

# Wherever this typer keeps click: what it raises for wrong options.
_UsageError: Any = typer.BadParameter.__bases__[0]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mar-edge {mar_edge.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Run the command line and exit: 0 well, 1 a user's error told in one line, 130 interrupted."""
    # Importing them registers the commands, in the order in which --help lists them.
    from mar_edge.cli import (  # noqa: F401 - they import ``app`` from here  # isort: skip
        demonstrating,
        serving,
        wiring,
        viewing,
        reviewing,
        replaying,
        inspecting,
        making,
        averaging,
        evaluating,
        narrowing,
        building,
        benching,
    )

    with guarded_streams():
        code = _run()
    sys.exit(code)


def _run() -> int:
    """Run the command that was called, and say what was wrong.

    Returns:
        The exit code.
    """
    try:
        code = typer.main.get_command(app)(standalone_mode=False)
        sys.stdout.flush()
    except CannotPrint as error:
        code = 0 if error.reader_left else _fail(str(error))
    except MarEdgeError as error:
        code = _fail(str(error))
    except _UsageError as error:
        code = _fail(f"{with_suggestion(error.format_message())}; '{_called()} --help' shows the options")
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    return int(code or 0)


def with_suggestion(message: str) -> str:
    """What click says of a value that is none of an option's choices, with the one that may have been meant."""
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
