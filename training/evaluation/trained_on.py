"""Recordings that a model was trained on, recognized by the fingerprints in its file."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec


class Origin(NamedTuple):
    """Where data is from. fingerprint: of a recording's skeletons. participant: who is in it."""

    fingerprint: str
    participant: str


class TrainedOn(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the evaluated data shows people that a model was trained on.

    recordings: how many; seen: those that show such people. others: the names of all other participants.
    """

    recordings: int
    seen: int
    others: tuple[str, ...] = ()


def compare(trained_on: Collection[str], used: Sequence[Origin], there: Sequence[Origin]) -> TrainedOn:
    """Compare the recordings ``used`` in an evaluation with the fingerprints of those that a model was trained on.

    Args:
        there: all recordings whose participants are known. A participant of one that the model was trained on counts
            as seen in all of theirs.
    """
    familiar = {one.participant for one in there if one.fingerprint in trained_on}
    people = dict.fromkeys(one.participant for one in used)
    recordings = {one.fingerprint: one.participant for one in used}
    return TrainedOn(
        recordings=len(recordings),
        seen=sum(participant in familiar for participant in recordings.values()),
        others=tuple(participant for participant in people if participant not in familiar),
    )
