"""``models`` and ``doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.cli import USER_ERROR, app

if TYPE_CHECKING:
    from edge.model_file import ModelMetadata

_STATUS_STYLE = {"ok": "green", "warn": "yellow", "fail": "red"}


@app.command()
def models(
    model: Annotated[
        Path | None, typer.Argument(help="Model file; without it the one in the package.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The file's own description, as it is.")] = False,
) -> None:
    """What a model file says of itself."""
    from edge.model_file import default_model_path
    from edge.recognizer import Recognizer

    path = model or default_model_path()
    with Recognizer.open(path) as recognizer:
        metadata, runtime = recognizer.metadata, recognizer.runtime.name
    if as_json:
        print(metadata.to_json())
        return
    print(f"{metadata.name}{'' if model else '  (in the package, the default of serve)'}")
    rows = {
        "file": f"{path} ({path.stat().st_size / 1e6:.1f} MB)",
        "runs on": runtime,
        "layout": f"{metadata.layout}, {'+'.join(metadata.streams)} stream, {metadata.encoding} encoding",
        "window": f"{metadata.window_s:g} s",
        "precision": _precision(metadata),
        "trained on": metadata.training_data,
        "licence": metadata.licence,
    }
    for name, value in rows.items():
        print(f"  {name:<11} {value}")
    print(f"  {'labels':<11} {len(metadata.labels)}")
    for index, label in enumerate(metadata.labels):
        f1 = metadata.accuracy.get(f"f1 {label.name}")
        score = "" if f1 is None else f"  F1 {f1:.2f}"
        background = "  (nothing happens)" if index == metadata.background else ""
        print(f"    {label.id:>3}  {label.name:<36} {label.body:<11}{score}{background}")
    overall = {name: value for name, value in metadata.accuracy.items() if not name.startswith("f1 ")}
    if overall:
        print("  " + ", ".join(f"{name} {value:.3f}" for name, value in overall.items()))


def _precision(metadata: ModelMetadata) -> str:
    compared = metadata.fidelity
    if compared is None:
        return metadata.precision
    share = f"{100 * compared.agreement:.2f} %"
    return f"{metadata.precision}, the same label as FP32 on {share} of {compared.windows} windows"


@app.command()
def doctor(
    probe_cameras: Annotated[
        bool, typer.Option("--probe-cameras", help="Open each camera for a frame (its lamp lights).")
    ] = False,
) -> None:
    """What this machine has and lacks, with a hint for each lack. Exit 1 if the main job cannot run."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from edge.doctor import run_checks

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
    from edge.recognizer import Recognizer

    with Recognizer.open() as recognizer:
        return f"{recognizer.metadata.name}, on {recognizer.runtime.name}"
