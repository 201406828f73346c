"""Checks of our prose: words that are not plain American English, sentences that are too long, docstrings' first words.

    python tests/prose.py [PATHS]     prints what it finds; test_prose.py runs it on everything

Reads Markdown without its code and tables, and of Python docstrings, comments and the text of strings.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LONGEST = 25
ROOT = Path(__file__).parent.parent

# Archaic or foreign to the field, and what to write instead.
WORDS = {
    r"rightly": "correctly",
    r"dearest": "most sensitive, slowest",
    r"bears?": "tolerates",
    r"anew": "again",
    r"to be had": "available",
    r"so (?:many|long)": "the number, that long",
    r"beside": "next to, with",
    r"likewise": "also",
    r"one's": "its",
    r"mend(?:s|ed|ing)?": "fix",
    r"stands?": "is",
    r"told": "reported",
    r"whom": "which people",
    r"whoever|whosoever|whatsoever": "any process that, anybody who",
    r"hitherto|thereof|therein|whereupon|henceforth|lest|nought|aught|ere|yonder|whilst|amongst|upon": "plain words",
    r"for ever": "forever",
    r"dear(?:er|ly)": "more expensive",
    r"befits?|befalls?|behold|(?-i:bids?)|bade|betoken\w*|forgo\w*|hearken": "plain words",
}
# British spelling -> American.
SPELLING = {
    r"(?<!\w)(\w*)(recogn|normal|organ|quant|optim|initial|serial|synthes|summar|minim|maxim|categor|visual|general|random"
    r"|priorit|standard|util|author|emphas|penal|real|special|stabil|central|local|token|discret|parametr|regular|equal"
    r"|final|symbol|character|apolog|harmon|ideal|material|memor|neutral|polar|popular|sanit|vector|binar)is"
    r"(e|es|ed|er|ers|ing|ation|ations|able)": "-iz-",
    r"analys(?:e|es|ed|ing)": "analyze",
    r"behaviours?": "behavior",
    r"(?:gr[e]y)(?:s|scale)?": "gray",
    r"colou?rs?(?<!colors)(?<!color)|coloured|colouring": "color",
    r"centre[sd]?|centring": "center",
    r"licences?": "license",
    r"catalogues?": "catalog",
    r"neighbour\w*": "neighbor",
    r"favour\w*|honour\w*|labour\w*|flavour\w*|harbour\w*|rumour\w*|vapour\w*|humour\w*": "-or",
    r"labelled|labelling|modelled|modelling|travelled|travelling|cancelled|cancelling|signalled|signalling": "one l",
    r"millimetres?|centimetres?|metres?": "meter",
    r"artefacts?": "artifact",
    r"learnt|burnt|spelt|leapt|dreamt": "-ed",
    r"towards": "toward",
    r"judgement": "judgment",
    r"practis\w+": "practice",
    r"programmes?": "program",
    r"defence|offence": "-se",
    r"ageing": "aging",
}
# First words of a function's docstring that are no imperative.
NO_VERB = [
    "what",
    "who",
    "whom",
    "whose",
    "which",
    "whether",
    "of",
    "how",
    "when",
    "where",
    "why",
    "the",
    "a",
    "an",
    "as",
    "from",
    "to",
    "in",
    "on",
    "with",
    "without",
    "each",
    "every",
    "all",
    "any",
    "one",
    "two",
    "if",
    "it",
    "its",
    "this",
    "that",
    "these",
    "those",
    "for",
    "by",
    "at",
    "both",
    "either",
    "no",
    "none",
    "nothing",
    "not",
    "so",
    "such",
    "same",
    "their",
    "they",
    "what's",
    "everything",
    "everybody",
    "somebody",
    "anything",
    "whatever",
    "true",
    "false",
    "yes",
    "after",
    "before",
    "until",
    "while",
    "until",
    "between",
    "raises",
    "returns",
    "gives",
    "makes",
    "takes",
    "reads",
    "writes",
    "says",
    "checks",
]
_BAD = [(re.compile(rf"(?<![\w-])(?:{word})(?![\w-])", re.IGNORECASE), why) for word, why in (WORDS | SPELLING).items()]

# A line of a docstring that shows a command.
_COMMAND = re.compile(r"^ *(?:python \S+\.py|mar-edge [a-z]+ [A-Z-]|pip ).*$", re.MULTILINE)


@dataclass(frozen=True)
class Fault:
    """Something to rewrite, and where."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def faults(path: Path) -> Iterator[Fault]:
    """Return what is wrong with the prose of one file."""
    name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)
    text = path.read_text(encoding="utf-8")
    for line, prose in _markdown(text) if path.suffix == ".md" else _python(text):
        plain = re.sub(r"``[^`]*``|`[^`]*`|https?://\S+", "X", prose)
        for pattern, why in _BAD:
            for found in pattern.finditer(plain):
                yield Fault(name, line, f"'{found[0]}': {why}")
        for sentence in re.split(r"(?<=[.!?:;])\s+(?=[A-Z`*(\[]|- |$)", plain):
            words = re.findall(r"[\w'-]*[A-Za-z][\w'-]*", sentence)
            if len(words) > LONGEST:
                yield Fault(name, line, f"{len(words)} words: {' '.join(words[:8])} ...")
    if path.suffix == ".py":
        for line, first in _first_words(text):
            yield Fault(name, line, f"docstring begins with '{first}', not with an imperative")


def _markdown(text: str) -> Iterator[tuple[int, str]]:
    """Yield paragraphs and list items, with their lines; no code, no tables, no headings."""
    begin, paragraph, fenced = 1, list[str](), False
    for number, line in enumerate([*text.splitlines(), ""], 1):
        stripped = line.strip()
        if stripped.startswith("```"):
            fenced = not fenced
        new = not stripped or fenced or stripped.startswith(("#", "|", "```", "!["))
        if new or re.match(r"([-*]|\d+\.)\s", stripped):
            if paragraph:
                yield begin, " ".join(paragraph)
            begin, paragraph = number, []
        if not new:
            paragraph.append(stripped)


def _python(text: str) -> Iterator[tuple[int, str]]:
    """Yield docstrings and other strings, each paragraph by itself, and comments, with their lines."""
    comment, begin, last = list[str](), 0, -1
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            alone = not token.line[: token.start[1]].strip()  # after code, a comment is for its own line
            if comment and not (alone and token.start[0] == last + 1):
                yield begin, " ".join(comment)
                comment = []
            if not comment:
                begin = token.start[0]
            if not re.match(r"#\s*(noqa|type:|pragma)", token.string):
                comment.append(token.string.lstrip("# "))
            last = token.start[0] if alone else -1
    if comment:
        yield begin, " ".join(comment)
    inside = set[int]()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.JoinedStr):
            inside.update(id(part) for part in node.values)
            parts = (p.value if isinstance(p, ast.Constant) and isinstance(p.value, str) else "X" for p in node.values)
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            if re.search(r"=>| ! video", node.value):  # a script of the page, or a pipeline of GStreamer
                continue
            for paragraph in re.split(r"\n\s*\n|\n\s*(?=[\w, ]+: |[-*] )", _COMMAND.sub("", node.value)):
                if " " in paragraph.strip() and not re.match(r"\s*(import|from) [\w.]+ ?", paragraph):  # a script
                    yield node.lineno, " ".join(paragraph.split())


def _first_words(text: str) -> Iterator[tuple[int, str]]:
    """Yield first words of functions' docstrings that are no verb. A property's may be a noun."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not any(
            "property" in ast.unparse(decorator) or "command" in ast.unparse(decorator)
            for decorator in node.decorator_list
        ):
            first = (ast.get_docstring(node) or "x").split()[0].strip("`.,:;").lower()
            if first in NO_VERB:
                yield node.lineno, first


def ours() -> list[Path]:
    """Return every file of prose that git knows."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.py", "*.md"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    names = [name for name in listed.stdout.splitlines() if name not in ("tests/prose.py", "tests/test_prose.py")]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def main(arguments: list[str]) -> int:
    """Print the faults of the files named, or of all."""
    wanted = [Path(argument).resolve() for argument in arguments]
    paths = [path for path in ours() if not wanted or any(path == w or w in path.parents for w in wanted)]
    found = [fault for path in paths for fault in faults(path)]
    print(*found, f"{len(found)} faults in {len(paths)} files", sep="\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
