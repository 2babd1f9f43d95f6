"""ProMoT, its baselines and its ablations, as methods of the harness."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from harness.method import Context, Method, ProblemError, Reference, param
from methods.promot.problem import Adapted, TuningProblem

if TYPE_CHECKING:
    import numpy as np

    from methods.common.examples import Example
    from methods.promot.stage import Beforehand, Stage
    from methods.promot.tuning import Session

Optimizer = Literal["adam", "adafactor"]


@dataclass(frozen=True)
class _Tuning(Method[TuningProblem, Adapted]):
    """What all methods that train have in common."""

    problem_type: ClassVar[type] = TuningProblem

    rate: float = param(1e-3, source="paper, Appendix B", doc="learning rate of the model, constant")
    steps: int = param(1000, source="paper, Appendix B", doc="updates of the model")
    every: int = param(100, source="paper, Appendix B", doc="a checkpoint each so many updates of the model")
    batch: int = param(64, source="paper, Appendix B", doc="examples an update")
    smoothing: float = param(0.1, source="paper, Appendix B", doc="label smoothing")
    optimizer: Optimizer = param("adafactor", source="paper, Appendix B")  # noqa: RUF009
    shots: int = param(0, source="paper, section 4", doc="demonstrations before each training input: 0 or 1")
    probes: bool = param(False, source="ours", doc="evaluate at every checkpoint of the model")
    probe_every: int = param(0, source="ours", doc="probe each so many updates; 0: at every checkpoint")
    probe_until: float = param(95.0, source="ours", doc="validation score from which on checkpoints will do")

    def model_stage(self) -> Stage:
        """Training of the model."""
        from methods.promot.stage import Stage

        plain = Stage(self.rate, self.steps, self.every, self.batch, self.smoothing, self.optimizer)
        if not (self.probes and self.probe_every):
            return plain
        return replace(plain, watch_every=self.probe_every, watch_until=self.probe_until)

    def run(self, problem: TuningProblem, ctx: Context) -> Adapted:
        """Tune a copy of the pretrained model."""
        from methods.promot.tuning import Session

        session = Session.begin(problem, ctx, shots=self.shots)
        self.tune(session)
        return session.result()

    @abstractmethod
    def tune(self, session: Session) -> None:
        """Change the session's model and prompts."""

    def watch(self, session: Session) -> Callable[[int], None] | None:
        """Probes of a verdict's run; tuning looks at validation data only."""
        if not self.probes or session.ctx.stage == "tune":
            return None
        return lambda step: session.ctx.probe(step, session.result(final=False))


@dataclass(frozen=True)
class _Prompted(_Tuning):
    """What methods with a soft prompt have in common."""

    length: int = param(100, source="paper, Appendix B", doc="p, vectors of a soft prompt")
    prompt_rate: float = param(0.2, source="paper, Appendix B", doc="learning rate of the prompt, constant")
    prompt_steps: int = param(5000, source="paper, Appendix B", doc="updates of the prompt")
    prompt_every: int = param(1000, source="paper, Appendix B", doc="a checkpoint each so many")
    beforehand: Reference | None = param(  # noqa: RUF009
        None, source="ours", doc="prompts that stage 1 has given already, with the same settings and seed"
    )

    def prompt_stage(self) -> Stage:
        """Training of a prompt.

        Where a prompt alone answers nothing right, all checkpoints are equal, and the earliest is the prompt
        before its training.
        """
        return replace(
            self.model_stage(),
            rate=self.prompt_rate,
            steps=self.prompt_steps,
            every=self.prompt_every,
            watch_every=0,
            watch_until=math.inf,
            later=True,
        )

    def tune_prompts(self, session: Session) -> None:
        """Stage 1, for each target task by itself."""
        for task in session.problem.targets:
            self.tune_one_prompt(session, task)

    def tune_one_prompt(self, session: Session, task: str) -> None:
        """Stage 1 of one task: its prompt if that was tuned beforehand, in the same way."""
        from methods.promot.tuning import take_prompt, tune_prompt

        stage, known = self.prompt_stage(), None
        if self.beforehand is not None:
            found: Beforehand = session.ctx.load(self.beforehand)
            if found.fits(session.ctx.seed, self.length, stage, self.shots):
                known = found.of.get(task)
        if known is None:
            tune_prompt(session, task, self.length, stage)
        else:
            take_prompt(session, task, known)


@dataclass(frozen=True)
class Pretrained(Method[TuningProblem, Adapted]):
    """The pretrained model as it is, asked with demonstrations."""

    problem_type: ClassVar[type] = TuningProblem

    shots: int = param(1, source="paper, section 5", doc="demonstrations in the target task's inputs")

    def run(self, problem: TuningProblem, ctx: Context) -> Adapted:
        """Nothing is trained."""
        from methods.promot.tuning import Session

        return Session.begin(problem, ctx, shots=self.shots).result()


@dataclass(frozen=True)
class FineTuning(_Tuning):
    """Standard fine-tuning of all weights on the target task's inputs.

    The three last parameters switch on known remedies against forgetting.
    """

    diagnose: Literal["", "permuted"] = param(
        "", source="paper, section 3.2", doc="answers of the format gradient, where it is to be measured"
    )
    anchor: float = param(0.0, source="arXiv:1802.01483", doc="L2-SP penalty on the distance from the start")
    replay: float = param(0.0, source="ours", doc="share of pretraining examples in the training set")
    mix: float = param(1.0, source="arXiv:2109.01903", doc="WiSE-FT: share of the tuned weights")

    def tune(self, session: Session) -> None:
        """One stage without a prompt."""
        from methods.promot import tuning

        names = [name for name, _ in session.model.named_parameters()]
        start = tuning.copies(session.model.parameters()) if self.mix < 1.0 else []
        stage, examples = self.model_stage(), self.examples(session)
        tuning.tune_model(session, stage, examples=examples, anchor=self.anchor, watch=self.watch(session))
        if self.mix < 1.0:
            tuning.interpolate(session.model, dict(zip(names, start, strict=True)), self.mix)

    def examples(self, session: Session) -> list[Example]:
        """What is trained on, with pretraining examples among it where they are replayed."""
        own = session.examples(list(session.problem.targets))
        return self._with_replay(own, session) if self.replay else own

    def _with_replay(self, own: list[Example], session: Session) -> list[Example]:
        replay = session.problem.replay
        wanted = round(len(own) * self.replay / (1.0 - self.replay))
        if not replay:
            raise ProblemError(
                "There are no pretraining examples to replay", where="replay", fix="Use a task that has them."
            )
        picked = session.ctx.rng("replay").choice(len(replay), size=wanted, replace=wanted > len(replay))
        return own + [replay[int(i)] for i in picked]

    def watch(self, session: Session) -> Callable[[int], None] | None:
        """Probes, with the alignment of gradients where it is asked for."""
        plain = super().watch(session)
        if plain is None or not self.diagnose:
            return plain
        aligned = self._aligner(session)

        def look(step: int) -> None:
            taken = aligned() if step % self.every == 0 or step == self.steps else None
            session.ctx.probe(step, session.result(final=False, alignment=taken))

        return look

    def _aligner(self, session: Session) -> Callable[[], dict[str, float]]:
        from methods.promot.alignment import alignment

        rng = session.ctx.rng("diagnosed batch")
        examples = session.examples(list(session.problem.targets))
        batch = [
            examples[int(i)] for i in rng.choice(len(examples), size=min(512, len(examples)), replace=False)
        ]
        other = self.compared(batch, session, rng)
        pad = session.problem.reading.pad
        loss, smoothing = session.loss(), self.smoothing
        return lambda: alignment(session.model, batch, other, loss=loss, pad=pad, smoothing=smoothing)

    def compared(self, batch: Sequence[Example], session: Session, rng: np.random.Generator) -> list[Example]:
        """The batch with answers that share its format and not its meaning; negative controls change it."""
        from methods.promot.tuning import shuffled

        return shuffled(batch, rng)


@dataclass(frozen=True)
class PromptTuning(_Prompted):
    """Stage 1 alone: a soft prompt, the model frozen."""

    cites: ClassVar[str] = "Lester et al. (2021), arXiv:2104.08691"

    def tune(self, session: Session) -> None:
        """Stage 1."""
        self.tune_prompts(session)


@dataclass(frozen=True)
class ProMoT(_Prompted):
    """Prompt tuning, then model tuning with the prompt frozen and in place; it is dropped elsewhere."""

    cites: ClassVar[str] = "Wang et al. (2024), arXiv:2211.00635"

    order: Literal["mixture", "sequence"] = param(
        "mixture", source="paper, section 4", doc="several tasks at once, or one after the other"
    )

    def tune(self, session: Session) -> None:
        """Both stages."""
        from methods.promot.tuning import tune_model

        if self.order == "sequence":
            for task in session.problem.targets:
                self.tune_one_prompt(session, task)
                tune_model(session, self.model_stage(), tasks=[task], watch=self.watch(session))
            return
        self.tune_prompts(session)
        tune_model(session, self.model_stage(), examples=self.examples(session), watch=self.watch(session))

    def examples(self, session: Session) -> list[Example]:
        """What stage 2 trains on; negative controls change it."""
        return session.examples(list(session.problem.targets))


@dataclass(frozen=True)
class FixedPrompt(_Prompted):
    """Fine-tuning behind a frozen prompt that was never tuned: random, or zero."""

    kind: Literal["random", "zero"] = param(
        "random", source="paper, Table 6", doc="what the prompt is made of"
    )

    def tune(self, session: Session) -> None:
        """Stage 2 alone."""
        from methods.promot.tuning import set_prompts, tune_model

        set_prompts(session, self.length, self.kind)
        tune_model(session, self.model_stage(), watch=self.watch(session))


@dataclass(frozen=True)
class Joint(_Prompted):
    """Prompt and model tuned together from the start, both at the model's rate."""

    def tune(self, session: Session) -> None:
        """One stage."""
        from methods.promot.tuning import tune_jointly

        tune_jointly(session, self.length, self.model_stage(), watch=self.watch(session))


@dataclass(frozen=True)
class LoraFirst(_Tuning):
    """ProMoT with a low-rank adapter in the prompt's place; it is switched off elsewhere."""

    rank: int = param(4, source="paper, Table 15")
    adapter_rate: float = param(1e-3, source="ours: unspecified in the paper", doc="learning rate of stage 1")
    adapter_steps: int = param(5000, source="paper, Appendix B", doc="updates of stage 1")
    adapter_every: int = param(1000, source="paper, Appendix B", doc="a checkpoint each so many")
    roles: tuple[str, ...] = param(("query", "value"), source="ours: unspecified in the paper", doc="layers")
    frozen: bool = param(False, source="ours", doc="whether it ends with stage 1, as plain LoRA")

    def tune(self, session: Session) -> None:
        """Both stages, with an adapter."""
        from methods.common.lora import add_lora, layers_of, lora_parameters
        from methods.promot.tuning import tune_model

        generator = session.ctx.torch_rng("adapter")
        targets = layers_of(session.model, self.roles)
        add_lora(session.model, targets, self.rank, float(self.rank), generator)
        stage = replace(
            self.model_stage(), rate=self.adapter_rate, steps=self.adapter_steps, every=self.adapter_every
        )
        session.train([{"params": lora_parameters(session.model)}], stage, name="stage 1")
        if not self.frozen:
            tune_model(session, self.model_stage(), watch=self.watch(session))
