"""Cores that this process may use, and how inferences at the same time share them."""

import os

import pytest

from mar_edge.cli.main import command_line
from mar_edge.edge.runtime import cores
from mar_edge.edge.runtime.cores import share_of_cores, usable_cores


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not bind processes to cores")
def test_only_allowed_cores_count():
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)


@pytest.mark.parametrize(
    ("threads", "users", "expected"), [(0, 1, 8), (0, 2, 4), (0, 3, 2), (0, 20, 1), (3, 1, 3), (3, 20, 3)]
)
def test_inferences_at_the_same_time_share_the_cores(monkeypatch, threads, users, expected):
    monkeypatch.setattr(cores, "usable_cores", lambda: 8)
    assert share_of_cores(threads, users) == expected


@pytest.mark.parametrize(("cameras", "expected"), [(["demo:"], 8), (["a=demo:", "b=demo:"], 4)])
def test_serve_shares_the_cores_among_its_cameras(monkeypatch, cameras, expected):
    given = []
    run = command_line()  # commands are listed in the order in which they are loaded, so load all
    monkeypatch.setattr(cores, "usable_cores", lambda: 8)
    monkeypatch.setattr(
        "mar_edge.cli.serve.run_service",
        lambda config, model, pose, **more: given.append((pose.threads, more["threads"])),
    )
    options = [part for camera in cameras for part in ("--camera", camera)]
    run(["serve", *options], standalone_mode=False)
    assert given == [(expected, expected)]
