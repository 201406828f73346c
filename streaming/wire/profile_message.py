"""The message kind ``profile``: what a person did lately, against what they usually do. No state of mind is in it."""

from __future__ import annotations

import msgspec

from mar_edge.streaming.wire.message import Message


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """An activity in the baseline, and how the window compares with it.

    Attributes:
        count: Events in the baseline.
        duration_s: Time of those events within the baseline.
        in_view_s: Time of the baseline in which they could be seen.
        rate_per_min: Events per minute in view; null if never in view.
        ratio: Rate in the window over rate in the baseline; null without a rate, or if the baseline has no event.
        ratio_low: Lower limit of the exact 95 % interval of the ratio, if events are independent; null if unknown.
        ratio_high: Upper limit, as above.
        difference_per_min: Rate in the window less rate in the baseline; null without a rate.
    """

    count: int
    duration_s: float
    in_view_s: float
    rate_per_min: float | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    difference_per_min: float | None


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """How often, and for how long, one person did something within the window.

    Attributes:
        name: Name of the action or body group; empty for all actions together.
        body: Body group; empty for all actions together.
        count: Events whose onset is in the window.
        duration_s: Time of events within the window; one in progress counts so far. Simultaneous ones are added up.
        in_view_s: Time in which the person was in view, with the parts of the body that it needs.
        rate_per_min: Events per minute in view; null if never in view.
        baseline: The same in the baseline; null until the baseline is complete.
    """

    name: str
    body: str
    count: int
    duration_s: float
    in_view_s: float
    rate_per_min: float | None
    baseline: Comparison | None = None


class ProfileMessage(Message, frozen=True, kw_only=True, tag="profile"):
    """Activity of one person in the last minute: every few seconds, with ``--profile``.

    It says what has been recognized by then: an action is, about a second after its onset.

    Attributes:
        person: Id of the person.
        t_start_ns: Wall-clock start of the window.
        t_end_ns: Wall-clock end of the window.
        total: All actions together.
        bodies: Each body group of the model.
        actions: Each action that occurred in the window or in the baseline.
        baseline_s: Duration of the baseline; null if there is none.
        baseline_complete: Whether the baseline is over, so that there are comparisons.
    """

    person: int
    t_start_ns: int
    t_end_ns: int
    total: Activity
    bodies: tuple[Activity, ...]
    actions: tuple[Activity, ...]
    baseline_s: float | None = None
    baseline_complete: bool = False
