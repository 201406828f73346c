"""Which picture stage a stream has."""

from __future__ import annotations

from mar_edge.streaming.capture.camera import Camera
from mar_edge.streaming.pictures.base import NO_PICTURES, PictureStage
from mar_edge.streaming.pictures.live import LivePictures, PictureModel
from mar_edge.streaming.pictures.recorded import RecordedAnswers
from mar_edge.streaming.recording.replay import Replay


def picture_stage(model: PictureModel | None, source: Camera | Replay) -> PictureStage:
    """Return what a stream does about pictures: nothing without a model; of a recording, take the recorded answers.

    Raises:
        MarEdgeError: the recording has no answers of the model.
    """
    if model is None:
        return NO_PICTURES
    if isinstance(source, Replay):
        return RecordedAnswers(model.metadata, source.hello)
    return LivePictures(model, waits=source.every_frame)
