"""The text task: a real language model, public data sets, the paper's templates."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.method import Context, Reference, Scores, param
from methods.promot import text
from methods.promot.problem import Adapted, Query, Reading, Target
from methods.promot.task import Adaptation, Exam, Rows, scored_rows
from methods.promot.texts import Item, TextSource, Writer

if TYPE_CHECKING:
    import numpy as np

    from methods.common.examples import Cut, Example


@dataclass(frozen=True, kw_only=True)
class TextWorld(Adaptation):
    """Tune a pretrained language model on text tasks, and ask it others.

    Attributes:
        model: Reference of the model; loads with ``model(device, dtype)`` and ``tokenizer``.
        targets: Tasks to be tuned on.
        held_out: Tasks to be asked with demonstrations only.
        related: Names of held-out tasks that share the target's meaning in another format.
    """

    model: Reference
    targets: tuple[TextSource, ...]
    held_out: tuple[TextSource, ...]
    related: tuple[str, ...] = ()
    train: int = param(3000, source="ours", doc="training inputs a target, at most")
    validation: int = param(200, source="ours", doc="validation inputs a target")
    test: int = param(500, source="ours", doc="test inputs a target, at most")
    items: int = param(100, source="ours", doc="questions a held-out task and number of demonstrations")
    shots: tuple[int, ...] = param((1, 4), source="paper, section 5", doc="demonstrations")
    limit: int = param(512, source="ours", doc="tokens of an input with its answer; the paper cuts none")
    new_tokens: int = param(40, source="ours", doc="tokens of a generated answer, at most")
    batch: int = param(64, source="ours", doc="questions at once")
    tasks: str = param("", source="ours", doc="folder of lm-eval task files, from the top of the source tree")

    def reading(self, ctx: Context) -> Reading:
        """Text up to the end of an answer."""
        from methods.common.examples import end_token, pad_token

        tokenizer = ctx.load(self.model).tokenizer
        return Reading(
            decode=lambda tokens: text.read_answer(tokenizer.decode(tokens)),
            stop=frozenset({end_token(tokenizer)}),
            pad=pad_token(tokenizer),
            new_tokens=self.new_tokens,
            batch=self.batch,
        )

    def pretrained(self, ctx: Context) -> Any:
        """The pretrained model."""
        from methods.common.sharded.spread import loaded

        source = ctx.load(self.model, fresh=True)
        return loaded(lambda device: source.model(device, ctx.dtype), ctx.devices)

    def folder(self, ctx: Context) -> Path:
        """Where its files are."""
        folder: Path = ctx.load(self.model).folder
        return folder

    def learnt(self, ctx: Context) -> dict[str, Target]:
        """Disjoint training and validation inputs from the training split."""
        return {source.name: self._target(source, ctx) for source in self.targets}

    def replay(self, ctx: Context) -> Sequence[Example]:
        """None: what such models were pretrained on is not at hand."""
        return ()

    def exam(self, ctx: Context, *, shots: int, brief: bool) -> Exam:
        """Questions from test splits, with demonstrations from training splits."""
        asked = tuple(k for k in self.shots if k == 1) if brief else self.shots
        count = self.items // 2 if brief else self.items
        held_out = [q for s in self.held_out for k in asked for q in self._questions(s, k, count, ctx)]
        targets = [q for s in self.targets for q in self._questions(s, shots, self.test, ctx)]
        return Exam(targets, held_out, [], {source.name: source.shape for source in self.targets})

    def evaluate(self, result: Adapted, ctx: Context) -> Scores:
        """As for every adaptation, with the related tasks as a part of their own."""
        parts = dict(super().evaluate(result, ctx).parts)
        if self.related and "held-out" in parts:
            rows = parts["held-out"]
            keep = [i for i, task in enumerate(rows["task"]) if task in self.related]
            parts["related"] = {name: [column[i] for i in keep] for name, column in rows.items()}
        if result.final and ctx.stage == "main":
            parts["cut"] = self._cuts(ctx)
        return Scores(parts)

    def elsewhere(self, result: Adapted, exam: Exam, ctx: Context) -> Rows:
        """At the end through lm-eval, where it is wanted; in between by our own generation."""
        if not self.tasks or not result.final:
            return super().elsewhere(result, exam, ctx)
        return self._lm_eval(result, ctx)

    def _target(self, source: TextSource, ctx: Context) -> Target:
        items = _drawn(source, ctx.load(source.data), source.train, ctx, self.train + self.validation)
        held, items = items[: self.validation], items[self.validation :]
        writer, rng = self._writer(source, ctx), ctx.rng(f"demonstrations of {source.name}")
        return Target(
            name=source.name,
            shape=source.shape,
            train={
                k: [writer.example(i, item, _shown(items, item, k, rng)) for i, item in enumerate(items)]
                for k in (0, 1)
            },
            validation={
                k: [writer.query(item, _shown(items, item, k, rng), target=True) for item in held]
                for k in (0, 1)
            },
        )

    def _questions(
        self, source: TextSource, shots: int, count: int, ctx: Context, cut: Cut | None = None
    ) -> list[Query]:
        data, target = ctx.load(source.data), source in self.targets
        learnt = {item.prompt for item in self._learnt(source, data, ctx)} if target else set()
        asked = _drawn(source, data, source.test, ctx, count, without=learnt)
        pool = _drawn(source, data, source.train, ctx, 500)
        rng = ctx.rng(f"demonstrations of {source.name}, {shots} shots")
        writer = self._writer(source, ctx, cut)
        return [writer.query(item, _shown(pool, item, shots, rng), target=target) for item in asked]

    def _learnt(self, source: TextSource, data: Any, ctx: Context) -> list[Item]:
        """What must not be asked: all training inputs, or of a large set those that a method sees."""
        if data.is_large(source.train):
            return _drawn(source, data, source.train, ctx, self.train + self.validation)
        return source.items(data, source.train)

    def _writer(self, source: TextSource, ctx: Context, cut: Cut | None = None) -> Writer:
        from methods.common.examples import Cut

        # The question and its cue stand at the end.
        cut = cut or Cut(keep="end")
        return Writer(source, ctx.load(self.model).tokenizer, self.limit, self.new_tokens, cut)

    def _cuts(self, ctx: Context) -> Rows:
        """How many questions lost their beginning because they were too long, and how many tokens."""
        from methods.common.examples import Cut

        names, cuts, asked = [], [], []
        for source in (*self.targets, *self.held_out):
            cut = Cut(keep="end")
            queries = [q for k in self.shots for q in self._questions(source, k, self.items, ctx, cut)]
            names.append(source.name)
            cuts.append(cut)
            asked.append(len(queries))
        columns = {"cut": [cut.cut for cut in cuts], "tokens": [cut.tokens for cut in cuts]}
        return {"unit_id": names, "asked": asked, **columns}

    def _lm_eval(self, result: Adapted, ctx: Context) -> Rows:
        """Held-out tasks under the Language Model Evaluation Harness, with its own demonstrations."""
        from methods.common.lm_harness import Options, evaluate
        from methods.common.lora import disabled

        folder = Path(__file__).parents[2] / self.tasks
        data = {getattr(s.data, "name", s.name): ctx.load(s.data) for s in self.held_out}
        tokenizer = ctx.load(self.model).tokenizer
        parts: list[Rows] = []
        for shots in self.shots:
            options = Options(few_shot=shots, limit=self.items, batch=self.batch, seed=ctx.seed)
            with disabled(result.model):
                found = evaluate(
                    result.model, tokenizer, folder, data, tasks=self.task_files(), options=options
                )
            parts += [self._lm_rows(name, shots, table, ctx) for name, table in found.items()]
        return {column: [value for part in parts for value in part[column]] for column in parts[0]}

    def task_files(self) -> list[str]:
        """Names of the lm-eval tasks of the held-out tasks."""
        return [_file_name(source) for source in self.held_out]

    def _lm_rows(self, name: str, shots: int, table: Mapping[str, Any], ctx: Context) -> Rows:
        source = next(source for source in self.held_out if _file_name(source) == name)
        known = {item.id: item for item in source.items(ctx.load(source.data), source.test)}
        queries, texts = [], []
        for unit, answer in zip(table["unit_id"], table["answer"], strict=True):
            if unit in known:
                query = Query(
                    f"{source.name}/{shots}/{unit}", source.name, shots, source.kind, (), known[unit].answers
                )
                queries.append(query)
                texts.append(text.read_answer(answer))
        return scored_rows(queries, texts, {target.name: target.shape for target in self.targets})


def _file_name(source: TextSource) -> str:
    return f"promot_{source.name.replace(' ', '_').replace('-', '_')}"


def _drawn(
    source: TextSource,
    data: Any,
    split: str,
    ctx: Context,
    count: int,
    *,
    without: Collection[str] = (),
) -> list[Item]:
    """Up to ``count`` items of a split, the same for every method of a seed.

    Raises:
        ResourceError: If every item of the split is among those to leave out.
    """
    return source.drawn(data, split, ctx.rng(f"{source.name}, {split}"), count, without=without)


def _shown(pool: Sequence[Item], item: Item, shots: int, rng: np.random.Generator) -> list[Item]:
    """Demonstrations, never the question itself."""
    others = [pool[int(i)] for i in rng.choice(len(pool), size=min(shots + 1, len(pool)), replace=False)]
    return [other for other in others if other.prompt != item.prompt][:shots]
