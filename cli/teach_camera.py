"""The dialog of ``teach --camera``: counts down, asks for each example and for half a minute of nothing special."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mar_edge.cli.output import say
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import load_layout
from mar_edge.edge.model_file import default_model_path, parse_metadata
from mar_edge.edge.pose.choice import PoseConfig, pose_stage
from mar_edge.edge.runtime.onnxruntime import read_metadata
from mar_edge.streaming.capture.camera import Camera
from mar_edge.teaching.examples import Shown, Span, shown_by
from mar_edge.teaching.watch import Watched

_COUNT = 3
_REST_S = 1.5
_SEEN_FOR_S = 1.0


def show_to_camera(
    name: str, source: str, pose: PoseConfig, model: Path | None, examples: int, example_s: float, idle_s: float
) -> Shown:
    """Return what a person shows a camera, asked for example by example. Time is that of the frames.

    Raises:
        MarEdgeError: the camera or the pose stage cannot be used, the video ends early, or nobody is seen.
    """
    path = model or default_model_path()
    layout = load_layout(parse_metadata(read_metadata(path), str(path)).layout)
    with Camera(source) as camera, pose_stage(pose)(layout) as estimator:
        watched = Watched(camera, estimator)
        frames = watched.frames()
        say(f"Sit as you will in use. You show '{name}' {examples} times, once each time; then nothing special.")
        say("Waiting until somebody is seen ...")
        _until(frames, _seen(watched, frames) + _SEEN_FOR_S)
        spans: list[Span] = []
        for number in range(1, examples + 1):
            now_s = _until(frames, watched.now_s + _REST_S)
            for count in range(_COUNT, 0, -1):
                say(f"  {number} of {examples}: {count} ...")
                now_s = _until(frames, now_s + 1.0)
            say(f"  {number} of {examples}: now '{name}'")
            spans.append((now_s, _until(frames, now_s + example_s)))
            say("    thank you")
        idle_from_s = _until(frames, watched.now_s + _REST_S)
        say(f"Now {idle_s:.0f} s of nothing special: sit, look around, scratch, but do not do it.")
        idle = (idle_from_s, _until(frames, idle_from_s + idle_s))
        return shown_by(watched.tracks(), layout.name, spans, source, [idle])


def _seen(watched: Watched, frames: Iterator[float]) -> float:
    """Return when somebody is seen."""
    for now_s in frames:
        if watched.seen:
            return now_s
    raise MarEdgeError("nobody was seen until the end of the video")


def _until(frames: Iterator[float], end_s: float) -> float:
    """Read frames until a moment; return the time of the last one.

    Raises:
        MarEdgeError: the source ended before.
    """
    for now_s in frames:
        if now_s >= end_s:
            return now_s
    raise MarEdgeError("the video ended before everything was shown; it needs all examples and the idle part")
