"""Clips of videos: decoded, sampled, augmented and identified."""

import moving_shapes
import numpy as np
import pytest
from moving_shapes import LEFT, RIGHT

from mar_edge.edge import pictures
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import parse_labels
from mar_edge.training.batches import InOrder, prepared_batches
from mar_edge.training.pictures.dataset import open_videos
from mar_edge.training.pictures.opening import open_video_dataset, open_video_training
from mar_edge.training.pictures.videos import count_frames, read_frames

LABELS = parse_labels(moving_shapes.LABELS, "labels")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("videos")
    moving_shapes.write_split(made, "train", 3)
    moving_shapes.write_split(made, "val", 2, seed=5)
    return made


def opened(folder, split="train", **options):
    return open_videos(folder, split, labels=LABELS, **options)


def test_frames_are_those_of_the_video_in_rgb(tmp_path):
    film = moving_shapes.moving(RIGHT, 1, frames=11)
    moving_shapes.write_video(tmp_path / "a.avi", film)
    assert count_frames(tmp_path / "a.avi") == 11
    frames = read_frames(tmp_path / "a.avi", [10, 3, 3, 0, 15])
    assert set(frames) == {0, 3, 10, 15}
    for number in (0, 3, 10):
        difference = np.abs(frames[number].astype(int) - film[number][:, :, ::-1])
        assert np.median(difference) < 12  # JPEG
    np.testing.assert_array_equal(frames[15], frames[10])  # after the end, the last one


def test_a_clip_is_the_authors_view_of_a_video(folder):
    dataset = opened(folder)
    batch = dataset.batch(np.array([4, 1]))
    frames = read_frames(dataset.paths[4], range(16))
    np.testing.assert_array_equal(batch.frames[0], pictures.chosen([pictures.small(frames[i]) for i in range(16)]))
    assert batch.frames.shape == (2, 8, 224, 224, 3)
    assert batch.labels.tolist() == [0, 1]
    assert batch.inputs["frames"] is batch.frames
    assert pictures.test_indices(16).tolist() == [1, 3, 5, 7, 9, 11, 13, 15]


def test_augmentation_depends_on_the_generator_alone(folder):
    dataset = opened(folder, mirror=0.5)
    one, same, other = (dataset.batch(np.arange(4), np.random.default_rng(seed)).frames for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert not np.array_equal(one, dataset.batch(np.arange(4)).frames)


def test_all_frames_of_a_clip_are_cut_alike(folder):
    dataset = opened(folder, mirror=0.5)
    for seed in range(6):
        clip = dataset.batch(np.array([seed % 4]), np.random.default_rng(seed)).frames[0].astype(int)
        unchanged = np.abs(clip - clip[:1]).max(axis=(0, 3)) < 40
        assert unchanged.mean() > 0.2


def test_workers_prepare_the_same_batches(folder):
    dataset = opened(folder)
    plan = InOrder(np.arange(6), 4, block=4)
    assert plan.batches == 2
    with prepared_batches(dataset, plan, 0, 2, workers=2) as batches:
        first, second = list(batches)
    np.testing.assert_array_equal(first.frames, dataset.batch(np.arange(4)).frames)
    np.testing.assert_array_equal(second.frames, dataset.batch(np.array([4, 5])).frames)


def test_an_error_of_a_worker_is_one_line(folder, tmp_path):
    moving_shapes.write_split(tmp_path, "train", 1)
    dataset = opened(tmp_path)
    dataset.paths[1].unlink()
    plan = InOrder(np.arange(2), 2, block=2)
    with prepared_batches(dataset, plan, 0, 1, workers=1) as batches, pytest.raises(MarEdgeError) as error:
        next(batches)
    assert "\n" not in str(error.value)
    assert dataset.clip_names[1] in str(error.value)


def test_splits_of_a_folder_and_of_a_list(folder):
    training, validation = open_video_training(
        f"videos:{folder}", None, seed=1, mirror=0.5, validation_share=0.3, labels=LABELS
    )
    assert (len(training), len(validation), training.mirror, validation.mirror) == (6, 4, 0.5, 0.0)
    listed = folder / "train_list_videos.txt"
    training, validation = open_video_training(
        f"videos:{listed}", None, seed=1, mirror=0.5, validation_share=0.3, labels=LABELS
    )
    assert sorted([*training.clip_names, *validation.clip_names]) == sorted(opened(folder).clip_names)
    assert len(validation) == 2
    with pytest.raises(MarEdgeError, match="cannot validate a network on videos with synth"):
        open_video_training(f"videos:{folder}", "synth", seed=1, mirror=0, validation_share=0.3, labels=LABELS)
    with pytest.raises(MarEdgeError, match="is the default validation set"):
        open_video_training(f"videos-val:{folder}", None, seed=1, mirror=0, validation_share=0.3, labels=LABELS)
    assert len(open_video_dataset(f"videos:{folder}", labels=LABELS)) == 4
    assert len(open_video_dataset(f"videos-train:{folder}", labels=LABELS)) == 6


def test_a_test_split_may_lack_labels(tmp_path):
    listed = moving_shapes.write_split(tmp_path, "test", 1)
    listed.write_text("\n".join(line.split()[0] for line in listed.read_text().splitlines()))
    dataset = open_video_dataset(f"videos-test:{tmp_path}", labels=LABELS)
    assert dataset.batch(np.array([0])).labels.tolist() == [-1]
    assert dataset.class_counts().tolist() == [0, 0]
    with pytest.raises(MarEdgeError, match=r"2 of 2 videos have no label, such as test/test000_8\.avi"):
        open_video_dataset(f"videos:{listed}", labels=LABELS)


def test_what_is_no_video_is_refused_before_training(tmp_path):
    moving_shapes.write_split(tmp_path, "train", 2)
    for name in ("train000_8", "train001_9"):
        (tmp_path / "train" / f"{name}.avi").write_bytes(b"no video")
    with pytest.raises(
        MarEdgeError, match=r"train000_8.avi: not a video .* \(and 1 more of 4 videos\); remove its line"
    ):
        opened(tmp_path)


def test_the_digest_is_that_of_labels_names_and_sizes(folder, tmp_path):
    dataset = opened(folder)
    assert dataset.digest() == opened(folder).digest()
    listed = folder / "train_list_videos.txt"
    changed = tmp_path / "train.txt"
    changed.write_text(listed.read_text().replace("train/", f"{folder}/train/").replace(f" {RIGHT}", f" {LEFT}"))
    assert opened(changed).digest() != dataset.digest()
    assert dataset.digest() != dataset.only(np.arange(5), "part").digest()
