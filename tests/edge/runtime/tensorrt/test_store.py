"""Engines on disk: writing and reading, and engines that are damaged or for another GPU."""

import msgspec
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.runtime.tensorrt.bindings import Bindings
from mar_edge.edge.runtime.tensorrt.build import BuildOptions, Engine
from mar_edge.edge.runtime.tensorrt.store import describe, read_engine, sidecar, this_system, why_not, write_engine
from mar_edge.edge.runtime.tensorrt.targets import Gpu, Place

RTX_3080 = Gpu("NVIDIA GeForce RTX 3080", (8, 6))
FULL = Bindings("tensorrt", "10.3.0", None)


def info(gpu=RTX_3080, tensorrt=FULL, plan=b"plan", **options):
    engine = Engine(plan, Place("sm86", gpu), (), (), 0, 0)
    return describe(engine, "a" * 64, '{"name": "x"}', tensorrt, BuildOptions(**options))


def test_an_engine_is_written_and_read(tmp_path):
    path = tmp_path / "new" / "model.engine"
    write_engine(path, b"plan", info())
    stored = read_engine(path)
    assert (stored.plan, stored.info) == (b"plan", info())
    assert stored.info.metadata == '{"name": "x"}'
    assert (stored.info.capability, stored.info.gpu, stored.info.batches) == ("sm86", RTX_3080.name, (1, 4, 8))
    assert sorted(p.name for p in path.parent.iterdir()) == ["model.engine", "model.engine.json"]
    write_engine(path, b"another", info(plan=b"another"))
    assert read_engine(path).plan == b"another"
    document = msgspec.json.decode(sidecar(path).read_bytes())
    assert document["flavour"] == "tensorrt"  # the field's name in files of every version


def test_a_damaged_engine_is_refused(tmp_path):
    path = tmp_path / "model.engine"
    with pytest.raises(MarEdgeError, match=r"cannot read .*model\.engine\.json: No such file.*are not known"):
        read_engine(path)
    write_engine(path, b"plan", info())
    path.write_bytes(b"plaN")
    with pytest.raises(MarEdgeError, match=r"model\.engine is damaged"):
        read_engine(path)
    path.unlink()
    with pytest.raises(MarEdgeError, match="cannot read the engine"):
        read_engine(path)
    for document in (b"", b"{}", sidecar(path).read_bytes()[:-9]):
        sidecar(path).write_bytes(document)
        with pytest.raises(MarEdgeError, match=r"model\.engine\.json is damaged"):
            read_engine(path)
    sidecar(path).write_bytes(msgspec.json.encode(msgspec.structs.replace(info(), schema_version=2)))
    with pytest.raises(MarEdgeError, match="has the schema 2, this version reads 1"):
        read_engine(path)


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(MarEdgeError, match="cannot write"):
        write_engine(tmp_path / "file" / "model.engine", b"plan", info())


RTX = Bindings("tensorrt_rtx", "1.7.1", None)
THE_4090, THE_3090, A_2080 = Gpu("RTX 4090", (8, 9)), Gpu("RTX 3090", (8, 6)), Gpu("RTX 2080", (7, 5))


@pytest.mark.parametrize(
    ("engine", "tensorrt", "gpu", "expected"),
    [
        (info(), FULL, RTX_3080, None),
        (info(), RTX, RTX_3080, "it is for TensorRT, here is TensorRT for RTX 1.7.1"),
        (info(), Bindings("tensorrt", "10.3.1", None), RTX_3080, "built by version 10.3.0, here is TensorRT 10.3.1"),
        (info(), FULL, THE_4090, "it is for sm86, this GPU is sm89"),
        (info(), FULL, THE_3090, "it was built on NVIDIA GeForce RTX 3080, this GPU is RTX 3090"),
        (info(hardware="same-capability"), FULL, THE_3090, None),
        (info(hardware="same-capability"), FULL, THE_4090, "it is for sm86"),
        (info(hardware="ampere-plus"), FULL, THE_4090, None),
        (info(hardware="ampere-plus"), FULL, A_2080, "from Ampere on, this one is sm75"),
        (info(version_compatible=True), Bindings("tensorrt", "10.16.1.11", None), RTX_3080, None),
        (info(version_compatible=True), Bindings("tensorrt", "11.4.0", None), RTX_3080, "built by version 10.3.0"),
        (info(version_compatible=True), Bindings("tensorrt", "10.2.9", None), RTX_3080, "built by version 10.3.0"),
        # Engines for RTX are built without a GPU, for all GPUs of a compute capability.
        (info(gpu=None, tensorrt=RTX), RTX, THE_3090, None),
        (info(gpu=None, tensorrt=RTX), RTX, THE_4090, "it is for sm86, this GPU is sm89"),
    ],
)
def test_an_engine_runs_only_on_its_gpu_and_tensorrt(engine, tensorrt, gpu, expected):
    found = why_not(engine, tensorrt, gpu)
    assert (found is None) == (expected is None), found
    if expected:
        assert expected in found


def test_an_engine_of_another_system():
    other = msgspec.structs.replace(info(), system="Linux aarch64x")
    assert why_not(other, FULL, RTX_3080) == f"it was built on Linux aarch64x, this is {this_system()}"


def test_an_engine_is_described_without_its_gpu(tmp_path, capsys, monkeypatch):
    from mar_edge.cli.models import models
    from mar_edge.edge.model_file import default_model_path
    from mar_edge.edge.runtime.onnxruntime import read_metadata

    monkeypatch.setattr("mar_edge.edge.recognizer.WindowRecognizer.open", None)  # needs the GPU
    document = read_metadata(default_model_path())
    path = tmp_path / "model.engine"
    write_engine(path, b"plan", msgspec.structs.replace(info(), metadata=document))
    models(str(path), as_json=False, list_known=False, download=False, mirror=None)
    said = capsys.readouterr().out
    assert "MMN joint" in said
    assert "TensorRT 10.3.0 on NVIDIA GeForce RTX 3080, batch 1 to 8" in said
    models(str(path), as_json=True, list_known=False, download=False, mirror=None)
    assert '"labels"' in capsys.readouterr().out
    path.write_bytes(b"other")
    with pytest.raises(MarEdgeError, match="is damaged"):
        models(str(path), as_json=False, list_known=False, download=False, mirror=None)
