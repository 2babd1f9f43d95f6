"""From a docstring to a query and a passage: its first sentence, and the rest without it.

A passage must not give its query away by repetition alone. So the name of what it documents and
every sentence that says nearly the same as the query are removed from it; so are examples, lists
of related names, references, notices of versions, and markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain

from methods.lite.passages_sources import Docstring

QUERY_WORDS = (5, 40)
"""Fewest and most words of a query."""
PASSAGE_WORDS = (20, 120)
"""Fewest words of a passage, and where a longer one is cut."""
_SAME = 0.7
"""Share of a sentence's words, or of the query's, that makes the sentence a repetition."""

_DROPPED = frozenset(
    {"also", "author", "authors", "example", "examples", "methods", "reference", "references", "related"}
    | {"routines", "see", "todo", "usage", "version", "versions"}
)
"""Words in the title of a section that is left out."""
_HEADER = re.compile(r"^\s*(?P<name>[A-Z][A-Za-z ]{2,30}?)\s*:{0,2}\s*$")
_RULE = re.compile(r"^\s*([-=~^*])\1{2,}\s*$")
_BULLET = re.compile(r"^\s*(?:[-*+•]|\d+\.|#\.)\s+")
_DIRECTIVE = re.compile(r"^(?P<indent>\s*)\.\.\s+(?P<name>[\w.-]+)::")
_CODE = (
    re.compile(r"^[ \t]*```.*?^[ \t]*```[^\n]*$", re.DOTALL | re.MULTILINE),
    re.compile(r"^[ \t]*>>>.*?(?=^[ \t]*$|\Z)", re.DOTALL | re.MULTILINE),
)
"""Fenced code; doctests with what they print, up to the next empty line."""
_KEPT_DIRECTIVES = frozenset({"note", "tip", "important"})
_INLINE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r":[\w:+-]+:`~?(?:[^`<]*<)?!?(?:[^`<>]*\.)?([^`<>.]+)>?`"), r"\1"),
    (re.compile(r"`([^`<]+?)\s*<[^>]*>`__?"), r"\1"),
    (re.compile(r"<?https?://[^\s>]+>?"), " "),
    (re.compile(r"(?:^|\s)>\s|\[![A-Z]+\]"), " "),
    (re.compile(r":math:`([^`]*)`"), r"\1"),
    (re.compile(r"\[[^\]\s]{1,24}\]_"), " "),
    (re.compile(r"\|([^|\s]+)\|"), r"\1"),
    (re.compile(r"\[`+([^`\]]*)`+\]"), r"\1"),
    (re.compile(r"`+"), ""),
    (re.compile(r"(?<![\w)\]])[~.](?=[A-Za-z_])"), ""),
    (re.compile(r"(?<!\w)\*{1,2}(?=\w)|(?<=\w)\*{1,2}(?!\w)"), ""),
    (re.compile(r"\\(?:[a-zA-Z]+)|[\\{}$]"), " "),
    (re.compile(r"</?\w+[^>]*>"), " "),
    (re.compile(r"-{3,}|={3,}|\.{4,}|_{3,}|~{3,}"), " "),
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\"'(]?[A-Z0-9])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|cf|vs|etc|resp|approx|al|eq|fig|sec|no|incl)\.|\b[A-Z]\.)$", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d_]+")
_UNWANTED = re.compile(
    r"deprecat|^(?:alias|see |same as|wrapper|wraps |helper|initiali[sz]|constructor|construct an? instance"
    r"|create an? instance|internal|private|not implemented|placeholder|override|overload|abstract "
    r"|base class|todo|warning|note|this (?:method|function|class) (?:is|should|must) |please "
    r"|tests? |mixin|backward compatib|dummy|convenience|refer to |like "
    r"|equivalent (?:to|of) |implementation of )"
    r"|docstring|experimental|for internal use",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Pair:
    """A query with its passage.

    Attributes:
        source: Where both come from.
        query: The first sentence.
        passage: The rest.
    """

    source: Docstring
    query: str
    passage: str


def make_pair(source: Docstring) -> Pair | None:
    """The pair of a docstring; None if it does not make a good one."""
    blocks = _blocks(_without_code(source.text.expandtabs()))
    first, *rest = sentences(_plain(next(blocks, ""))) or [""]
    query = first.rstrip(".:; ")
    if not _is_query(query):
        return None
    others = chain.from_iterable(sentences(_plain(block)) for block in blocks)
    passage = _passage(query, [*rest, *others], source)
    return Pair(source, query, passage) if passage else None


def words(text: str) -> list[str]:
    """Lower-case words of letters."""
    return _WORD.findall(text.lower())


@cache
def _stop_words() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS)


def content_words(text: str) -> frozenset[str]:
    """Words that carry meaning, roughly stemmed: no stop words, none below three letters."""
    return frozenset(_stem(word) for word in words(text) if len(word) > 2 and word not in _stop_words())


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) > 3:
            return word.removesuffix(ending)
    return word


def sentences(text: str) -> list[str]:
    """The sentences of a text; abbreviations end none."""
    found: list[str] = []
    for piece in _SENTENCE_END.split(text.strip()):
        if found and _ABBREVIATION.search(found[-1]):
            found[-1] += f" {piece}"
        else:
            found.append(piece)
    return [sentence for sentence in found if sentence]


def _is_query(text: str) -> bool:
    number = len(text.split())
    if not QUERY_WORDS[0] <= number <= QUERY_WORDS[1] or _UNWANTED.search(text):
        return False
    letters = sum(len(word) for word in words(text))
    return len(content_words(text)) >= 4 and letters > 0.7 * len(text.replace(" ", ""))


def _passage(query: str, parts: list[str], source: Docstring) -> str:
    """The parts that do not repeat the query, without the names of what they document."""
    wanted = content_words(query)
    kept = [part for part in parts if not _repeats(wanted, content_words(part))]
    names = {re.escape(name) for name in source.name.split(".") if len(name) > 2}
    text = " ".join(kept)
    if names:
        text = re.sub(rf"(?<!\w)(?:{'|'.join(sorted(names))})(?!\w)(?:\(\))?", " ", text, flags=re.IGNORECASE)
    cut = text.split()[: PASSAGE_WORDS[1]]
    text = " ".join(cut)
    enough = len(words(text)) >= PASSAGE_WORDS[0] and len(content_words(text)) >= PASSAGE_WORDS[0] // 2
    return text if enough else ""


def _repeats(query: frozenset[str], part: frozenset[str]) -> bool:
    shared = len(query & part)
    return shared >= 3 and shared >= _SAME * min(len(query), len(part))


def _without_code(text: str) -> str:
    """The text without fenced code, doctests, literal blocks and directives."""
    for pattern in _CODE:
        text = pattern.sub("\n", text)
    kept: list[str] = []
    dropped: int | None = None  # Depth of the line whose deeper lines are being dropped.
    for line in text.splitlines():
        if dropped is not None and line.strip() and _depth(line) <= dropped:
            dropped = None
        if dropped is not None:
            continue
        directive = _DIRECTIVE.match(line)
        if directive and directive["name"] not in _KEPT_DIRECTIVES:
            dropped = _depth(line)
        elif not line.lstrip().startswith(".. "):
            kept.append(line.removesuffix("::"))
            dropped = _depth(line) if line.rstrip().endswith("::") else None
    return "\n".join(kept)


def _blocks(text: str) -> Iterator[str]:
    """Paragraphs, entries of lists and parameters, without unwanted sections."""
    lines = text.splitlines()
    block: list[str] = []
    dropping = False
    depth: int | None = None  # Of a section that ends with its indentation.
    for number, line in enumerate(lines):
        title = _section(lines, number)
        ends = title is not None or not line.strip() or bool(_BULLET.match(line))
        if ends and block:
            yield " ".join(block)
            block = []
        if title is not None:
            dropping = bool({*title.lower().split()} & _DROPPED)
            depth = _depth(line) if line.rstrip().endswith(":") else None
            continue
        if dropping and depth is not None and line.strip() and _depth(line) <= depth:
            dropping = False
        if not dropping and line.strip() and not _RULE.match(line):
            block.append(_BULLET.sub("", line).strip())
    if block:
        yield " ".join(block)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _section(lines: list[str], number: int) -> str | None:
    """The title of the section that starts in this line."""
    match = _HEADER.match(lines[number])
    if not match or not number:
        return None
    ruled = number + 1 < len(lines) and _RULE.match(lines[number + 1])
    google = lines[number].rstrip().endswith(":") and len(match["name"].split()) < 4
    return match["name"] if ruled or google else None


def _plain(text: str) -> str:
    """The text without markup, with single spaces."""
    for pattern, replacement in _INLINE:
        text = pattern.sub(replacement, text)
    return " ".join(text.split())
