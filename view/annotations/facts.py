"""The facts about a timeline that annotation programs have no place for, as a line of JSON that they keep."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from mar_edge.streaming.recording.timeline import Timeline

_LARGEST = 1 << 62
_MARK = "mar-edge "


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """The fields of ``Timeline`` of the same names; times in ns since 1970."""

    stream: str
    run: str
    zero_ns: int
    first_ns: int
    last_ns: int
    source: str = ""
    model: str = ""
    media_zero_ns: int | None = None
    people: tuple[int, ...] = ()
    frames: int = 0
    dropped: int = 0
    recordings: tuple[tuple[str, int], ...] = ()
    names: tuple[tuple[int, str], ...] = ()


def facts_line(timeline: Timeline) -> str:
    """Return the facts about a timeline as one line."""
    facts = Facts(**{name: getattr(timeline, name) for name in Facts.__struct_fields__})
    return _MARK + msgspec.json.encode(facts).decode()


def find_facts(texts: Iterable[str]) -> Facts | None:
    """Return the facts in the first of some texts that holds them; None if none does or they are damaged."""
    for text in texts:
        _, mark, line = text.partition(f"{_MARK}{{")
        if not mark:
            continue
        try:
            facts = msgspec.json.decode(f"{{{line}", type=Facts)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return None
        times_ns = facts.zero_ns, facts.first_ns, facts.last_ns, facts.media_zero_ns or 0
        return facts if all(abs(t_ns) < _LARGEST for t_ns in times_ns) else None
    return None
