"""Adapting pretrained language models to public data sets, evaluated through lm-eval."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from harness.method import Context, HubSource, ProblemError, Reference, Resource, Scores, param
from methods.common import datasets
from methods.lora_rite.adaptation import Adaptation, Adapted
from methods.lora_rite.finetune import AdaptationTask, recipe_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from methods.common.examples import Example


@dataclass(frozen=True)
class Instruction:
    """A task definition with an input, and its answer."""

    id: str
    question: str
    answer: str


def load_instructions(folder: Path) -> datasets.DataSet[Instruction]:
    """Super-Natural Instructions: fields ``definition``, ``inputs``, ``targets``."""

    def row(number: int, raw: dict[str, Any]) -> Instruction:
        return Instruction(
            str(raw.get("id", number)), f"{raw['definition']}\n{raw['inputs']}", raw["targets"]
        )

    return datasets.DataSet(folder, row)


INSTRUCTIONS = Resource(
    name="super-natural-instructions",
    kind="dataset",
    licence="Apache-2.0",
    version="as of the source",
    sources=(HubSource("Muennighoff/natural-instructions", repo_type="dataset"),),
    loader="methods.lora_rite.public:load_instructions",
    size_mb=4_000,
)


@dataclass(frozen=True)
class Question:
    """A row in words: what is read, what is right, what else could be chosen, and whether it is a number."""

    id: str
    prompt: str
    answer: str
    options: tuple[str, ...] = ()
    number: bool = False


def in_words(row: Any) -> Question:
    """The prompt that the task files of lm-eval use, too.

    Raises:
        ProblemError: If the row is of an unknown kind.
    """
    if isinstance(row, Instruction):
        return Question(row.id, f"{row.question}\nAnswer:", f" {row.answer}")
    if not isinstance(row, datasets.Choice | datasets.YesNo | datasets.Sum):
        raise ProblemError(
            f"Rows of {type(row).__name__} have no prompt",
            where="in_words",
            fix="Use a set of choices, yes-or-no questions, sums or instructions.",
        )
    prompt = f"Question: {row.question}\nAnswer:"
    if isinstance(row, datasets.Choice):
        options = tuple(f" {option}" for option in row.options)
        return Question(row.id, prompt, options[row.answer], options)
    if isinstance(row, datasets.YesNo):
        return Question(row.id, prompt, " yes" if row.answer else " no", (" no", " yes"))
    return Question(row.id, prompt, f" {row.answer}", number=True)


@dataclass(frozen=True, kw_only=True)
class PublicTask(AdaptationTask):
    """Adapt to the training split of one data set; in the verdict, lm-eval answers its test split.

    Attributes:
        model: Loads with ``model(device, dtype)`` and ``tokenizer``.
        data: The data set.
        tasks: Folder of lm-eval task files, from the top of the source tree.
    """

    model: Reference
    data: Resource
    tasks: str
    file: str = param("", source="ours", doc="name of the task file")
    train: str = param("train", source="card, section 5", doc="training split")
    held_out: int = param(200, source="ours", doc="training rows kept for validation")
    limit: int = param(500, source="ours", doc="test questions, at most; 0 takes all")
    steps: int = param(100, source="ours", doc="updates")
    batch: int = param(16, source="ours", doc="examples an update")
    accumulate: int = param(1, source="ours", doc="forward passes an update")
    longest: int = param(256, source="ours", doc="tokens of an example; prompts lose their beginning")

    def problem(self, ctx: Context) -> Adaptation:
        """The base model, and training rows in this seed's order."""
        from methods.common.examples import pad_token
        from methods.common.lora import ALL

        return Adaptation(
            model=lambda: ctx.load(self.model, fresh=True).model(ctx.device, ctx.dtype),
            train=self._examples(self._split(ctx)[1], ctx),
            pad=pad_token(ctx.load(self.model).tokenizer),
            recipe=recipe_of(self.steps, self.batch, accumulate=self.accumulate),
            roles=ALL,
            folder=ctx.load(self.model).folder,
        )

    def answers(self, result: Adapted, ctx: Context) -> Scores:
        """One row a question: by our own scoring in tuning, through lm-eval in the verdict."""
        if ctx.stage == "tune":
            return Scores({"validation": self._validated(result.model, ctx)})
        from methods.common.lm_harness import Options, evaluate

        folder = Path(__file__).parents[2] / self.tasks
        tokenizer = ctx.load(self.model).tokenizer
        data = {self.data.name: ctx.load(self.data)}
        options = Options(few_shot=0, limit=self.limit or None, batch=self.batch, seed=ctx.seed)
        table = evaluate(result.model, tokenizer, folder, data, tasks=[self.file], options=options)[self.file]
        correct = next(table[name] for name in ("acc", "same_number", "same_text") if name in table)
        return Scores({"main": {"unit_id": table["unit_id"], "correct": correct}})

    def _split(self, ctx: Context) -> tuple[list[Question], list[Question]]:
        """Validation and training rows."""
        rows = ctx.load(self.data)[self.train]
        order = ctx.rng("rows").permutation(len(rows))
        questions = [in_words(rows[int(i)]) for i in order[: self.held_out + self.steps * self._seen]]
        return questions[: self.held_out], questions[self.held_out :]

    @property
    def _seen(self) -> int:
        return self.batch * self.accumulate

    def _examples(self, questions: Sequence[Question], ctx: Context) -> list[Example]:
        from methods.common.examples import Cut, encode

        tokenizer, cut = ctx.load(self.model).tokenizer, Cut(keep="end")
        return [encode(tokenizer, q.id, q.prompt, q.answer, limit=self.longest, cut=cut) for q in questions]

    def _validated(self, model: Any, ctx: Context) -> dict[str, Any]:
        from methods.common.answering import generate, option_scores
        from methods.common.examples import end_token, pad_token
        from methods.common.numbers import same_number

        questions = self._split(ctx)[0]
        examples = self._examples(questions, ctx)
        tokenizer = ctx.load(self.model).tokenizer
        prompts, pad = [example.prompt for example in examples], pad_token(tokenizer)
        if questions[0].options:
            options = [
                [tuple(tokenizer(o, add_special_tokens=False)["input_ids"]) for o in q.options]
                for q in questions
            ]
            scores = option_scores(model, prompts, options, pad=pad, batch=self.batch)
            chosen = [q.options[int(np.argmax(row))] for q, row in zip(questions, scores, strict=True)]
            correct = [found == q.answer for found, q in zip(chosen, questions, strict=True)]
        else:
            stop = {end_token(tokenizer)}
            found = generate(model, prompts, new_tokens=16, stop=stop, pad=pad, batch=self.batch)
            texts = [cast("str", tokenizer.decode(answer)).strip() for answer in found]
            correct = [
                same_number(text, q.answer) if q.number else text == q.answer.strip()
                for text, q in zip(texts, questions, strict=True)
            ]
        return {"unit_id": [q.id for q in questions], "correct": correct}
