"""Options about recordings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from mar_edge.edge.errors import MarEdgeError

if TYPE_CHECKING:
    from mar_edge.streaming.recording.recorder import RecordConfig


@dataclass(frozen=True)
class RecordLimits:
    """When a new file begins, and how many are kept."""

    PANEL: ClassVar = "Recording"

    record_mb: Annotated[float, typer.Option(metavar="MB", help="Megabytes after which a new file begins.")] = 256.0
    record_hours: Annotated[float, typer.Option(metavar="HOURS", help="Hours after which a new file begins.")] = 24.0
    record_keep: Annotated[
        int | None,
        typer.Option(metavar="N", help="Number of files to keep of each stream (default: all).", show_default=False),
    ] = None

    def config(self, folder: Path) -> RecordConfig:
        """Return how to record into a folder.

        Raises:
            MarEdgeError: a limit that makes no sense.
        """
        from mar_edge.streaming.recording.recorder import RecordConfig

        return RecordConfig(folder, self.record_mb, self.record_hours, self.record_keep)

    def config_if(self, folder: Path | None) -> RecordConfig | None:
        """Return how to record, where ``--record`` names a folder.

        Raises:
            MarEdgeError: limits without a folder, or a limit that makes no sense.
        """
        if folder is None and self != RecordLimits():
            raise MarEdgeError("--record-mb, --record-hours and --record-keep need --record FOLDER")
        return None if folder is None else self.config(folder)
