"""The constants of event rules, all of them: what is motion, when a movement is over, when a label is an event.

Data; each field says its unit and why it has its default. A config file may set them (``[event_rules]``).

The defaults were tuned together, on synthetic recordings only, with real recordings as a check on the whole.
The table in docs/architecture.md shows the effect of single ones.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from mar_edge.edge.errors import MarEdgeError

# What a field may be, by the unit at the end of its name; and the exceptions.
_UNITS = {"_s": (0.0, 60.0), "_share": (0.0, 1.0), "_percent": (0.0, 100.0), "_windows": (0.0, 10.0)}
_LIMITS = {
    "update_s": (0.0, 3600.0),
    "longest_stay_s": (0.0, 3600.0),
    "peak_over_quiet": (1.0, 1000.0),
    "sustained_motion": (0.0, 1.0),
}


@dataclass(frozen=True)
class EventRules:
    """When scores and movements are events. Seconds (``_s``) or shares from 0 to 1 (``_share``) unless stated.

    Raises:
        MarEdgeError: a value outside its range.
    """

    # Scores over time.

    smoothing_s: float = 0.15
    """Time constant of the exponential smoothing of scores; 0 switches it off. Scores are the mean of two views
    already. With 0.3, 64 minutes of actions gave lower F1 (0.439 for 0.458 one at a time, 0.407 for 0.419 with several)
    and 20 idle ones 0.85 for 0.95 false events per minute."""
    min_duration_s: float = 0.6
    """How long a label must stay the most probable one before its event begins. With 0.6 s and thresholds of 0.9, 12
    minutes of actions gave an F1 of 0.62 and 8 idle ones no false event: the best of those tried."""
    update_s: float = 0.5
    """How often an event that goes on is reported. Only the amount of messages depends on it."""
    off_share: float = 0.3
    """Hysteresis: an event ends below this share of the score at which its label begins. ``--off`` replaces it."""

    # Motion of a region of the body in one window.

    place_smoothing_s: float = 0.1
    """Moving mean over joints' positions. Three frames at 30 a second: longer ones date a quick movement too long."""
    speed_smoothing_s: float = 0.3
    """Moving mean over the squared speed. It bridges the turning points of a nod, where speed is 0 twice a period,
    down to about 1 Hz."""
    quiet_percent: float = 10.0
    """Percentile of a window's speeds that counts as rest."""
    peak_over_quiet: float = 2.0
    """Peak speed, as a multiple of the speed at rest, below which all of a window is rest, or all is motion."""
    moving_share: float = 0.42
    """A region moves while its speed is above this share of the way from the speed at rest to the peak."""
    edge_share: float = 0.3
    """Onset and offset are where the speed before bridging reaches this share of its highest. Bridging alone extends a
    movement of 0.1 s to 0.4 s."""
    sustained_motion: float = 0.004
    """RMS movement per joint, in body sizes, above which a region moves throughout, without a peak: 3.5 px in a figure
    of 880 px. A leg that shakes all the time has no rest to compare with."""

    # One movement: the way out, perhaps a stay, the way back.

    join_s: float = 1.0
    """A way back that begins within this time belongs to the way out. Synthetic recordings name events by the same
    time (``training.synth.recording``)."""
    away_share: float = 0.35
    """A movement goes on while the region is at least this share of the farthest distance from its start. Example: a
    hand that rests at the nose."""
    stay_share: float = 0.5
    """A region at least this far away, as a share of the farthest distance, stays where its movement led."""
    return_share: float = 0.9
    """A region that is nearer than this share of the farthest distance is on its way back."""
    crossing_share: float = 0.35
    """A region that passes its start and goes on to the other side by this share of the farthest distance has begun a
    second movement. Heads of real people turn to one side, back, and on to the other without a rest."""
    rest_s: float = 0.25
    """Time at rest at its start after which a movement is over."""

    # Events and the movements behind them.

    reaction_s: float = 0.7
    """Time from the onset of a movement to a high score of its label. It dates events whose movement has no onset."""
    lag_windows: float = 0.55
    """How long a label is still seen after its movement ended, at least, in windows. Of the events in 30 minutes of
    synthetic recordings, 90 % were still seen 1.0 s after they ended, and half of them 1.8 s, with windows of 2 s."""
    overlap_s: float = 0.1
    """How far the onset of a movement may reach back into the one before and still be another one."""
    longest_stay_s: float = 15.0
    """How long an event whose label is lost waits for its way back. After that, it ended where the region stopped. Of
    the postures that people hold in interviews (crossed legs, arms, a hand at the face), 95 % last less than 14 s."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            low, high = _limits(field.name)
            if not low <= value <= high:
                raise MarEdgeError(f"[event_rules]: {field.name} is {low:g} to {high:g}, not {value}")


def _limits(name: str) -> tuple[float, float]:
    """Return the least and the greatest value of a field."""
    if name in _LIMITS:
        return _LIMITS[name]
    return next(limits for unit, limits in _UNITS.items() if name.endswith(unit))
