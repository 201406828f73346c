"""The contract of a picture stage: what a stream's loop does about pictures, frame by frame. One file per kind.

Answers count from the frame on at which ``take`` returns them. So a recording of answers and skeletons is all that the
pipeline saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mar_edge.edge.data import Answer, Skeleton, Window
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.recognition.fusion_rules import FusionRules
from mar_edge.streaming.wire.answer_message import PictureStatus


class PictureStage(Protocol):
    """What a stream does about pictures. Used by its loop alone; no method waits for a live camera's pictures."""

    metadata: ModelMetadata | None
    """Of the model of pictures; None if there is none."""

    def take(self, frame: Frame, people: Sequence[Skeleton]) -> Sequence[Answer]:
        """Take the next frame, and return the answers that count from it on."""
        ...

    def ask(self, windows: Sequence[Window], rules: FusionRules) -> None:
        """Say which people's windows are worth a look at their pictures now."""
        ...

    def forget(self) -> None:
        """Forget everything: what comes next does not continue it."""
        ...

    def status(self) -> PictureStatus | None:
        """Return how it is; None where there is nothing to say."""
        ...


class NoPictures:
    """No model looks at pictures: nothing is kept, copied or asked (see ``PictureStage``)."""

    metadata: ModelMetadata | None = None

    def take(self, frame: Frame, people: Sequence[Skeleton]) -> Sequence[Answer]:
        """Return none."""
        return ()

    def ask(self, windows: Sequence[Window], rules: FusionRules) -> None:
        """Do nothing."""

    def forget(self) -> None:
        """Do nothing."""

    def status(self) -> PictureStatus | None:
        """Return None."""
        return None


NO_PICTURES = NoPictures()
