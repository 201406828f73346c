"""Pictures of agreement: nothing that they say is cut off."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from codings import Coded, coding

pytest.importorskip("matplotlib")
from mar_edge.analysis.agreement.compare import Agreement, compare
from mar_edge.analysis.agreement.pairing import pair_timelines
from mar_edge.analysis.agreement.pictures import bland_altman_picture, confusion_picture

NAMES = "recordings of the second day of the study", "corrections.csv (Anna-Katharina Mustermann)"


@pytest.mark.parametrize("draw", [confusion_picture, bland_altman_picture])
@pytest.mark.parametrize("labels", [0, 1, 3, 40])
def test_no_text_reaches_the_edge_of_the_picture(
    draw: Callable[[Agreement, tuple[str, str], str], bytes], labels: int
) -> None:
    events: list[Coded] = [(f"scratching or touching part {number}", number, number + 0.5) for number in range(labels)]
    pairs, _ = pair_timelines([coding(*events, end_s=50)], [coding(*events[1:], end_s=50)])
    picture = cv2.imdecode(np.frombuffer(draw(compare(pairs, 1.0), NAMES, ".png"), np.uint8), cv2.IMREAD_GRAYSCALE)
    edges = (picture[0], picture[-1], picture[:, 0], picture[:, -1])
    assert [int(edge.min()) for edge in edges] == [255] * 4
