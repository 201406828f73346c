"""Answers of a recording, in place of pictures, which it does not hold. Asks nobody."""

from __future__ import annotations

from collections.abc import Sequence

from mar_edge.edge.data import Answer, Skeleton
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.pictures.base import NoPictures
from mar_edge.streaming.wire.messages import HelloMessage


class RecordedAnswers(NoPictures):
    """Answers as they were recorded (see ``PictureStage``).

    Args:
        metadata: of the model of pictures.
        hello: of the recording.

    Raises:
        MarEdgeError: the recording holds no answers, or those of another model.
    """

    def __init__(self, metadata: ModelMetadata, hello: HelloMessage) -> None:
        if hello.picture_model != metadata.name:
            there = f"those of '{hello.picture_model}'" if hello.picture_model else "none"
            raise MarEdgeError(
                f"'{metadata.name}' looks at pictures. A recording holds only the answers that were given, here "
                f"{there}; replay it with the models that it was recorded with, or with skeletons alone"
            )
        self.metadata = metadata

    def take(self, frame: Frame, people: Sequence[Skeleton]) -> Sequence[Answer]:
        """Return the answers that were recorded before the frame."""
        return frame.answers
