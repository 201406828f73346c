"""``models``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mar_edge.cli.app import command
from mar_edge.cli.options.pose import Mirror

if TYPE_CHECKING:
    from mar_edge.edge.model_file import ModelMetadata
    from mar_edge.edge.runtime.tensorrt.store import EngineInfo
    from mar_edge.edge.taught import Head


@command("Inspect", "models", "models model.onnx --json", "models --list", "models rtmw-m --download")
def models(
    model: Annotated[
        str | None,
        typer.Argument(
            help="Model file, or a pose model by name (default: the model in the package).", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the file's own description.")] = False,
    list_known: Annotated[bool, typer.Option("--list", help="List the known pose models and detectors.")] = False,
    download: Annotated[bool, typer.Option("--download", help="Download the named model and its detector.")] = False,
    mirror: Mirror = None,
) -> None:
    """Describe a model file; list or download pose models."""
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

    print(f"{'name':<18} {'kind':<9} {'points':>6}  {'input':<8} {'here':<5} {'license':<11} trained on")
    for known in known_models().values():
        size = "x".join(map(str, known.size))
        here = "yes" if cached(known) else "no"
        print(
            f"{known.name:<18} {known.kind:<9} {known.points or '':>6}  {size:<8} {here:<5} {known.licence:<11} "
            f"{known.trained_on}{'; ' if known.accuracy else ''}{known.accuracy}"
        )
    print(f"cache: {cache_folder('models')}; 'mar-edge models NAME' says more, '--download' fetches")


def _known(name: str, download: bool, mirror: str | None) -> None:
    from mar_edge.cli.model_download import fetch_shown
    from mar_edge.edge.zoo.catalog import known_model
    from mar_edge.edge.zoo.fetch import cached

    known = known_model(name)
    if download:
        for wanted in filter(None, (name, known.detector)):
            print(fetch_shown(known_model(wanted), mirror))
        return
    record = cached(known)
    rows = {
        "kind": f"{known.kind}, {known.points} keypoints" if known.points else f"{known.kind}, {known.family}",
        "input": f"{known.size[0]}x{known.size[1]} px",
        "detector": known.detector,
        "trained on": known.trained_on,
        "accuracy": f"{known.accuracy}, as published" if known.accuracy else "",
        "license": known.licence,
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
    from mar_edge.edge.recognizer import WindowRecognizer
    from mar_edge.edge.runtime.tensorrt.store import SUFFIX, read_engine

    path = model or default_model_path()
    if path.suffix == SUFFIX:
        # Its document is enough: an engine can be described where its GPU is missing.
        info = read_engine(path).info
        metadata, runtime = parse_metadata(info.metadata, str(path)), _target(info)
    else:
        with WindowRecognizer.open(path) as recognizer:
            metadata, runtime = recognizer.metadata, recognizer.runtime.name
    if as_json:
        print(metadata.to_json())
        return
    print(f"{metadata.name}{'' if model else '  (in the package, the default of serve)'}")
    rows = {
        "file": f"{path} ({path.stat().st_size / 1e6:.1f} MB)",
        "runs on": runtime,
        "family": _family(metadata),
        "window": f"{metadata.window_s:g} s" + _views(metadata.views_s),
        "precision": _precision(metadata),
        "labels say": "one a window (softmax)" if metadata.activation == "softmax" else "several a window (sigmoid)",
        "trained on": metadata.training_data,
        "license": metadata.licence,
    }
    for name, value in rows.items():
        print(f"  {name:<11} {value}")
    heads = {head.label: head for head in metadata.taught.heads} if metadata.taught else {}
    print(f"  {'labels':<11} {len(metadata.labels)}{f', {len(heads)} of them taught' if heads else ''}")
    for index, label in enumerate(metadata.labels):
        f1 = metadata.accuracy.get(f"f1 {label.name}")
        score = "" if f1 is None else f"  F1 {f1:.2f}"
        background = "  (nothing happens)" if index == metadata.background else ""
        taught = f"  {_taught(heads[label.name])}" if label.name in heads else ""
        print(f"    {label.id:>3}  {label.name:<36} {label.body:<11}{score}{background}{taught}")
    overall = {name: value for name, value in metadata.accuracy.items() if not name.startswith("f1 ")}
    if overall:
        print("  " + ", ".join(f"{name} {value:.3f}" for name, value in overall.items()))


def _family(metadata: ModelMetadata) -> str:
    if metadata.family == "manet":
        return f"manet: pictures; skeletons of {metadata.layout} for the times of events"
    return f"mmn: skeletons of {metadata.layout}, {'+'.join(metadata.streams)} stream, {metadata.encoding} encoding"


def _views(views_s: Sequence[float]) -> str:
    return f", the mean score of its newest {' and '.join(f'{view_s:g}' for view_s in views_s)} s" if views_s else ""


def _taught(head: Head) -> str:
    if head.examples == 1:
        return f"taught {head.taught_on} from one example"
    return f"taught {head.taught_on} from {head.examples} examples, {100 * head.found:.0f} % found from the others"


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
