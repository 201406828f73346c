"""``serve``, ``demo`` and ``subscribe``."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.cli import INTERRUPTED, app
from edge.cli.config_file import use_config

if TYPE_CHECKING:
    from edge.runtime.choice import RuntimeName
    from streaming.messages import AnyMessage
    from streaming.service import ServeConfig, ServeSummary

_ADDRESS = "tcp://127.0.0.1:5557"
_SIGINT = 2
_STATUS_EVERY_S = 10.0


class _Encoding(str, Enum):
    json = "json"
    msgpack = "msgpack"


class _Kind(str, Enum):
    hello = "hello"
    label = "label"
    event = "event"
    skeleton = "skeleton"
    status = "status"
    end = "end"


class Runtime(str, Enum):
    """What runs the model file."""

    auto = "auto"
    onnxruntime = "onnxruntime"
    onnxruntime_cuda = "onnxruntime-cuda"
    openvino = "openvino"


Model = Annotated[Path | None, typer.Option(help="Model file; without it the one in the package.", show_default=False)]
Bind = Annotated[str, typer.Option(help="Address to publish on.")]
MinScore = Annotated[float, typer.Option(help="Joints with a lower score count as not seen.")]


@app.command()
def serve(
    context: typer.Context,
    camera: Annotated[
        str, typer.Option(help="Index, video file, rtsp:// or http:// URL, csi://N, GStreamer pipeline, or demo:")
    ] = "0",
    model: Model = None,
    bind: Bind = _ADDRESS,
    stream: Annotated[str, typer.Option(help="Name of the stream on the wire.")] = "camera",
    stride_s: Annotated[float, typer.Option(help="Seconds between two inferences.")] = 0.2,
    labels: Annotated[
        str, typer.Option(help="Only these actions or body groups; with a minus, not these: 'head,-nodding'.")
    ] = "",
    on: Annotated[
        float | None,
        typer.Option(help="Smoothed probability at which an event begins.  [default: the model's]", show_default=False),
    ] = None,
    off: Annotated[
        float | None,
        typer.Option(help="Smoothed probability below which it ends.  [default: 0.6 of --on]", show_default=False),
    ] = None,
    top_k: Annotated[int, typer.Option(help="Labels in a label message.")] = 5,
    encoding: Annotated[_Encoding, typer.Option(help="Of the messages.")] = _Encoding.json,
    skeletons: Annotated[bool, typer.Option("--skeletons", help="Publish every frame's joints as well.")] = False,
    as_fast_as_possible: Annotated[
        bool, typer.Option("--as-fast-as-possible", help="Of a file: every frame, however long it takes.")
    ] = False,
    motion_gate: Annotated[bool, typer.Option(help="Ask the network only where something moves.")] = True,
    min_score: MinScore = 0.5,
    runtime: Annotated[
        Runtime, typer.Option(help="What runs the model; a named one that cannot is an error.")
    ] = Runtime.auto,
    threads: Annotated[int, typer.Option(help="Of one inference on a CPU; 0 takes every core.", min=0)] = 0,
    wait_subscribers: Annotated[int, typer.Option(help="Start once so many subscribers are there.")] = 0,
    max_seconds: Annotated[float | None, typer.Option(help="Stop after so long.", show_default=False)] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Allow an address that other machines reach, without encryption.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    config: Annotated[
        Path | None,
        typer.Option(
            help="TOML file with these options by name, and a table [thresholds] by action or body group.",
            show_default=False,
            is_eager=True,
            callback=use_config,
        ),
    ] = None,
) -> None:
    """Watch a camera or a video and publish labels, events and status over ZeroMQ."""
    from streaming.events import EventRules
    from streaming.pipeline import PipelineRules
    from streaming.service import ServeConfig
    from streaming.thresholds import LabelChoice
    from streaming.trigger import DEFAULT_THRESHOLD

    choice = LabelChoice.parse(labels, context.obj.thresholds if config is not None else None)
    serve_config = ServeConfig(
        camera=camera,
        address=bind,
        stream=stream,
        pipeline=PipelineRules(
            stride_s=stride_s,
            motion_gate=DEFAULT_THRESHOLD if motion_gate else None,
            events=EventRules(on=on, off=off, labels=choice),
        ),
        top_k=top_k,
        encoding=encoding.value,
        publish_skeletons=skeletons,
        as_fast_as_possible=as_fast_as_possible,
        wait_subscribers=wait_subscribers,
        max_seconds=max_seconds,
        insecure=insecure,
    )
    show = () if quiet else ("hello", "event", "status", "end")
    summary = _serve(serve_config, model, min_score, show, runtime.value, threads)
    if not quiet:
        print(summary.report, file=sys.stderr)
    if summary.signal == _SIGINT:
        raise typer.Exit(INTERRUPTED)


@app.command()
def demo(model: Model = None, bind: Bind = _ADDRESS, min_score: MinScore = 0.5) -> None:
    """The main job on a built-in input: a portrait that nods, shakes its head, shrugs... No camera needed."""
    from edge.demo import DemoVideo
    from streaming.service import ServeConfig

    script = DemoVideo().script
    print("A portrait comes alive; what it will do, and when:")
    for segment in script:
        print(f"  {segment.start_s:5.1f} - {segment.end_s:4.1f} s  {segment.label}")
    print("What mar-edge sees, live (the same stream: 'mar-edge subscribe' in another terminal):", flush=True)
    config = ServeConfig(camera="demo:", address=bind, stream="demo")
    summary = _serve(config, model, min_score, show=("hello", "label", "event", "end"))
    print(summary.report, file=sys.stderr)
    if summary.signal == _SIGINT:
        raise typer.Exit(INTERRUPTED)


def _serve(
    config: ServeConfig,
    model: Path | None,
    min_score: float,
    show: tuple[str, ...],
    runtime: RuntimeName = "auto",
    threads: int = 0,
) -> ServeSummary:
    from edge.pose.mediapipe import MediaPipePose
    from edge.recognizer import Recognizer
    from streaming.display import Display
    from streaming.service import serve as serve_stream

    display = Display(sys.stdout, show, status_every_s=_STATUS_EVERY_S)

    untold: list[str] = []

    def open_recognizer() -> Recognizer:
        recognizer = Recognizer.open(model, threads, runtime)
        if show:
            untold.append(f"runtime: {recognizer.runtime.name}, {recognizer.reason}")
        return recognizer

    def on_message(message: AnyMessage) -> None:
        # With the first message: where serving cannot begin, the error is all that is said.
        while untold:
            print(untold.pop(), file=sys.stderr, flush=True)
        display.show(message)

    return serve_stream(
        config,
        open_pose=lambda: MediaPipePose(min_score=min_score),
        open_recognizer=open_recognizer,
        on_message=on_message,
    )


@app.command()
def subscribe(
    connect: Annotated[str, typer.Option(help="Address of the publisher.")] = _ADDRESS,
    stream: Annotated[str | None, typer.Option(help="Only this stream.", show_default=False)] = None,
    kind: Annotated[
        list[_Kind] | None, typer.Option(help="Only this kind of message; may be repeated.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document a line, for pipes.")] = False,
    until_end: Annotated[bool, typer.Option("--until-end", help="Stop when the stream ends.")] = False,
    timeout_s: Annotated[
        float | None, typer.Option(help="Give up after so many seconds of silence.", show_default=False)
    ] = None,
) -> None:
    """Print the messages of a stream. Lost messages are reported on standard error."""
    from streaming import LabelSubscriber
    from streaming.display import Display
    from streaming.messages import KINDS, encode

    kinds = tuple(name for name in KINDS if not kind or _Kind(name) in kind)
    display = Display(sys.stdout, kinds)
    with LabelSubscriber(connect, stream, kinds, timeout_s, until_end) as subscriber:
        lost = restarts = malformed = 0
        for message in subscriber:
            if (subscriber.lost, subscriber.restarts, subscriber.malformed) != (lost, restarts, malformed):
                _warn(subscriber.lost - lost, "messages were lost on the way")
                _warn(subscriber.restarts - restarts, "times the sender restarted")
                _warn(subscriber.malformed - malformed, "messages were not readable")
                lost, restarts, malformed = subscriber.lost, subscriber.restarts, subscriber.malformed
            if as_json:
                print(encode(message).decode(), flush=True)
            else:
                display.show(message)


def _warn(count: int, what: str) -> None:
    if count:
        print(f"warning: {count} {what}", file=sys.stderr, flush=True)
