"""Which person has which stream of joints. People come and go; LSL streams stay."""

from __future__ import annotations

from collections.abc import Collection

from mar_edge.streaming.capture.frames import NS

# A person who is back within this time has the same stream again.
KEEP_NS = 2 * NS


class PersonSlots:
    """Gives people one of ``count`` places, lowest ids first; who has one keeps it until unseen for 2 s."""

    def __init__(self, count: int) -> None:
        self._people: list[int | None] = [None] * count
        self._seen_ns = [0] * count

    def assign(self, present: Collection[int], t_ns: int) -> list[int | None]:
        """Return the person in each place at ``t_ns`` (monotonic); None where nobody is, or the person is not seen."""
        for place, person in enumerate(self._people):
            if person in present:
                self._seen_ns[place] = t_ns
            elif t_ns - self._seen_ns[place] > KEEP_NS:
                self._people[place] = None
        for person in sorted(set(present) - set(self._people)):
            if None not in self._people:
                break
            place = self._people.index(None)
            self._people[place], self._seen_ns[place] = person, t_ns
        return [person if person in present else None for person in self._people]
