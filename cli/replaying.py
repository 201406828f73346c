"""``replay``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mar_edge.cli import app
from mar_edge.cli.posing import PoseOptions
from mar_edge.cli.running import (
    SHOWN,
    AsFastAsPossible,
    Model,
    ModelSha256,
    PriorChoice,
    chosen_prior,
    paced,
    run_service,
    stated_sha256,
)
from mar_edge.cli.wire_options import ADDRESS, Binds, Clients, Insecure, Key, server_keys


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
    prior: PriorChoice = None,
    skeletons: Annotated[bool, typer.Option("--skeletons", help="Publish every frame's joints as well.")] = False,
    motion_gate: Annotated[bool, typer.Option(help="Ask the network only where something moves.")] = True,
    realtime: Annotated[bool, typer.Option("--realtime", help="Wait for each frame's time, for who watches.")] = False,
    as_fast_as_possible: AsFastAsPossible = False,
    wait_subscribers: Annotated[int, typer.Option(help="Start once so many subscribers are there.")] = 0,
    key: Key = None,
    clients: Clients = None,
    insecure: Insecure = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Send recordings through the pipeline again: the same model gives the same events, at the recorded times."""
    from mar_edge.streaming.recognition.pipeline import PipelineRules
    from mar_edge.streaming.recognition.thresholds import LabelChoice
    from mar_edge.streaming.recognition.trigger import DEFAULT_THRESHOLD
    from mar_edge.streaming.serve_config import ServeConfig

    config = ServeConfig(
        camera="",
        address=bind[0],
        stream=stream,
        pipeline=PipelineRules(
            stride_s=stride_s,
            motion_gate=DEFAULT_THRESHOLD if motion_gate else None,
            on=on,
            off=off,
            labels=LabelChoice.parse(labels),
            prior=chosen_prior(prior),
        ),
        publish_skeletons=skeletons,
        realtime=paced(realtime, as_fast_as_possible),
        wait_subscribers=wait_subscribers,
        insecure=insecure,
        more_addresses=tuple(bind[1:]),
        keys=server_keys(key, clients),
        replay=tuple(recordings),
    )
    run_service(config, model, PoseOptions(), show=() if quiet else SHOWN, sha256=stated_sha256(model_sha256))
