"""The first agent: generation 0, which stands in for the prompted model.

It imitates a scripted agent with known mistakes (card §9) in a world of its own.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from harness.method import Artifact, Checkpoints, Context, Reference, param
from methods.common.gemma import SafeWeights

if TYPE_CHECKING:
    import numpy as np
    import torch

    from methods.rest_react.generations import Demonstrations
    from methods.rest_react.students import Student, Students


@dataclass(frozen=True)
class NamedStreams:
    """Random numbers by name, from a seed of their own, so that an artifact needs no trial.

    Attributes:
        seed: Of all streams.
        checkpoints: Where the state of training is kept.
    """

    seed: int
    checkpoints: Checkpoints = field(default_factory=Checkpoints, compare=False)

    def rng(self, name: str) -> np.random.Generator:
        """The stream of a name."""
        import numpy as np

        return np.random.default_rng(self._number(name))

    def torch_rng(self, name: str) -> torch.Generator:
        """As :meth:`rng`, for PyTorch."""
        from methods.common.draws import generator

        return generator(self._number(name) % 2**63)

    def _number(self, name: str) -> int:
        content = f"{self.seed}\0{name}".encode()
        return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big")


@dataclass(frozen=True)
class Teacher(Artifact):
    """Generation 0: toy agents that imitate a scripted one, mistakes included."""

    title: ClassVar[str] = "agent of generation 0"

    sizes: tuple[str, ...] = param(("L", "S", "XS"), source="card, section 9", doc="sizes to train")
    seed: int = param(0, source="ours", doc="draws its world, questions, demonstrations and weights")
    entities: int = param(80, source="card, section 9", doc="entities of a world")
    relations: int = param(6, source="card, section 9", doc="relations of a world")
    demonstrations: int = param(1000, source="ours", doc="trajectories to imitate")
    three_hops: float = param(0.25, source="ours", doc="share of its questions that have three hops")
    error: float = param(0.2, source="card, section 9", doc="probability of a mistake at random at a step")
    hasty: float = param(0.6, source="ours", doc="probability of a hasty draft after detours")
    skims: tuple[float, ...] = param(
        (0.25, 0.45),
        source="ours",
        doc="probability of citing the first result where the right one is second, third",
    )
    searches: int = param(4, source="ours", doc="searches of a trajectory, at most; the paper: 10")
    steps: int = param(1000, source="ours", doc="updates of every agent, at most")
    batch: int = param(64, source="card, section 9", doc="steps of trajectories an update")
    rate: float = param(4e-3, source="ours", doc="largest learning rate of size L")
    minutes: float = field(default=15.0, metadata={"source": "ours", "fingerprint": False})

    def demonstrate(self) -> Demonstrations:
        """Steps of the scripted agent in a world of its own; all sizes of generation 0 learn from these."""
        from methods.rest_react.agent import Settings, roll_out
        from methods.rest_react.demonstrator import Demonstrator
        from methods.rest_react.generations import Demonstrations, hard_questions, lexicon_of
        from methods.rest_react.retrieval import SearchTool
        from methods.rest_react.training_data import retarget
        from methods.rest_react.world import make_world

        streams = NamedStreams(self.seed)
        rng = streams.rng("demonstrated world")
        world = make_world(self.entities, self.relations, rng)
        tool = SearchTool(world.documents, mixed=True)
        three = round(self.three_hops * self.demonstrations)
        questions = hard_questions(world, tool, {2: self.demonstrations - three, 3: three}, rng)
        name = f"script {self.seed}"
        model = Demonstrator(name, name, error=self.error, hasty=self.hasty, skims=self.skims)
        settings = Settings(searches=self.searches, samples=1)
        seed = int(streams.rng("demonstrations").integers(2**31))
        found = roll_out(questions, model, tool, settings, seed=seed)
        data = retarget(found, None, streams.rng("no ranker"))
        return Demonstrations(data.examples, lexicon_of(world))

    def students(self, ctx: Context) -> Students:
        """What trains agents, in this and all later generations."""
        from methods.rest_react.cloning import Cloning
        from methods.rest_react.students import ToyStudents

        return ToyStudents(Cloning(self.steps, self.batch, self.rate))

    def taught(self, ctx: Context, size: str = "L") -> Student:
        """The agent of a size, trained now."""
        return self._taught(self.demonstrate(), size, ctx)

    def student(self, folder: Path, ctx: Context, size: str = "L") -> Student:
        """The agent of a size that was built in ``folder``."""
        from methods.rest_react.students import load_toy

        return load_toy(folder / size, size, f"gen0-{size}")

    def build(self, folder: Path, ctx: Context) -> None:
        """Train all sizes and keep their weights."""
        shown = self.demonstrate()
        for size in self.sizes:
            (folder / size).mkdir()
            self._taught(shown, size, ctx).save(folder / size)

    def _taught(self, shown: Demonstrations, size: str, ctx: Context) -> Student:
        streams = NamedStreams(self.seed, ctx.checkpoints)
        return self.students(ctx).train(shown.examples, shown.lexicon, size, f"gen0-{size}", streams)

    def load(self, path: Path) -> Path:
        """The folder with its weights; see :meth:`student`."""
        return path


@dataclass(frozen=True)
class PretrainedTeacher(Teacher):
    """Generation 0: a pretrained language model that imitates the scripted agent, in plain text."""

    title: ClassVar[str] = "pretrained agent of generation 0"

    base: Reference = field(default_factory=SafeWeights)
    base_steps: int = param(150, source="ours", doc="updates of the pretrained model")
    base_batch: int = param(32, source="ours", doc="steps of trajectories an update")
    base_rate: float = param(2e-5, source="ours", doc="largest learning rate of the pretrained model")
    rank: int = param(0, source="paper, section 4.1: full fine-tuning", doc="of LoRA factors; 0: all weights")
    limit: int = param(512, source="ours", doc="tokens of a state with its action, at most")
    rows: int = param(512, source="ours", doc="texts sampled at once")

    @property
    def bases(self) -> dict[str, Reference]:
        """Pretrained models by size; sizes that are missing are toy policies."""
        return {"L": self.base}

    def students(self, ctx: Context) -> Students:
        """What trains agents: the pretrained models, and toy policies for other sizes."""
        from methods.rest_react.finetuned import FineTuning, PretrainedStudents

        plan = FineTuning(
            self.base_steps, self.base_batch, self.base_rate, self.rank, limit=self.limit, rows=self.rows
        )
        bases = {size: ctx.load(base) for size, base in self.bases.items()}
        return PretrainedStudents(bases, plan, super().students(ctx), ctx.device, ctx.dtype)

    def student(self, folder: Path, ctx: Context, size: str = "L") -> Student:
        """The agent of a size that was built in ``folder``."""
        from methods.rest_react.finetuned import load_student

        if size not in self.bases:
            return super().student(folder, ctx, size)
        return load_student(folder / size, f"gen0-{size}", self.rows, ctx)
