"""``agree`` as a user runs it."""

import csv
import shutil
from dataclasses import replace
from datetime import datetime, timezone

import cv2
import pytest
from recorded_runs import RUN

from mar_edge.streaming.recording.corrections import Correction, write_corrections


def rows(path):
    return list(csv.DictReader(path.read_text().splitlines()))


@pytest.fixture
def corrected(recording, tmp_path):
    """Return a folder of a recording in which Anna rejected the first event and moved the third."""
    shutil.copy(recording, tmp_path / "cam.jsonl")
    noon = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
    first = Correction(
        "cam.jsonl", "cam", RUN, 1, 0, "rejected", "nodding", 1.0, 2.5, "nodding", 1.0, 2.5, "Anna", noon
    )
    third = replace(first, event_id=3, status="changed", label="shaking head", start_s=2.75, end_s=4.0)
    write_corrections(tmp_path / "corrections.csv", [first, third])
    return tmp_path


def test_the_model_against_a_coder(here, corrected):
    out = corrected / "agreement"
    done = here("agree", corrected, corrected / "corrections.csv", "--out", out)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "note: B: corrections.csv: 3 events have no decision by Anna\n"
    assert "cam: 0.000 to" in done.stdout
    assert "Kappa: time bins of 0.1 s" in done.stdout
    by_name = {row["name"]: row for row in rows(out / "agreement.csv")}
    assert [by_name["nodding"][column] for column in ("events_a", "events_b", "matched_0.5")] == ["2", "1", "1"]
    assert float(by_name["nodding"]["f1_0.5"]) == pytest.approx(2 / 3)
    assert float(by_name["shaking head"]["onset_mean_s"]) == pytest.approx(0.2499, abs=1e-9)
    assert by_name["humming"]["kappa"] == ""
    assert "chance alone" in by_name["humming"]["kappa_undefined_because"]
    matrix = list(csv.reader((out / "confusion.csv").read_text().splitlines()))
    assert matrix[0] == ["A \\ B", *[line[0] for line in matrix[1:]]]
    assert matrix[0][-1] == "(no event)"
    assert sum(int(cell) for line in matrix[1:] for cell in line[1:]) == len(rows(out / "events.csv"))
    assert {row["action"]: row["b_minus_a"] for row in rows(out / "counts.csv")}["nodding"] == "-1"
    for name in ("confusion", "bland_altman"):
        assert cv2.imread(str(out / f"{name}.png")) is not None
        assert (out / f"{name}.svg").read_text().startswith("<?xml")
    assert "Events that overlap" in (out / "confusion.svg").read_text()


def test_two_coders_of_one_file_with_names_of_their_own(here, user_error, tmp_path):
    table, names = tmp_path / "coded.csv", tmp_path / "names.csv"
    table.write_text("start_s;end_s;label;coder\n1,5;2,5;NOD;Anna\n1,6;2,5;nodding;Ben\n3;4;?;Ben\n")
    names.write_text("coder_label,label\nNOD,nodding\n?,\n")
    command = ("agree", table, table, "--coder-a", "Anna", "--coder-b", "Ben", "--map", names, "--to", 5, "--bin", 0.5)
    done = here(*command)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "note: A: 1 event is left out by its name\nnote: B: 1 event is left out by its name\n"
    line = next(line for line in done.stdout.splitlines() if line.startswith("nodding"))
    assert line.split() == ["nodding", "1", "1", "1.00", "1.00", "1.00", "+0.10", "(-)", "+0.00", "(-)"]
    assert "no event by 'Cleo'; there are some by Anna, Ben" in user_error(*command[:-8], "--coder-a", "Cleo")
    assert "did you mean 'Anna'?" in user_error(*command[:-8], "--coder-a", "Ana")


def test_a_coder_who_found_nothing_and_wrong_input(here, user_error, corrected):
    (corrected / "cam.csv").write_text("start_s,end_s,label\n")
    done = here("agree", corrected / "cam.csv", corrected / "cam.jsonl")
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("all actions"))
    assert line.split()[2:6] == ["0", "5", "0.00", "0.00"]
    (corrected / "cam.csv").write_text("start_s,end_s,label\n2,1,nodding\n")
    assert "cam.csv, line 2: an event from 2 to 1 s" in user_error(
        "agree", corrected / "cam.csv", corrected / "cam.jsonl"
    )
    assert "no common time" in user_error("agree", corrected, corrected, "--from", 99)
    for option in ("--bin", "--from", "--to"):
        for value in ("nan", "inf", "-1", "soon"):
            assert option in user_error("agree", corrected, corrected, option, value)
