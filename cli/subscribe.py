"""``subscribe``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from mar_edge.cli.app import command
from mar_edge.cli.options.publishing import ADDRESS, ClientAccess, Connect, OnlyStream, UntilEnd
from mar_edge.streaming.choices import Kind


@command(
    "Receive",
    "subscribe",
    "subscribe --connect tcp://10.0.0.7:5557 --kind event",
    "subscribe --json --until-end > messages.jsonl",
)
def subscribe(
    *,
    connect: Connect = ADDRESS,
    stream: OnlyStream = None,
    kind: Annotated[
        list[Kind] | None,
        typer.Option(
            metavar="KIND",
            help="Only this kind of message: hello, label, event, skeleton, profile, status or end. May be repeated.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document per line.")] = False,
    until_end: UntilEnd = False,
    timeout_s: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Seconds without a message after which to give up.", show_default=False),
    ] = None,
    access: ClientAccess,
) -> None:
    """Print the messages of a stream.

    Lost messages, restarts and silence are reported on standard error.
    """
    from mar_edge.streaming.wire.display import Display, notice_line
    from mar_edge.streaming.wire.encoding import encode
    from mar_edge.streaming.wire.messages import KINDS
    from mar_edge.streaming.wire.subscriber import LabelSubscriber

    kinds = tuple(name for name in KINDS if not kind or name in kind)
    display = Display(sys.stdout, kinds)
    with LabelSubscriber(
        connect,
        stream,
        kinds,
        timeout_s,
        until_end,
        keys=access.keys(),
        on_notice=lambda notice: print(f"warning: {notice_line(notice)}", file=sys.stderr, flush=True),
    ) as subscriber:
        for message in subscriber:
            if as_json:
                print(encode(message).decode(), flush=True)
            else:
                display.show(message)
