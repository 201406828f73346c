"""What a model of pictures costs on this machine, in a line for people, before a stream begins."""

from __future__ import annotations

from mar_edge.edge.recognizer import WindowRecognizer

# Share of the time between two inferences above which the machine is busy with them.
_MUCH = 0.25


def picture_cost(pictures: WindowRecognizer, main: WindowRecognizer | None, every_s: float) -> str:
    """Time one inference of each, and say what is to be expected.

    Args:
        pictures: the model of pictures.
        main: the model of skeletons next to it; None if there is none.
        every_s: seconds between two inferences from pictures.
    """
    takes_s = min(pictures.time_one() for _ in range(2))
    line = f"pictures: an inference takes {takes_s:.2g} s on {pictures.runtime.name}"
    if main is not None:
        line += f", {takes_s / min(main.time_one() for _ in range(3)):.0f} times one from skeletons"
    line += f"; while something moves, one is due every {every_s:g} s"
    if takes_s > _MUCH * every_s:
        line += (
            ". That slows pose estimation down on this machine; a GPU, a larger every_s in [fusion] of the config "
            "file, or skeletons alone would help"
        )
    return line
