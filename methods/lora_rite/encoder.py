"""Adapting a sentence encoder to ratings: regression on mean ratings of real texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.method import Artifact, Context, Resource, Scores, param
from methods.common.minilm import MINILM, RatedTextEmbeddings
from methods.common.ratings import RATINGS
from methods.lora_rite.adaptation import Adaptation, Adapted
from methods.lora_rite.finetune import AdaptationTask, recipe_of

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from methods.common.examples import Batch, Example

EMBEDDINGS = RatedTextEmbeddings(encoder=MINILM, data=RATINGS, domain="amazon")
RIDGE = 1.0
"""Penalty of the initial head."""


@dataclass(frozen=True)
class RatingTask(AdaptationTask):
    """Predict the mean rating of product reviews with MiniLM.

    The head is a ridge regression on the frozen embeddings of the training texts and stays as it
    is: only the adapters of queries and values learn, on the squared error. Seeds draw disjoint
    training and test texts.
    """

    data: Resource = RATINGS
    encoder: Resource = MINILM
    embeddings: Artifact = EMBEDDINGS
    steps: int = param(30, source="ours", doc="updates")
    batch: int = param(8, source="ours", doc="texts an update")
    train: int = param(600, source="ours", doc="training texts")
    test: int = param(150, source="ours", doc="test (or validation) texts")
    longest: int = param(48, source="ours", doc="tokens after which a text is cut")

    def problem(self, ctx: Context) -> Adaptation:
        """The encoder, its head and this seed's training texts."""
        from methods.common.minilm import load_encoder

        encoder = ctx.load(self.encoder)
        chosen = self._split(ctx)[0]
        gold = dict(zip(map(str, chosen), self._ratings(ctx)[chosen].tolist(), strict=True))
        return Adaptation(
            model=lambda: load_encoder(encoder.folder).model.to(ctx.device),
            train=self._examples(chosen, ctx),
            pad=int(encoder.tokenizer.pad_token_id),
            recipe=recipe_of(self.steps, self.batch, looks=3),
            roles=("query", "value"),
            loss=RatingLoss(self._head(ctx), gold),
        )

    def answers(self, result: Adapted, ctx: Context) -> Scores:
        """Estimated and mean rating of each test text."""
        import torch

        from methods.common.examples import collate

        chosen = self._split(ctx)[1]
        examples = self._examples(chosen, ctx)
        pad = int(ctx.load(self.encoder).tokenizer.pad_token_id)
        loss = RatingLoss(self._head(ctx), {})
        estimates: list[float] = []
        with torch.inference_mode():
            for start in range(0, len(examples), 50):
                batch = collate(examples[start : start + 50], pad, ctx.device)
                estimates += loss.estimates(result.model, batch).tolist()
        rows: dict[str, Any] = {
            "unit_id": [example.id for example in examples],
            "estimate": estimates,
            "gold": self._ratings(ctx)[chosen],
        }
        return Scores({"validation" if ctx.stage == "tune" else "main": rows})

    def _ratings(self, ctx: Context) -> NDArray[np.float64]:
        means: NDArray[np.float64] = ctx.load(self.data)["amazon"].means
        return means

    def _split(self, ctx: Context) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        order = ctx.rng("texts").permutation(len(self._ratings(ctx)))
        return order[: self.train], order[self.train : self.train + self.test]

    def _examples(self, chosen: NDArray[np.intp], ctx: Context) -> list[Example]:
        from methods.common.examples import Example

        texts = ctx.load(self.data)["amazon"].texts
        tokenizer = ctx.load(self.encoder).tokenizer
        ids = tokenizer([texts[i] for i in chosen], truncation=True, max_length=self.longest)["input_ids"]
        # The separator that ends a text stands in for a target, so each text counts once.
        return [Example(str(i), tuple(row[:-1]), (row[-1],)) for i, row in zip(chosen, ids, strict=True)]

    def _head(self, ctx: Context) -> torch.Tensor:
        """Weights and offset of a ridge regression on the training texts, shape (d + 1,)."""
        import torch
        from sklearn.linear_model import Ridge

        chosen = self._split(ctx)[0]
        ridge = Ridge(alpha=RIDGE).fit(ctx.load(self.embeddings)[chosen], self._ratings(ctx)[chosen])
        return torch.tensor([*ridge.coef_, ridge.intercept_], dtype=torch.float32, device=ctx.device)


@dataclass(frozen=True)
class RatingLoss:
    """Squared error of ratings, summed over the texts of a batch.

    Attributes:
        head: Weights and offset, shape (d + 1,).
        gold: Ratings by the id of the text.
    """

    head: torch.Tensor
    gold: dict[str, float]

    def __call__(self, model: Any, batch: Batch, smoothing: float) -> torch.Tensor:
        """The loss; label smoothing has no meaning here."""
        import torch

        gold = torch.tensor([self.gold[name] for name in batch.names], device=self.head.device)
        return (self.estimates(model, batch) - gold).square().sum()

    def estimates(self, model: Any, batch: Batch) -> torch.Tensor:
        """Estimated ratings, shape (B,)."""
        import torch

        from methods.common.minilm import mean_pooled

        hidden = model(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
        vectors = torch.nn.functional.normalize(mean_pooled(hidden, batch.mask), dim=1)
        return vectors @ self.head[:-1] + self.head[-1]
