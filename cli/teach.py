"""``teach``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mar_edge.cli.app import command
from mar_edge.cli.options.model import Model, Runtime, Threads
from mar_edge.cli.options.pose import PoseModel
from mar_edge.edge.errors import MarEdgeError, about

if TYPE_CHECKING:
    from mar_edge.teaching.examples import Shown, Span
    from mar_edge.teaching.lesson import Lesson

_SHOWN = "What is shown"
_LABEL = "Label"


@command(
    "Train and deploy",
    'teach "circling head" --body head --camera 0',
    'teach "circling head" --body head --recording desk.jsonl --at 12.4-13.9 --at 20-21.5 --at 31-32.8',
    "teach nodding --person --folder recordings --model taught.onnx",
    'teach "circling head" --remove --model taught.onnx',
)
def teach(
    *,
    name: Annotated[str, typer.Argument(help="Name of the label.")],
    model: Model = None,
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Model file to write; it may be --model.", rich_help_panel="Model")
    ] = Path("taught.onnx"),
    body: Annotated[
        str | None,
        typer.Option(
            metavar="GROUP",
            help="Body group of a new label: body, head, upper limb, ...",
            show_default=False,
            rich_help_panel=_LABEL,
        ),
    ] = None,
    person: Annotated[
        bool, typer.Option("--person", help="Adapt a label that the model knows.", rich_help_panel=_LABEL)
    ] = False,
    one_side: Annotated[
        bool,
        typer.Option("--one-side", help="The movement to the other side is another one.", rich_help_panel=_LABEL),
    ] = False,
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove what was taught of the label.", rich_help_panel=_LABEL)
    ] = False,
    recording: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Recording of 'serve --record' with examples.",
            show_default=False,
            rich_help_panel=_SHOWN,
        ),
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(
            metavar="START-END",
            help="Seconds of an example in the recording; may be repeated.",
            show_default=False,
            rich_help_panel=_SHOWN,
        ),
    ] = None,
    idle: Annotated[
        list[str] | None,
        typer.Option(
            metavar="START-END",
            help="Seconds in which nothing special happens (default: all but the examples).",
            show_default=False,
            rich_help_panel=_SHOWN,
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder of recordings with labels.csv.",
            show_default=False,
            rich_help_panel=_SHOWN,
        ),
    ] = None,
    camera: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="Camera to show examples to.", show_default=False, rich_help_panel=_SHOWN),
    ] = None,
    examples: Annotated[
        int,
        typer.Option(metavar="N", help="Examples to show to the camera.", min=1, max=100, rich_help_panel=_SHOWN),
    ] = 5,
    example_s: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="Time for each of them.", min=0.5, max=30.0, rich_help_panel=_SHOWN),
    ] = 2.0,
    idle_s: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", help="Time of nothing special after them.", min=5.0, max=600.0, rich_help_panel=_SHOWN
        ),
    ] = 30.0,
    pose: PoseModel,
    runtime: Runtime = "auto",
    threads: Threads = 0,
) -> None:
    """Teach the model a movement from 3 to 10 examples.

    Needs neither PyTorch nor a data set. The result is a model file for serve, evaluate and every other command.

    The examples are in a recording, in a folder with labels.csv, or shown to a camera.
    """
    from mar_edge.api.teaching import teach_shown
    from mar_edge.teaching.examples import read_folder, read_spans
    from mar_edge.teaching.model_files import remove_taught

    if remove:
        remove_taught(_to_remove_from(model), out, name)
        print(f"{out}: '{name}' removed")
        return
    given = [option for option in (recording, folder, camera) if option is not None]
    if len(given) != 1 or (recording is None) != (not at) or (idle and recording is None):
        raise MarEdgeError(
            "give the examples as --recording FILE with --at START-END for each, as --folder FOLDER with labels.csv, "
            "or --camera SOURCE"
        )
    shown: Shown
    if camera is not None:
        from mar_edge.cli.teach_camera import show_to_camera
        from mar_edge.teaching.showing import Plan

        plan = Plan(examples, example_s, idle_s)
        shown = show_to_camera(name, camera, pose.config(), model, plan, body=body, person=person)
    elif folder is not None:
        shown = read_folder(folder, name)
    else:
        assert recording is not None
        shown = read_spans(recording, _spans("--at", at), _spans("--idle", idle))
    lesson = teach_shown(
        name, shown, out=out, model=model, body=body, person=person, one_side=one_side, runtime=runtime, threads=threads
    )
    _report(lesson, out)


def _to_remove_from(model: Path | None) -> Path:
    if model is None:
        raise MarEdgeError("--remove needs --model: the model file that was taught")
    return model


def _spans(option: str, texts: list[str] | None) -> list[Span]:
    from mar_edge.teaching.examples import parse_span

    with about(option):
        return [parse_span(text) for text in texts or ()]


def _report(lesson: Lesson, out: Path) -> None:
    for verdict in lesson.verdicts:
        print(f"  {verdict.word:<10} {verdict.name}{f': {verdict.problem}' if verdict.problem else ''}")
    for line in lesson.summary():
        print(line)
    print(f"{out}: with '{lesson.label.name}'. Try: mar-edge serve --model {out}")
