"""What commands that touch the wire share: options about addresses, keys and recordings, and what they mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mar_edge.edge.errors import MarEdgeError

if TYPE_CHECKING:
    from mar_edge.streaming.wire.keys import ClientKeys, ServerKeys

ADDRESS = "tcp://127.0.0.1:5557"
SIGINT = 2

Bind = Annotated[str, typer.Option(help="Address to publish on.")]
Binds = Annotated[list[str], typer.Option(help="Address to publish on; may be repeated.")]
Key = Annotated[
    Path | None, typer.Option(help="Own secret key (.key_secret of 'mar-edge keygen').", show_default=False)
]
Clients = Annotated[
    Path | None, typer.Option(help="Folder of the public keys that may subscribe; followed live.", show_default=False)
]
ServerKey = Annotated[Path | None, typer.Option(help="The sender's public key (.key); with --key.", show_default=False)]
Insecure = Annotated[
    bool, typer.Option("--insecure", help="Allow an address that other machines reach, without encryption.")
]
Http = Annotated[str | None, typer.Option(help="HOST:PORT of /live, /ready and /metrics.", show_default=False)]
Record = Annotated[Path | None, typer.Option(help="Folder for recordings: skeletons and labels.", show_default=False)]
RecordMb = Annotated[float, typer.Option(help="A new file after so many megabytes.")]
RecordHours = Annotated[float, typer.Option(help="A new file after so many hours.")]
RecordKeep = Annotated[
    int | None, typer.Option(help="Of each stream, keep so many files.  [default: all]", show_default=False)
]


def server_keys(key: Path | None, clients: Path | None) -> ServerKeys | None:
    """What ``--key`` and ``--clients`` name.

    Raises:
        MarEdgeError: only one of them, or a file or folder that does not hold it.
    """
    from mar_edge.streaming.wire.keys import ServerKeys, read_secret_key

    if key is None and clients is None:
        return None
    if key is None or clients is None:
        raise MarEdgeError("--key and --clients go together: one's own secret key, and the folder of those let in")
    return ServerKeys(read_secret_key(key), clients)


def client_keys(key: Path | None, server_key: Path | None) -> ClientKeys | None:
    """What ``--key`` and ``--server-key`` name.

    Raises:
        MarEdgeError: only one of them, or a file that holds no such key.
    """
    from mar_edge.streaming.wire.keys import ClientKeys, read_public_key, read_secret_key

    if key is None and server_key is None:
        return None
    if key is None or server_key is None:
        raise MarEdgeError("--key and --server-key go together: one's own secret key, and the sender's public one")
    return ClientKeys(read_secret_key(key), read_public_key(server_key))
