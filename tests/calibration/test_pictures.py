"""Calibration of a network of pictures: clips of videos, what they must be, and the files that come of them."""

import cv2
import msgspec
import numpy as np
import onnx
import pytest

from mar_edge.calibration import command
from mar_edge.calibration.command import Guard, write_half, write_int8
from mar_edge.calibration.data import EFFORTS, Effort
from mar_edge.calibration.pictures import Videos, check_pictures, open_pictures, picture_files
from mar_edge.calibration.windows import Windows
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.edge.model_file import ModelMetadata, parse_metadata
from mar_edge.edge.runtime.onnxruntime import OnnxRuntime

METADATA = ModelMetadata(name="x", family="manet", layout="ma52", labels=(Label(0, "nod", ""),), window_s=2.0)


def write_video(path, shades, fps=2.0):
    """Write a video of frames of one shade of red each, on black."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"FFV1"), fps, (40, 30))
    assert writer.isOpened()
    for shade in shades:
        writer.write(np.full((30, 40, 3), (0, 0, shade), np.uint8))  # BGR
    writer.release()
    return path


def shades(windows):
    """Return the shade of each frame of each clip (N, 8)."""
    frames = windows.inputs["frames"]
    assert not frames[..., 1:].any()  # red comes first
    assert not np.ptp(frames[..., 0], axis=(2, 3)).any()
    return frames[:, :, 0, 0, 0].tolist()


def test_runs_of_ten_clips_take_turns(tmp_path):
    path = write_video(tmp_path / "v.avi", range(25 * 4 + 2))  # four frames a clip, the last of two
    ours, theirs = (each.read(100) for each in open_pictures(f"videos:{path}", METADATA))
    assert shades(ours)[0] == [0, 0, 1, 1, 2, 2, 3, 3]  # as from a video of four frames
    assert [clip[0] // 4 for clip in shades(ours)] == [*range(10), *range(20, 25)]
    assert [clip[0] // 4 for clip in shades(theirs)] == [*range(10, 20)]
    assert ours.inputs["frames"].shape == (15, 8, 224, 224, 3)
    assert (ours.name, set(ours.labels)) == ("videos of v.avi, clips of 2 s", {-1})


def test_each_video_gives_as_many_and_short_ones_are_one_clip(tmp_path):
    for number, frames in enumerate((40, 2, 30, 3)):
        write_video(tmp_path / f"{number}.avi", range(50 * number, 50 * number + frames))
    ours, theirs = open_pictures(f"videos:{tmp_path}", METADATA)
    assert [clip[0] for clip in shades(ours.read(4))] == [0, 4, 100, 104]
    assert [clip[0] for clip in shades(ours.read(2))] == [0, 100]
    assert [clip[0] for clip in shades(theirs.read(4))] == [50, 150]
    assert shades(theirs.read(4))[0] == [50, 50, 50, 50, 51, 51, 51, 51]


def test_listed_videos_have_labels_and_splits(tmp_path):
    labels = (Label(7, "nod", ""), Label(9, "wave", ""))
    metadata = msgspec.structs.replace(METADATA, labels=labels)
    for number, frames in enumerate((8, 16, 24)):
        write_video(tmp_path / f"{number}.avi", range(50 * number, 50 * number + frames))
    (tmp_path / "train_list.txt").write_text("0.avi 9\n2.avi 7\n")
    (tmp_path / "val_list.txt").write_text("1.avi 9\n")
    learnt, held_out = (each.read(5) for each in open_pictures(f"videos:{tmp_path}", metadata))
    assert learnt.labels.tolist() == [1, 0]
    assert held_out.labels.tolist() == [1]
    assert [clip[0] for clip in shades(learnt)] == [0, 101]
    assert shades(held_out) == [[51, 53, 55, 57, 59, 61, 63, 65]]  # a listed video is one clip
    assert picture_files(f"videos:{tmp_path}") == [tmp_path / "train_list.txt", tmp_path / "val_list.txt"]
    assert len(next(learnt.batches())["frames"]) == 2
    ours, theirs = (each.read(5) for each in open_pictures(f"videos:{tmp_path / 'train_list.txt'}", metadata))
    assert sorted([*ours.labels, *theirs.labels]) == [0, 1]


def test_a_single_short_video_leaves_nothing_to_compare_on(tmp_path):
    _, theirs = open_pictures(f"videos:{write_video(tmp_path / 'v.avi', range(8))}", METADATA)
    with pytest.raises(MarEdgeError, match="no clip to read; it takes two videos, or one of 20 clips"):
        theirs.read(5)


@pytest.mark.parametrize("spec", ["synth", "ma52:folder", "videos:"])
def test_skeletons_are_not_what_it_takes(spec):
    with pytest.raises(MarEdgeError, match=r"a MANet takes pictures, which .* does not have; name videos"):
        open_pictures(spec, METADATA)


def test_a_folder_without_videos_is_named(tmp_path):
    with pytest.raises(MarEdgeError, match="has no video and no picture"):
        open_pictures(f"videos:{tmp_path}", METADATA)


def filled(frames):
    return Windows({"frames": frames.astype(np.uint8)}, np.full(len(frames), -1), "made up")


def test_noise_and_too_few_clips_are_refused():
    y, x = np.mgrid[:48, :48]
    shift = np.arange(70)[:, None, None, None, None]
    smooth = 128 + 90 * np.sin(x[..., None] / 9 + shift) * np.cos(y[..., None] / 11) + np.zeros((70, 8, 48, 48, 3))
    check_pictures(filled(smooth))
    grainy = smooth + np.random.default_rng(0).normal(0, 10, smooth.shape)
    check_pictures(filled(grainy.clip(0, 255)))
    with pytest.raises(MarEdgeError, match="has 63 different windows, too few to calibrate on; at least 64"):
        check_pictures(filled(smooth[:63]))
    with pytest.raises(MarEdgeError, match="is noise, not pictures"):
        check_pictures(filled(np.random.default_rng(0).integers(0, 256, smooth.shape)))
    alike = smooth[:1] + np.random.default_rng(0).integers(0, 3, (70, 1, 48, 48, 1))
    with pytest.raises(MarEdgeError, match="hardly differ from each other; compare on more varied data"):
        check_pictures(filled(alike), "compare", 50)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Return a video of bars that move: 140 clips of 1.5 s."""
    path = tmp_path_factory.mktemp("video") / "bars.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"FFV1"), 2.0, (48, 36))
    y, x, c = np.ogrid[:36, :48, :3]
    for t in range(140 * 3):
        wave = np.sin(x / (4 + t % 7) + t / 3 + c) * np.cos(y / (5 + t % 11) - t / 5)
        writer.write((128 + 100 * wave).astype(np.uint8))
    writer.release()
    return path


def said(path):
    (document,) = (entry.value for entry in onnx.load(path).metadata_props if entry.key == "mar_edge")
    return parse_metadata(document, str(path))


def test_half_is_compared_on_the_videos(manet_model, video, tmp_path):
    guard = Guard(f"videos:{video}", windows=10, threads=1)
    with pytest.raises(MarEdgeError, match="10 different windows, too few to compare on; at least 50"):
        write_half(manet_model.path, tmp_path / "half.onnx", guard, lambda *_: None)
    guard = Guard(f"videos:{video}", windows=10, threads=1, min_agreement=0.9)
    written = write_half(manet_model.path, tmp_path / "half.onnx", guard, lambda *_: None)
    assert said(tmp_path / "half.onnx") == written.metadata
    assert (written.metadata.family, written.metadata.precision) == ("manet", "fp16")
    assert written.metadata.fidelity.windows == 10
    assert written.metadata.fidelity.data == "videos of bars.avi, clips of 1.5 s"
    assert 0 < written.metadata.fidelity.probability_error < 0.01
    assert 0.45 < written.size < 0.6
    with OnnxRuntime(tmp_path / "half.onnx", 1) as runtime:
        outputs = runtime.infer({"frames": np.zeros((1, 8, 224, 224, 3), np.uint8)})
    assert {name: values.shape for name, values in outputs.items()} == {
        "logits": (1, 12),
        "probs": (1, 12),
        "features": (1, 256),
    }


def test_int8_is_chosen_layer_by_layer(manet_model, video, tmp_path, monkeypatch):
    monkeypatch.setenv("MAR_EDGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(command, "EFFORTS", dict.fromkeys(EFFORTS, Effort(costs_on=1, choose_on=8)))
    guard = Guard(f"videos:{video}", windows=8, threads=1, min_agreement=0.5)
    with pytest.raises(MarEdgeError, match="8 different windows, too few to calibrate on; at least 64"):
        write_int8(manet_model.path, tmp_path / "int8.onnx", guard, lambda *_: None, calibrate_on=8)
    monkeypatch.setattr(Videos, "check_worth", lambda *_: None)  # 64 clips would take long
    written = write_int8(manet_model.path, tmp_path / "int8.onnx", guard, lambda *_: None, calibrate_on=8)
    assert (written.metadata.precision, written.metadata.fidelity.windows) == ("int8", 8)
    assert written.size < 0.45
    model = onnx.load(tmp_path / "int8.onnx")
    quantized = [node for node in model.graph.node if node.op_type == "QuantizeLinear"]
    assert len(quantized) > 10
    assert not any(node.name.startswith("stem") for node in quantized)
    assert "blocks.1.conv2" in written.report.read_text()


def test_the_synthesizer_has_no_pictures(manet_model, tmp_path):
    with pytest.raises(MarEdgeError, match="a MANet takes pictures, which 'synth' does not have"):
        write_half(manet_model.path, tmp_path / "half.onnx", Guard(), lambda *_: None)
