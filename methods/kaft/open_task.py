"""Finetuning on public data, as the paper does: SQuAD 2.0, TriviaQA, T-REx and QASC."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Artifact, Context, Reference, Resource, param
from methods.kaft.open_qa import QASC, SQUAD, TREX, TRIVIA
from methods.kaft.prepare import BELIEFS
from methods.kaft.prompts import DECODER, ENCODER_DECODER
from methods.kaft.task import Aside, Material, Reading, unread

if TYPE_CHECKING:
    import numpy as np

    from methods.kaft.questions import Question


@dataclass(frozen=True)
class OpenData:
    """The four sets, and how much of them is used.

    Attributes:
        squad: SQuAD 2.0.
        trivia: TriviaQA with Wikipedia documents.
        trex: T-REx.
        qasc: QASC.
    """

    squad: Reference = SQUAD
    trivia: Reference = TRIVIA
    trex: Reference = TREX
    qasc: Reference = QASC
    train: int = param(20_000, source="ours", doc="training questions of each set, at most")
    test: int = param(1_000, source="ours", doc="test questions of each set, at most")
    held: str = param("validation", source="card, section 5", doc="split that is tested on")

    def questions(
        self, ctx: Context, part: str, rng: np.random.Generator
    ) -> tuple[dict[str, list[Question]], dict[str, int]]:
        """Questions of the training split, or of the held-out one.

        Returns:
            The questions by set, and how many were left out or lack a context, by set and reason.
        """
        from methods.kaft.open_qa import as_questions

        found: dict[str, list[Question]] = {}
        dropped: dict[str, int] = {}
        for name in ("squad", "trivia", "trex", "qasc"):
            data = ctx.load(getattr(self, name))
            split = self.held if part == "test" and self.held in data.splits else "train"
            rows, size = data[split], self.train if part == "train" else self.test
            kept = [rows[index] for index in sorted(rng.permutation(len(rows))[:size].tolist())]
            found[name], reasons = as_questions(kept, rng, kind=name)
            dropped |= {f"{part}, {name}: {reason}": count for reason, count in reasons.items()}
        return found, dropped


@dataclass(frozen=True, kw_only=True)
class OpenKnowledge(Artifact):
    """What a model answers without a context to the questions that may be asked."""

    title: ClassVar[str] = "closed-book answers to public questions"

    model: Resource
    data: OpenData = field(default_factory=OpenData)
    batch: int = param(64, source="ours", doc="questions at once")
    minutes: float = field(default=240.0, metadata={"source": "ours", "fingerprint": False})

    def build(self, folder: Path, ctx: Context) -> None:
        """Ask all questions once."""
        from methods.common.forward import is_encoder_decoder
        from methods.kaft.models import Reader
        from methods.kaft.prompts import Asked
        from methods.kaft.reading import Limits, read

        reader = Reader(ctx.load(self.model))
        model = reader.model(ctx.device, ctx.dtype)
        template = ENCODER_DECODER if is_encoder_decoder(model) else DECODER
        questions = [
            question
            for part in ("train", "test")
            for rows in self.data.questions(ctx, part, _stream(part))[0].values()
            for question in rows
        ]
        asked = {question.text: Asked(question.text, "") for question in questions}
        beliefs, _ = read(
            model, reader, template, asked, Limits(answer=16, batch=self.batch), checkpoints=ctx.checkpoints
        )
        (folder / BELIEFS).write_text(json.dumps(beliefs, ensure_ascii=False), encoding="utf-8")

    def load(self, path: Path) -> Mapping[str, str]:
        """M(q) by the text of the question."""
        found: dict[str, Any] = json.loads((path / BELIEFS).read_text(encoding="utf-8"))
        return found


@dataclass(frozen=True, kw_only=True)
class OpenReading(Reading):
    """TriviaQA questions under every context, and unanswerable questions of SQuAD 2.0.

    Attributes:
        model: Folder of a causal or encoder-decoder model.
        knowledge: What it answers without a context.
        data: The four sets.
    """

    model: Resource
    knowledge: OpenKnowledge
    data: OpenData = field(default_factory=OpenData)
    answer: int = param(16, source="ours", doc="new tokens of an answer, at most")
    validation: float = param(0.05, source="ours", doc="share of the training entities for choosing rates")

    def material(self, ctx: Context) -> Material:
        """The same training and test questions for every seed, which draws order and validation."""
        from methods.common.forward import is_encoder_decoder
        from methods.kaft.models import Reader
        from methods.kaft.words import gives_any

        beliefs = ctx.load(self.knowledge)
        reader = Reader(ctx.load(self.model), beliefs)
        by_set, left_out = self.data.questions(ctx, "train", _stream("train"))
        trained = [q for rows in by_set.values() for q in rows]
        tested, more = self.data.questions(ctx, "test", _stream("test"))
        if ctx.stage == "tune":
            trained, tested = self._held_out(trained, ctx)
        entities = {q.entity for rows in tested.values() for q in rows}
        texts = {q.text for rows in tested.values() for q in rows}
        asked = tuple(q for q in tested["trivia"] if q.relevant)
        unanswerable = tuple(q for q in tested["squad"] if not q.relevant)
        whole = is_encoder_decoder(reader.answering(ctx.devices, self.dtype or ctx.dtype))
        return Material(
            reader=reader,
            template=ENCODER_DECODER if whole else DECODER,
            train=tuple(q for q in trained if q.entity not in entities and q.text not in texts),
            test=asked,
            relations={},
            shots="",
            heads=frozenset(q.id for q in asked if gives_any(beliefs.get(q.text, ""), q.aliases)),
            asides=(Aside("impossible", "hard", unanswerable), unread(asked, beliefs)),
            left_out=left_out | more,
        )

    def _held_out(
        self, trained: list[Question], ctx: Context
    ) -> tuple[list[Question], dict[str, list[Question]]]:
        entities = sorted({q.entity for q in trained})
        order = ctx.rng("validation entities").permutation(len(entities))
        held = {entities[index] for index in order[: max(1, round(self.validation * len(entities)))]}
        rows = [q for q in trained if q.entity in held]
        by_set = {name: [q for q in rows if q.id.startswith(f"{name}:")] for name in ("trivia", "squad")}
        return [q for q in trained if q.entity not in held], by_set


def _stream(part: str) -> np.random.Generator:
    import numpy as np

    # Which questions are used is fixed: what the model believes was asked beforehand.
    return np.random.default_rng([0, len(part)])
