"""Every command and snippet of the README and the guides works, and every link leads somewhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import guides
import pytest
import recorded_runs
import typer
from guides import ROOT, Block

from mar_edge import cli
from mar_edge.edge.zoo import fetch  # noqa: F401

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LIMIT_S = 60
# Programs that a block may call although no test runs them.
ELSEWHERE = {"docker", "systemctl", "sudo", "ssh", "git", "python3", "sha256sum", "useradd", "cp"}
by_name = pytest.mark.parametrize("page", guides.PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


@by_name
def test_every_block_names_its_language(page: Path) -> None:
    assert not [f"{block}: '{block.language}'" for block in guides.blocks(page) if block.language not in guides.LANGUAGES]


@by_name
def test_every_link_resolves(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", guides.prose(page)):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        other = (page.parent / name).resolve() if name else page
        if not other.exists() or (anchor and anchor not in guides.anchors(other)):
            broken.append(target)
    assert not broken


@by_name
def test_every_command_is_accepted(page: Path) -> None:
    """Options, extras, targets and files exist, whether or not the block is run."""
    wrong = []
    for block in guides.blocks(page):
        if block.language == "sh":
            wrong += [f"{block}: {' '.join(words)}: {why}" for words in block.commands() if (why := mistake(words))]
    assert not wrong


def mistake(words: list[str]) -> str:
    """Return why a command cannot be called like this; empty if it can."""
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        words = words[1:]
    program, *arguments = words
    name = Path(program).name
    if name == "mar-edge":
        return cli_mistake(arguments)
    if name == "python" and arguments:
        return script_mistake(arguments[0], arguments[1:])
    if name == "pip":
        return pip_mistake(arguments)
    if name == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return "" if set(arguments) <= set(targets) else "no such target"
    if name == "pytest":
        return next((f"no {path}" for path in arguments if "/" in path and not (ROOT / path).exists()), "")
    return "" if name in ELSEWHERE else "a program that this test does not know"


def cli_mistake(arguments: list[str]) -> str:
    cli.register()
    group = typer.main.get_command(cli.app)
    try:
        context = group.make_context("mar-edge", list(arguments))
        name, command, rest = group.resolve_command(context, list(arguments))
        command.make_context(name, rest, parent=context)
    except cli.UsageError as error:
        return str(error.format_message())
    return ""
