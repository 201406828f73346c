"""``replay``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mar_edge.cli.app import command
from mar_edge.cli.config_file import ServeConfigFileOption, settings
from mar_edge.cli.options.events import Events
from mar_edge.cli.options.input import Pace
from mar_edge.cli.options.model import ModelFiles
from mar_edge.cli.options.publishing import Access, Publishing
from mar_edge.cli.service import SHOWN, run_service
from mar_edge.edge.pose.choice import PoseConfig


@command(
    "Run",
    "replay recordings",
    "replay recordings --model other.onnx --config mar-edge.toml",
    "replay recordings --realtime --skeletons",
)
def replay(
    context: typer.Context,
    *,
    recordings: Annotated[list[Path], typer.Argument(help="Files of one run, in order; or one folder of them.")],
    pace: Pace,
    model: ModelFiles,
    events: Events,
    publishing: Publishing,
    access: Access,
    stream: Annotated[
        str, typer.Option(metavar="NAME", help="Name of the stream in messages.", rich_help_panel="Output")
    ] = "replay",
    config: ServeConfigFileOption = None,
) -> None:
    """Recognize the actions in recordings again.

    Times are those of the recording. The same model gives the same events. A model of pictures does not run again: the
    recording holds its answers, and no pictures.
    """
    from mar_edge.streaming.serve_config import ServeConfig

    serve_config = ServeConfig(
        camera="",
        address=publishing.bind[0],
        stream=stream,
        pipeline=events.rules(settings(context)),
        publish_skeletons=publishing.skeletons,
        realtime=pace.is_real_time,
        wait_subscribers=publishing.wait_subscribers,
        insecure=access.insecure,
        more_addresses=tuple(publishing.bind[1:]),
        keys=access.keys(),
        replay=tuple(recordings),
    )
    show = () if publishing.quiet else SHOWN
    run_service(serve_config, model.served(), PoseConfig(), show)
