"""``serve``."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mar_edge.cli import app
from mar_edge.cli.config_file import called_again, is_reread, use_config
from mar_edge.cli.page import ShowVideo, Token, ViewAt, ViewHost, live_view
from mar_edge.cli.posing import HOLISTIC, Detector, FocusOn, MinScore, Mirror, People, Pose, PoseOptions, Smooth
from mar_edge.cli.running import (
    SHOWN,
    AsFastAsPossible,
    Model,
    ModelSha256,
    PriorChoice,
    Runtime,
    chosen_prior,
    paced,
    run_service,
    stated_sha256,
)
from mar_edge.cli.wire_options import (
    ADDRESS,
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
from mar_edge.edge.errors import MarEdgeError

if TYPE_CHECKING:
    from mar_edge.streaming.recording.recorder import RecordConfig


class _Encoding(str, Enum):
    json = "json"
    msgpack = "msgpack"


class _Transport(str, Enum):
    tcp = "tcp"
    udp = "udp"


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
    prior: PriorChoice = None,
    top_k: Annotated[int, typer.Option(help="Labels in a label message.")] = 5,
    encoding: Annotated[_Encoding, typer.Option(help="Of the messages.")] = _Encoding.json,
    skeletons: Annotated[bool, typer.Option("--skeletons", help="Publish every frame's joints as well.")] = False,
    realtime: Annotated[
        bool,
        typer.Option(
            "--realtime", help="Play a file at its own pace, for who watches; frames that come too late are dropped."
        ),
    ] = False,
    as_fast_as_possible: AsFastAsPossible = False,
    motion_gate: Annotated[bool, typer.Option(help="Ask the network only where something moves.")] = True,
    pose: Pose = HOLISTIC,
    detector: Detector = None,
    people: People = None,
    focus: FocusOn = "all",
    min_score: MinScore = None,
    smooth: Smooth = None,
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
        Runtime, typer.Option(help="What runs the networks of the pose stage; likewise.")
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
    view_host: ViewHost = None,
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
    from mar_edge.streaming.capture.capture_modes import CaptureMode, parse_size
    from mar_edge.streaming.recognition.pipeline import PipelineRules
    from mar_edge.streaming.recognition.thresholds import LabelChoice
    from mar_edge.streaming.recognition.trigger import DEFAULT_THRESHOLD
    from mar_edge.streaming.serve_config import ServeConfig

    choice = LabelChoice.parse(labels, context.obj.thresholds if config is not None else None)
    (first_stream, first_camera), *more = _named(camera, stream)
    serve_config = ServeConfig(
        camera=first_camera,
        address=bind[0],
        stream=first_stream,
        pipeline=PipelineRules(
            stride_s=stride_s,
            motion_gate=DEFAULT_THRESHOLD if motion_gate else None,
            on=on,
            off=off,
            labels=choice,
            prior=chosen_prior(prior),
        ),
        top_k=top_k,
        encoding=encoding.value,
        publish_skeletons=skeletons,
        realtime=paced(realtime, as_fast_as_possible),
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
    sha256 = stated_sha256(model_sha256)
    if is_reread(context):
        return serve_config
    return run_service(
        serve_config,
        model,
        PoseOptions(pose, detector, people, focus, min_score, smooth, mirror, pose_runtime.value, threads),
        show=() if quiet else SHOWN,
        runtime=runtime.value,
        threads=threads,
        sha256=sha256,
        reread=None if config is None else lambda: called_again(context),
        page=live_view(view, view_token, show_video, view_host),
    )


def _named(cameras: list[str], stream: str) -> list[tuple[str, str]]:
    """(stream, camera) from ``NAME=CAMERA``; without names they are numbered. In a file's name there is none."""
    from mar_edge.streaming.capture.sources import names_file

    found = []
    for number, text in enumerate(cameras):
        match = re.fullmatch(r"([A-Za-z0-9_.-]+)=(.+)", text, re.DOTALL)
        name = stream if len(cameras) == 1 else f"{stream}{number}"
        found.append((match[1], match[2]) if match and not names_file(text) else (name, text))
    return found


def _record_config(folder: Path | None, most_mb: float, most_hours: float, keep: int | None) -> RecordConfig | None:
    from mar_edge.streaming.recording.recorder import RecordConfig

    config = RecordConfig(folder or Path(), most_mb, most_hours, keep)
    if folder is None and config != RecordConfig(Path()):
        raise MarEdgeError("--record-mb, --record-hours and --record-keep are of --record FOLDER, which is not given")
    return None if folder is None else config
