"""Wheels of the serving dependencies on every platform, and of what the images install, according to pip's resolver.

pip evaluates markers of indirect dependencies for this machine; those of mar-edge's own are evaluated here. Linux means
glibc 2.28 or newer, except where a newer one is named.
"""

from __future__ import annotations

import re
import shlex
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

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SERVING = ("web", "ops", "lsl", "nats", "mqtt")
RTX_PLUGIN = ("onnxruntime-tensorrt-rtx",)
# Hundreds of megabytes, which pip would download to read their dependencies.
LARGE = ("onnxruntime-gpu", "onnxruntime-ep-nv-tensorrt-rtx-cu13")
NO_ANSWER = ("Could not fetch URL", "Connection", "Read timed out", "Network is unreachable")


def manylinux(machine: str, newest: int = 28) -> tuple[str, ...]:
    return tuple(
        f"manylinux_2_{minor}_{machine}" for minor in (5, 12, 17, 24, 26, 27, 28, 31, 34, 35) if minor <= newest
    )


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
    "Linux aarch64, glibc 2.35": Platform(manylinux("aarch64", 35), "linux", "Linux", "aarch64"),
}
EVERYWHERE = ("Linux x86-64", "Linux aarch64", "macOS arm64", "Windows")
PYTHONS = ("3.10", "3.14")
# Platform, Python and build argument of each image.
IMAGES = {
    "Dockerfile.cpu": [("Linux x86-64", "3.11", ""), ("Linux aarch64", "3.11", "")],
    "Dockerfile.cuda": [("Linux x86-64", "3.10", "")],
    "Dockerfile.jetson": [("Linux aarch64", "3.10", "12"), ("Linux aarch64", "3.12", "13")],
}


@dataclass(frozen=True)
class Install:
    """One installation: name of a platform, version of Python, and what pip is asked for."""

    platform: str
    python: str
    wanted: tuple[str, ...]


def requirements(platform: str, python: str, extras: tuple[str, ...] = SERVING) -> tuple[str, ...]:
    """Return the direct dependencies of mar-edge with extras on a platform."""
    optional = PROJECT["optional-dependencies"]
    wanted = map(Requirement, [*PROJECT["dependencies"], *(line for extra in extras for line in optional[extra])])
    environment = PLATFORMS[platform].environment(python)
    return tuple(
        f"{one.name}{one.specifier}" for one in wanted if one.marker is None or one.marker.evaluate(environment)
    )


def of_image(name: str, platform: str, python: str, cuda: str) -> list[Install]:
    """Return the installations of a Dockerfile: one for each time that it calls pip."""
    found = []
    for line in re.findall(
        r"/pip install --no-cache-dir (.*?) ?\\?$", (ROOT / "deploy" / name).read_text(), re.MULTILINE
    ):
        wanted: list[str] = []
        for word in shlex.split(line.replace("${CUDA}", cuda)):
            ours = re.fullmatch(r"\.\[([\w,-]+)\]", word)
            wanted += requirements(platform, python, tuple(ours[1].split(","))) if ours else [word]
        found.append(Install(platform, python, tuple(wanted)))
    assert found
    return found


def dry_run(*arguments: str) -> str:
    """Return pip's errors, empty if it finds everything; nothing is installed."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, cwd=ROOT)
    except subprocess.TimeoutExpired:
        return "Read timed out"
    if done.returncode == 0:
        return ""
    return "\n".join(line for line in done.stderr.splitlines() if line.startswith("ERROR") or "Retrying" in line)


def fitting(large: Requirement, options: list[str]) -> str:
    """Return an error unless the index has a version of a package for these tags; its dependencies are left out."""
    command = [sys.executable, "-m", "pip", "index", "versions", *options, large.name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    except subprocess.TimeoutExpired:
        return "Read timed out"
    listed = re.findall(r"^Available versions: (.*)$", done.stdout, re.MULTILINE)
    if listed and any(large.specifier.contains(version) for version in listed[0].split(", ")):
        return ""
    return f"no wheel of {large}: {done.stderr}"


def lack(install: Install) -> str:
    """Return pip's errors for an installation."""
    tags = [argument for tag in PLATFORMS[install.platform].tags for argument in ("--platform", tag)]
    options = ["--only-binary", ":all:", "--python-version", install.python, "--implementation", "cp", *tags]
    if install.wanted[0].startswith(LARGE):
        return fitting(Requirement(*install.wanted), options)
    return dry_run("--target", "nowhere", *options, *install.wanted)


def resolve(installs: list[Install]) -> bytes:
    """Let pip resolve all installations, several at a time, because the package index is slow."""
    if dry_run("--no-deps", "msgspec"):
        pytest.skip("no package index answers")
    with ThreadPoolExecutor(8) as pool:
        said = dict(zip(installs, pool.map(lack, installs), strict=True))
    unanswered = [one for one, text in said.items() if any(sign in text for sign in NO_ANSWER)]
    lacking = {one: text for one, text in said.items() if text and one not in unanswered}
    assert not lacking
    if unanswered:
        pytest.skip(f"the package index did not answer for {unanswered}")
    return b"nothing is lacking"


SETS = {
    "serving": [Install(name, python, requirements(name, python)) for name in EVERYWHERE for python in PYTHONS],
    "images": [one for image, builds in IMAGES.items() for build in builds for one in of_image(image, *build)],
    "the plugin of TensorRT for RTX": [
        # The package of the extra has no files of its own; it asks for this one.
        Install(name, "3.14", (requirements(name, "3.14", RTX_PLUGIN)[-1].replace("-rtx>", "-rtx-cu13>"),))
        for name in ("Linux x86-64", "Linux aarch64, glibc 2.35", "Windows")
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_every_dependency_has_a_wheel(name: str, kept: Kept) -> None:
    """Wheels stay on the index: it is asked again after a week, and when the requirements change."""
    installs = SETS[name]
    week = str(int(time.time() // (7 * 24 * 3600)))
    constraints = (ROOT / "constraints.txt").read_text()
    key = (*map(str, installs), str(PLATFORMS), constraints, versions("pip"), week)
    kept.get("wheels", key, lambda: resolve(installs))


def test_every_image_is_among_them() -> None:
    assert {path.name for path in (ROOT / "deploy").glob("Dockerfile.*")} == set(IMAGES)
    cuda = next(one for one in SETS["images"] if any("onnxruntime-gpu" in word for word in one.wanted))
    assert cuda.wanted == ("onnxruntime-gpu>=1.20,<1.27",)
    assert all(
        any(word.startswith(name) for word in one.wanted)
        for one in SETS["images"]
        if one is not cuda
        for name in ("nats-py", "paho-mqtt", "starlette", "prometheus-client")
    )


def test_markers_are_those_of_the_platform() -> None:
    """Require tomli only on Python 3.10, wherever this test runs; and the plugin only where it exists."""
    asked = {python: requirements("Windows", python) for python in PYTHONS}
    assert [any(line.startswith("tomli") for line in asked[python]) for python in PYTHONS] == [True, False]
    assert all(any(line.startswith("starlette") for line in lines) for lines in asked.values())
    plugin = {
        (name, python): any("ep-nv-tensorrt-rtx" in line for line in requirements(name, python, RTX_PLUGIN))
        for name in EVERYWHERE
        for python in PYTHONS
    }
    assert {each for each, there in plugin.items() if there} == {
        ("Linux x86-64", "3.14"),
        ("Linux aarch64", "3.14"),
        ("Windows", "3.14"),
    }
