"""``serve``, ``replay`` and ``demo``."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import nullcontext
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge.cli import INTERRUPTED, app
from edge.cli.config_file import called_again, is_reread, use_config
from edge.cli.extras import require
from edge.cli.page import OpenPage, ShowVideo, Token, ViewAt, has_screen, live_view, open_page
from edge.cli.posing import Detector, FocusOn, MinScore, Mirror, People, Pose, PoseOptions, Smooth, pose_stage
from edge.cli.progress import showing_progress
from edge.cli.wire_options import (
    ADDRESS,
    SIGINT,
    Bind,
    Binds,
    Clients,
    Http,
    Insecure,
    Key,
    Record,
    RecordHours,
    RecordKeep,
    RecordMb,
    server_keys,
)
from edge.errors import MarEdgeError, MissingExtra, about

if TYPE_CHECKING:
    from edge.runtime.choice import RuntimeName
    from streaming.messages import AnyMessage
    from streaming.recorder import RecordConfig
    from streaming.serve_config import ServeConfig
    from streaming.service import ServeSummary
    from view.live import LiveView

_STATUS_EVERY_S = 10.0
# Any free port: a newcomer's 8080 may be taken.
_DEMO_VIEW = "127.0.0.1:*"
_SERVE_SHOWS = ("hello", "event", "status", "end")


class _Encoding(str, Enum):
    json = "json"
    msgpack = "msgpack"


class _Transport(str, Enum):
    tcp = "tcp"
    udp = "udp"


class Runtime(str, Enum):
    """What runs the model file."""

    auto = "auto"
    onnxruntime = "onnxruntime"
    onnxruntime_cuda = "onnxruntime-cuda"
    openvino = "openvino"
    tensorrt = "tensorrt"


Model = Annotated[Path | None, typer.Option(help="Model file; without it the one in the package.", show_default=False)]
ModelSha256 = Annotated[
    str | None,
    typer.Option(metavar="HEX", help="Refuse a model file that has another SHA-256.", show_default=False),
]


@app.command()
def serve(
    context: typer.Context,
    camera: Annotated[
        list[str],
        typer.Option(
            help="Index, video file, rtsp:// or http:// URL, csi://N, GStreamer pipeline, or demo:; may be repeated, "
            "then as NAME=CAMERA, each a stream of that name."
        ),
    ] = ["0"],  # noqa: B006 - typer copies it
    model: Model = None,
    model_sha256: ModelSha256 = None,
    bind: Binds = [ADDRESS],  # noqa: B006 - typer copies it
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
        typer.Option(help="Smoothed probability below which it ends.  [default: 0.3 of --on]", show_default=False),
    ] = None,
    top_k: Annotated[int, typer.Option(help="Labels in a label message.")] = 5,
    encoding: Annotated[_Encoding, typer.Option(help="Of the messages.")] = _Encoding.json,
    skeletons: Annotated[bool, typer.Option("--skeletons", help="Publish every frame's joints as well.")] = False,
    as_fast_as_possible: Annotated[
        bool, typer.Option("--as-fast-as-possible", help="Of a file: every frame, however long it takes.")
    ] = False,
    motion_gate: Annotated[bool, typer.Option(help="Ask the network only where something moves.")] = True,
    pose: Pose = "mediapipe",
    detector: Detector = None,
    people: People = None,
    focus: FocusOn = "all",
    min_score: MinScore = None,
    smooth: Smooth = False,
    mirror: Mirror = None,
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Ask cameras for this size, as 1280x720.", show_default=False)
    ] = None,
    fps: Annotated[float | None, typer.Option(help="Ask cameras for this frame rate.", show_default=False)] = None,
    pixel_format: Annotated[
        str | None, typer.Option(help="Ask V4L2 cameras for this format, as MJPG.", show_default=False)
    ] = None,
    rtsp_transport: Annotated[_Transport, typer.Option(help="How RTSP cameras send.")] = _Transport.tcp,
    gstreamer: Annotated[
        bool, typer.Option("--gstreamer", help="Open devices and RTSP cameras through GStreamer.")
    ] = False,
    stall_s: Annotated[float, typer.Option(help="Open a camera anew that gives no frame for so long.")] = 5.0,
    wait_camera: Annotated[
        bool, typer.Option("--wait-camera", help="Keep trying a camera that is not there at the start.")
    ] = False,
    runtime: Annotated[
        Runtime, typer.Option(help="What runs the model; a named one that cannot is an error.")
    ] = Runtime.auto,
    pose_runtime: Annotated[
        Runtime, typer.Option(help="What runs a pose model and its detector; likewise. Not MediaPipe.")
    ] = Runtime.auto,
    threads: Annotated[int, typer.Option(help="Of one inference on a CPU; 0 takes every core.", min=0, max=1024)] = 0,
    wait_subscribers: Annotated[int, typer.Option(help="Start once so many subscribers are there.")] = 0,
    max_seconds: Annotated[float | None, typer.Option(help="Stop after so long.", show_default=False)] = None,
    key: Key = None,
    clients: Clients = None,
    insecure: Insecure = False,
    http: Http = None,
    view: ViewAt = None,
    view_token: Token = None,
    show_video: ShowVideo = False,
    record: Record = None,
    record_mb: RecordMb = 256.0,
    record_hours: RecordHours = 24.0,
    record_keep: RecordKeep = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    config: Annotated[
        Path | None,
        typer.Option(
            help="TOML file with these options by name, and a table [thresholds] by action or body group; a SIGHUP "
            "reads it again.",
            show_default=False,
            is_eager=True,
            callback=use_config,
        ),
    ] = None,
) -> Any:  # typer resolves annotations when it starts
    """Watch cameras or a video and publish labels, events and status over ZeroMQ.

    Ends with 0 in order (end of file, SIGTERM), 1 after an error, 130 after Ctrl-C.
    """
    from streaming.capture_modes import CaptureMode, parse_size
    from streaming.events import EventRules
    from streaming.pipeline import PipelineRules
    from streaming.serve_config import ServeConfig
    from streaming.thresholds import LabelChoice
    from streaming.trigger import DEFAULT_THRESHOLD

    choice = LabelChoice.parse(labels, context.obj.thresholds if config is not None else None)
    (first_stream, first_camera), *more = _named(camera, stream)
    serve_config = ServeConfig(
        camera=first_camera,
        address=bind[0],
        stream=first_stream,
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
        more_cameras=tuple(more),
        more_addresses=tuple(bind[1:]),
        keys=server_keys(key, clients),
        mode=CaptureMode(
            size=None if size is None else parse_size(size),
            fps=fps,
            pixel_format=pixel_format,
            rtsp_transport=rtsp_transport.value,
            gstreamer=gstreamer,
        ),
        stall_s=stall_s,
        wait_camera=wait_camera,
        record=_record_config(record, record_mb, record_hours, record_keep),
        http=http,
    )
    sha256 = _stated(model_sha256)
    if is_reread(context):
        return serve_config
    return _serve(
        serve_config,
        model,
        PoseOptions(pose, detector, people, focus, min_score, smooth, mirror, pose_runtime.value, threads),
        show=() if quiet else _SERVE_SHOWS,
        runtime=runtime.value,
        threads=threads,
        sha256=sha256,
        reread=None if config is None else lambda: called_again(context),
        page=live_view(view, view_token, show_video),
    )


@app.command()
def replay(
    recordings: Annotated[list[Path], typer.Argument(help="Files of one run, in order; or one folder of them.")],
    model: Model = None,
    model_sha256: ModelSha256 = None,
    bind: Binds = [ADDRESS],  # noqa: B006 - typer copies it
    stream: Annotated[str, typer.Option(help="Name of the stream on the wire.")] = "replay",
    stride_s: Annotated[float, typer.Option(help="Seconds between two inferences.")] = 0.2,
    labels: Annotated[str, typer.Option(help="As of serve.")] = "",
    on: Annotated[float | None, typer.Option(help="As of serve.", show_default=False)] = None,
    off: Annotated[float | None, typer.Option(help="As of serve.", show_default=False)] = None,
    skeletons: Annotated[bool, typer.Option("--skeletons", help="Publish every frame's joints as well.")] = False,
    motion_gate: Annotated[bool, typer.Option(help="Ask the network only where something moves.")] = True,
    as_fast_as_possible: Annotated[
        bool, typer.Option("--as-fast-as-possible", help="Do not wait for each frame's time.")
    ] = False,
    wait_subscribers: Annotated[int, typer.Option(help="Start once so many subscribers are there.")] = 0,
    key: Key = None,
    clients: Clients = None,
    insecure: Insecure = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Send recordings through the pipeline again: the same model gives the same events, at the recorded times."""
    from streaming.events import EventRules
    from streaming.pipeline import PipelineRules
    from streaming.serve_config import ServeConfig
    from streaming.thresholds import LabelChoice
    from streaming.trigger import DEFAULT_THRESHOLD

    config = ServeConfig(
        camera="",
        address=bind[0],
        stream=stream,
        pipeline=PipelineRules(
            stride_s=stride_s,
            motion_gate=DEFAULT_THRESHOLD if motion_gate else None,
            events=EventRules(on=on, off=off, labels=LabelChoice.parse(labels)),
        ),
        publish_skeletons=skeletons,
        as_fast_as_possible=as_fast_as_possible,
        wait_subscribers=wait_subscribers,
        insecure=insecure,
        more_addresses=tuple(bind[1:]),
        keys=server_keys(key, clients),
        replay=tuple(recordings),
    )
    _serve(config, model, PoseOptions(), show=() if quiet else _SERVE_SHOWS, sha256=_stated(model_sha256))


@app.command()
def demo(
    model: Model = None,
    bind: Bind = ADDRESS,
    pose: Pose = "mediapipe",
    detector: Detector = None,
    min_score: MinScore = None,
    mirror: Mirror = None,
    view: ViewAt = _DEMO_VIEW,
    view_token: Token = None,
    show_video: ShowVideo = False,
    open_it: OpenPage = True,
) -> None:
    """The main job on a built-in input: a portrait that nods, shakes its head, shrugs... No camera needed."""
    from edge.demo import DEMO_ON, DemoVideo
    from streaming.events import EventRules
    from streaming.pipeline import PipelineRules
    from streaming.serve_config import ServeConfig

    script = DemoVideo().script
    print("A portrait comes alive; what it will do, and when:")
    for segment in script:
        print(f"  {segment.start_s:5.1f} - {segment.end_s:4.1f} s  {segment.label}")
    print(f"What mar-edge sees, live, as 'mar-edge serve --on {DEMO_ON}' tells it; without it, serve waits until it is")
    print("surer. The same stream: 'mar-edge subscribe' in another terminal.", flush=True)
    rules = PipelineRules(events=EventRules(on=DEMO_ON))
    _serve(
        ServeConfig(camera="demo:", address=bind, stream="demo", pipeline=rules),
        model,
        PoseOptions(pose, detector, min_score=min_score, mirror=mirror),
        show=("hello", "label", "event", "end"),
        page=_demo_page(view, view_token, show_video),
        open_it=open_it,
    )


def _demo_page(view: str | None, token: str | None, video: bool) -> LiveView | None:
    """The page of the demo; it goes without where it has not been asked for and cannot be had."""
    try:
        return live_view(view, token, video)
    except MissingExtra as error:
        if view != _DEMO_VIEW or video:
            raise
        print(f"Without a page to look at: {error}", file=sys.stderr, flush=True)
        return None


def _serve(
    config: ServeConfig,
    model: Path | None,
    options: PoseOptions,
    show: tuple[str, ...],
    runtime: RuntimeName = "auto",
    threads: int = 0,
    sha256: str | None = None,
    reread: Callable[[], ServeConfig] | None = None,
    page: LiveView | None = None,
    open_it: bool = False,
) -> None:
    from edge.recognizer import Recognizer
    from streaming.display import Display
    from streaming.logs import set_up_logs
    from streaming.service import serve as serve_stream

    if config.http is not None:
        require("ops", "prometheus_client")
    set_up_logs()
    open_pose = pose_stage(options)
    opened: list[Recognizer] = []

    untold: list[str] = []

    def open_recognizer() -> Recognizer:
        with showing_progress() as progress:  # of building an engine
            opened.append(Recognizer.open(model, threads, runtime, sha256, progress))
        if show:
            untold.append(f"runtime: {opened[0].runtime.name}, {opened[0].reason}")
        return opened[0]

    def on_message(message: AnyMessage) -> None:
        # With the first message: where serving cannot begin, the error is all that is said.
        while untold:
            print(untold.pop(), file=sys.stderr, flush=True)
        display.show(message)

    display = Display(sys.stdout, show, status_every_s=_STATUS_EVERY_S)
    with page or nullcontext():
        if page is not None:
            print(f"page: {page.url}", file=sys.stderr, flush=True)
            if open_it and has_screen():
                open_page(page.url)
        summary: ServeSummary = serve_stream(
            config,
            open_pose=lambda: open_pose(opened[0].layout),  # the recogniser is opened first
            open_recognizer=open_recognizer,
            on_message=on_message,
            reread=reread,
            watcher=page,
        )
    if show:
        print(summary.report, file=sys.stderr)
    if summary.signal == SIGINT:
        raise typer.Exit(INTERRUPTED)


def _named(cameras: list[str], stream: str) -> list[tuple[str, str]]:
    """(stream, camera) from ``NAME=CAMERA``; without names they are numbered."""
    found = []
    for number, text in enumerate(cameras):
        match = re.fullmatch(r"([A-Za-z0-9_.-]+)=(.+)", text, re.DOTALL)
        name = stream if len(cameras) == 1 else f"{stream}{number}"
        found.append((match[1], match[2]) if match else (name, text))
    return found


def _stated(model_sha256: str | None) -> str | None:
    from edge.digest import parse_sha256

    with about("--model-sha256"):
        return None if model_sha256 is None else parse_sha256(model_sha256)


def _record_config(folder: Path | None, most_mb: float, most_hours: float, keep: int | None) -> RecordConfig | None:
    from streaming.recorder import RecordConfig

    config = RecordConfig(folder or Path(), most_mb, most_hours, keep)
    if folder is None and config != RecordConfig(Path()):
        raise MarEdgeError("--record-mb, --record-hours and --record-keep are of --record FOLDER, which is not given")
    return None if folder is None else config
