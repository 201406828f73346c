"""``record``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mar_edge.cli.app import command
from mar_edge.cli.options.publishing import ADDRESS, ClientAccess, Connect, OnlyStream, UntilEnd
from mar_edge.cli.options.recording import RecordLimits


@command("Receive", "record recordings", "record recordings --connect tcp://10.0.0.7:5557 --record-hours 1")
def record(
    *,
    out: Annotated[Path, typer.Argument(help="Folder for the recordings.")],
    connect: Connect = ADDRESS,
    stream: OnlyStream = None,
    until_end: UntilEnd = False,
    limits: RecordLimits,
    access: ClientAccess,
) -> None:
    """Record the skeletons and labels of a stream, never pictures.

    The publisher must serve with --skeletons. Recordings are for replay, view, annotations, train and evaluate.
    """
    from mar_edge.streaming.operations.background_calls import BackgroundCalls
    from mar_edge.streaming.operations.stop_signals import StopSignals
    from mar_edge.streaming.recording.recorder import StreamRecorders
    from mar_edge.streaming.wire.display import notice_line
    from mar_edge.streaming.wire.subscriber import LabelSubscriber

    config = limits.config(out)
    with (
        StopSignals() as stop,
        BackgroundCalls() as printer,
        StreamRecorders(config) as recorders,
        LabelSubscriber(
            connect,
            stream,
            until_end=until_end,
            timeout_s=0.5,
            keys=access.keys(),
            on_notice=lambda notice: printer.submit(
                lambda: print(f"warning: {notice_line(notice)}", file=sys.stderr, flush=True)
            ),
        ) as subscriber,
    ):
        print(f"recording {connect} to {out}; Ctrl-C ends it", file=sys.stderr, flush=True)
        for message in subscriber.until(lambda: stop.reason is not None):
            recorders.write(message)
    print(f"{recorders.written} lines written, {recorders.lost} lost", file=sys.stderr)
    if not recorders.skeletons:
        print("warning: no skeletons arrived; serve with --skeletons", file=sys.stderr)
