"""Multi-label detection in MMA-52's videos: read with all their actions, scored, and written for the challenge."""

import csv
import io
import zipfile

import clips
import numpy as np
import pytest
from evaluation_fakes import METADATA, ScriptedRecognizer

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.recognition.pipeline import PipelineRules
from mar_edge.training.evaluation.mma52_videos import open_mma52_videos, write_detections
from mar_edge.training.evaluation.real_results import score_real
from mar_edge.training.evaluation.served import serve_recordings

NODDING, WAVING = 9, 19
HEAD = "id,video_id,start_frame,end_frame,class,total_frames,fps\n"
# Of six seconds: nodding from 1 s to 4 s, waving from 2 s to 3 s.
ROWS = "0,a,25,100,9,150,25\n1,a,50,75,19,150,25\n2,b,0,9,0,20,25\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "skeletons").mkdir()
    lines = [clips.hello_line("ma52", 1_700_000_000_000_000_000)]
    lines += clips.skeleton_lines(clips.moving(0, "ma52", frames=150), fps=25.0)
    (tmp_path / "skeletons" / "a.jsonl").write_text("\n".join(lines) + "\n")
    for split in ("val", "test"):
        (tmp_path / f"{split}.csv").write_text(HEAD + ROWS)
    return tmp_path


def test_videos_have_all_their_actions(folder):
    real = open_mma52_videos(folder, "val")
    assert real.name == "MMA-52, val split, 1 videos, 1 videos without a skeleton left out"
    (video,) = real.recordings
    assert [(one.label, one.start_s, one.end_s) for one in video.actions] == [
        ("nodding", 1.0, pytest.approx(4.0)),
        ("waving", 2.0, pytest.approx(3.0)),
    ]
    assert video.duration_s == pytest.approx(149 / 25)
    # The rows of the published test split are placeholders.
    assert open_mma52_videos(folder, "test").recordings[0].actions == ()


def test_candidates_are_scored_and_written(folder, tmp_path):
    real, recognizer = open_mma52_videos(folder, "val"), ScriptedRecognizer([(1.7, 5.1, NODDING)])
    served = serve_recordings(real, recognizer, PipelineRules())
    found = score_real(real, served, METADATA).detection
    rows = {row.name: row for row in found.labels}
    # One label at a time: waving is not found, and nodding is at most overlaps.
    assert rows["waving"].detection_map == 0.0
    assert rows["nodding"].detection_map > 0.7
    assert found.overall.detection_map == pytest.approx(rows["nodding"].detection_map / 2)
    write_detections(tmp_path / "p.zip", METADATA, real, served)
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        text = archive.read("prediction.csv").decode()
    assert text.startswith(",video_id,t_start,t_end,class,score\n0,a,")
    written = list(csv.DictReader(io.StringIO(text)))
    assert [int(row[""]) for row in written] == list(range(len(written)))
    best = max(written, key=lambda row: float(row["score"]))
    assert (best["video_id"], int(best["class"])) == ("a", NODDING)
    np.testing.assert_allclose([float(best["t_start"]), float(best["t_end"])], [1.0, 4.0], atol=0.5)
    assert {int(row["class"]) for row in written} <= set(range(52))  # "no action" is left out
    assert all(0 <= float(row["t_start"]) < float(row["t_end"]) <= video_s for row in written for video_s in (5.96,))


def test_a_folder_without_recordings(folder):
    (folder / "skeletons" / "a.jsonl").unlink()
    with pytest.raises(MarEdgeError, match=r"none of the 2 videos of val.csv has a skeleton"):
        open_mma52_videos(folder, "val")
