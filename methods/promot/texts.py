"""Public data sets as the paper's text tasks: from a row to an input, its answers and its measure."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.method import Reference, ResourceError
from methods.promot import text
from methods.promot.metrics import Kind
from methods.promot.problem import Query, Shape

if TYPE_CHECKING:
    import numpy as np

    from methods.common.examples import Cut, Example

Style = Literal[
    "entailment",
    "entailment or neither",
    "multiple choice",
    "yes or no",
    "open question",
    "number",
    "to french",
    "to english",
    "to german",
    "to romanian",
    "word sense",
    "summary",
]


@dataclass(frozen=True)
class Item:
    """One input with its answers.

    Attributes:
        id: Unique within its data set's split.
        prompt: In the paper's template.
        answers: All that count as right; the first is learned.
    """

    id: str
    prompt: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class TextSource:
    """A text task made of a public data set.

    Attributes:
        name: Of the task; letters, digits, blanks and hyphens.
        data: Reference of the data set; loads as a ``DataSet``.
        style: How rows become inputs.
        train: Split for training and for demonstrations.
        test: Split for testing.
    """

    name: str
    data: Reference
    style: Style
    train: str = "train"
    test: str = "test"

    @property
    def kind(self) -> Kind:
        """How answers are scored."""
        return _KINDS[self.style]

    @property
    def shape(self) -> Shape:
        """The output format that tuning on it teaches."""
        shapes: dict[Style, Shape] = {"to french": "french", "multiple choice": "letter"}
        return shapes.get(self.style, "true or false")

    def items(self, data: Any, split: str) -> list[Item]:
        """The inputs of a split, each text once.

        Raises:
            ResourceError: If no row of the split fits the style.
        """
        found = self._distinct(data[split])
        if not found:
            raise ResourceError(f"No row of split '{split}' fits the style '{self.style}'", where=self.name)
        return list(found.values())

    def drawn(
        self,
        data: Any,
        split: str,
        rng: np.random.Generator,
        count: int,
        *,
        without: Collection[str] = (),
    ) -> list[Item]:
        """Up to ``count`` inputs of a split in a random order, each text once.

        Of a large split only as many rows are read as are needed.

        Args:
            data: The data set.
            split: Its split.
            rng: Draws the order.
            count: How many.
            without: Texts to leave out.

        Raises:
            ResourceError: If every item of the split is among those to leave out.
        """
        if data.is_large(split):
            rows = data.drawn(split, rng, at_once=count + count // 8 + 16)
            found = self._distinct(rows, count, without)
            items = list(found.values())
        else:
            items = [item for item in self.items(data, split) if item.prompt not in without]
            items = [items[int(i)] for i in rng.permutation(len(items))[:count]]
        if not items:
            raise ResourceError(
                f"Every input of split '{split}' is also a training input",
                where=self.name,
                fix="Bind a data set whose splits are apart.",
            )
        return items

    def _distinct(
        self, rows: Iterable[Any], most: int = sys.maxsize, without: Collection[str] = ()
    ) -> dict[str, Item]:
        found: dict[str, Item] = {}
        for row in rows:
            item = _ITEMS[self.style](row)
            if item is not None and item.prompt not in without:
                found.setdefault(item.prompt, item)
                if len(found) >= most:
                    break
        return found


@dataclass(frozen=True)
class Writer:
    """Writes inputs of one task as token ids.

    Attributes:
        source: The task.
        tokenizer: Of the model.
        limit: Tokens of an input with its answer.
        room: Tokens that are kept free for a generated answer.
        cut: What becomes of inputs that are too long, and how many were.
    """

    source: TextSource
    tokenizer: Any
    limit: int
    room: int
    cut: Cut

    def example(self, number: int, item: Item, shown: Sequence[Item]) -> Example:
        """A training example; its id begins with the task."""
        from methods.common.examples import encode

        name, answer = f"{self.source.name}/{number}", f" {item.answers[0]}"
        return encode(self.tokenizer, name, written(shown, item), answer, limit=self.limit, cut=self.cut)

    def query(self, item: Item, shown: Sequence[Item], *, target: bool) -> Query:
        """A question; those of a target have the same name with and without demonstrations."""
        from methods.common.examples import prompt_tokens

        name, shots = self.source.name, len(shown)
        unit = f"{name}/{item.id}" if target else f"{name}/{shots}/{item.id}"
        room = self.limit - self.room
        prompt = prompt_tokens(self.tokenizer, written(shown, item), room, self.cut, where=unit)
        return Query(unit, name, shots, self.source.kind, prompt, item.answers)


def written(shown: Sequence[Item], item: Item) -> str:
    """Demonstrations and a question as text."""
    return text.demonstrated([(other.prompt, other.answers[0]) for other in shown], item.prompt)


_KINDS: Mapping[Style, Kind] = {
    "entailment": "accuracy",
    "entailment or neither": "accuracy",
    "multiple choice": "accuracy",
    "yes or no": "accuracy",
    "open question": "exact",
    "number": "number",
    "to french": "bleu",
    "to english": "bleu",
    "to german": "bleu",
    "to romanian": "bleu",
    "word sense": "accuracy",
    "summary": "rouge",
}


def _entailment(row: Any) -> Item | None:
    label = {"entailment": "True", "contradiction": "False", "not_entailment": "False"}.get(row.label)
    if label is None:
        return None
    return Item(row.id, text.entailment(row.premise, row.hypothesis), (label,))


def _three_way(row: Any) -> Item | None:
    label = {"entailment": "True", "contradiction": "False", "neutral": "Neither"}[row.label]
    return Item(row.id, text.entailment(row.premise, row.hypothesis, neither=True), (label,))


_ITEMS: Mapping[Style, Callable[[Any], Item | None]] = {
    "entailment": _entailment,
    "entailment or neither": _three_way,
    "multiple choice": lambda row: Item(
        row.id, text.multiple_choice(row.question, row.options), ("ABCDEFGH"[row.answer],)
    ),
    "yes or no": lambda row: Item(
        row.id, text.open_question(f"{row.question}?"), ("yes" if row.answer else "no",)
    ),
    "open question": lambda row: Item(row.id, text.open_question(row.question), row.answers),
    "number": lambda row: Item(row.id, text.open_question(row.question), (row.answer,)),
    "to french": lambda row: Item(row.id, text.translation(row.source, "English", "French"), (row.target,)),
    "to english": lambda row: Item(row.id, text.translation(row.target, "French", "English"), (row.source,)),
    "to german": lambda row: Item(row.id, text.translation(row.source, "English", "German"), (row.target,)),
    "to romanian": lambda row: Item(
        row.id, text.translation(row.source, "English", "Romanian"), (row.target,)
    ),
    "word sense": lambda row: Item(
        row.id, text.word_sense(row.first, row.second, row.word), ("True" if row.same else "False",)
    ),
    "summary": lambda row: Item(row.id, text.summary(row.text), (row.summary,)),
}
