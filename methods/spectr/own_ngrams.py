"""An n-gram draft from texts of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.method import ProblemError
from methods.spectr.ngram import NGram, count_ngrams


def ngrams_of(texts: Sequence[str], tokenizer: Any, model: Any, *, longest: int = 2) -> NGram:
    """Count n-grams over the ids that a model gives probabilities for.

    Args:
        texts: Of the kind that the model is to write.
        tokenizer: The model's.
        model: A causal model of ``transformers``; its output layer may be wider than the tokenizer.
        longest: Tokens in the longest history.

    Raises:
        ProblemError: If texts are one text, hold no token, or have ids that the model does not.
    """
    if isinstance(texts, str):
        raise ProblemError("The texts are one text", where="ngrams_of", fix="Give a list of texts.")
    width = int(model.get_output_embeddings().weight.shape[0])
    streams = [np.asarray(tokenizer(text, add_special_tokens=False).input_ids, np.int64) for text in texts]
    streams = [stream for stream in streams if stream.size]
    if not streams:
        raise ProblemError("The texts hold no token", where="ngrams_of", fix="Give texts to count.")
    if (most := max(int(stream.max()) for stream in streams)) >= width:
        raise ProblemError(
            f"The tokenizer gives the id {most}, and the model has {width} ids",
            where=f"{type(tokenizer).__name__}, {type(model).__name__}",
            fix="Give the tokenizer that the model was trained with.",
        )
    return count_ngrams([(stream, 1.0) for stream in streams], width, longest=longest)
