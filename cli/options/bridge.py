"""Options about where a bridge sends to, and what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from mar_edge.streaming.choices import Kind, Phase

if TYPE_CHECKING:
    from mar_edge.bridge.selection import Selection
    from mar_edge.bridge.target import Target

Credentials = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Credentials of a NATS user (.creds).", show_default=False)
]
TlsCa = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Certificates to trust instead of the system's, PEM.", show_default=False),
]
TlsCert = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Own certificate, PEM; with --tls-key.", show_default=False)
]
TlsKey = Annotated[Path | None, typer.Option(metavar="FILE", help="Own secret key, PEM.", show_default=False)]


@dataclass(frozen=True)
class Receiver:
    """Where messages go."""

    PANEL: ClassVar = "Receiver"

    to: Annotated[
        str,
        typer.Option(
            metavar="URL",
            envvar="MAR_EDGE_BRIDGE_TO",
            help="nats://, tls://, mqtt(s)://, http(s):// or exec:COMMAND. In the environment, passwords stay hidden.",
            show_default=False,
        ),
    ]
    box: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Name of this machine in subjects and topics (default: host name).", show_default=False
        ),
    ] = None
    credentials: Credentials = None
    secret: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            envvar="MAR_EDGE_BRIDGE_SECRET",
            help="Key that signs webhooks; better in the environment.",
            show_default=False,
        ),
    ] = None
    tls_ca: TlsCa = None
    tls_cert: TlsCert = None
    tls_key: TlsKey = None

    def target(self) -> Target:
        """Return what the options name.

        Raises:
            MarEdgeError: an option is wrong.
        """
        from mar_edge.bridge.target import Tls, parse_target

        tls = Tls(self.tls_ca, self.tls_cert, self.tls_key)
        return parse_target(self.to, self.box, tls, self.credentials, self.secret)


@dataclass(frozen=True)
class Filter:
    """Which messages are passed on."""

    PANEL: ClassVar = "Filter"

    kind: Annotated[
        list[Kind] | None,
        typer.Option(
            metavar="KIND",
            help="Only this kind of message. May be repeated; the default depends on the receiver.",
            show_default=False,
        ),
    ] = None
    label: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Only events and labels of this action. May be repeated.", show_default=False
        ),
    ] = None
    body: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Only events and labels of this body group. May be repeated.", show_default=False
        ),
    ] = None
    score: Annotated[float, typer.Option(metavar="P", help="Lowest score of events and labels, 0 to 1.")] = 0.0
    phase: Annotated[
        list[Phase] | None,
        typer.Option(
            metavar="PHASE",
            help="Only this phase of events: begin, update or end. May be repeated.",
            show_default=False,
        ),
    ] = None

    def selection(self) -> Selection:
        """Return the filter, without the kinds.

        Raises:
            MarEdgeError: the score is no probability.
        """
        from mar_edge.bridge.selection import Selection

        return Selection(
            frozenset(self.label or ()), frozenset(self.body or ()), self.score, frozenset(self.phase or ())
        )
