"""The English of Python's own reference manual, which every CPython carries (`pydoc_data`)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from enasdsl.data.errors import DataError
from enasdsl.data.text import EOS, TextData, encode

VOCABULARY = 1500
HELD_OUT = 0.1

TOKEN = re.compile(r"[^\W\d]\w*(?:'(?!s\b)[a-z]+)?|'s\b|\d+(?:[.,]\d+)*")
SENTENCE_END = re.compile(r'(?<=[.!?])["”)]?\s+(?=["“(*]*[A-Z])')


def read_pydocs(topics: Mapping[str, str] | None = None) -> TextData:
    """The manual's prose, by default this interpreter's, parted by topic.

    Lower-case words without punctuation, numbers as `N`, `<eos>` after a sentence, and the
    1,500 most frequent words. No paragraph stands in two parts, although the manual repeats
    many: the longest topic keeps it. The parts depend on the text alone.
    """
    owned = _paragraphs(_manual() if topics is None else topics)
    sentences = {topic: [s for p in own for s in _sentences(p)] for topic, own in owned.items()}
    words = {topic: [w for s in own for w in (*s, EOS)] for topic, own in sentences.items()}
    return encode("pydocs", _part(words), cap=VOCABULARY, least=2)


def _manual() -> Mapping[str, str]:
    try:
        from pydoc_data.topics import topics  # type: ignore[import-untyped, unused-ignore]
    except ImportError as error:
        raise DataError(
            "this Python has no pydoc_data, the text of its manual",
            "use a complete CPython, or give your own text with --data text:FOLDER",
        ) from error
    manual: Mapping[str, str] = topics
    return manual


def _paragraphs(topics: Mapping[str, str]) -> dict[str, list[str]]:
    """The paragraphs of prose of each topic that no longer topic has."""
    seen: set[str] = set()
    owned: dict[str, list[str]] = {}
    for topic in sorted(topics, key=lambda t: (-len(topics[t]), t)):
        owned[topic] = []
        for block in re.split(r"\n\s*\n", topics[topic]):
            paragraph = re.sub(r"-\s*\n\s*", "-", block)
            paragraph = " ".join(paragraph.split())
            if _is_prose(paragraph) and paragraph not in seen:
                seen.add(paragraph)
                owned[topic].append(paragraph)
    return owned


def _is_prose(paragraph: str) -> bool:
    if len(paragraph.split()) < 4 or paragraph[-1] not in '.:!?)"':
        return False
    if "::=" in paragraph or ">>>" in paragraph:
        return False
    visible = [c for c in paragraph if not c.isspace()]
    return sum(c.isalpha() for c in visible) >= 0.75 * len(visible)


def _sentences(paragraph: str) -> list[list[str]]:
    text = paragraph.replace("’", "'")
    found = [_tokens(sentence) for sentence in SENTENCE_END.split(text)]
    return [tokens for tokens in found if tokens]


def _tokens(sentence: str) -> list[str]:
    return ["N" if t[0].isdigit() else t.lower() for t in TOKEN.findall(sentence)]


def _part(words: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The topics dealt to the parts in the order of a hash of their names.

    One goes to test where it fits into what is left of its tenth, else to valid, else to train.
    """
    parts: dict[str, list[str]] = {"train": [], "valid": [], "test": []}
    size = HELD_OUT * sum(map(len, words.values()))
    for topic in sorted(words, key=lambda t: hashlib.sha256(t.encode()).digest()):
        room = [s for s in ("test", "valid") if len(parts[s]) + len(words[topic]) <= size]
        parts[room[0] if room else "train"] += words[topic]
    return parts
