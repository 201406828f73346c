"""``serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mar_edge.cli.app import command
from mar_edge.cli.config_file import ConfigFileOption, called_again, is_reread, settings
from mar_edge.cli.options.events import Events
from mar_edge.cli.options.input import Cameras, Pace
from mar_edge.cli.options.lsl import Lsl
from mar_edge.cli.options.model import ModelFiles, PoseRuntime, Runtime, Threads
from mar_edge.cli.options.pose import PoseOptions
from mar_edge.cli.options.profile import Profiles
from mar_edge.cli.options.publishing import Access, Publishing
from mar_edge.cli.options.recording import RecordLimits
from mar_edge.cli.options.view import PageAccess, PageTeaching, ShowVideo, ViewAt, live_view
from mar_edge.cli.service import SHOWN, run_service
from mar_edge.edge.runtime.cores import share_of_cores
from mar_edge.streaming.choices import Encoding


@command(
    "Run",
    "serve --camera 0 --view 127.0.0.1:8080",
    "serve --camera clip.mp4 --record recordings",
    "serve --camera 0 --model mmn.onnx --model manet.onnx",
    "serve --camera hall=rtsp://10.0.0.7/cam --camera door=1",
    "serve --camera 0 --view 127.0.0.1:8080 --teach-to taught.onnx",
    "serve --config mar-edge.toml",
)
def serve(
    context: typer.Context,
    *,
    cameras: Cameras,
    pace: Pace,
    model: ModelFiles,
    pose: PoseOptions,
    events: Events,
    publishing: Publishing,
    stream: Annotated[
        str, typer.Option(metavar="NAME", help="Name of the stream in messages.", rich_help_panel="Output")
    ] = "camera",
    encoding: Annotated[Encoding, typer.Option(help="Encoding of messages.", rich_help_panel="Output")] = "json",
    top_k: Annotated[
        int, typer.Option(metavar="N", help="Number of labels in a label message.", rich_help_panel="Output")
    ] = 5,
    view: ViewAt = None,
    show_video: ShowVideo = False,
    page: PageAccess,
    teaching: PageTeaching,
    record: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder for recordings of skeletons and labels.",
            show_default=False,
            rich_help_panel="Recording",
        ),
    ] = None,
    limits: RecordLimits,
    lab: Lsl,
    profiles: Profiles,
    access: Access,
    runtime: Runtime = "auto",
    pose_runtime: PoseRuntime = "auto",
    threads: Threads = 0,
    max_seconds: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Seconds after which to stop.", show_default=False)
    ] = None,
    http: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Address of /live, /ready and /metrics.", show_default=False),
    ] = None,
    config: ConfigFileOption = None,
) -> Any:  # fmt: skip
    """Recognize actions from cameras or videos and publish them.

    Messages go out over ZeroMQ. The exit code is 0 at the end of a file or on SIGTERM, 1 after an error, 130 after
    Ctrl-C.
    """
    from mar_edge.streaming.capture.sources import named_sources
    from mar_edge.streaming.serve_config import ServeConfig

    threads = share_of_cores(threads, len(cameras.camera))
    (first_stream, first_camera), *more = named_sources(cameras.camera, stream)
    serve_config = ServeConfig(
        camera=first_camera,
        address=publishing.bind[0],
        stream=first_stream,
        pipeline=events.rules(settings(context)),
        top_k=top_k,
        encoding=encoding,
        publish_skeletons=publishing.skeletons,
        realtime=pace.is_real_time,
        wait_subscribers=publishing.wait_subscribers,
        max_seconds=max_seconds,
        insecure=access.insecure,
        more_cameras=tuple(more),
        more_addresses=tuple(publishing.bind[1:]),
        keys=access.keys(),
        mode=cameras.mode(),
        stall_s=cameras.stall_s,
        wait_camera=cameras.wait_camera,
        record=limits.config_if(record),
        http=http,
        lsl=lab.config(publishing.skeletons),
        profile=profiles.rules(),
        profile_baseline=profiles.profile_baseline,
    )
    if is_reread(context):
        model.files()  # which checks the options
        return serve_config
    models = model.served()
    return run_service(
        serve_config,
        models,
        pose.config(pose_runtime, threads),
        show=() if publishing.quiet else SHOWN,
        runtime=runtime,
        threads=threads,
        reread=None if config is None else lambda: called_again(context),
        page=live_view(
            view,
            page,
            show_video,
            teaching.config(models.main.file, serve_config.pipeline),
            teaching.teach_token,
        ),
    )
