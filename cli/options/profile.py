"""Options about activity profiles of a live stream."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from mar_edge.edge.errors import MarEdgeError

if TYPE_CHECKING:
    from mar_edge.streaming.recognition.activity import ProfileRules


@dataclass(frozen=True)
class Profiles:
    """What each person did lately, and what that is compared with."""

    PANEL: ClassVar = "Profile"

    profile: Annotated[
        bool, typer.Option("--profile", help="Publish what each person did in the last minute, every few seconds.")
    ] = False
    profile_window: Annotated[float, typer.Option(metavar="SECONDS", help="Seconds that each profile covers.")] = 60.0
    profile_step: Annotated[float, typer.Option(metavar="SECONDS", help="Seconds between two profiles.")] = 5.0
    profile_baseline_minutes: Annotated[
        float | None,
        typer.Option(
            metavar="MINUTES", help="Baseline: first minutes of each person, from when they appear.", show_default=False
        ),
    ] = None
    profile_baseline: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Baseline: a recording of the same person.", show_default=False),
    ] = None

    def rules(self) -> ProfileRules | None:
        """Return how profiles are made; None without ``--profile``.

        Raises:
            MarEdgeError: options without ``--profile``, two baselines, or a value out of range.
        """
        from mar_edge.streaming.recognition.activity import ProfileRules

        if not self.profile:
            if self != Profiles():
                raise MarEdgeError(
                    "--profile-window, --profile-step, --profile-baseline-minutes and --profile-baseline need --profile"
                )
            return None
        if self.profile_baseline is not None and self.profile_baseline_minutes is not None:
            raise MarEdgeError("--profile-baseline-minutes and --profile-baseline exclude each other")
        return ProfileRules(self.profile_window, self.profile_step, self.profile_baseline_minutes)
