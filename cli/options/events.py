"""Options about inference and events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from mar_edge.edge.errors import about

if TYPE_CHECKING:
    from mar_edge.cli.config_file import ConfigFile
    from mar_edge.edge.prior import Prior
    from mar_edge.streaming.recognition.pipeline import PipelineRules

PriorChoice = Annotated[
    str | None,
    typer.Option(
        "--prior",
        metavar="NAME|FILE",
        help="Frequencies of actions: interview, uniform, trained (as in the training data) or a CSV file of "
        "action,per_minute. (Default: trained; interview for a model of MA-52's actions that saw each equally often.)",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class Events:
    """When a label is an event."""

    PANEL: ClassVar = "Events"

    labels: Annotated[
        str,
        typer.Option(
            metavar="LIST",
            help="Actions or body groups to report, or with a minus not to: 'head,-nodding' (default: all).",
            show_default=False,
        ),
    ] = ""
    on: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            help="Smoothed probability at which an event begins (default: the model's).",
            show_default=False,
        ),
    ] = None
    off: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            help="Smoothed probability below which it ends (default: 0.3 of --on).",
            show_default=False,
        ),
    ] = None
    prior: PriorChoice = None
    stride_s: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="Seconds between two inferences.", rich_help_panel="Performance"),
    ] = 0.2
    motion_gate: Annotated[
        bool,
        typer.Option(
            "--motion-gate/--no-motion-gate",
            help="Skip inference where nothing moves.",
            rich_help_panel="Performance",
        ),
    ] = True

    def rules(self, config: ConfigFile | None = None) -> PipelineRules:
        """Return how skeletons become events, with what a config file says of thresholds, event rules and fusion.

        Raises:
            MarEdgeError: a value that makes no sense.
        """
        from mar_edge.streaming.recognition.event_rules import EventRules
        from mar_edge.streaming.recognition.fusion_rules import FusionRules
        from mar_edge.streaming.recognition.pipeline import PipelineRules
        from mar_edge.streaming.recognition.thresholds import LabelChoice
        from mar_edge.streaming.recognition.trigger import DEFAULT_THRESHOLD

        return PipelineRules(
            stride_s=self.stride_s,
            motion_gate=DEFAULT_THRESHOLD if self.motion_gate else None,
            on=self.on,
            off=self.off,
            labels=LabelChoice.parse(self.labels, config.thresholds if config else None),
            events=config.event_rules if config else EventRules(),
            prior=chosen_prior(self.prior),
            fusion=config.fusion if config else FusionRules(),
        )


def chosen_prior(text: str | None) -> Prior | None:
    """Return ``--prior``; None where it is not given.

    Raises:
        MarEdgeError: it is neither a name nor a file of frequencies.
    """
    from mar_edge.edge.prior import parse_prior

    with about("--prior"):
        return None if text is None else parse_prior(text)
