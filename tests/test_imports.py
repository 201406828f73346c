"""Which part of the package may import which: only what is below it. Read off the sources, nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# From the bottom up; parts of one row do not know each other. A module belongs to the longest name that fits.
LAYERS = (
    ("edge",),
    ("streaming.choices", "streaming.timing"),
    ("streaming.wire",),
    ("streaming.capture", "streaming.recognition"),
    ("streaming.observer",),
    ("streaming.operations",),
    ("streaming.lsl",),
    ("streaming.recording",),
    ("streaming",),
    ("export", "training", "teaching"),
    ("view", "calibration", "api", "bridge"),
    ("analysis",),
    ("cli",),
    ("mar_edge",),
)
PARTS = [part for layer in LAYERS for part in layer]
ROOMS = sorted({part.partition(".")[0] for part in PARTS} - {"mar_edge"})
MAY_LOAD_TORCH = ("edge.network", "export", "training", "calibration")


@cache
def modules() -> dict[str, ast.Module]:
    """Module name, without ``mar_edge`` -> its source; the package's own modules are ``mar_edge`` ones."""
    files = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "mar_edge").glob("*.py")}
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            files[path] = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return {
        name.removesuffix(".__init__"): ast.parse(path.read_text(encoding="utf-8"))
        for path, name in sorted(files.items())
    }


def imports(nodes: Iterator[ast.AST] | list[ast.stmt]) -> Iterator[str]:
    """Yield the modules that import statements name: ours as in ``modules``, others by their first name."""
    for node in nodes:
        names: list[str] = []
        if isinstance(node, ast.Import):
            # The package itself is loaded with any part of it; its version is what parts take from there.
            names = [alias.name for alias in node.names if alias.name != "mar_edge"]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole path"
            # "from mar_edge.streaming.wire import address" imports a module, where there is one of that name.
            members = [f"{node.module}.{alias.name}" for alias in node.names]
            ours = [name for name in members if name.removeprefix("mar_edge.") in modules()]
            names = ours or [f"{node.module}"]
            if members == ["mar_edge.__version__"]:
                names = []
        for name in names:
            yield name.removeprefix("mar_edge.") if name.startswith("mar_edge") else name.partition(".")[0]


def when_loaded(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when a module is imported: not those of functions or for type checkers."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            continue
        yield statement
        for inner in ("body", "orelse", "finalbody", "handlers"):
            for part in getattr(statement, inner, []):
                yield from when_loaded(part.body if isinstance(part, ast.ExceptHandler) else [part])


def part_of(module: str) -> str:
    return max((part for part in PARTS if f"{module}.".startswith(f"{part}.")), key=len)


@cache
def loads() -> dict[str, set[str]]:
    """Module -> modules that are loaded with it, ours and others, without the packages above them."""
    return {name: set(imports(list(when_loaded(tree.body)))) for name, tree in modules().items()}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_imports_only_what_is_below_it(part: str) -> None:
    layer = next(index for index, names in enumerate(LAYERS) if part in names)
    allowed = {part, *(name for names in LAYERS[:layer] for name in names)}
    mine = {name: tree for name, tree in modules().items() if part_of(name) == part}
    assert mine, "the part is empty"
    for name, tree in mine.items():
        found = {target for target in imports(ast.walk(tree)) if target in modules()}
        assert {target for target in found if part_of(target) not in allowed} == set(), name


def test_no_modules_load_each_other_in_a_circle() -> None:
    tuple(TopologicalSorter({name: found & modules().keys() for name, found in loads().items()}).static_order())


def test_torch_is_loaded_for_training_and_export_alone() -> None:
    """Serving, the page, the API and ``--help`` must work without it, and start quickly."""

    @cache
    def loads_torch(name: str) -> bool:
        return "torch" in loads()[name] or any(loads_torch(one) for one in loads()[name] & modules().keys())

    with_torch = {name for name in modules() if loads_torch(name)}
    assert "training.train" in with_torch
    assert [name for name in sorted(with_torch) if not name.startswith(MAY_LOAD_TORCH)] == []


def test_edge_network_is_loaded_by_nothing_that_serves() -> None:
    users = {name for name, found in loads().items() if any(target.startswith("edge.network") for target in found)}
    assert {part_of(name) for name in users if not name.startswith("edge.network")} <= {
        "export",
        "training",
        "calibration",
    }
