"""Write the files of this folder: the signatures of TensorRT's Python bindings, as far as mar-edge uses them.

    pip download --no-deps tensorrt-cu12-bindings==10.3.0     # or any other of the bindings' wheels
    python read_bindings.py tensorrt_cu12_bindings-10.3.0-*.whl 10.3

reads a wheel; ``python read_bindings.py installed rtx`` reads the TensorRT for RTX that is installed. The bindings are
linked with libraries that need gigabytes and are not needed here. Empty libraries made with cc take their place, since
only the signatures in the docstrings are read.
"""

from __future__ import annotations

import ctypes
import importlib
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
EDGE = HERE.parents[2] / "edge"
USED = {
    name
    for path in EDGE.glob("runtime/tensorrt/**/*.py")
    for name in re.findall(r"\.(\w+)", path.read_text(encoding="utf-8"))
}
CLASSES = [
    "Builder",
    "Dims",
    "EngineInspector",
    "IBuilderConfig",
    "ICudaEngine",
    "IExecutionContext",
    "IHostMemory",
    "ILayer",
    "ILogger",
    "INetworkDefinition",
    "IOptimizationProfile",
    "IProgressMonitor",
    "ITensor",
    "ITimingCache",
    "OnnxParser",
    "ParserError",
    "Runtime",
]
ENUMS = [
    "BuilderFlag",
    "DataType",
    "ExecutionContextAllocationStrategy",
    "HardwareCompatibilityLevel",
    "LayerInformationFormat",
    "LayerType",
    "MemoryPoolType",
    "NetworkDefinitionCreationFlag",
    "ProfilingVerbosity",
    "TensorIOMode",
]
LIBRARIES = ("nvinfer", "nvonnxparser", "nvinfer_plugin")
FUNCTIONS = [
    "createInferBuilder_INTERNAL",
    "createInferRefitter_INTERNAL",
    "createInferRuntime_INTERNAL",
    "getBuilderPluginRegistry",
    "getPluginRegistry",
    "createNvOnnxParserRefitter_INTERNAL",
    "createNvOnnxParser_INTERNAL",
    "getNvOnnxParserVersion",
    "initLibNvInferPlugins",
]


def main(source: str, name: str) -> None:
    """Write ``NAME/tensorrt.pyi``."""
    if source == "installed":
        write(importlib.import_module("tensorrt_rtx"), name)
        return
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(source).extractall(folder)
        binary = next(Path(folder).glob("*/tensorrt.so")).read_bytes()
        code = "".join(f"void *{function}(void) {{ return 0; }}\n" for function in FUNCTIONS)
        for library in LIBRARIES:
            found = re.search(rb"lib" + library.encode() + rb"\.so\.\d+", binary)
            path = Path(folder) / found[0].decode()
            command = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(path), f"-Wl,-soname,{path.name}"]
            subprocess.run(command, input=code, text=True, check=True)
            ctypes.CDLL(str(path), ctypes.RTLD_GLOBAL)
        sys.path.insert(0, folder)
        write(importlib.import_module("tensorrt_bindings.tensorrt"), name)


def write(module: Any, name: str) -> None:
    lines = [
        f"# Signatures of TensorRT's bindings, {name}; written by read_bindings.py.",
        "from collections.abc import Iterator, Sequence",
        "from typing import Any, ClassVar, SupportsInt, overload",
        "",
        "__version__: str",
    ]
    for enum in ENUMS:
        lines += ["", *enum_lines(enum, getattr(module, enum))]
    for one in CLASSES:
        lines += ["", *class_lines(one, getattr(module, one))]
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    (folder / "tensorrt.pyi").write_text("\n".join(lines) + "\n", encoding="utf-8")


def enum_lines(name: str, enum: Any) -> Iterator[str]:
    yield f"class {name.rpartition('.')[2]}:"
    yield f"    __members__: ClassVar[dict[str, {name}]]"
    yield "    name: str"
    yield "    def __int__(self) -> int: ..."
    for member in enum.__members__:
        yield f"    {member}: ClassVar[{name}]"


def class_lines(name: str, one: Any) -> Iterator[str]:
    yield f"class {name}:"
    if name == "ILogger":
        yield from (f"    {line}" for line in enum_lines("ILogger.Severity", one.Severity))
    if name == "IHostMemory":  # the buffer protocol of a C type does not show before Python 3.12
        yield "    def __buffer__(self, flags: int, /) -> memoryview: ..."
    if hasattr(one, "__getitem__"):
        yield "    def __iter__(self) -> Iterator[int]: ..."
        yield "    def __getitem__(self, index: int, /) -> int: ..."
    for attribute, value in sorted(vars(one).items()):
        # The methods of a logger and a monitor appear in no call of ours.
        if attribute not in USED | {"__init__"} and name not in {"ILogger", "IProgressMonitor"}:
            continue
        if isinstance(value, property):
            found = re.search(r"-> (.*)", value.fget.__doc__ or "")
            kind = known(found[1]) if found else "Any"
            if value.fset is not None:
                yield f"    {attribute}: {kind}"
            else:
                yield from ("    @property", f"    def {attribute}(self) -> {kind}: ...")
        elif callable(value):
            yield from method_lines(attribute, value.__doc__ or "")


def method_lines(name: str, doc: str) -> Iterator[str]:
    found = re.findall(rf"^\s*(?:\d+\. )?{name}\(self: (.*)\) -> (.*)$", doc, re.MULTILINE)
    for arguments, returned in found:
        if len(found) > 1:
            yield "    @overload"
        given = ", ".join(["self", *(argument(part) for part in split(arguments)[1:])])
        yield f"    def {name}({given}) -> {known(returned)}: ..."


def argument(text: str) -> str:
    name, _, rest = text.partition(": ")
    kind, equals, _ = rest.partition(" = ")
    return f"{name}: {known(kind)}{' = ...' * bool(equals)}"


def split(text: str) -> list[str]:
    """Split at the commas that are outside of brackets."""
    return re.split(r", (?![^\[<]*[\]>])", text)


def known(kind: str) -> str:
    kind = re.sub(r"tensorrt_(rtx_)?bindings\.tensorrt(_rtx)?\.|typing\.|collections\.abc\.", "", kind.strip())
    kind = kind.replace("typing_extensions.Buffer", "bytes").replace("buffer", "bytes").replace("List[", "list[")
    kind = kind.replace("nvonnxparser::IParserError", "ParserError")
    plain = {"int", "str", "bool", "float", "bytes", "None", "tuple", "list", "SupportsInt", "Sequence"}
    if kind == "ILogger.Severity":
        return kind
    return kind if set(re.findall(r"[\w:.]+", kind)) <= plain | {*CLASSES, *ENUMS} else "Any"


if __name__ == "__main__":
    main(*sys.argv[1:])
