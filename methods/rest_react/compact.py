"""States and actions as few tokens: the language of the toy policies.

Names become placeholders in the order in which a prompt mentions them (card §9), links likewise, and
words that add nothing to the order of the others ("The … of … is …") are left out. Reading an
action back puts them in again; tokens that form no action are written as they stand, in angle brackets,
and the agent counts them as unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.method import ProblemError
from methods.rest_react.delexical import Lexicon
from methods.rest_react.steps import Kind

ENTITIES, RELATIONS, LINKS = 32, 14, 16
"""Placeholders of each kind that the vocabulary has."""
_WORDS = (
    *("searched:", "now:", "draft:", "search:", "stop", "pass", "revise:", "unknown", "nothing"),
    *(f"left:{number}" for number in range(11)),
)
PAD, END, OTHER = 0, 1, 2
"""Ids of padding, of the end of an action, and of any word that the vocabulary lacks."""
VOCABULARY: tuple[str, ...] = (
    "<pad>",
    "<end>",
    "<other>",
    *(kind.value for kind in Kind),
    *_WORDS,
    *(f"E{number}" for number in range(1, ENTITIES + 1)),
    *(f"R{number}" for number in range(1, RELATIONS + 1)),
    *(f"L{number}" for number in range(1, LINKS + 1)),
)
_IDS = {token: number for number, token in enumerate(VOCABULARY)}
KINDS = (_IDS[Kind.DECISION.value], _IDS[Kind.GROUNDING.value])
"""First and last id of the tokens that end a prompt."""
_FILLERS = frozenset({"The", "the", "of", "is", "What", "question", "=>", "[]"})
_ATOM = re.compile(r"\[\d+\]|left: \d+|\w+:?")
_CLASSES = {"search:": "s", "stop": "t", "pass": "p", "revise:": "v", "unknown": "U", "nothing": "n"}
_CLASSES |= {token: token[0] for token in VOCABULARY if re.fullmatch(r"[ERL]\d+", token)}

Atom = tuple[str, str]
"""What a piece of text is ("E" entity, "R" relation, "L" link, "W" word), and the piece."""


@dataclass(frozen=True)
class Encoded:
    """A prompt as tokens.

    Attributes:
        tokens: Ids; the last one says which kind of action is asked for.
        names: What the placeholders stand for.
    """

    tokens: tuple[int, ...]
    names: dict[str, str]


@dataclass
class Compact:
    """Translates between the agent's texts and tokens, for the names of one world."""

    lexicon: Lexicon
    _known: dict[str, tuple[Atom, ...]] = field(default_factory=dict, repr=False)

    def encode(self, prompt: str) -> Encoded:
        """The tokens of a state's prompt.

        Raises:
            ProblemError: If the text is no prompt of a state.
        """
        lines = prompt.split("\n")
        kind, _, repeated = lines[-2].partition(": ") if len(lines) > 2 else ("", "", "")
        if kind not in set(Kind) or lines[0] != f"question: {repeated}":
            raise ProblemError("The text is no state of the agent", where=prompt, fix="Use State.prompt.")
        numbering = _Numbering({})
        # The question is repeated before the task for the sake of large models; once is enough here.
        tokens = [numbering.token(atom) for line in lines[:-2] for atom in self._atoms(_shortened(line))]
        return Encoded((*tokens, _IDS[kind]), {place: name for name, place in numbering.to.items()})

    def encode_action(self, prompt: Encoded, text: str) -> tuple[int, ...]:
        """The tokens of an action with the placeholders of its prompt, its end included."""
        places = {name: place for place, name in prompt.names.items()}
        tokens = [_IDS.get(places.get(name, name), OTHER) for _, name in self._atoms(text)]
        return (*(tokens or [_IDS["nothing"]]), END)

    def decode_action(self, prompt: Encoded, tokens: Sequence[int]) -> str:
        """An action as text; tokens that form none, or name what the prompt does not, in <>."""
        words = [VOCABULARY[token] for token in tokens]
        shown = [prompt.names.get(word, word) for word in words]
        known = all(word in prompt.names or word[0] not in "ERL" for word in words)
        shape = "".join(_CLASSES.get(word, "?") for word in words)
        return _worded(shape, shown) if known and _SHAPES.fullmatch(shape) else f"<{' '.join(shown)}>"

    def _atoms(self, text: str) -> tuple[Atom, ...]:
        """The pieces of a line that say something; lines come again and again."""
        found = self._known.get(text)
        if found is None:
            found = self._known[text] = tuple(self._split(text))
        return found

    def _split(self, text: str) -> list[Atom]:
        atoms: list[Atom] = []
        start = 0
        for match in self.lexicon.pattern.finditer(text) if self.lexicon.pattern else ():
            atoms += _words(text[start : match.start()])
            atoms.append(("E" if match.group() in self.lexicon.entities else "R", match.group()))
            start = match.end()
        return atoms + _words(text[start:])


def _shortened(line: str) -> str:
    """A past search without its query where the summary says the same again."""
    query, _, rest = line.removeprefix("searched: ").rpartition(" => ")
    told = line.startswith("searched: ") and f"The {query} is " in rest
    return f"searched: => {rest}" if told else line


@dataclass
class _Numbering:
    """Placeholders of one prompt, given out in order."""

    to: dict[str, str]
    counts: dict[str, int] = field(default_factory=lambda: {"E": 0, "R": 0, "L": 0})

    def token(self, atom: Atom) -> int:
        """The id of an atom."""
        kind, text = atom
        if kind == "W":
            return _IDS.get(text, OTHER)
        if text not in self.to:
            self.counts[kind] += 1
            self.to[text] = f"{kind}{self.counts[kind]}"
        return _IDS.get(self.to[text], OTHER)


_SHAPES = re.compile(r"sRE|t|n|L+REE|[EU]L*|p|v[EU]")
"""Shapes of actions: a letter for each token."""


def _worded(shape: str, words: Sequence[str]) -> str:
    """A well-formed action in the grammar of :mod:`~methods.rest_react.steps`."""
    if shape == "n":
        return "=>"
    if shape[0] == "s":
        return f"search: {words[1]} of {words[2]}"
    if shape[0] == "L":
        relation, subject, value = words[-3:]
        return f"{' '.join(words[:-3])} => The {relation} of {subject} is {value}."
    return " ".join(words)


def _words(text: str) -> list[Atom]:
    found: list[Atom] = []
    for piece in _ATOM.findall(text):
        if piece.startswith("["):
            found.append(("L", piece))
        elif piece.startswith("left: "):
            found.append(("W", piece.replace(" ", "")))
        elif piece.rstrip(":") not in _FILLERS:
            found.append(("W", piece))
    return found
