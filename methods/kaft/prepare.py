"""What the experiments need beforehand: pretrained worlds, and what real models know."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Artifact, Context, Reference, param
from methods.common.countries import TABLES
from methods.common.elements import ELEMENTS
from methods.common.gemma import SafeWeights
from methods.kaft.prompts import DECODER

if TYPE_CHECKING:
    from methods.kaft.models import Reader
    from methods.kaft.world import World

BELIEFS = "beliefs.json"
WEIGHTS = SafeWeights()


@dataclass(frozen=True)
class PretrainedWorld(Artifact):
    """A small encoder that has learnt the known facts of one generated world, and to read."""

    title: ClassVar[str] = "model pretrained on a generated world"

    world: int = param(0, source="ours", doc="draws the facts and everything else")
    subjects: int = param(192, source="card, section 9, set-up C", doc="S")
    novel: int = param(64, source="card, section 9, set-up C", doc="N")
    relations: int = param(3, source="card, section 9", doc="R")
    objects: int = param(16, source="card, section 9", doc="O")
    known: float = param(0.8, source="ours", doc="share of the facts stated in pretraining")
    layers: int = param(3, source="card, section 9: at least 3 layers")
    hidden: int = param(64, source="card, section 9", doc="width")
    heads: int = param(4, source="card, section 9", doc="attention heads")
    steps: int = param(600, source="ours", doc="updates, until all known facts are known")
    batch: int = param(128, source="ours", doc="questions an update")
    pool: int = param(60_000, source="ours", doc="different questions of pretraining")
    rate: float = param(2e-3, source="ours", doc="largest learning rate of AdamW")
    minutes: float = field(default=30.0, metadata={"source": "ours", "fingerprint": False})

    def draw(self) -> World:
        """The world's facts."""
        import numpy as np

        from methods.kaft.world import Rules, World

        rules = Rules(self.subjects, self.novel, self.relations, self.objects, self.known)
        return World.draw(rules, np.random.default_rng([self.world, 0]))

    def build(self, folder: Path, ctx: Context) -> None:
        """Pretrain, and ask the model every question without a context."""
        from methods.kaft.fact_reader import Size
        from methods.kaft.pretraining import Plan, ask_all, pretrain

        world = self.draw()
        size = Size(len(world.vocabulary()), self.layers, self.hidden, self.heads)
        plan = Plan(size, self.steps, self.batch, self.pool, self.rate, seed=(self.world, 1))
        model, tokenizer = pretrain(world, plan, ctx.progress, ctx.checkpoints)
        model.save(folder)
        tokenizer.save(folder)
        write_beliefs(folder, ask_all(world, folder))

    def load(self, path: Path) -> Reader:
        """The model with its beliefs."""
        return read_beliefs(path, path)


@dataclass(frozen=True)
class Knowledge(Artifact):
    """What a real model answers without a context, and which facts it knows.

    A fact counts as known if the model gives it under other examples and another wording than
    those of the evaluation: selecting on the evaluation's own prompt would flatter it.
    """

    title: ClassVar[str] = "closed-book answers to questions about countries and elements"

    source: Artifact = WEIGHTS
    countries: tuple[Reference, ...] = TABLES
    elements: Reference = ELEMENTS
    recalled: Reference | None = None
    recalled_most: int = param(0, source="ours", doc="of those questions, the first so many")
    share: float = param(1.0, source="ours", doc="share of the countries and elements that are asked about")
    shots: int = param(4, source="card, section 4", doc="solved examples before a question")
    answer: int = param(5, source="ours", doc="new tokens of an answer")
    batch: int = param(32, source="ours", doc="questions at once")
    minutes: float = field(default=30.0, metadata={"source": "ours", "fingerprint": False})

    def build(self, folder: Path, ctx: Context) -> None:
        """Ask all questions twice."""
        from methods.kaft import knowledge
        from methods.kaft.models import Reader
        from methods.kaft.reading import Limits

        reader = Reader(ctx.load(self.source).folder)
        facts = knowledge.of_some_entities(
            knowledge.read_facts(ctx, self.countries, self.elements), self.share
        )
        limits = Limits(answer=self.answer, batch=self.batch)
        found = knowledge.ask_facts(reader, facts, DECODER, limits, shots=self.shots, device=ctx.device)
        if self.recalled is not None:
            questions = knowledge.recalled_questions(ctx.load(self.recalled), self.recalled_most)
            found["beliefs"] |= knowledge.ask_plainly(reader, questions, DECODER, limits, ctx.device)
        (folder / BELIEFS).write_text(json.dumps(found, ensure_ascii=False, indent=0), encoding="utf-8")

    def load(self, path: Path) -> dict[str, dict[str, str]]:
        """Beliefs by question, and for each known question its answer."""
        found: dict[str, dict[str, str]] = json.loads((path / BELIEFS).read_text(encoding="utf-8"))
        return found


def write_beliefs(folder: Path, beliefs: Mapping[str, str]) -> None:
    """Write M(q) beside the weights."""
    (folder / BELIEFS).write_text(json.dumps(dict(beliefs), indent=0), encoding="utf-8")


def read_beliefs(weights: Path, beliefs: Path) -> Reader:
    """A model with its M(q)."""
    from methods.kaft.models import Reader

    found: dict[str, Any] = json.loads((beliefs / BELIEFS).read_text(encoding="utf-8"))
    return Reader(weights, found)
