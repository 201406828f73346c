"""``keygen``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mar_edge.cli.app import command


@command("Receive", "keygen box", "keygen laptop --out keys")
def keygen(
    name: Annotated[str, typer.Argument(help="Name of the keys, such as that of their machine.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder to write them to.")] = Path(),
) -> None:
    """Create a pair of CURVE keys.

    NAME.key is to share, NAME.key_secret to keep."""
    from mar_edge.streaming.wire.keys import write_keys

    public, secret = write_keys(out, name)
    print(f"{public}: share it (that of a subscriber goes into the folder --clients of the publisher)")
    print(f"{secret}: keep it; only you may read it")
