"""Code blocks of the README and the guides, and what a comment before a block says about running it.

Blocks run as they are written, page by page, in order. One HTML comment on the line before a block changes that:

    <!-- needs: a camera -->                    it does not run; its options are checked
    <!-- checked: options only -->              the same, since it takes minutes
    <!-- run with: OLD -> NEW; OLD -> NEW -->   it runs with these replacements
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "deploy").rglob("*.md")], key=lambda page: page.name
)
LANGUAGES = {"sh", "python", "toml", "csv", "text", "json"}


@dataclass(frozen=True)
class Block:
    """One fenced block. ``line`` is that of its fence, from 1; ``mark`` the text of the comment before it."""

    page: Path
    line: int
    language: str
    text: str
    mark: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def runs(self) -> bool:
        """Return whether the block is run: it is code, and neither hardware nor minutes are needed."""
        return self.language in ("sh", "python") and not self.mark.startswith(("needs:", "checked:"))

    def runnable(self) -> str:
        """Return the text with the replacements that the mark asks for.

        Raises:
            ValueError: if the block does not contain what is to be replaced.
        """
        text = self.text
        if self.mark.startswith("run with:"):
            for pair in self.mark.removeprefix("run with:").split(";"):
                old, _, new = (part.strip() for part in pair.partition("->"))
                if old not in text:
                    raise ValueError(f"{self}: '{old}' is not in the block")
                text = text.replace(old, new)
        return text

    def commands(self) -> Iterator[list[str]]:
        """Yield the commands of a shell block, as words; comments, pipes and redirections are left out."""
        for line in self.text.replace("\\\n", " ").splitlines():
            lexer = shlex.shlex(re.sub(r"\s*[<>]+\s*\S+", "", line), posix=True, punctuation_chars="&|;")
            lexer.whitespace_split = True
            words: list[str] = []
            for word in [*lexer, ";"]:
                if set(word) <= set("&|;"):
                    if words:
                        yield words
                    words = []
                else:
                    words.append(word)


def blocks(page: Path) -> list[Block]:
    """Return the code blocks of a page.

    Raises:
        ValueError: if a fence is not closed.
    """
    found: list[Block] = []
    fence: tuple[int, str, str] | None = None
    body, before = list[str](), ""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        stripped = line.strip()
        if fence is None and stripped.startswith("```"):
            mark = re.fullmatch(r"<!--\s*(.*?)\s*-->", before)
            fence, body = (number, stripped[3:].strip(), mark[1] if mark else ""), []
        elif fence is not None and stripped == "```":
            found.append(Block(page, fence[0], fence[1], "\n".join(body) + "\n", fence[2]))
            fence = None
        elif fence is not None:
            body.append(line)
        before = stripped
    if fence is not None:
        raise ValueError(f"{page}:{fence[0]}: a block that does not end")
    return found


def prose(page: Path) -> str:
    """Return a page without its code blocks and inline code."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub names them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
