from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from browser import CHROMIUM

    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        # Root cannot use the sandbox.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        try:
            browser = started.chromium.launch(executable_path=CHROMIUM, args=arguments)
        except playwright.Error as error:
            pytest.skip(f"{CHROMIUM} does not start: {error.message.splitlines()[0]}")
        yield browser
        browser.close()
