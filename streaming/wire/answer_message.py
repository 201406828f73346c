"""The message kind ``answer``: what a model of pictures said; and its state, in ``status``. No picture is in either."""

from __future__ import annotations

from typing import Annotated

import msgspec

from mar_edge.streaming.wire.message import Message

# No larger than a float holds as seconds, since recordings are from outside.
_MediaNs = Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]


class AnswerMessage(Message, frozen=True, kw_only=True, tag="answer"):
    """Answer of the model of pictures about the last seconds of one person. It holds no picture.

    About one a second while something moves. It counts from the frame on whose skeletons come next, which is
    ``frame``. A replay has no pictures, and takes the answers from the recording.

    Attributes:
        person: Id of the person.
        scores: Label of that model to its score, in [0, 1]: all of its labels, without prior and visibility.
        t_media_start_ns: Time of its oldest picture on the media clock of the source.
        t_media_end_ns: Time of its newest picture on the media clock of the source.
        infer_ms: Inference.
    """

    person: int
    scores: dict[str, Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]]
    t_media_start_ns: _MediaNs
    t_media_end_ns: _MediaNs
    infer_ms: float


class PictureStatus(msgspec.Struct, frozen=True):
    """State of the model of pictures. The stream goes on without it.

    Attributes:
        runtime: Runtime of the model.
        asked: Inferences that were begun.
        answered: Answers that counted.
        failed: Inferences that failed, or with a result that is not a number.
        error: Reason of the last failure; null if there was none.
        slow: Answers that took longer than the pause between two inferences.
        late: Answers that came when their pictures were too old, so that they were left out.
        crowded: Times that several people were in view when an inference was due. It takes a picture of one.
        busy_s: Time that the inference that runs now has taken; null if none runs.
        pictures: Pictures kept now.
    """

    runtime: str
    asked: int
    answered: int
    failed: int
    error: str | None
    slow: int
    late: int
    crowded: int
    busy_s: float | None
    pictures: int
