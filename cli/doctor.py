"""``doctor``."""

from __future__ import annotations

from typing import Annotated

import typer

from mar_edge.cli.app import USER_ERROR, command

_STATUS_STYLE = {"ok": "green", "warn": "yellow", "fail": "red"}


@command("Inspect", "doctor", "doctor --probe-cameras")
def doctor(
    probe_cameras: Annotated[
        bool, typer.Option("--probe-cameras", help="Open each camera for one frame; its light turns on.")
    ] = False,
) -> None:
    """Check this machine: what is missing, and how to fix it.

    Exits with 1 if serving is not possible.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from mar_edge.cli.checks import run_checks

    checks = run_checks(probe_cameras, read_model=_describe_default_model)
    table = Table(box=None, pad_edge=False)
    for column in ("", "what", "found", "hint"):
        table.add_column(column, overflow="fold")
    for check in checks:
        style = _STATUS_STYLE[check.status]
        table.add_row(f"[{style}]{check.status}[/]", check.name, escape(check.detail), escape(check.hint))
    Console().print(table)
    if any(check.status == "fail" for check in checks):
        raise typer.Exit(USER_ERROR)


def _describe_default_model() -> str:
    from mar_edge.edge.files.digest import check_sha256
    from mar_edge.edge.model_file import default_checkpoint_path
    from mar_edge.edge.recognizer import WindowRecognizer

    with WindowRecognizer.open() as recognizer:
        for stated in recognizer.metadata.sources_sha256:
            check_sha256(default_checkpoint_path(), stated)
        return f"{recognizer.metadata.name}, on {recognizer.runtime.name}; its checkpoint is the one it names"
