"""The fenced blocks of the tree's documents."""

import collections
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("SENDCODE_BUILD_DIR", ROOT / "build/release"))
READMES = [ROOT / "README.md", ROOT / "README.zh.md"]
DOCUMENTS = READMES + sorted((ROOT / "docs").glob("*.md"))

Block = collections.namedtuple("Block", "language line text")


def blocks(path, language=None):
    """The fenced blocks of a document in their order, all or those of one language."""
    found, inside = [], None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if inside is None and line.startswith("```"):
            inside = (line[3:].strip(), number + 1, [])
        elif inside is not None and line == "```":
            found.append(Block(inside[0], inside[1], "\n".join(inside[2]) + "\n"))
            inside = None
        elif inside is not None:
            inside[2].append(line)
    if inside is not None:
        raise AssertionError(f"{path.name}:{inside[1]}: this block has no end")
    return [b for b in found if language in (None, b.language)]


def commands(path):
    """The document's shell commands, without comments that have lines of their own."""
    text = "".join(b.text for b in blocks(path, "sh"))
    return [line for line in text.splitlines() if not line.lstrip().startswith("#")]
