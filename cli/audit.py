"""``audit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mar_edge.cli.app import USER_ERROR, command
from mar_edge.cli.options.bridge import Credentials, TlsCa, TlsCert, TlsKey
from mar_edge.streaming.choices import Kind


@command(
    "Receive", "audit messages.jsonl", "audit nats://broker:4222", "audit nats://broker:4222 --box lab3 --from-start"
)
def audit(
    *,
    arrived: Annotated[
        str,
        typer.Argument(
            metavar="FILE|URL", help="JSON lines, as of subscribe --json; or a NATS server, nats:// or tls://."
        ),
    ],
    box: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this box of a NATS server.", show_default=False)
    ] = None,
    kind: Annotated[
        list[Kind] | None,
        typer.Option(
            metavar="KIND",
            help="Kind that must have arrived if it was sent. May be repeated; default: those of which any arrived.",
            show_default=False,
        ),
    ] = None,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Count what was sent before the first message that arrived, too.")
    ] = False,
    credentials: Credentials = None,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
) -> None:
    """Report messages that are missing or doubled.

    Each is named by stream, run and number. Exit status 1 if there is any.
    """
    from mar_edge.bridge.arrived import heads_of_file, heads_of_nats
    from mar_edge.bridge.audit import Audit
    from mar_edge.bridge.target import Tls, parse_target

    found = Audit(from_start, kind or ())
    if arrived.startswith(("nats://", "tls://")):
        target = parse_target(arrived, box, Tls(tls_ca, tls_cert, tls_key), credentials)
        found.take(heads_of_nats(target, every_box=box is None))
    else:
        found.take(heads_of_file(Path(arrived)))
    missing, doubled = 0, 0
    for gap in found.missing():
        missing += gap.count
        around = f"after {gap.after_seq}" if gap.before_seq is None else f"before {gap.before_seq}"
        if gap.after_seq is not None and gap.before_seq is not None:
            around = f"between {gap.after_seq} and {gap.before_seq}"
        print(
            f"missing: {gap.stream}, run {gap.run}: {gap.count} {gap.kind} messages, "
            f"kind_seq {gap.first} to {gap.last}, seq {around}"
        )
    for copy in found.doubled():
        doubled += copy.copies
        print(f"doubled: {copy.stream}, run {copy.run}: {copy.copies} copies, the first of seq {copy.first_seq}")
    print(f"{found.count} messages of {found.runs} runs: {missing} missing, {doubled} doubled")
    if missing or doubled:
        raise typer.Exit(USER_ERROR)
