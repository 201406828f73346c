"""Wheels of the serving dependencies on every platform, on the oldest and newest Python, according to pip's resolver.

pip evaluates markers of indirect dependencies for this machine; those of mar-edge's own are evaluated here. Linux means
glibc 2.28 or newer.
"""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from kept import Kept, versions
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SERVING = ("web", "ops", "lsl")
NO_ANSWER = ("Could not fetch URL", "Connection", "Read timed out", "Network is unreachable")


def manylinux(machine: str) -> tuple[str, ...]:
    return tuple(f"manylinux_2_{minor}_{machine}" for minor in (5, 12, 17, 24, 26, 27, 28))


@dataclass(frozen=True)
class Platform:
    """A platform: the tags of its wheels, and the values for requirements' markers."""

    tags: tuple[str, ...]
    sys_platform: str
    system: str
    machine: str

    def environment(self, python: str) -> dict[str, str]:
        names = {"sys_platform": self.sys_platform, "platform_system": self.system, "platform_machine": self.machine}
        return names | {"python_version": python, "python_full_version": f"{python}.0"}


PLATFORMS = {
    "Linux x86-64": Platform(manylinux("x86_64"), "linux", "Linux", "x86_64"),
    "Linux aarch64": Platform(manylinux("aarch64"), "linux", "Linux", "aarch64"),
    "macOS arm64": Platform(("macosx_11_0_arm64", "macosx_14_0_arm64"), "darwin", "Darwin", "arm64"),
    "Windows": Platform(("win_amd64",), "win32", "Windows", "AMD64"),
}
PYTHONS = ("3.10", "3.14")


def requirements(platform: Platform, python: str) -> list[str]:
    """Return the direct dependencies of ``pip install 'mar-edge[web,ops,lsl]'`` on a platform."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = map(Requirement, [*project["dependencies"], *(line for extra in SERVING for line in extras[extra])])
    environment = platform.environment(python)
    return [f"{one.name}{one.specifier}" for one in wanted if one.marker is None or one.marker.evaluate(environment)]


def dry_run(*arguments: str) -> str:
    """Return pip's errors, empty if it finds everything; nothing is installed."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    except subprocess.TimeoutExpired:
        return "Read timed out"
    if done.returncode == 0:
        return ""
    return "\n".join(line for line in done.stderr.splitlines() if line.startswith("ERROR") or "Retrying" in line)


def lack(name: str, python: str) -> str:
    """Return pip's errors for that platform."""
    platform = PLATFORMS[name]
    tags = [argument for tag in platform.tags for argument in ("--platform", tag)]
    return dry_run(
        *("--only-binary", ":all:", "--target", "nowhere", "--python-version", python, "--implementation", "cp"),
        *tags,
        *requirements(platform, python),
    )


def resolve(combinations: list[tuple[str, str]]) -> bytes:
    """Let pip resolve all combinations in parallel, because the package index is slow."""
    if dry_run("--no-deps", "msgspec"):
        pytest.skip("no package index answers")
    with ThreadPoolExecutor(len(combinations)) as pool:
        said = dict(zip(combinations, pool.map(lambda one: lack(*one), combinations), strict=True))
    unanswered = [one for one, text in said.items() if any(sign in text for sign in NO_ANSWER)]
    lacking = {one: text for one, text in said.items() if text and one not in unanswered}
    assert not lacking
    if unanswered:
        pytest.skip(f"the package index did not answer for {unanswered}")
    return b"nothing is lacking"


@pytest.mark.slow
def test_every_dependency_of_serving_has_a_wheel(kept: Kept) -> None:
    """Wheels stay on the index: it is asked again after a week, and when the requirements change."""
    combinations = [(name, python) for name in PLATFORMS for python in PYTHONS]
    wanted = [f"{name} {python} {requirements(PLATFORMS[name], python)}" for name, python in combinations]
    week = str(int(time.time() // (7 * 24 * 3600)))
    kept.get("wheels", (*wanted, str(PLATFORMS), versions("pip"), week), lambda: resolve(combinations))


def test_markers_are_those_of_the_platform() -> None:
    """Require tomli only on Python 3.10, wherever this test runs."""
    asked = {python: requirements(PLATFORMS["Windows"], python) for python in PYTHONS}
    assert [any(line.startswith("tomli") for line in asked[python]) for python in PYTHONS] == [True, False]
    assert all(any(line.startswith("starlette") for line in lines) for lines in asked.values())
