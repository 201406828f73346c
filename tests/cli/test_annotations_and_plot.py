"""``annotations`` and ``plot`` as a user runs them."""

import csv

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
