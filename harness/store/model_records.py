"""What records say of language models: servers, what they can do, and what was asked of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from pydantic import Field

from harness.store.record import Record


class EndpointRecord(Record):
    """A server that stood for a model of a run; no key, but the environment variable that held it."""

    address: str
    model: str
    """The name that the server gives the model."""
    protocol: str = ""
    """``completions`` or ``chat``."""
    scoring: str = ""
    """How probabilities of given texts are had."""
    key_variable: str = ""

    @classmethod
    def of(cls, server: Mapping[str, Any]) -> Self:
        """What is recorded of how a server is asked."""
        return cls(**{name: value for name, value in server.items() if name in cls.model_fields})

    @property
    def told(self) -> str:
        """In words, as fingerprints have it."""
        how = ", ".join(filter(None, (self.protocol, self.scoring)))
        return f"{self.model} at {self.address}{f' ({how})' if how else ''}"


class UsageRecord(Record):
    """What was asked of a language model, in one trial or artifact."""

    calls: int = 0
    """Prompts: one for each scored option, sampled text and distribution."""
    requests: int = 0
    """Requests to a server, repeated ones included; none are sent to a model in memory."""
    retries: int = 0
    """Requests that repeated one which had failed."""
    failed: int = 0
    """Requests that were given up."""
    refused: int = 0
    """Answers that the model or a filter of its server refused."""
    unfinished: int = 0
    """Texts that ended at the limit of tokens."""
    unread: int = 0
    """Answers that were none to what was asked: no number, no label, no verdict."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached: int = 0
    """Answers that were kept from before, and not asked for again."""

    def troubles(self) -> dict[str, tuple[int, int]]:
        """What went wrong, in words, each with how often and of how many: of requests, or of calls."""
        found = {
            "requests failed": (self.failed, self.requests),
            "answers were refused": (self.refused, self.calls),
            "answers were cut off at the limit of tokens": (self.unfinished, self.calls),
            "answers could not be read": (self.unread, self.calls),
        }
        return {words: (bad, max(bad, of)) for words, (bad, of) in found.items() if bad}

    def plus(self, other: UsageRecord) -> UsageRecord:
        """Both together."""
        names = type(self).model_fields
        return UsageRecord(**{name: getattr(self, name) + getattr(other, name) for name in names})


class ModelRecord(Record):
    """A language model that a trial or an artifact asked, and what it asked."""

    name: str
    """As it was served, or a name for reports."""
    address: str = ""
    """Of its server, without credentials; empty for a model in memory."""
    protocol: str = ""
    scoring: str = ""
    capabilities: dict[str, Any] = Field(default_factory=dict)
    """What its server was found to do."""
    usage: UsageRecord = Field(default_factory=UsageRecord)

    @property
    def told(self) -> str:
        """What it is, in words: "name at address (chat, listed)"."""
        how = ", ".join(filter(None, (self.protocol, self.scoring)))
        return f"{self.name}{f' at {self.address}' if self.address else ''}{f' ({how})' if how else ''}"


def together(models: Iterable[ModelRecord]) -> list[ModelRecord]:
    """What was asked of each model in all of some trials, in the order in which they come first."""
    found: dict[str, ModelRecord] = {}
    for model in models:
        before = found.get(model.told)
        usage = before.usage.plus(model.usage) if before else model.usage
        found[model.told] = (before or model).model_copy(update={"usage": usage})
    return list(found.values())
