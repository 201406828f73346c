"""``bridge``."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from mar_edge.cli.app import INTERRUPTED, SIGINT, command
from mar_edge.cli.options.bridge import Filter, Receiver
from mar_edge.cli.options.publishing import ADDRESS, ClientAccess, Connect, OnlyStream, UntilEnd
from mar_edge.cli.output import say
from mar_edge.edge.errors import MarEdgeError


@command(
    "Receive",
    "bridge --to nats://broker:4222",
    "bridge --to mqtts://broker --tls-ca ca.pem --journal /var/lib/mar-edge/bridge.journal",
    "bridge --to https://example.org/events --body head --score 0.6",
    "bridge --to 'exec:logger -t mar-edge' --phase begin",
)
def bridge(
    *,
    connect: Connect = ADDRESS,
    stream: OnlyStream = None,
    until_end: UntilEnd = False,
    receiver: Receiver,
    filter: Filter,
    journal: Annotated[
        Path, typer.Option(metavar="FILE", help="File of the messages that the receiver does not have yet.")
    ] = Path("mar-edge-bridge.journal"),
    journal_mb: Annotated[
        int, typer.Option(metavar="N", help="Size of the journal, MB; then the oldest messages are dropped.")
    ] = 256,
    access: ClientAccess,
) -> None:
    """Pass messages on to NATS, MQTT, webhooks and programs.

    While the receiver is away, messages wait in a journal on disk. SIGUSR1 logs what waits, was sent and dropped.
    """
    from mar_edge.bridge.bridge import Bridge
    from mar_edge.bridge.journal import Journal
    from mar_edge.bridge.sinks.choice import sink_of
    from mar_edge.streaming.operations.logs import set_up_logs
    from mar_edge.streaming.operations.stop_signals import StopSignals
    from mar_edge.streaming.wire.display import notice_line
    from mar_edge.streaming.wire.subscriber import LabelSubscriber

    if journal_mb < 1:
        raise MarEdgeError(f"--journal-mb is at least 1, not {journal_mb}")
    target, selection = receiver.target(), filter.selection()
    sink = sink_of(target)
    set_up_logs()
    with StopSignals() as stop, Journal(journal, journal_mb << 20) as waiting:
        running = Bridge(selection, waiting, sink)
        if hasattr(signal, "SIGUSR1"):
            signal.signal(signal.SIGUSR1, lambda *_: running.ask_report())

        def attend() -> bool:
            running.report_if_due()
            return stop.reason is not None or running.ended

        with (
            running,
            LabelSubscriber(
                connect,
                stream,
                filter.kind or sink.kinds,
                timeout_s=0.1,
                until_end=until_end,
                keys=access.keys(),
                on_notice=lambda notice: running.warn(notice_line(notice)),
            ) as subscriber,
        ):
            say(f"bridge of {connect} to {target.shown}, journal {journal} ({waiting.waiting} messages)")
            running.fill(subscriber.until(attend))
            running.drain(attend)
        running.report_drops()
        print(f"{stop.reason or 'ended'}; {running.status()}", file=sys.stderr)
        running.check()
    if stop.signal == SIGINT:
        raise typer.Exit(INTERRUPTED)
