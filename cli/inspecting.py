"""``models`` and ``doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mar_edge.cli import USER_ERROR, app

if TYPE_CHECKING:
    from mar_edge.edge.model_file import ModelMetadata
    from mar_edge.edge.runtime.tensorrt.store import EngineInfo

_STATUS_STYLE = {"ok": "green", "warn": "yellow", "fail": "red"}


@app.command()
def models(
    model: Annotated[
        str | None,
        typer.Argument(
            help="Model file, or a pose model by name; without it the one in the package.", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The file's own description, as it is.")] = False,
    list_known: Annotated[bool, typer.Option("--list", help="The pose models and detectors known by name.")] = False,
    download: Annotated[bool, typer.Option("--download", help="Fetch the named one and its detector now.")] = False,
    mirror: Annotated[
        str | None, typer.Option(help="Folder or address to fetch from, not the published one.", show_default=False)
    ] = None,
) -> None:
    """What a model file says of itself; the pose models known by name, and their download."""
    if list_known:
        _list_known()
    elif download or (model is not None and Path(model).suffix != ".onnx" and not Path(model).exists()):
        _known(model or "", download, mirror)
    else:
        _describe(Path(model) if model else None, as_json)


def _list_known() -> None:
    from mar_edge.edge.files.cache import cache_folder
    from mar_edge.edge.zoo.catalog import known_models
    from mar_edge.edge.zoo.fetch import cached

    print(f"{'name':<18} {'kind':<9} {'points':>6}  {'input':<8} {'here':<5} {'licence':<11} trained on")
    for known in known_models().values():
        size = "x".join(map(str, known.size))
        here = "yes" if cached(known) else "no"
        print(
            f"{known.name:<18} {known.kind:<9} {known.points or '':>6}  {size:<8} {here:<5} {known.licence:<11} "
            f"{known.trained_on}{'; ' if known.accuracy else ''}{known.accuracy}"
        )
    print(f"cache: {cache_folder('models')}; 'mar-edge models NAME' says more, '--download' fetches")


def _known(name: str, download: bool, mirror: str | None) -> None:
    from mar_edge.cli.posing import fetch_known
    from mar_edge.edge.zoo.catalog import known_model
    from mar_edge.edge.zoo.fetch import cached

    known = known_model(name)
    if download:
        for wanted in filter(None, (name, known.detector)):
            print(fetch_known(known_model(wanted), mirror))
        return
    record = cached(known)
    rows = {
        "kind": f"{known.kind}, {known.points} keypoints" if known.points else f"{known.kind}, {known.family}",
        "input": f"{known.size[0]}x{known.size[1]} px",
        "detector": known.detector,
        "trained on": known.trained_on,
        "accuracy": f"{known.accuracy}, as published" if known.accuracy else "",
        "licence": known.licence,
        "address": known.url,
        "SHA-256": known.sha256 or "not published; recorded at the first download",
        "here": f"yes, since {record.downloaded}, SHA-256 {record.onnx_sha256}" if record else "no",
    }
    print(known.name)
    for row, value in rows.items():
        if value:
            print(f"  {row:<11} {value}")


def _describe(model: Path | None, as_json: bool) -> None:
    from mar_edge.edge.model_file import default_model_path, parse_metadata
    from mar_edge.edge.recognizer import Recognizer
    from mar_edge.edge.runtime.tensorrt.store import SUFFIX, read_engine

    path = model or default_model_path()
    if path.suffix == SUFFIX:
        # Its document says it all: an engine is looked at where its GPU is not.
        info = read_engine(path).info
        metadata, runtime = parse_metadata(info.metadata, str(path)), _target(info)
    else:
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
        "labels say": "one a window (softmax)" if metadata.activation == "softmax" else "several a window (sigmoid)",
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


def _target(info: EngineInfo) -> str:
    from mar_edge.edge.runtime.tensorrt.bindings import NAMES

    smallest, _, largest = info.batches
    return f"{NAMES[info.flavor]} {info.version} on {info.gpu or info.capability}, batch {smallest} to {largest}"


def _precision(metadata: ModelMetadata) -> str:
    compared = metadata.fidelity
    if compared is None:
        return metadata.precision
    share = f"{100 * compared.agreement:.2f} %"
    same = "the same label" if metadata.activation == "softmax" else "the same labels"
    return f"{metadata.precision}, {same} as FP32 on {share} of {compared.windows} windows"


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

    from mar_edge.cli.doctor import run_checks

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
    from mar_edge.edge.recognizer import Recognizer

    with Recognizer.open() as recognizer:
        for stated in recognizer.metadata.sources_sha256:
            check_sha256(default_checkpoint_path(), stated)
        return f"{recognizer.metadata.name}, on {recognizer.runtime.name}; its checkpoint is the one it names"
