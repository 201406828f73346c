"""Constants of movements and events: what is motion and what rest, what is a new event. Data; each with its reason.

Tuned on synthetic recordings only. Real recordings are a check on the whole.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MovementRules:
    """When a region moves, when its movement is over, and how events follow from that. Seconds unless stated."""

    # Extents: one movement of one region.

    # A movement lasts while its speed stays above this part of the way from the window's quietest tenth to its peak.
    fraction: float = 0.42
    # Its first and last moments are those in which the speed, turning points not bridged, is this part of its highest.
    edge: float = 0.3
    # Without a peak this many times the quietest tenth nothing stands out: all rest, or all movement.
    peak_over_quiet: float = 2.0
    # Who stays away from where a movement began, by this part of the farthest, has not ended it: a hand at the nose.
    away: float = 0.35
    # Who is at least so far away, likewise, stays where it led.
    stays: float = 0.5
    # Who is so near again, likewise, is on the way back.
    on_the_way_back: float = 0.9
    # What comes back within this time belongs to the movement that went out. ``training.synth.recording`` has its like.
    together_s: float = 1.0
    # Who goes on to the other side of where the movement began, by this part of the farthest, has begun another: heads
    # of real people turn to one side, back, and on to the other without a rest between.
    other_side: float = 0.35
    # RMS movement per joint in body sizes (``streaming.recognition.trigger``): 3.5 px in a figure of 880 px.
    goes_on: float = 0.004
    # So long at rest where it began, and it is over.
    rest_s: float = 0.25

    # Events: labels over time.

    # A label stands out about so long after its movement began: its beginning where the movement itself does not tell.
    reaction_s: float = 0.7
    # A label is seen until most of its movement has left the window; so long after its end, in windows. In 30 minutes
    # of synthetic recordings nine of ten were lost 1.0 s after they ended or later, half of them 1.8 s, with windows
    # of 2 s.
    outlives: float = 0.55
    # How far the beginning of a movement may be dated back into the one before it and still be another one.
    overlap_s: float = 0.1
    # Who has stayed so long since the label was last seen is not waited for: the event ended where they stopped. Of
    # postures that people hold in interviews (crossed legs, arms, a hand at the face) 95 % last less than 14 s.
    stays_s: float = 15.0
