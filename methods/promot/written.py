"""Short questions written for this suite, for a pretrained language model without a hub (card, section 9).

The target is a true-or-false question about a statement that stands before it; what is held out has answers
of other formats, which a small model can give after one demonstration.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from harness.method import Artifact, Context, param

if TYPE_CHECKING:
    import numpy as np

Kind = Literal["statements", "opposites", "capitals", "plurals", "copies", "sums"]

_THINGS = ("cup", "hat", "book", "ball", "coat", "chair", "lamp", "box", "bag", "shirt", "car", "door")
_COLOURS = ("red", "blue", "green", "black", "white", "yellow", "brown", "grey")
_PLACES = ("in the kitchen", "in the garden", "at school", "under the bed", "on the table", "in the hall")
_OPPOSITES = (
    "hot cold, big small, up down, left right, day night, black white, old young, rich poor, fast slow, "
    "high low, open closed, full empty, good bad, early late, wet dry, hard soft, light dark, long short, "
    "strong weak, happy sad, near far, first last, true false, clean dirty, thick thin, loud quiet, "
    "win lose, push pull, buy sell, begin end, love hate, in out, north south, east west, war peace, "
    "question answer"
)
_CAPITALS = (
    "France Paris, Italy Rome, Spain Madrid, Germany Berlin, England London, Japan Tokyo, China Beijing, "
    "Russia Moscow, Egypt Cairo, Greece Athens, Austria Vienna, Portugal Lisbon, Ireland Dublin, "
    "Norway Oslo, Sweden Stockholm, Finland Helsinki, Poland Warsaw, Hungary Budapest, Cuba Havana, "
    "Peru Lima, Canada Ottawa, Kenya Nairobi, Iran Tehran, Iraq Baghdad, Belgium Brussels, "
    "Denmark Copenhagen, Thailand Bangkok, Turkey Ankara, Syria Damascus, Chile Santiago"
)
_PLURALS = (
    "cat cats, mouse mice, child children, foot feet, tooth teeth, man men, woman women, goose geese, "
    "city cities, box boxes, leaf leaves, knife knives, wife wives, bus buses, baby babies, dog dogs, "
    "house houses, tree trees, wolf wolves, day days, country countries, glass glasses, story stories, "
    "person people, ox oxen, fish fish, dish dishes, hero heroes, lady ladies, life lives"
)
_WORDS = (
    "river stone garden window summer paper silver monkey orange bottle castle winter dragon button "
    "market pencil forest island doctor planet kitten bridge candle rabbit ladder butter mirror pocket "
    "engine village"
)


@dataclass(frozen=True)
class Row:
    """As the styles of :class:`methods.promot.texts.TextSource` read it; what one does not read is empty."""

    id: str
    premise: str = ""
    hypothesis: str = ""
    label: str = ""
    question: str = ""
    answers: tuple[str, ...] = ()
    answer: str = ""


@dataclass(frozen=True)
class Rows:
    """Splits of rows.

    Attributes:
        splits: By name.
    """

    splits: Mapping[str, Sequence[Row]]

    def __getitem__(self, split: str) -> Sequence[Row]:
        """The rows of a split."""
        return self.splits[split]

    def is_large(self, split: str) -> bool:
        """None is."""
        del split
        return False


@dataclass(frozen=True, kw_only=True)
class WrittenSet(Artifact):
    """Rows of one kind; no question of one split is in the other."""

    title: ClassVar[str] = "short written questions"

    kind: Kind
    seed: int = param(0, source="ours", doc="draws statements and sums, and divides the splits")

    def build(self, folder: Path, ctx: Context) -> None:
        """Write both splits."""
        import numpy as np

        del ctx
        found = rows(self.kind, np.random.default_rng(self.seed))
        text = json.dumps({name: [asdict(row) for row in part] for name, part in found.items()})
        (folder / "rows.json").write_text(text, encoding="utf-8")

    def load(self, path: Path) -> Rows:
        """The rows."""
        found = json.loads((path / "rows.json").read_text(encoding="utf-8"))
        return Rows({name: [_row(one) for one in part] for name, part in found.items()})


def rows(kind: Kind, rng: np.random.Generator) -> dict[str, list[Row]]:
    """Rows of a kind, each once, half of them to learn from and half to be asked."""
    made = _statements(rng) if kind == "statements" else _questions(kind)
    order = [made[int(i)] for i in rng.permutation(len(made))]
    half = len(order) // 2
    return {"train": order[:half], "test": order[half:]}


def _statements(rng: np.random.Generator) -> list[Row]:
    """Every thing in every colour, at a place that is drawn; what is asked is right in half of them."""
    found: list[Row] = []
    for thing in _THINGS:
        for colour in _COLOURS:
            where = _PLACES[int(rng.integers(len(_PLACES)))]
            for asked in (colour, str(rng.choice([other for other in _COLOURS if other != colour]))):
                found.append(
                    Row(
                        id=f"statements-{len(found)}",
                        premise=f"The {colour} {thing} is {where}.",
                        hypothesis=f"The {thing} is {asked}.",
                        label="entailment" if asked == colour else "contradiction",
                    )
                )
    return found


def _questions(kind: Kind) -> list[Row]:
    asked = {
        "opposites": [(f"What is the opposite of {a}?", b) for a, b in _pairs(_OPPOSITES)],
        "capitals": [(f"What is the capital of {a}?", b) for a, b in _pairs(_CAPITALS)],
        "plurals": [(f"What is the plural of {a}?", b) for a, b in _pairs(_PLURALS)],
        "copies": [(f'Which word stands in "{word}"?', word) for word in _WORDS.split()],
        "sums": [(f"What is {a} plus {b}?", str(a + b)) for a in range(1, 7) for b in range(1, 7)],
    }[kind]
    return [
        Row(id=f"{kind}-{i}", question=question, answers=(answer,), answer=answer)
        for i, (question, answer) in enumerate(asked)
    ]


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(left, right) for left, right in (pair.split() for pair in text.split(", "))]


def _row(stored: dict[str, Any]) -> Row:
    return Row(**{**stored, "answers": tuple(stored["answers"])})
