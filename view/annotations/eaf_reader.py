"""Read ELAN's documents (EAF), our own and those of coders. A file is untrusted: no entities, bounded numbers.

An event is an annotation with times of its own. Its value is the label. The participant of its tier is the person, and
the annotator the coder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath
from typing import NoReturn
from xml.etree import ElementTree as ET

import msgspec

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.tables import read_limited
from mar_edge.edge.labels import UNLISTED_ID, Label
from mar_edge.streaming.recording.timeline import MARKER, NO_BODY, NS, NS_A_MS
from mar_edge.view.annotations.coded import CodedEvent, ReadFile, counted, foreign_facts, timeline_of
from mar_edge.view.annotations.facts import Facts, find_facts

_MS = re.compile(r"[0-9]{1,12}", re.ASCII)
_ENTRY = re.compile(r"(?:label-(-?[0-9]{1,9})|own-.*)", re.ASCII | re.DOTALL)
# Our tiers state their participant; ELAN keeps it. A tier that a coder adds next to them may have the name alone.
_TIER_PERSON = re.compile(r"person [0-9]{1,9}(?= )", re.ASCII)


def read_eaf(path: Path) -> ReadFile:
    """Read a document.

    Raises:
        MarEdgeError: it cannot be read, is not XML, declares a document type, or an annotation has no valid times.
    """
    root = _parsed(path)
    units = (header.get("TIME_UNITS", "milliseconds") for header in root.iter("HEADER"))
    if other := next((unit for unit in units if unit != "milliseconds"), None):
        raise MarEdgeError(f"{path} counts times in {other}; save it with milliseconds")
    labels = tuple(_labels(root))
    slots = {slot.get("TIME_SLOT_ID", ""): slot.get("TIME_VALUE") for slot in root.iter("TIME_SLOT")}
    events, untimed, empty = [], 0, 0
    for tier in root.iter("TIER"):
        for annotation in tier.iter("ALIGNABLE_ANNOTATION"):
            where = f"{path}, tier '{tier.get('TIER_ID', '')}', annotation {annotation.get('ANNOTATION_ID', '')}"
            value = " ".join((annotation.findtext("ANNOTATION_VALUE") or "").split())
            span_ms = _span_ms(annotation, slots, where)
            if span_ms is None or not value:
                untimed, empty = untimed + (span_ms is None), empty + (span_ms is not None)
                continue
            start_ms, end_ms = span_ms
            person = tier.get("PARTICIPANT", "").strip()
            if not person and (named := _TIER_PERSON.match(tier.get("TIER_ID", ""))):
                person = named[0]
            coder = tier.get("ANNOTATOR", "").strip()
            body = MARKER if tier.get("LINGUISTIC_TYPE_REF") == MARKER else ""
            events.append(CodedEvent(value, person, start_ms * NS_A_MS, end_ms * NS_A_MS, coder, body))
    single = list(dict.fromkeys(events))
    notes = (
        *counted(untimed, "annotation without times of its own is", "annotations without times of their own are"),
        *counted(empty, "empty annotation is", "empty annotations are"),
        *counted(
            sum(1 for _ in root.iter("REF_ANNOTATION")),
            "annotation of a dependent tier is",
            "annotations of dependent tiers are",
        ),
        *counted(len(events) - len(single), "repeated annotation is", "repeated annotations are"),
    )
    timeline = timeline_of(single, _facts(root, path), labels=labels)
    return ReadFile((timeline,), tuple(f"{note} left out" for note in notes))


class _NoDoctype(ET.TreeBuilder):
    """Refuses a document type before anything in it is read: entities come from there, and EAF has none."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> NoReturn:
        raise MarEdgeError("it declares a document type, which ELAN never writes")


def _parsed(path: Path) -> ET.Element:
    parser = ET.XMLParser(target=_NoDoctype())
    try:
        parser.feed(read_limited(path))
        root: ET.Element = parser.close()
    except (ET.ParseError, LookupError, ValueError) as error:  # unknown encodings among them
        raise MarEdgeError(f"{path} is not an ELAN document: {error}") from None
    except MarEdgeError as error:
        raise MarEdgeError(f"{path} is not an ELAN document: {error}") from None
    if root.tag != "ANNOTATION_DOCUMENT":
        raise MarEdgeError(f"{path} is not an ELAN document: it begins with {root.tag[:80]}")
    return root


def _span_ms(annotation: ET.Element, slots: Mapping[str, str | None], where: str) -> tuple[int, int] | None:
    """Return start and end; None if a time slot has no time, as in subdivisions of another annotation."""
    times_ms = []
    for reference in (annotation.get("TIME_SLOT_REF1", ""), annotation.get("TIME_SLOT_REF2", "")):
        if reference not in slots:
            raise MarEdgeError(f"{where}: there is no time slot '{reference}'")
        text = slots[reference]
        if text is None:
            return None
        if not _MS.fullmatch(text):
            raise MarEdgeError(f"{where}: its time is '{text[:80]}'; expected milliseconds")
        times_ms.append(int(text))
    start_ms, end_ms = times_ms
    if start_ms > end_ms:
        raise MarEdgeError(f"{where}: from {start_ms} to {end_ms} ms; expected a start before the end")
    return start_ms, end_ms


def _labels(root: ET.Element) -> Iterator[Label]:
    """Yield the labels of our vocabularies, which state their ids and body groups."""
    for vocabulary in root.iter("CONTROLLED_VOCABULARY"):
        body = vocabulary.get("CV_ID", "")
        for entry in vocabulary.iter("CV_ENTRY_ML"):
            known = _ENTRY.fullmatch(entry.get("CVE_ID", ""))
            name = " ".join((entry.findtext("CVE_VALUE") or "").split())
            if known and name:
                yield Label(int(known[1]) if known[1] else UNLISTED_ID, name, "" if body == NO_BODY else body)


def _facts(root: ET.Element, path: Path) -> Facts:
    own = find_facts(each.text or "" for each in root.iter("PROPERTY"))
    if own is not None:
        return own
    media = next(root.iter("MEDIA_DESCRIPTOR"), None)
    urls = () if media is None else (media.get("RELATIVE_MEDIA_URL", ""), media.get("MEDIA_URL", ""))
    names = (PurePosixPath(url.replace("\\", "/")).stem for url in urls)
    try:
        dated = datetime.fromisoformat(root.get("DATE", "").replace("Z", "+00:00"))
        zero_ns = int(dated.replace(tzinfo=dated.tzinfo or timezone.utc).timestamp()) * NS
    except (ValueError, OverflowError):
        zero_ns = 0
    facts = foreign_facts(next(filter(None, names), path.stem), zero_ns)
    origin = "" if media is None else media.get("TIME_ORIGIN", "")
    if _MS.fullmatch(origin):  # where the document's times begin on the video's clock
        return msgspec.structs.replace(facts, media_zero_ns=zero_ns - int(origin) * NS_A_MS)
    return facts
