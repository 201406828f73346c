"""``models``: the description in a model file."""

import json

import onnx
import pytest

import mar_edge


def test_json_is_the_description_in_the_file(cli, ma52_model):
    done = cli("models", ma52_model.path, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["layout"] == "ma52"
    assert document["labels"][9] == {"id": 9, "name": "nodding", "body": "head"}
    assert document["mar_edge_version"] == mar_edge.__version__


def test_a_model_is_described_for_people(here, ma52_model):
    done = here("models", ma52_model.path)
    assert (done.returncode, done.stderr) == (0, "")
    for part in ("tiny joint", str(ma52_model.path), "ma52, joint stream", "motion encoding", "1.5 s", "nodding"):
        assert part in done.stdout
    assert done.stdout.count("(nothing happens)") == 1


def test_a_model_of_pictures_says_what_it_takes(here, manet_model):
    done = here("models", manet_model.path)
    assert (done.returncode, done.stderr) == (0, "")
    for part in ("tiny pictures", "manet: pictures; skeletons of ma52 for the times of events", "1.5 s", "nodding"):
        assert part in done.stdout


def test_without_a_file_the_packages_model_is_described(here):
    done = here("models")
    assert (done.returncode, done.stderr) == (0, "")
    assert "the default of serve" in done.stdout
    assert "synthetic motion" in done.stdout


@pytest.fixture
def undescribed(tmp_path, ma52_model):
    proto = onnx.load(ma52_model.path)
    del proto.metadata_props[:]
    onnx.save(proto, str(tmp_path / "undescribed.onnx"))
    return tmp_path / "undescribed.onnx"


def test_other_files_are_refused(user_error, tmp_path, undescribed):
    text = tmp_path / "text.onnx"
    text.write_text("hello\n")
    assert "is not a model that ONNX Runtime can load" in user_error("models", text)
    assert "without mar-edge's metadata" in user_error("models", undescribed)
    assert "no model file at" in user_error("models", tmp_path / "nowhere.onnx")
