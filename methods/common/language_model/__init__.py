"""Language models as they are: scored options, sampled text, next-token distributions.

One interface (:mod:`~methods.common.language_model.interface`), two kinds of models behind it (local
weights, :mod:`~methods.common.language_model.local`, and servers that speak OpenAI's protocol,
:mod:`~methods.common.language_model.served`), and three wrappers: a cache on disk
(:mod:`~methods.common.language_model.cache`), a record of every call, and its replay without a model
(:mod:`~methods.common.language_model.record`).
"""

from methods.common.language_model.interface import (
    Completion,
    Decoding,
    LanguageModel,
    NextToken,
    Usage,
)

__all__ = ["Completion", "Decoding", "LanguageModel", "NextToken", "Usage"]
