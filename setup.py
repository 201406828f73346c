"""One installed package, mar_edge, made of the folders at the top of the repository. All else is in pyproject.toml."""

from setuptools import find_packages, setup

ROOMS = (
    *("edge", "export", "calibration", "streaming", "training", "teaching"),
    *("view", "analysis", "bridge", "cli", "api"),
)
PACKAGES = find_packages(include=[pattern for room in ROOMS for pattern in (room, f"{room}.*")])

setup(
    packages=["mar_edge", *(f"mar_edge.{package}" for package in PACKAGES)],
    package_dir={"mar_edge": "mar_edge", **{f"mar_edge.{room}": room for room in ROOMS}},
)
