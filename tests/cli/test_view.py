"""``view``, ``--view``, and opening a browser."""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mar_edge.cli.browser import has_screen, open_page

pytest.importorskip("starlette")

UserError = Callable[..., str]


def test_options_that_do_not_go_together_are_refused(user_error: UserError, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("hello\n")
    assert "--view" in user_error("serve", "--camera", "demo:", "--show-video")
    assert "one or the other" in user_error("view", tmp_path, "--connect", "tcp://127.0.0.1:1")
    assert "give the recording as well" in user_error("view", "--media", tmp_path)
    assert "no video at" in user_error("view", tmp_path / "a.jsonl", "--media", tmp_path / "a.mp4")
    assert "16 to 256" in user_error("serve", "--camera", "demo:", "--view", "127.0.0.1:*", "--view-token", "short")
    assert "line 1: not a message" in user_error("view", tmp_path / "a.jsonl", "--bind", "127.0.0.1:*")


def test_a_browser_is_opened_where_there_is_a_screen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert not has_screen()
    monkeypatch.setenv("DISPLAY", ":0")
    assert has_screen()
    browser, seen = tmp_path / "browser", tmp_path / "seen"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {seen}\n')
    browser.chmod(browser.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    open_page("http://127.0.0.1:8080/").join(20)
    assert seen.read_text() == "http://127.0.0.1:8080/"
