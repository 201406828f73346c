"""The application: what every command is registered with. Knows no command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

import typer
from typer.core import TyperCommand

import mar_edge
from mar_edge.cli.options.groups import expand_groups

USER_ERROR = 1
INTERRUPTED = 130
SIGINT = 2

Task = Literal["Run", "Receive", "Review", "Train and deploy", "Inspect"]
"""Headings of ``mar-edge --help``, in the order in which commands are registered."""
OTHER = "Other options"

# Wherever this typer keeps click: what it raises for wrong options.
UsageError: Any = typer.BadParameter.__bases__[0]

app = typer.Typer(
    name="mar-edge",
    help="Recognize micro-actions live: which one, when it begins, when it ends.",
    epilog="[bold]Examples[/]\n\n  mar-edge demo\n\n  mar-edge serve --camera 0 --view 127.0.0.1:8080\n\n"
    "  mar-edge serve --help",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

_Command = TypeVar("_Command", bound=Callable[..., Any])


class _HelpLast(TyperCommand):
    """A command whose ``--help`` is listed with the options that are of no panel of their own, after the others."""

    def get_help_option(self, ctx: Any) -> Any:
        option = super().get_help_option(ctx)
        if option is not None:
            option.rich_help_panel = OTHER  # type: ignore[attr-defined]
        return option


def command(task: Task, *examples: str, name: str | None = None) -> Callable[[_Command], _Command]:
    """Register a function as a command.

    Args:
        task: heading under which it is listed.
        examples: command lines without ``mar-edge``, shown at the end of its help.
        name: of the command; None takes the function's.
    """
    epilog = "\n\n".join(["[bold]Examples[/]", *(f"  mar-edge {_plain(example)}" for example in examples)])

    def register(function: _Command) -> _Command:
        app.command(name, cls=_HelpLast, epilog=epilog, rich_help_panel=task)(expand_groups(function, OTHER))
        return function

    return register


def _plain(text: str) -> str:
    """Return text that rich prints as it is."""
    return text.replace("[", r"\[")


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
