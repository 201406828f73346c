"""ELAN: EAF 3.0, with a tier for each person and body group, and a controlled vocabulary for each body group.

Events of one group that are simultaneous or by several coders get further tiers. An annotation of a controlled
vocabulary cannot hold a score; the CSV file has them. Markers of other programs have a tier for each source.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timezone
from itertools import count
from pathlib import PurePath
from xml.etree import ElementTree as ET

from mar_edge import __version__
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import UNLISTED_ID, Label
from mar_edge.streaming.recording.timeline import MARKER, NS, NS_A_MS, TimedEvent, Timeline, body_of
from mar_edge.view.annotations.coded import PROGRAM
from mar_edge.view.annotations.facts import facts_line
from mar_edge.view.annotations.media import Media
from mar_edge.view.wording import rows_of

_SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_SCHEMA_LOCATION = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
# ELAN's own entry for a vocabulary without a language.
_LANGUAGE = {
    "LANG_ID": "und",
    "LANG_DEF": "http://cdb.iso.org/lg/CDB-00130975-001",
    "LANG_LABEL": "undetermined (und)",
}
_LAST_MS = 2**32 - 1
# Characters that XML 1.0 cannot hold, even escaped.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_eaf(timeline: Timeline, media: Media | None = None) -> bytes:
    """Write an annotation document, UTF-8. Times are ms from the start of the timeline; every event lasts 1 ms or more.

    Raises:
        MarEdgeError: an event is later than the format can hold.
    """
    listed = timeline.with_markers()
    spans = _spans(listed)
    if max((end_ms for _, end_ms in spans.values()), default=0) > _LAST_MS:
        raise MarEdgeError("ELAN files hold 49 days at most; --rezero counts from the first frame of the recording")
    document = ET.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": _text(f"mar-edge {__version__}, {timeline.model}".removesuffix(", ")),
            "DATE": datetime.fromtimestamp(timeline.zero_ns // NS, timezone.utc).isoformat(),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": _SCHEMA_INSTANCE,
            "xsi:noNamespaceSchemaLocation": _SCHEMA_LOCATION,
        },
    )
    _add_header(document, media, timeline)
    slots = _add_slots(document, spans)
    number = 0
    for tier_id, person, body, coder, events in _tiers(listed, spans):
        participant = listed.name_of(person)
        tier = _add(document, "TIER", TIER_ID=tier_id, PARTICIPANT=participant, LINGUISTIC_TYPE_REF=body)
        tier.set("ANNOTATOR", _text(coder or PROGRAM))
        for event in events:
            number += 1
            annotation = _add(
                _add(tier, "ANNOTATION"),
                "ALIGNABLE_ANNOTATION",
                ANNOTATION_ID=f"a{number}",
                TIME_SLOT_REF1=slots[event.event_id, 0],
                TIME_SLOT_REF2=slots[event.event_id, 1],
            )
            if body != MARKER:
                annotation.set("CVE_REF", _entry_id(event.label))
            _add(annotation, "ANNOTATION_VALUE").text = _text(event.label.name)
    for body in timeline.bodies():
        _add(
            document,
            "LINGUISTIC_TYPE",
            LINGUISTIC_TYPE_ID=body,
            TIME_ALIGNABLE="true",
            GRAPHIC_REFERENCES="false",
            CONTROLLED_VOCABULARY_REF=body,
        )
    if timeline.markers:
        _add(
            document,
            "LINGUISTIC_TYPE",
            LINGUISTIC_TYPE_ID=MARKER,
            TIME_ALIGNABLE="true",
            GRAPHIC_REFERENCES="false",
        )
    _add(document, "LANGUAGE", **_LANGUAGE)
    for body in timeline.bodies():
        _add_vocabulary(document, body, [label for label in timeline.labels if body_of(label) == body])
    ET.indent(document)
    xml: bytes = ET.tostring(document, encoding="UTF-8", xml_declaration=True)
    return xml + b"\n"


def _spans(timeline: Timeline) -> dict[int, tuple[int, int]]:
    """Return start and end in ms, by event id."""
    spans = {}
    for event in timeline.events:
        start_ms, end_ms = timeline.milliseconds(event.t_start_ns), timeline.milliseconds(event.t_end_ns)
        if start_ms == end_ms:  # use the millisecond in which it starts; a marker may be set before the first frame
            start_ms = max((event.t_start_ns - timeline.zero_ns) // NS_A_MS, 0)
            end_ms = start_ms + 1
        spans[event.event_id] = start_ms, end_ms
    return spans


def _tiers(
    timeline: Timeline, spans: dict[int, tuple[int, int]]
) -> Iterator[tuple[str, int, str, str, list[TimedEvent]]]:
    """Yield name, person, body group, coder and events of each tier that has events.

    Annotations of one tier cannot overlap in ELAN, so overlapping events of a group go to further tiers.
    """
    own: dict[tuple[int, str, str], list[TimedEvent]] = defaultdict(list)
    for event in sorted(timeline.events, key=lambda event: spans[event.event_id]):
        own[event.person, body_of(event.label), event.coder].append(event)
    taken: set[str] = set()
    bodies = (*timeline.bodies(), MARKER)
    for (person, body, coder), events in sorted(own.items(), key=lambda tier: _order(tier[0], bodies)):
        rows = rows_of([spans[event.event_id] for event in events])
        name = " ".join(filter(None, (timeline.name_of(person), body, coder)))
        for row in range(max(rows) + 1):
            tier_id = next(each for n in count(1) if (each := name if n == 1 else f"{name} {n}") not in taken)
            taken.add(tier_id)
            in_row = [event for event, place in zip(events, rows, strict=True) if place == row]
            yield tier_id, person, body, coder, in_row


def _order(tier: tuple[int, str, str], bodies: tuple[str, ...]) -> tuple[int, int, str]:
    person, body, coder = tier
    return person, bodies.index(body), coder


def _add_header(document: ET.Element, media: Media | None, timeline: Timeline) -> None:
    header = _add(document, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    if media is not None:
        # ELAN writes and reads these as plain paths after file:///, not percent-encoded.
        descriptor = _add(
            header,
            "MEDIA_DESCRIPTOR",
            MEDIA_URL="file:///" + media.path.as_posix().lstrip("/"),
            MIME_TYPE=media.mime_type,
            RELATIVE_MEDIA_URL=_relative_url(media.relative),
        )
        if timeline.origin_ms:  # start of the document's times on the video's own clock
            descriptor.set("TIME_ORIGIN", str(timeline.origin_ms))
    # ELAN numbers further annotations from here.
    _add(header, "PROPERTY", NAME="lastUsedAnnotationId").text = str(len(timeline.events) + len(timeline.markers))
    if timeline.loss:
        _add(header, "PROPERTY", NAME="mar-edge").text = timeline.loss
    _add(header, "PROPERTY", NAME="mar-edge timeline").text = _text(facts_line(timeline))


def _relative_url(path: PurePath) -> str:
    text = path.as_posix()
    return text if text.startswith("../") else f"./{text}"


def _add_slots(document: ET.Element, spans: dict[int, tuple[int, int]]) -> dict[tuple[int, int], str]:
    """Add time slots in order of time. Return their ids, by event id and end (0 or 1)."""
    order = _add(document, "TIME_ORDER")
    ends = sorted((span[end], event, end) for event, span in spans.items() for end in (0, 1))
    ids = {}
    for number, (time_ms, event, end) in enumerate(ends, 1):
        ids[event, end] = f"ts{number}"
        _add(order, "TIME_SLOT", TIME_SLOT_ID=f"ts{number}", TIME_VALUE=str(time_ms))
    return ids


def _add_vocabulary(document: ET.Element, body: str, labels: list[Label]) -> None:
    vocabulary = _add(document, "CONTROLLED_VOCABULARY", CV_ID=body)
    _add(vocabulary, "DESCRIPTION", LANG_REF=_LANGUAGE["LANG_ID"]).text = _text(f"micro-actions of the group {body}")
    for label in labels:
        entry = _add(vocabulary, "CV_ENTRY_ML", CVE_ID=_entry_id(label))
        value = _add(
            entry, "CVE_VALUE", LANG_REF=_LANGUAGE["LANG_ID"], DESCRIPTION=_entry_id(label).replace("-", " ", 1)
        )
        value.text = _text(label.name)


def _entry_id(label: Label) -> str:
    return f"own-{label.name}" if label.id == UNLISTED_ID else f"label-{label.id}"


def _add(parent: ET.Element, tag: str, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, tag, {name: _text(value) for name, value in attributes.items()})


def _text(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)
