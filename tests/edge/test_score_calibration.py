from __future__ import annotations

from pathlib import Path

import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.edge.score_calibration import ScoreCalibration, read_score_calibration, write_score_calibration

LABELS = (Label(9, "nodding", "head"), Label(2, "shrugging", "body"))
GOOD = ScoreCalibration(temperature=1.7, thresholds={"shrugging": 0.4, "nodding": 0.6}, fitted_on="a test")


def test_written_and_read_the_thresholds_come_in_label_order(tmp_path: Path) -> None:
    path = tmp_path / "confidence.json"
    write_score_calibration(path, GOOD)
    assert read_score_calibration(path) == GOOD
    assert read_score_calibration(path).for_labels(LABELS, str(path)) == (0.6, 0.4)


def test_other_labels_are_refused_and_named() -> None:
    with pytest.raises(MarEdgeError, match="fitted for other labels; these differ: waving"):
        GOOD.for_labels((*LABELS, Label(19, "waving", "upper limb")), "it")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is not a confidence.json"),
        ("{}", "is not a confidence.json"),
        ('{"temperature": 0, "thresholds": {}, "fitted_on": ""}', "temperature is above 0"),
        ('{"temperature": 1, "thresholds": {"nodding": 1.2}, "fitted_on": ""}', "thresholds are in"),
        ('{"temperature": 1, "thresholds": {"nodding": "high"}, "fitted_on": ""}', "is not a confidence.json"),
    ],
)
def test_values_out_of_range_are_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "confidence.json"
    path.write_text(content)
    with pytest.raises(MarEdgeError, match=message):
        read_score_calibration(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MarEdgeError, match="cannot read"):
        read_score_calibration(tmp_path / "none.json")
