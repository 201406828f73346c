"""``subscribe``, ``record``, ``relay`` and ``keygen``: the wire without a camera."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from mar_edge.cli import INTERRUPTED, app
from mar_edge.cli.output import say
from mar_edge.cli.wire_options import (
    ADDRESS,
    SIGINT,
    Binds,
    Clients,
    Insecure,
    Key,
    RecordHours,
    RecordKeep,
    RecordMb,
    ServerKey,
    client_keys,
    server_keys,
)
from mar_edge.edge.errors import MarEdgeError


class _Kind(str, Enum):
    hello = "hello"
    label = "label"
    event = "event"
    skeleton = "skeleton"
    status = "status"
    end = "end"


Kinds = Annotated[
    list[_Kind] | None, typer.Option(help="Only this kind of message; may be repeated.", show_default=False)
]


@app.command()
def subscribe(
    connect: Annotated[str, typer.Option(help="Address of the publisher.")] = ADDRESS,
    stream: Annotated[str | None, typer.Option(help="Only this stream.", show_default=False)] = None,
    kind: Kinds = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document a line, for pipes.")] = False,
    until_end: Annotated[bool, typer.Option("--until-end", help="Stop when the stream ends.")] = False,
    timeout_s: Annotated[
        float | None, typer.Option(help="Give up after so many seconds without a message.", show_default=False)
    ] = None,
    key: Key = None,
    server_key: ServerKey = None,
) -> None:
    """Print the messages of a stream. What was lost, restarts and silence are reported on standard error."""
    from mar_edge import LabelSubscriber
    from mar_edge.streaming.wire.display import Display, notice_line
    from mar_edge.streaming.wire.messages import KINDS, encode

    kinds = tuple(name for name in KINDS if not kind or _Kind(name) in kind)
    display = Display(sys.stdout, kinds)
    keys = client_keys(key, server_key)
    with LabelSubscriber(
        connect,
        stream,
        kinds,
        timeout_s,
        until_end,
        keys=keys,
        on_notice=lambda notice: print(f"warning: {notice_line(notice)}", file=sys.stderr, flush=True),
    ) as subscriber:
        for message in subscriber:
            if as_json:
                print(encode(message).decode(), flush=True)
            else:
                display.show(message)


@app.command()
def keygen(
    name: Annotated[str, typer.Argument(help="What the keys are called, as the machine they are for.")],
    out: Annotated[Path, typer.Option(help="Folder to write them to.")] = Path(),
) -> None:
    """Make a pair of CURVE keys: NAME.key to hand out, NAME.key_secret to keep."""
    from mar_edge.streaming.wire.keys import write_keys

    public, secret = write_keys(out, name)
    print(f"{public}: hand it out (a subscriber's goes into the folder --clients of the sender)")
    print(f"{secret}: keep it; only you may read it")


@app.command()
def relay(
    connect: Annotated[list[str], typer.Option(help="Address of a sender; may be repeated.")],
    bind: Binds = [ADDRESS],  # noqa: B006 - typer copies it
    key: Key = None,
    clients: Clients = None,
    server_key: Annotated[
        list[Path] | None,
        typer.Option(help="The senders' public keys, one for all or in the order of --connect.", show_default=False),
    ] = None,
    insecure: Insecure = False,
) -> None:
    """Join the streams of many senders into one endpoint; each stream needs a name of its own."""
    from mar_edge.streaming.operations.file_limit import raise_file_limit
    from mar_edge.streaming.operations.logs import set_up_logs
    from mar_edge.streaming.operations.stop_signals import StopSignals
    from mar_edge.streaming.wire.keys import ClientKeys, read_public_key, read_secret_key
    from mar_edge.streaming.wire.publish_socket import PublishSocket
    from mar_edge.streaming.wire.relay import Relay

    set_up_logs()
    raise_file_limit()
    keys: list[ClientKeys | None] = [None] * len(connect)
    if server_key:
        if key is None:
            raise MarEdgeError("--server-key needs --key, one's own secret key")
        if len(server_key) not in (1, len(connect)):
            raise MarEdgeError(f"one --server-key for all senders, or {len(connect)}; given were {len(server_key)}")
        own = read_secret_key(key)
        every = server_key * len(connect) if len(server_key) == 1 else server_key
        keys = [ClientKeys(own, read_public_key(path)) for path in every]
    own_keys = server_keys(key, clients) if clients is not None or not server_key else None
    with (
        StopSignals() as stop,
        PublishSocket(bind, own_keys, insecure) as socket,
        Relay(connect, socket, keys) as joined,
    ):
        say(f"relay of {', '.join(connect)} at {', '.join(socket.endpoints)}")
        joined.run(lambda: stop.reason is not None)
        counts = ", ".join(f"{stream} {count}" for stream, count in sorted(joined.forwarded.items()))
    print(f"{stop.reason}; passed on: {counts or 'nothing'}; {joined.malformed} malformed", file=sys.stderr)
    if stop.signal == SIGINT:
        raise typer.Exit(INTERRUPTED)


@app.command()
def record(
    out: Annotated[Path, typer.Argument(help="Folder for the recordings.")],
    connect: Annotated[str, typer.Option(help="Address of the publisher; it must serve with --skeletons.")] = ADDRESS,
    stream: Annotated[str | None, typer.Option(help="Only this stream.", show_default=False)] = None,
    until_end: Annotated[bool, typer.Option("--until-end", help="Stop when the stream ends.")] = False,
    record_mb: RecordMb = 256.0,
    record_hours: RecordHours = 24.0,
    record_keep: RecordKeep = None,
    key: Key = None,
    server_key: ServerKey = None,
) -> None:
    """Record what a publisher sends, skeletons and labels, never pictures: for replay, train and evaluate."""
    from mar_edge.streaming.operations.background_printer import BackgroundPrinter
    from mar_edge.streaming.operations.stop_signals import StopSignals
    from mar_edge.streaming.recording.recorder import RecordConfig, StreamRecorders
    from mar_edge.streaming.wire.display import notice_line
    from mar_edge.streaming.wire.subscriber import LabelSubscriber

    config = RecordConfig(out, record_mb, record_hours, record_keep)
    with (
        StopSignals() as stop,
        BackgroundPrinter() as printer,
        StreamRecorders(config) as recorders,
        LabelSubscriber(
            connect,
            stream,
            until_end=until_end,
            timeout_s=0.5,
            keys=client_keys(key, server_key),
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
        print("warning: no skeleton came; serve with --skeletons", file=sys.stderr)
