"""An encoder with a late interaction: trained together, kept in one folder, called as a cross-encoder.

The folder is a ``MultiVectorEncoder`` of sentence-transformers, which that library opens alone (and ranks
with MaxSim); the scorer lies beside it. See :mod:`methods.lite.late` for the losses it is trained with.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import TrainerCallback

from harness.method import ProblemError
from methods.lite.late import CONFIG, LateInteraction, LateOptions
from methods.lite.own_encoder import open_encoder
from methods.lite.own_folders import new_folder


class LateRanker:
    """Ranks documents for a query.

    Args:
        encoder: A ``MultiVectorEncoder``.
        late: Made for its dimension and lengths.
    """

    def __init__(self, encoder: Any, late: LateInteraction) -> None:
        self.encoder = encoder
        self.late = late

    @property
    def model_card_data(self) -> Any:
        """Where evaluators of sentence-transformers note what they found."""
        return self.encoder.model_card_data

    @classmethod
    def new(
        cls,
        folder: str | Path,
        *,
        query_tokens: int = 32,
        document_tokens: int = 128,
        device: str = "cpu",
        **options: Any,
    ) -> LateRanker:
        """An encoder folder of one's own with a new scorer.

        Args:
            folder: As for :func:`methods.lite.own_encoder.open_encoder`.
            query_tokens: Tokens of a query.
            document_tokens: Tokens of a document.
            device: Where both compute.
            options: Others of :class:`methods.lite.late.LateOptions`, such as ``scorer``.

        Raises:
            ResourceError: If the encoder cannot be read.
            ProblemError: If an option cannot be.
        """
        opened = open_encoder(
            Path(folder), query_tokens=query_tokens, document_tokens=document_tokens, device=device
        )
        made = LateOptions(
            dim=opened.dim, query_tokens=query_tokens, document_tokens=document_tokens, **options
        )
        return cls(opened.model, LateInteraction(made).to(device))

    @classmethod
    def load(cls, folder: str | Path, device: str = "cpu") -> LateRanker:
        """What :meth:`save_pretrained` wrote.

        Raises:
            ResourceError: If the encoder cannot be read.
            ProblemError: If there is no scorer beside it.
        """
        late = LateInteraction.load(folder)
        options = late.options
        opened = open_encoder(
            Path(folder),
            query_tokens=options.query_tokens,
            document_tokens=options.document_tokens,
            device=device,
        )
        if opened.dim != options.dim:
            raise ProblemError(
                f"The encoder gives vectors of {opened.dim} dimensions, and the scorer takes {options.dim}",
                where=str(folder),
            )
        return cls(opened.model, late.to(device))

    def save_pretrained(self, folder: str | Path, *, force: bool = False) -> None:
        """Keep encoder and scorer in a new folder, which appears when it is complete.

        Raises:
            ProblemError: If the folder exists, unless ``force`` replaces a ranker, or cannot be written.
        """
        with new_folder(Path(folder), mark=CONFIG, force=force) as place:
            self.encoder.save_pretrained(str(place), create_model_card=False)
            self.late.save_pretrained(place)

    def predict(self, pairs: Sequence[Sequence[str]], **_options: Any) -> NDArray[np.float32]:
        """Scores of (query, document) pairs, shape (n,); each query and document is encoded once."""
        queries = self._encoded(self.encoder.encode_query, dict.fromkeys(query for query, _ in pairs))
        documents = self._encoded(
            self.encoder.encode_document, dict.fromkeys(document for _, document in pairs)
        )
        places: dict[str, list[int]] = {}
        for place, (query, _) in enumerate(pairs):
            places.setdefault(query, []).append(place)
        scores = np.zeros(len(pairs), dtype=np.float32)
        for query, listed in places.items():
            found = [documents[pairs[place][1]] for place in listed]
            scores[listed] = self.late.scores(queries[query], found).numpy()
        return scores

    def rank(
        self,
        query: str,
        documents: Sequence[str],
        top_k: int | None = None,
        *,
        return_documents: bool = False,
    ) -> list[dict[str, Any]]:
        """Documents, best first, as ``CrossEncoder.rank`` gives them; equal scores keep their order.

        Args:
            query: The query.
            documents: The documents.
            top_k: How many are returned; all without it.
            return_documents: Return the texts, too.

        Returns:
            ``corpus_id``, the place in ``documents``, ``score``, and ``text`` if it is asked for.
        """
        asked = self._encoded(self.encoder.encode_query, [query])[query]
        found = self._encoded(self.encoder.encode_document, dict.fromkeys(documents))
        scores = self.late.scores(asked, [found[document] for document in documents])
        order = torch.argsort(-scores, stable=True).tolist()[:top_k]
        return [
            {"corpus_id": row, "score": float(scores[row])}
            | ({"text": documents[row]} if return_documents else {})
            for row in order
        ]

    def _encoded(self, encode: Any, texts: Any) -> dict[str, Tensor]:
        known = list(texts)
        if not known:
            return {}
        return dict(zip(known, encode(known, show_progress_bar=False), strict=True))


class KeepScorer(TrainerCallback):
    """Keeps a scorer in a trainer's checkpoints, which have the encoder alone, and takes it up on resuming.

    Args:
        late: The scorer that the trainer's loss calls.
    """

    def __init__(self, late: LateInteraction) -> None:
        self.late = late

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Write it into the checkpoint."""
        self.late.save_pretrained(Path(args.output_dir) / f"checkpoint-{state.global_step}")

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Read it where training goes on."""
        if state.global_step:
            self.late.take_up(Path(args.output_dir) / f"checkpoint-{state.global_step}")
