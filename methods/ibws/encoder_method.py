"""Fine-tuned encoders that rank texts, as methods of the harness."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from harness.method import Context, HubSource, Method, Resource, param
from methods.common.minilm import MINILM
from methods.ibws.designs import Floats
from methods.ibws.problems import RankingProblem, TestRanking
from methods.ibws.ranking_method import collect_labels

ROBERTA = Resource(
    name="roberta-base",
    kind="model",
    licence="MIT",
    version="main",
    sources=(HubSource(repo="FacebookAI/roberta-base"),),
    loader="methods.common.minilm:load_encoder",
    size_mb=500,
)
"""RoBERTa-base, the kind of model that the paper trains."""


@dataclass(frozen=True)
class EncoderRanker(Method[RankingProblem, TestRanking]):
    """A pretrained encoder with a scalar head, fine-tuned on the labels.

    The head reads the mean of the token vectors; all weights are trained with AdamW.
    """

    problem_type: ClassVar[type] = RankingProblem
    cites: ClassVar[str] = "Han et al. (2024), arXiv:2408.09765"

    encoder: Resource = field(
        default=MINILM, metadata={"source": "ours: the paper has RoBERTa", "doc": "the pretrained encoder"}
    )
    labels: str = param("slider", source="card, claim C5", doc="how the training texts are labelled")
    amount: int = param(2, source="ours: unspecified in the paper", doc="raters or appearances of a text")
    loss: str = param(
        "pairwise", source="ours: unspecified in the paper", doc="mse, pairwise, margin or listnet"
    )
    epochs: int = param(3, source="ours: unspecified in the paper", doc="passes over the training texts")
    batch: int = param(32, source="ours: unspecified in the paper", doc="texts in a batch")
    rate: float = param(5e-5, source="ours: unspecified in the paper", doc="peak learning rate")
    longest: int = param(128, source="ours", doc="tokens after which a text is cut")

    def run(self, problem: RankingProblem, ctx: Context) -> TestRanking:
        """Label, fine-tune, score the test texts."""
        from methods.ibws.encoder import Training, score_texts, train_ranker

        labels = collect_labels(self.labels, self.amount, problem, ctx)
        encoder = ctx.load(self.encoder, fresh=True)
        training = Training(self.loss, self.epochs, self.batch, self.rate, longest=self.longest)
        model = train_ranker(
            encoder,
            problem.train_texts,
            self.labels_for_training(labels.values, ctx),
            training,
            ctx.rng("training"),
            device=ctx.device,
            progress=ctx.progress,
            checkpoints=ctx.checkpoints,
        )
        scores = score_texts(
            model, encoder.tokenizer, problem.test_texts, batch=4 * self.batch, longest=self.longest
        )
        return TestRanking(scores, labels.reads, labels.judgements)

    def labels_for_training(self, values: Floats, ctx: Context) -> Floats:
        """The labels as they are; negative controls change them here."""
        del ctx
        return values
