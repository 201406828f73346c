"""Reading TensorRT's reports of layers."""

import msgspec

from mar_edge.edge.runtime.tensorrt.layers import (
    Fallback,
    Kernel,
    counted,
    fallbacks,
    kernels_of_inspector,
    kernels_of_log,
    product_types,
    table,
)


def tensor(kind):
    return {"Name": "x", "Dimensions": [1, 64], "Format/Datatype": kind}


DOCUMENT = {
    "Layers": [
        {
            "Name": "a",
            "LayerType": "gemm",
            "Inputs": [tensor("Half"), tensor("Half")],
            "Outputs": [tensor("Half")],
            "Metadata": "[ONNX Layer: mlp.fc1/MatMul]\x1f[ONNX Layer: mlp.fc1/Add]",
        },
        {
            "Name": "b",
            "LayerType": "CaskConvolution",
            "Inputs": [tensor("Thirty-two wide channel vectorized row major Int8 format")],
            "Outputs": [tensor("Row major linear FP16 format")],
            "Metadata": "[ONNX Layer: mix/Conv]",
        },
        {
            "Name": "c",
            "LayerType": "kgen",
            "Inputs": [tensor("Row major linear FP32")],
            "Outputs": [tensor("Row major linear FP32")],
            "Metadata": "[ONNX Layer: norm/Mul]",
        },
        # TensorRT 11 names them apart.
        {
            "Name": "d",
            "LayerType": "correlation",
            "Inputs": [{"Name": "x", "Format": "Row major linear", "Datatype": "Float"}],
            "Outputs": [],
            "Metadata": "[ONNX Layer: stem/Conv]",
        },
        {"Name": "wait", "LayerType": "wait", "Inputs": [], "Outputs": [], "Metadata": ""},
        "a name alone",
    ],
    "Bindings": ["x", "y"],
}


def test_the_inspectors_json():
    kernels = kernels_of_inspector(msgspec.json.encode(DOCUMENT).decode())
    assert [(k.kind, k.reads, k.writes, k.nodes) for k in kernels] == [
        ("gemm", ("Half", "Half"), ("Half",), ("mlp.fc1/MatMul", "mlp.fc1/Add")),
        ("CaskConvolution", ("Int8",), ("Half",), ("mix/Conv",)),
        ("kgen", ("Float",), ("Float",), ("norm/Mul",)),
        ("correlation", ("Float",), (), ("stem/Conv",)),
    ]
    assert counted(kernels) == "1 in float, 1 in half, 1 in int8"
    assert kernels_of_inspector("{}") == ()


def test_the_builders_log():
    line = (
        "Name: k, LayerType: gemm, Inputs: [ { Name: a, Datatype: Half }, { Name: b, Datatype: Float }], "
        "Constants: [ { Datatype: Int8 } ], Outputs: [ { Name: c, Datatype: Half }], TacticName: t, "
        "Metadata: [ONNX Layer: proj/MatMul]"
    )
    (kernel,) = kernels_of_log(f"Layers:\n{line}\nName: w, LayerType: wait, Inputs: [], Outputs: []\n")
    assert kernel == Kernel("gemm", ("Half", "Float"), ("Half",), ("proj/MatMul",))
    assert kernel.is_product
    assert kernel.computes_in == "Half"


def test_a_product_in_a_wider_type_than_the_files_is_a_fallback():
    kernels = [
        Kernel("gemm", ("Float",), ("Float",), ("a", "b")),
        Kernel("gemm", ("Half",), ("Half",), ("c",)),
        Kernel("kgen", ("Float",), ("Float",), ("d",)),  # pointwise
    ]
    intended = {"a": "Half", "b": "Float", "c": "Int8", "d": "Half", "e": "Half"}
    found = fallbacks(kernels, intended)
    assert found == (Fallback("a", "Half", "Float"), Fallback("c", "Int8", "Half"))
    assert product_types(kernels, "d") == set()
    assert "fallback\tInt8\tHalf\tc\n" in table(kernels, found)
