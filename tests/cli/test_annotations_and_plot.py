"""``annotations`` and ``plot`` as a user runs them."""

import csv
import shutil

import cv2
import numpy as np


def test_annotations_writes_elan_and_boris_files(cli, here, recording, tmp_path):
    video = tmp_path / "clip.mp4"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"mp4v"), 25, (64, 48))
    for _ in range(50):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    done = cli("annotations", recording, "--out", tmp_path / "a.eaf", "--media", video)
    assert (done.returncode, done.stderr) == (0, "")
    assert "5 events of 2 people in 8 s; of 1 the end was not recorded" in done.stdout
    assert 'RELATIVE_MEDIA_URL="./clip.mp4"' in (tmp_path / "a.eaf").read_text()
    done = here("annotations", recording, "--out", tmp_path / "a.tsv", "--media", video)
    assert done.returncode == 0, done.stderr
    assert "\t2.000\t25.000\t" in (tmp_path / "a.tsv").read_text()


def test_annotations_selects_events(here, recording, tmp_path):
    out = tmp_path / "a.csv"
    done = here("annotations", recording, "--out", out, "--labels", "head", "--min-score", 0.85, "--rezero")
    assert done.returncode == 0, done.stderr
    assert [row["label"] for row in csv.DictReader(out.read_text().splitlines())] == ["nodding"]


def test_plot_writes_a_picture(cli, recording, tmp_path):
    done = cli("plot", recording, "--out", tmp_path / "a.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert cv2.imread(str(tmp_path / "a.png")).shape[1] == 1440


def test_wrong_outputs_are_refused_in_one_line(user_error, recording, tmp_path):
    assert ".eaf (ELAN)" in user_error("annotations", recording, "--out", tmp_path / "a.xml")
    assert "cannot write" in user_error("plot", recording, "--out", tmp_path)


def test_a_corrected_file_becomes_labels_for_training(here, user_error, recording, tmp_path):
    session, labels = tmp_path / "session.eaf", tmp_path / "labels.csv"
    assert here("annotations", recording, "--out", session).returncode == 0
    shutil.copy(recording, tmp_path)
    done = here("annotations", session, "--out", labels, "--coder", "Anna")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    rows = list(csv.DictReader(labels.read_text().splitlines()))
    assert [(row["recording"], row["start_s"], row["label"], row["coder"]) for row in rows][:2] == [
        ("cam.jsonl", "1.000", "nodding", "Anna"),
        ("cam.jsonl", "1.235", "shrugging", "Anna"),
    ]
    assert "which would be lost" in user_error("annotations", labels, "--out", labels)


def test_labels_for_training_leave_out_events_without_a_duration(here, recording, tmp_path):
    done = here("annotations", recording, "--out", tmp_path / "labels.csv")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [
        "note: 1 event without a duration is left out",
        f"note: {tmp_path} has no recording cam.jsonl; 'train' needs it there",
    ]
    assert len((tmp_path / "labels.csv").read_text().splitlines()) == 5
