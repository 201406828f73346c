"""Options about what is published, where, and who may receive it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from mar_edge.edge.errors import MarEdgeError

if TYPE_CHECKING:
    from mar_edge.streaming.wire.keys import ClientKeys, ServerKeys

ADDRESS = "tcp://127.0.0.1:5557"

Binds = Annotated[
    list[str], typer.Option(metavar="ADDRESS", help="Address to publish on: tcp:// or ipc://. May be repeated.")
]
Key = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Own secret key (.key_secret of 'mar-edge keygen').", show_default=False),
]
Connect = Annotated[str, typer.Option(metavar="ADDRESS", help="Address of the publisher.")]
OnlyStream = Annotated[str | None, typer.Option(metavar="NAME", help="Only this stream.", show_default=False)]
UntilEnd = Annotated[bool, typer.Option("--until-end", help="Stop when the stream ends.")]


@dataclass(frozen=True)
class Publishing:
    """Where messages go, and which."""

    PANEL: ClassVar = "Output"

    bind: Binds = field(default_factory=lambda: [ADDRESS])
    skeletons: Annotated[bool, typer.Option("--skeletons", help="Publish the joints of every frame as well.")] = False
    wait_subscribers: Annotated[
        int, typer.Option(metavar="N", help="Number of subscribers to wait for before the first frame.")
    ] = 0
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False


@dataclass(frozen=True)
class Access:
    """Which subscribers may connect, and whether the wire is encrypted."""

    PANEL: ClassVar = "Security"

    key: Key = None
    clients: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder of the public keys that may subscribe; changes apply at once.",
            show_default=False,
        ),
    ] = None
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Allow an address that other machines reach, without encryption.")
    ] = False

    def keys(self) -> ServerKeys | None:
        """Return what ``--key`` and ``--clients`` name.

        Raises:
            MarEdgeError: only one of them, or a file or folder that does not hold it.
        """
        from mar_edge.streaming.wire.keys import ServerKeys, read_secret_key

        if self.key is None and self.clients is None:
            return None
        if self.key is None or self.clients is None:
            raise MarEdgeError(
                "--key and --clients go together: your own secret key, and the folder of public keys that may subscribe"
            )
        return ServerKeys(read_secret_key(self.key), self.clients)


@dataclass(frozen=True)
class ClientAccess:
    """The keys of a subscriber."""

    PANEL: ClassVar = "Security"

    key: Key = None
    server_key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Public key of the publisher (.key); with --key.", show_default=False),
    ] = None

    def keys(self) -> ClientKeys | None:
        """Return what ``--key`` and ``--server-key`` name.

        Raises:
            MarEdgeError: only one of them, or a file that holds no such key.
        """
        from mar_edge.streaming.wire.keys import ClientKeys, read_public_key, read_secret_key

        if self.key is None and self.server_key is None:
            return None
        if self.key is None or self.server_key is None:
            raise MarEdgeError(
                "--key and --server-key go together: your own secret key, and the publisher's public key"
            )
        return ClientKeys(read_secret_key(self.key), read_public_key(self.server_key))
