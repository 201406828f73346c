"""The application: what every command is registered with. Knows no command."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

import mar_edge
from mar_edge.cli.options.groups import expand_groups

USER_ERROR = 1
INTERRUPTED = 130
SIGINT = 2

Task = Literal["Run", "Receive", "Review", "Train and deploy", "Inspect"]
"""Headings of ``mar-edge --help``, in the order in which commands are registered."""
GENERAL = "General"
"""Panel of options that are in no other."""

# Wherever this typer keeps click: what it raises for wrong options.
UsageError: Any = typer.BadParameter.__bases__[0]


_Function = TypeVar("_Function", bound=Callable[..., Any])


class _Help:
    """Help as people read it: switches and arguments show no Python types; ``--help`` is with the general options."""

    def get_params(self, ctx: Any) -> Any:
        params = super().get_params(ctx)  # type: ignore[misc]  # of typer's class that this is mixed into
        for param in params:
            if getattr(param, "is_flag", False):
                param.metavar = ""
            elif param.param_type_name == "argument":
                param.display_type_rich = lambda ctx: None
        return params

    def get_help_option(self, ctx: Any) -> Any:
        option = super().get_help_option(ctx)  # type: ignore[misc]  # of typer's class, too
        if option is not None:
            option.rich_help_panel = GENERAL
        return option


class _Command(_Help, TyperCommand):
    pass


class _Group(_Help, TyperGroup):
    def get_help_option(self, ctx: Any) -> Any:
        return TyperGroup.get_help_option(self, ctx)


def _examples(*commands: str) -> str:
    return "\n".join(["[bold]Examples[/]", *(f"  mar-edge {command}" for command in commands)])


app = typer.Typer(
    name="mar-edge",
    cls=_Group,
    help="Recognize micro-actions live: which one, when it begins, when it ends.",
    epilog=_examples("demo", "serve --camera 0 --view 127.0.0.1:8080", "serve --help"),
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


def command(task: Task, *examples: str, name: str | None = None) -> Callable[[_Function], _Function]:
    """Register a function as a command.

    Args:
        task: heading under which it is listed.
        examples: command lines without ``mar-edge``, shown at the end of its help.
        name: of the command; None takes the function's.
    """

    def register(function: _Function) -> _Function:
        paragraphs = inspect.cleandoc(function.__doc__ or "").split("\n\n")
        help = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
        add = app.command(name, cls=_Command, help=help, epilog=_examples(*examples), rich_help_panel=task)
        add(expand_groups(function, GENERAL))
        return function

    return register


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
