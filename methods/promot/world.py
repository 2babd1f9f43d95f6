"""A small formal language of task formats, on which in-context ability can be learned and lost.

An *episode* is a sequence of *segments* of one task, so that earlier segments are demonstrations
for later ones: ``tag x₁ … x₄ | q =`` and the answer, which ends with a full stop. The tag says which
task it is, unless it is hidden: then only the demonstrations show it. In *glossing* tasks,
``tag x₁ … =``, the answer renames symbols by a mapping that is drawn anew for each episode.

The two target tasks stand in for the paper's: :data:`ENTAILMENT` answers ``T`` or ``F``, tokens
that never occur in pretraining; :data:`TRANSLATION` renames symbols by a fixed dictionary and
reverses their order. Their tags are new as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

PAD, STOP, EQUALS, BAR, TRUE, FALSE = range(6)
TAGS = 16
SYMBOLS = 12
"""Symbols of the source language; the target language has as many."""
WORDS = 4
"""Symbols of an input."""
FIRST_TAG = 6
SOURCE = FIRST_TAG + TAGS
TARGET = SOURCE + SYMBOLS
VOCABULARY = TARGET + SYMBOLS
ANSWER = WORDS + 1
"""Tokens of the longest answer, with its full stop."""

Architecture = Literal["decoder", "encoder-decoder"]
"""Of the models that are pretrained on this language."""
Symbols = tuple[int, ...]
"""Symbols 0 … 11, or token ids."""


def _source(*symbols: int) -> Symbols:
    return tuple(SOURCE + symbol for symbol in symbols)


def _target(*symbols: int) -> Symbols:
    return tuple(TARGET + symbol for symbol in symbols)


@dataclass(frozen=True)
class Format:
    """A task.

    Attributes:
        tag: Number of its tag.
        answer: From the input x, the extra symbol q and a permutation of the symbols to tokens.
        glossed: In glossing tasks, how many symbols are renamed; 0 in others.
        fixed: The mapping of a glossing task, if it is not drawn for each episode.
        even: Whether q is the largest symbol of x in half of the inputs.
    """

    tag: int
    answer: Callable[[Symbols, int, Symbols], Symbols]
    glossed: int = 0
    fixed: Symbols | None = None
    even: bool = False


COPY = Format(0, lambda x, q, m: _source(*x))
REVERSE = Format(1, lambda x, q, m: _source(*x[::-1]))
SORT = Format(2, lambda x, q, m: _source(*sorted(x)))
MAXIMUM = Format(3, lambda x, q, m: _source(max(x)))
FIRST_TWO = Format(4, lambda x, q, m: _source(*x[:2]))
ENDS = Format(5, lambda x, q, m: _source(x[0], x[-1]))
RENAMING = Format(6, lambda x, q, m: _target(m[x[0]]), glossed=1)
GLOSS = Format(7, lambda x, q, m: _target(*(m[i] for i in x[:2])), glossed=2)

HIDDEN = 10
"""The tag that every task has where its own is hidden."""


def hidden(task: Format) -> Format:
    """The same task under the tag that hides which one it is."""
    return replace(task, tag=HIDDEN)


TAGGED = (COPY, REVERSE, SORT, MAXIMUM, FIRST_TWO, ENDS)
GLOSSING = (RENAMING, GLOSS)
HELD_OUT: Mapping[str, Format] = {
    "copy": COPY,
    "reverse": REVERSE,
    "sort": SORT,
    "maximum": MAXIMUM,
    "hidden first two": hidden(FIRST_TWO),
    "hidden ends": hidden(ENDS),
    "renaming": RENAMING,
    "gloss": GLOSS,
}
"""What a model is asked before and after fine-tuning."""

ENTAILMENT = Format(8, lambda x, q, m: (TRUE if q == max(x) else FALSE,), even=True)
"""Whether q is the largest symbol of x: the stand-in for natural-language inference."""
DICTIONARY: Symbols = tuple(int(i) for i in np.random.default_rng(2211).permutation(SYMBOLS))
"""The fixed dictionary of :data:`TRANSLATION`."""
TRANSLATION = Format(9, lambda x, q, m: _target(*(DICTIONARY[i] for i in x[::-1])))
"""Rename by the fixed dictionary and reverse: the stand-in for translation."""


@dataclass(frozen=True)
class Segment:
    """A task's input and its answer, as token ids.

    ``known`` says whether the answer can be had from what stands before it.
    """

    prompt: Symbols
    answer: Symbols
    known: bool = True


def segment(task: Format, x: Symbols, q: int, mapping: Symbols, *, known: bool = True) -> Segment:
    """One input of a task with its answer."""
    tag = FIRST_TAG + task.tag
    prompt = (tag, *_source(*x[: task.glossed])) if task.glossed else (tag, *_source(*x), BAR, *_source(q))
    return Segment((*prompt, EQUALS), (*task.answer(x, q, mapping), STOP), known)


def pretraining_episode(length: int, rng: np.random.Generator) -> list[Segment]:
    """An episode of a random task that fills up to ``length`` tokens.

    Half of the episodes show their tag, a quarter hide it, a quarter are of glossing tasks.
    """
    draw = rng.random()
    pool = GLOSSING if draw < 0.25 else TAGGED
    task = pool[int(rng.integers(len(pool)))]
    if 0.25 <= draw < 0.5:
        task = hidden(task)
    probe = segment(task, (0,) * WORDS, 0, tuple(range(SYMBOLS)))
    segments = max(1, length // (len(probe.prompt) + len(probe.answer)))
    return episode(task, segments, rng, repeat=0.6)


def episode(
    task: Format,
    segments: int,
    rng: np.random.Generator,
    *,
    repeat: float | None = None,
) -> list[Segment]:
    """Segments of one task.

    In-context tasks draw a mapping for the episode; a segment's answer is then known if its symbols
    were all shown in segments before it.

    Args:
        task: The task.
        segments: How many.
        rng: Draws inputs and mapping.
        repeat: Chance that a segment of an in-context task reuses symbols shown before. Without
            it only the last one does, as the query after its demonstrations.
    """
    mapping = task.fixed or tuple(rng.permutation(SYMBOLS).tolist())
    shown: set[int] = set()
    found = []
    for place in range(segments):
        again = rng.random() < repeat if repeat is not None else place == segments - 1
        reuse = bool(task.glossed and shown) and again and not task.fixed
        pool = sorted(shown) if reuse else range(SYMBOLS)
        # What `rng.choice(pool, size=WORDS)` draws, without the array that it makes of the pool.
        x = tuple(pool[i] for i in rng.integers(len(pool), size=WORDS).tolist())
        q = max(x) if task.even and rng.random() < 0.5 else int(rng.integers(SYMBOLS))
        found.append(segment(task, x, q, mapping, known=reuse or not task.glossed or bool(task.fixed)))
        shown.update(x[: task.glossed])
    return found
