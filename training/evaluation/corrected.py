"""Recordings that coders corrected, as real recordings with known actions: the reviewed stretches of everybody."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import BACKGROUND_NAME
from mar_edge.edge.layout import Layout
from mar_edge.streaming.capture.frames import Frame
from mar_edge.training.datasets.corrected import (
    CorrectedPerson,
    CorrectedRecording,
    NamedSpan,
    name_of,
    of_participants,
    read_corrected,
)
from mar_edge.training.evaluation.trained_on import Origin
from mar_edge.training.evaluation.truth import RealRecording, RealSet, TrueAction, framing_of, read_real, real_set

# What the model sees of the time around a reviewed stretch: enough to know the first action in it, and to end the last.
_AROUND_S = 5.0


def open_corrected(folder: Path, participants: Collection[str] = ()) -> RealSet:
    """Read a folder of recordings and ``corrections.csv``; each person in a reviewed stretch is a recording of the set.

    Args:
        participants: whose recordings to read; everybody's if none is named.

    Raises:
        MarEdgeError: a file is missing or damaged, a participant is unknown, or recordings differ in layout. Or no
            stretch was reviewed, so that it is unknown what the model missed.
    """
    there = read_corrected(folder)
    corrected = of_participants(there, participants)
    found = [real for one in corrected for real in _people(one)]
    if not found:
        raise MarEdgeError(
            f"{folder}: no stretch is marked as reviewed, so it is unknown what the model missed. In 'mar-edge view', "
            "watch some minutes completely, correct them, and press r to mark them"
        )
    left_out = len(corrected) - len({one.name for one, _ in found})
    without = f", {left_out} without a reviewed stretch left out" if left_out else ""
    people = len({one.origin.participant for one, _ in found if one.origin})
    real = real_set(f"{name_of(folder)}, reviewed stretches, {people} participants{without}", found)
    return replace(real, there=tuple(_origin(one) for one in there))


def _people(one: CorrectedRecording) -> Iterator[tuple[RealRecording, Layout]]:
    reviewed = [person for person in one.people if person.reviewed]
    if not reviewed:
        return
    whole, layout = read_real(one.path, one.path.name, ())
    for person in reviewed:
        frames = tuple(_of_person(frame, person.person) for frame in whole.frames if _is_near(frame, person))
        known = replace(
            whole,
            frames=frames,
            framing=framing_of(frames, layout),
            known=person.reviewed,
            undecided=_actions(person.undecided),
            origin=_origin(one),
        )
        yield replace(known, actions=_known_actions(known, person)), layout


def _known_actions(one: RealRecording, person: CorrectedPerson) -> tuple[TrueAction, ...]:
    """Return the actions of the reviewed stretches."""
    actions = [action for action in _actions(person.true) if action.label != BACKGROUND_NAME]
    return tuple(action for action in actions if one.is_known(action.start_s, action.end_s, action.label))


def _actions(spans: Sequence[NamedSpan]) -> tuple[TrueAction, ...]:
    return tuple(TrueAction(span.start_s, span.end_s, span.label) for span in spans)


def _origin(one: CorrectedRecording) -> Origin:
    return Origin(one.skeletons.fingerprint, one.participant)


def _is_near(frame: Frame, person: CorrectedPerson) -> bool:
    return any(start_s - _AROUND_S <= frame.media_s <= end_s + _AROUND_S for start_s, end_s in person.reviewed)


def _of_person(frame: Frame, person: int) -> Frame:
    return replace(frame, people=tuple(one for one in frame.people or () if one.person == person))
