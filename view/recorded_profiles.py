"""Activity profiles of a recording for the page, where none were recorded. Made for the part that is shown."""

from __future__ import annotations

from pathlib import Path

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recognition.activity import ProfileRules
from mar_edge.streaming.recording.profiles import ObservedTimeline, profiles_of, read_observed
from mar_edge.streaming.wire.encoding import encode


class RecordedProfiles:
    """The profiles of one recording, which is read when constructed.

    Args:
        path: The file; it holds one run of one stream.
        rules: Window, step and baseline.
    """

    def __init__(self, path: Path, rules: ProfileRules) -> None:
        self._rules = rules
        self._observed = _observed(path)

    def between(self, start_ns: int, end_ns: int) -> list[bytes]:
        """Return the profiles whose windows end from one time to before another, as messages in JSON.

        Args:
            start_ns: On the steady clock.
            end_ns: On the steady clock.
        """
        if self._observed is None:
            return []
        found = profiles_of(self._observed, self._rules, span=(start_ns, end_ns))
        return [encode(profile.message(0, frame=0, t_capture_ns=max(profile.end_ns, 0))) for profile in found]


def _observed(path: Path) -> ObservedTimeline | None:
    """Return the timeline; None where the recording does not say how long anybody was in view."""
    try:
        (observed,) = read_observed([path])
    except MarEdgeError:
        return None
    return observed
