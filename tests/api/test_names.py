"""The names of the public API: all there, all on docs/api.md, loaded when they are used, and typed."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mar_edge

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
NAMES = [name for name in mar_edge.__all__ if not name.startswith("__")]


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_there_and_on_the_page(name: str) -> None:
    assert getattr(mar_edge, name) is not None
    assert re.search(rf"\b{name}\b", PAGE)
    assert name in dir(mar_edge)


@pytest.mark.parametrize("name", ["recognize", "Recognizer", "load_model", "LabelSubscriber", "AsyncLabelSubscriber"])
def test_each_parameter_is_on_the_page(name: str) -> None:
    parameters = [each for each in inspect.signature(getattr(mar_edge, name)).parameters if each != "self"]
    missing = [parameter for parameter in parameters if not re.search(rf"\b{parameter}\b", PAGE)]
    assert not missing


@pytest.mark.parametrize(
    "name", ["Event", "LabelScores", "Marker", "Update", "Recording", "SkeletonTrack", "Gap", "Silence"]
)
def test_each_field_is_on_the_page(name: str) -> None:
    missing = [field for field in getattr(mar_edge, name).__dataclass_fields__ if f"`{field}" not in PAGE]
    assert not missing


@pytest.mark.parametrize("name", ["Model", "Recognizer", "LabelSubscriber", "AsyncLabelSubscriber"])
def test_each_method_is_on_the_page(name: str) -> None:
    methods = [each for each in vars(getattr(mar_edge, name)) if not each.startswith("_")]
    missing = [method for method in methods if f"`{method}" not in PAGE]
    assert not missing


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'mar_edge' has no attribute 'recognized'"):
        mar_edge.recognized  # noqa: B018


@pytest.mark.parametrize(
    ("statement", "unloaded"),
    [
        ("import mar_edge", "numpy msgspec zmq cv2 onnxruntime asyncio typer"),
        ("from mar_edge import LabelSubscriber", "numpy cv2 onnxruntime typer asyncio"),
        ("from mar_edge import read_recording", "cv2 onnxruntime typer pandas"),
        ("from mar_edge import load_model", "cv2 av typer"),
        ("from mar_edge import recognize", "typer torch starlette"),
    ],
)
def test_a_name_loads_only_what_it_needs(statement: str, unloaded: str) -> None:
    program = f"import sys; {statement}; print(*({set(unloaded.split())} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == []
