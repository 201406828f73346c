"""Every command and snippet of the README and the guides works, and every link leads somewhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import guides
import prepared_folder
import pytest
from guides import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LIMIT_S = 120
# Programs that a block may call although no test runs them.
ELSEWHERE = {"docker", "sudo", "git", "python3", "mkdir", "wait", "cd", "source", "ros2"}
by_page = pytest.mark.parametrize("page", guides.PAGES, ids=lambda page: str(page.relative_to(ROOT)))
Mistake = Callable[[list[str]], str]


def test_the_readme_has_at_most_150_lines() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


@by_page
def test_every_block_names_its_language(page: Path) -> None:
    unknown = [
        f"{block}: '{block.language}'" for block in guides.blocks(page) if block.language not in guides.LANGUAGES
    ]
    assert not unknown


@by_page
def test_every_link_resolves(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", guides.prose(page)):
        name, _, anchor = target.partition("#")
        other = (page.parent / name).resolve() if name else page
        if "://" not in target and not (other.exists() and (not anchor or anchor in guides.anchors(other))):
            broken.append(target)
    assert not broken


@by_page
def test_every_command_has_options_that_exist(page: Path, command_line: Mistake) -> None:
    """Check blocks that are not run, too."""
    shell = [block for block in guides.blocks(page) if block.language == "sh"]
    wrong = [
        f"{block}: {' '.join(words)}: {why}"
        for block in shell
        for words in block.commands()
        if (why := mistake(words, command_line))
    ]
    assert not wrong


@by_page
def test_every_configuration_is_valid(page: Path, command_line: Mistake) -> None:
    for block in guides.blocks(page):
        if block.language == "toml":
            Path("mar-edge.toml").write_text(block.text, encoding="utf-8")
            assert not command_line(["serve", "--config", "mar-edge.toml"]), block


def mistake(words: list[str], command_line: Mistake) -> str:
    """Return why a command cannot be called like this; empty if it can."""
    program, *arguments = words
    name = Path(program).name
    if name == "mar-edge":
        return command_line(arguments)
    if name == "python":
        return script_mistake(arguments)
    if name == "pip":
        wanted = {extra for listed in re.findall(r"\[([\w,-]+)\]", " ".join(arguments)) for extra in listed.split(",")}
        return ", ".join(wanted - set(PROJECT["optional-dependencies"]))
    if name == "make":
        targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        return ", ".join(set(arguments) - set(targets))
    if name == "pytest":
        return ", ".join(path for path in arguments if "/" in path and not (ROOT / path).exists())
    return "" if name in ELSEWHERE else f"no test knows the program {name}"


def script_mistake(arguments: list[str]) -> str:
    """Return what a script of the repository lacks of the options that it is called with."""
    script = ROOT / arguments[0]
    if not script.exists():
        return f"no {script}"
    text = script.read_text(encoding="utf-8")
    return ", ".join(word for word in arguments if word.startswith("--") and f'"{word}"' not in text)


@pytest.fixture(scope="session")
def mar_edge_on_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the command ``mar-edge``, of these sources."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "mar-edge").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mar_edge "$@"\n')
    (folder / "mar-edge").chmod(0o755)
    (folder / "python").symlink_to(sys.executable)
    return folder


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files that blocks name."""
    return prepared_folder.fill(tmp_path_factory.mktemp("inputs"))


@pytest.mark.skipif(os.name != "posix", reason="the blocks are written for a POSIX shell")
@pytest.mark.slow
@pytest.mark.timeout(600)  # a page has up to a dozen processes
@pytest.mark.parametrize(
    "page", [page for page in guides.PAGES if any(block.runs for block in guides.blocks(page))],
    ids=lambda page: str(page.relative_to(ROOT)),
)  # fmt: skip
def test_blocks_run(page: Path, inputs: Path, mar_edge_on_path: Path, tmp_path: Path) -> None:
    """Run them in one folder, in order, so that a block can use what an earlier one wrote."""
    folder = tmp_path / "here"
    shutil.copytree(inputs, folder)
    environment = os.environ | {
        "PATH": f"{mar_edge_on_path}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    with prepared_folder.sender(folder / "sender.ipc"):
        for block in guides.blocks(page):
            if block.runs:
                run(block, folder, environment)


def run(block: guides.Block, folder: Path, environment: dict[str, str]) -> None:
    program = ["bash", "-euo", "pipefail", "-c"] if block.language == "sh" else [sys.executable, "-c"]
    done = subprocess.run(
        [*program, block.runnable()], cwd=folder, env=environment, timeout=LIMIT_S, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
