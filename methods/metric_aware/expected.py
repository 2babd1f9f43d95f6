"""What a model will be asked for grades, before it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from harness.method import Asks, Resource
from methods.metric_aware.prepare import PromptedGrades
from methods.metric_aware.problem import DRAWS

_MEASURED = 20
"""Prompts whose length is looked at."""
_CHARACTERS = 4
"""Of a token, about."""
_UNSEEN = 1024
"""Tokens of a prompt, where the data are not on this machine: what the declared memory allows for."""
_ANSWER = 8
"""New tokens of a sampled answer, at most."""


def expected(item: Any, method: Any, load: Callable[[Resource], Any]) -> Iterator[Asks]:
    """What is asked of models behind resources; see :class:`harness.suite.Served`."""
    if not isinstance(item, PromptedGrades) or not isinstance(item.source, Resource):
        return
    prompts = len(item.draws) * (item.held + item.test)
    texts = 0 if item.how == "next-token" else 1 + DRAWS
    scored = len(item.corpus.values) if item.how == "score" else 0
    yield Asks(
        resource=item.source.name,
        requests=prompts * (texts + scored or 1),
        prompt_tokens=_tokens(item, load),
        new_tokens=_ANSWER if texts else 1,
    )


def _tokens(item: PromptedGrades, load: Callable[[Resource], Any]) -> int:
    """Tokens of a prompt, as long as the first ones are."""
    data = load(item.corpus.data) if isinstance(item.corpus.data, Resource) else None
    if data is None:
        return _UNSEEN
    prompts = item.prompts(item.chosen(item.corpus.read(data), item.draws[0]))[:_MEASURED]
    return sum(map(len, prompts)) // (_CHARACTERS * len(prompts)) + 1
