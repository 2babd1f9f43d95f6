"""Tasks for fine-tuning: latent grades, with or without pretraining, and rated texts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from harness.method import Artifact, Context, Reference, Scores, Task, param
from methods.common.minilm import MINILM, RatedTextEmbeddings
from methods.common.ratings import RATINGS
from methods.metric_aware.training_method import Grades, TrainingProblem

if TYPE_CHECKING:
    from methods.metric_aware.latent import LatentGrades
    from methods.metric_aware.problem import Floats

WEIGHTS = "scorer.safetensors"


@dataclass(frozen=True)
class Items:
    """Items of one seed.

    Attributes:
        ids: Names of what is graded.
        train: Features and labels to learn from.
        valid: To stop by.
        asked: What is graded, with labels; the validation items under the stage ``tune``.
    """

    ids: tuple[str, ...]
    train: tuple[Floats, Floats]
    valid: tuple[Floats, Floats]
    asked: tuple[Floats, Floats]


@dataclass(frozen=True, kw_only=True)
class Training(Task[TrainingProblem, Grades]):
    """Learn to grade, and be judged by the squared error of the grades."""

    hidden: int = param(0, source="ours", doc="units of the body; 0 for none")
    train: int = param(1000, source="card, section 9", doc="training items")
    valid: int = param(500, source="ours", doc="validation items")
    test: int = param(1000, source="ours", doc="test items")

    @abstractmethod
    def items(self, ctx: Context) -> Items:
        """The items of this seed and stage."""

    @abstractmethod
    def values(self) -> tuple[float, ...]:
        """The grid."""

    def start(self, ctx: Context) -> Mapping[str, Any] | None:
        """Pretrained weights, if there are any."""
        return None

    def problem(self, ctx: Context) -> TrainingProblem:
        """Labelled items, and what is to be graded without labels."""
        found = self.items(ctx)
        return TrainingProblem(
            found.train, found.valid, found.asked[0], self.values(), self.hidden, self.start(ctx)
        )

    def evaluate(self, result: Grades, ctx: Context) -> Scores:
        """``main``: by the training's own read-out; ``mode``: by the likeliest digit; ``law``."""
        import numpy as np

        from methods.metric_aware.problem import Decisions
        from methods.metric_aware.scoring import decision_rows, law_rows

        found, values = self.items(ctx), self.values()
        truth, read = found.asked[1], np.zeros(len(found.ids), dtype=np.bool_)
        main = decision_rows(found.ids, truth, Decisions(result.decision, read), values, values[-2])
        if ctx.stage == "tune":
            return Scores({"validation": main})
        likeliest = np.asarray(result.values)[result.law.argmax(axis=1)]
        parts = {
            "main": main,
            "mode": decision_rows(found.ids, truth, Decisions(likeliest, read), values, values[-2]),
            "law": law_rows(found.ids, result.law, None, result.values),
        }
        return Scores(parts)


@dataclass(frozen=True)
class PretrainedScorer(Artifact):
    """A small network that has learnt to grade in one latent world, by cross-entropy on digits."""

    title: ClassVar[str] = "network pretrained on latent grades"

    world: int = param(0, source="ours", doc="draws the world, items and initial weights")
    features: int = param(8, source="ours", doc="d")
    hidden: int = param(32, source="ours", doc="h")
    noise: float = param(0.5, source="ours", doc="σ of a label")
    items: int = param(10_000, source="ours", doc="training items")
    steps: int = param(400, source="ours", doc="updates")
    rate: float = param(0.02, source="ours", doc="largest learning rate of Adam")

    def draw(self) -> LatentGrades:
        """The world it has learnt."""
        import numpy as np

        from methods.metric_aware.latent import LatentGrades

        rng = np.random.default_rng([self.world, 3])
        return LatentGrades.drawn(rng, features=self.features, noise=self.noise, kind="bent")

    def build(self, folder: Path, ctx: Context) -> None:
        """Train; writes the weights as safetensors."""
        import numpy as np
        import torch
        from safetensors.torch import save_file

        from methods.common.draws import generator
        from methods.metric_aware.latent import GRADES
        from methods.metric_aware.raft import Recipe, Scorer, fine_tune

        rng, world = np.random.default_rng([self.world, 4]), self.draw()
        splits = []
        for count in (self.items, self.items // 5):
            features, grades = world.draw(rng, count)
            splits.append((torch.from_numpy(features).float(), torch.from_numpy(grades).float()))
        model = Scorer(self.features, GRADES, self.hidden, generator(self.world))
        fine_tune(model, splits[0], splits[1], Recipe("ce", self.rate, self.steps))
        save_file(model.state_dict(), folder / WEIGHTS)

    def load(self, path: Path) -> dict[str, Any]:
        """Weights by name."""
        from safetensors.torch import load_file

        found: dict[str, Any] = load_file(path / WEIGHTS)
        return found


@dataclass(frozen=True, kw_only=True)
class LatentTraining(Training):
    """Grades of a noisy latent quality; see :class:`methods.metric_aware.latent.LatentGrades`.

    Attributes:
        base: A network pretrained on a related world, whose direction this world's is turned from;
            None draws a world of its own.
    """

    kind: Literal["linear", "bent"] = param("bent", source="card, section 9", doc="the latent quality")
    noise: float = param(0.8, source="ours", doc="σ of a label")
    features: int = param(8, source="ours", doc="d")
    base: PretrainedScorer | None = None
    turn: float = param(0.5, source="ours", doc="share of another direction in this world's")
    pretrained: bool = param(default=True, source="ours", doc="begin with the base's weights")

    def values(self) -> tuple[float, ...]:
        """Five grades."""
        from methods.metric_aware.latent import GRADES

        return GRADES

    def start(self, ctx: Context) -> Mapping[str, Any] | None:
        """The weights of the base."""
        if self.base is None or not self.pretrained:
            return None
        found: Mapping[str, Any] = ctx.load(self.base)
        return found

    def items(self, ctx: Context) -> Items:
        """New items of this seed's world."""
        world, rng = self._world(ctx), ctx.rng("items")
        train, valid, test = (world.draw(rng, count) for count in (self.train, self.valid, self.test))
        asked = valid if ctx.stage == "tune" else test
        return Items(tuple(f"{i:05d}" for i in range(len(asked[1]))), train, valid, asked)

    def _world(self, ctx: Context) -> LatentGrades:
        import numpy as np

        from methods.metric_aware.latent import LatentGrades

        rng = ctx.rng("world")
        own = LatentGrades.drawn(rng, features=self.features, noise=self.noise, kind=self.kind)
        if self.base is None:
            return own
        turned = (1 - self.turn) * self.base.draw().weights + self.turn * own.weights
        return LatentGrades(turned / np.linalg.norm(turned), self.noise, self.kind)


@dataclass(frozen=True, kw_only=True)
class RatedTraining(Training):
    """Human sentiment ratings of texts, from frozen sentence embeddings.

    A training label is the rating of one person; grades are judged by the mean over all.
    """

    data: Reference = RATINGS
    embeddings: Artifact = field(
        default_factory=lambda: RatedTextEmbeddings(encoder=MINILM, data=RATINGS, domain="amazon")
    )
    domain: str = param("amazon", source="ours", doc="set of the rating data")

    def values(self) -> tuple[float, ...]:
        """Ratings −4 … 4 moved to 1 … 9."""
        return tuple(map(float, range(1, 10)))

    def items(self, ctx: Context) -> Items:
        """This seed's texts."""
        import numpy as np

        rated = ctx.load(self.data)[self.domain]
        vectors = ctx.load(self.embeddings).astype(np.float64)
        usable = np.flatnonzero(~rated.mismatched)
        order = ctx.rng("texts").permutation(usable)[: self.train + self.valid + self.test]
        ends = np.cumsum([self.train, self.valid])
        train, valid, test = np.split(order, ends)
        rng = ctx.rng("raters")
        learnt = [np.array([float(rng.choice(rated.ratings[i])) for i in part]) for part in (train, valid)]
        labels = [*learnt, rated.means[test]]
        if ctx.stage == "tune":
            test, labels[2] = valid, labels[1]
        parts = [
            # Embeddings have unit length; scaled up, their coordinates have about unit variance.
            (vectors[part] * np.sqrt(vectors.shape[1]), label + 5.0)
            for part, label in zip((train, valid, test), labels, strict=True)
        ]
        return Items(_names(test.tolist()), parts[0], parts[1], parts[2])


def _names(places: Sequence[int]) -> tuple[str, ...]:
    return tuple(f"{place:05d}" for place in places)
