"""The dialog of ``teach --camera``: says what is asked for, and what each example is worth."""

from __future__ import annotations

from pathlib import Path

from mar_edge.cli.output import say
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import load_layout
from mar_edge.edge.model_file import default_model_path, parse_metadata
from mar_edge.edge.pose.choice import PoseConfig, pose_stage
from mar_edge.edge.runtime.onnxruntime import read_metadata
from mar_edge.streaming.capture.camera import Camera
from mar_edge.teaching.examples import Shown
from mar_edge.teaching.model_files import label_to_teach
from mar_edge.teaching.showing import Plan, Prompt, Showing
from mar_edge.teaching.watch import watch


def show_to_camera(
    name: str, source: str, pose: PoseConfig, model: Path | None, plan: Plan, *, body: str | None, person: bool
) -> Shown:
    """Return what a person shows a camera, asked for example by example. Time is that of the frames.

    Raises:
        MarEdgeError: the label, the camera or the pose stage cannot be used, the video ends early, or no example is
            good.
    """
    path = model or default_model_path()
    metadata = parse_metadata(read_metadata(path), str(path))
    showing = Showing(label_to_teach(metadata, name, body, person=person), metadata, source, plan)
    with Camera(source) as camera, pose_stage(pose)(load_layout(metadata.layout)) as estimator:
        say(f"Sit as you will in use. You show '{name}' {plan.examples} times, once each time; then nothing special.")
        say("Waiting until somebody is seen ...")
        before = showing.prompt
        for t_s, people in watch(camera, estimator):
            prompt = showing.push(t_s, people)
            if prompt.phase == "done":
                return showing.shown()
            text = _text(prompt, before, name, plan, showing)
            if text is not None:
                say(text)
            before = prompt
    raise MarEdgeError("the video ended before everything was shown; it needs all examples and the idle part")


def _text(prompt: Prompt, before: Prompt, name: str, plan: Plan, showing: Showing) -> str | None:
    """Return what to say about a prompt after another one; None for nothing."""
    which = f"  {prompt.number} of {plan.examples}"
    if prompt.phase == "count" and prompt != before:
        return f"{which}: {prompt.left_s} ..."
    if prompt.phase == before.phase:
        return None
    if prompt.phase == "show":
        return f"{which}: now '{name}'"
    if before.phase == "thanks":
        problem = showing.verdicts[-1].problem
        return f"    once more, please: {problem}" if problem else "    good"
    if prompt.phase == "idle":
        return f"Now {plan.idle_s:.0f} s of nothing special: sit, look around, scratch, but do not do it."
    return None
