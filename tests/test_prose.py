"""Prose is plain American English: ``tests/prose.py`` finds nothing in what git knows."""

from __future__ import annotations

from pathlib import Path

import prose
import pytest


def test_our_prose_has_no_fault() -> None:
    found = [str(fault) for path in prose.ours() for fault in prose.faults(path)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("It recognises people.\n", "-iz-"),
        ("The machine stands still.\n", "is"),
        (" ".join(["word"] * 26) + ".\n", "26 words"),
        ("Fine.\n\n```\nbehaviour\n```\n", None),
    ],
)
def test_the_checker_finds_what_it_is_for(tmp_path: Path, text: str, fault: str | None) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    found = [str(one) for one in prose.faults(page)]
    assert (not found) if fault is None else any(fault in one for one in found)


def test_a_docstring_that_begins_without_a_verb_is_found(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text('def f():\n    """The answer."""\n\n\ndef g():\n    """Return the answer."""\n', encoding="utf-8")
    assert [fault.line for fault in prose.faults(module)] == [1]


def test_comments_after_code_are_read_line_by_line(tmp_path: Path) -> None:
    page = tmp_path / "page.py"
    page.write_text(f"a = 1  # {'word ' * 15}\nb = 2  # {'word ' * 15}\n", encoding="utf-8")
    assert not list(prose.faults(page))
