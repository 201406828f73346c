"""Outputs are no inputs, are checked before the work, and appear whole or not at all."""

import os
import stat
from pathlib import Path

import networks
import numpy as np
import pytest
from full_disk import full_disk

from mar_edge.calibration.stored import Calibration, keep_calibration
from mar_edge.cli.bench_report import write_json
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import check_outputs, draft_of, remove_drafts, write_whole
from mar_edge.edge.network.checkpoint import save_checkpoint
from mar_edge.edge.network.mmn import MMN
from mar_edge.edge.runtime.tensorrt.store import write_engine
from mar_edge.edge.score_calibration import ScoreCalibration, write_score_calibration
from mar_edge.training.evaluation.clip_predictions import ClipPredictions
from mar_edge.training.evaluation.submission import write_submission
from mar_edge.training.synth.command import write_clips, write_drawing

BEFORE = b"what was there before"


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in" / "source.pt"
    path.parent.mkdir()
    path.write_bytes(BEFORE)
    return path


def aliases(source, tmp_path):
    """Return other paths of one file."""
    symbolic, hard, folder = tmp_path / "symbolic", tmp_path / "hard", tmp_path / "folder"
    symbolic.symlink_to(source)
    os.link(source, hard)
    folder.symlink_to(source.parent)
    return [source, source.parent / ".." / "in" / "source.pt", symbolic, hard, folder / "source.pt"]


def test_an_input_is_never_an_output_by_any_path(source, tmp_path, monkeypatch):
    monkeypatch.chdir(source.parent)
    for name in (*aliases(source, tmp_path), type(source)("source.pt")):
        with pytest.raises(MarEdgeError, match="which would be lost; name another output"):
            check_outputs([tmp_path / "fine", name], [None, source])
    assert source.read_bytes() == BEFORE


def test_an_input_that_does_not_exist_yet_is_no_output(tmp_path):
    with pytest.raises(MarEdgeError, match="would be lost"):
        check_outputs([tmp_path / "a" / ".." / "b"], [tmp_path / "b"])


def test_two_outputs_must_be_two_files(tmp_path):
    with pytest.raises(MarEdgeError, match="is named for two outputs"):
        check_outputs([tmp_path / "a", None, tmp_path / "a"])


def test_a_path_that_cannot_be_written_is_an_error_before_the_work(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(MarEdgeError, match="it is a folder; name a file in it"):
        check_outputs([tmp_path])
    for wrong in (tmp_path / "file" / "x", tmp_path / "file" / "new" / "x", tmp_path / ("long" * 100)):
        with pytest.raises(MarEdgeError, match=f"cannot write {wrong}: "):
            check_outputs([wrong])
    check_outputs([tmp_path / "new" / "folder" / "x"])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(not os.access("/proc/self", os.R_OK), reason="no /proc, which cannot be written")
def test_a_folder_that_cannot_be_written_to():
    with pytest.raises(MarEdgeError, match=r"cannot write /proc/self/model\.onnx: "):
        check_outputs([Path("/proc/self/model.onnx")])


def test_a_file_keeps_its_permissions_and_links_when_it_is_replaced(tmp_path):
    path = tmp_path / "new" / "file"
    write_whole(path, BEFORE)
    path.chmod(0o600)
    link = tmp_path / "link"
    link.symlink_to(path)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_a_device_is_written_to_directly():
    null = Path("/dev/null")
    check_outputs([null])
    write_whole(null, b"nothing")
    assert not null.is_file()


def test_a_pipe_is_written_to_directly(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, b"through it")
    assert os.read(reader, 99) == b"through it"
    os.close(reader)


def test_drafts_of_killed_processes_are_removed(tmp_path):
    class Killed(BaseException):
        pass

    def killed():
        with draft_of(tmp_path / "file") as draft:
            draft.write_bytes(b"half")
            raise Killed

    with pytest.raises(Killed):
        killed()
    assert not list(tmp_path.iterdir())
    left = tmp_path / ".mar-edge-killed"
    left.mkdir()
    (left / "file").write_bytes(b"half of another")
    remove_drafts(tmp_path)
    assert not list(tmp_path.iterdir())


def predictions():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(9, 12)).astype(np.float32)
    own = metadata()
    return ClipPredictions(
        scores, scores, np.zeros(9, np.int64), tuple("abcdefghi"), own.labels, own.background, scores
    )


def metadata():
    from mar_edge.edge.model_file import ModelMetadata

    return ModelMetadata(
        name="n", layout="ma52", streams=("joint",), encoding="raw", labels=networks.LABELS, background=11
    )


CONFIDENCE = ScoreCalibration(temperature=1.0, thresholds={"nodding": 0.5}, fitted_on="clips " * 20)
WRITERS = {
    "a file": ("f", lambda path: write_whole(path, bytes(1000))),
    "a checkpoint": ("c.pt", lambda path: save_checkpoint(path, MMN(networks.IMIGUE), networks.info("joint"))),
    "a confidence": ("c.json", lambda path: write_score_calibration(path, CONFIDENCE)),
    "a bench report": ("b.json", lambda path: write_json(CONFIDENCE, path)),
    "an engine": ("m.engine", lambda path: write_engine(path, bytes(1000), CONFIDENCE)),
    "clips": ("c.npz", lambda path: write_clips(path, 1, 1)),
    "a video": ("c.mp4", lambda path: write_drawing(path, "nodding", 1)),
    "a GIF": ("c.gif", lambda path: write_drawing(path, "nodding", 1)),
    "a submission": ("p.zip", lambda path: write_submission(path, metadata(), predictions())),
}


@pytest.mark.parametrize("what", WRITERS)
def test_a_full_disk_is_an_error_of_one_line_and_the_old_file_stays(tmp_path, what):
    name, write = WRITERS[what]
    path = tmp_path / name
    path.write_bytes(BEFORE)
    with full_disk(), pytest.raises(MarEdgeError, match=f"cannot write (a video to )?{path}") as error:
        write(path)
    assert "\n" not in str(error.value)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {name: BEFORE}


def test_a_video_that_ends_early_is_an_error(tmp_path):
    """Fill the disk while the video is written: OpenCV gives no error."""
    path = tmp_path / "c.mp4"
    with full_disk(8000), pytest.raises(MarEdgeError, match=r"cannot write .*c\.mp4"):
        write_drawing(path, "nodding", 1)
    assert not list(tmp_path.iterdir())


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path):
    with full_disk():
        keep_calibration(tmp_path, "key", Calibration(limits={str(i): 1.0 for i in range(99)}, costs={}))
    assert not list(tmp_path.iterdir())
