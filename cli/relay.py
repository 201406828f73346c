"""``relay``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mar_edge.cli.app import INTERRUPTED, SIGINT, command
from mar_edge.cli.options.publishing import ADDRESS, Access, Binds
from mar_edge.cli.output import say
from mar_edge.edge.errors import MarEdgeError


@command("Receive", "relay --connect tcp://10.0.0.7:5557 --connect tcp://10.0.0.8:5557")
def relay(
    *,
    connect: Annotated[list[str], typer.Option(metavar="ADDRESS", help="Address of a publisher. May be repeated.")],
    bind: Binds = [ADDRESS],  # noqa: B006 - typer copies it
    server_key: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Public key of the publishers: one for all, or one for each in the order of --connect.",
            show_default=False,
            rich_help_panel="Security",
        ),
    ] = None,
    access: Access,
) -> None:
    """Join the streams of several publishers into one endpoint.

    Each stream needs a name of its own.
    """
    from mar_edge.streaming.operations.logs import set_up_logs
    from mar_edge.streaming.operations.stop_signals import StopSignals
    from mar_edge.streaming.wire.file_limit import raise_file_limit
    from mar_edge.streaming.wire.keys import ClientKeys, read_public_key, read_secret_key
    from mar_edge.streaming.wire.publish_socket import PublishSocket
    from mar_edge.streaming.wire.relay import Relay

    set_up_logs()
    raise_file_limit()
    keys: list[ClientKeys | None] = [None] * len(connect)
    if server_key:
        if access.key is None:
            raise MarEdgeError("--server-key needs --key, your own secret key")
        if len(server_key) not in (1, len(connect)):
            raise MarEdgeError(f"--server-key: one for all publishers, or {len(connect)}; not {len(server_key)}")
        own = read_secret_key(access.key)
        every = server_key * len(connect) if len(server_key) == 1 else server_key
        keys = [ClientKeys(own, read_public_key(path)) for path in every]
    own_keys = access.keys() if access.clients is not None or not server_key else None
    with (
        StopSignals() as stop,
        PublishSocket(bind, own_keys, access.insecure) as socket,
        Relay(connect, socket, keys) as joined,
    ):
        say(f"relay of {', '.join(connect)} at {', '.join(socket.endpoints)}")
        joined.run(lambda: stop.reason is not None)
        counts = ", ".join(f"{stream} {count}" for stream, count in sorted(joined.forwarded.items()))
    print(f"{stop.reason}; forwarded: {counts or 'nothing'}; {joined.malformed} malformed", file=sys.stderr)
    if stop.signal == SIGINT:
        raise typer.Exit(INTERRUPTED)
