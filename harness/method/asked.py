"""Language models that a trial asks: what is told of them to records, and what a server was found to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

SERVER_FILE = "server.json"
"""In the folder of a resource, says that a server stands for it: JSON with ``server``, what a
:class:`Probed` has, and ``capabilities``."""


class Counts(Protocol):
    """What was asked of a model so far."""

    def as_dict(self) -> Mapping[str, int]:
        """The counters by name, such as ``requests``, ``failed``, ``unread``, ``prompt_tokens``."""


class AskedModel(Protocol):
    """A language model that tells what it is and what was asked of it."""

    @property
    def usage(self) -> Counts:
        """What was asked so far."""

    def described(self) -> Mapping[str, Any]:
        """What it is, as plain JSON; never a key.

        ``name``, and of a served one ``address``, ``protocol``, ``scoring`` and ``capabilities``.
        """


@dataclass(frozen=True, kw_only=True)
class Probed:
    """What a server can do, found out by asking it.

    Attributes:
        server: How it is asked from now on: ``address``, ``model``, ``protocol``, ``scoring`` and whatever
            else the client takes; plain JSON.
        capabilities: What it can do, as plain JSON.
        lacking: What it cannot do that an experiment needs, in words, by the experiment's id.
        notes: What to tell the user of what is done another way.
    """

    server: Mapping[str, Any]
    capabilities: Mapping[str, Any] = field(default_factory=dict)
    lacking: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Asks:
    """What a trial or an artifact will ask of a model, before it is asked.

    Attributes:
        resource: Name of the model's resource.
        requests: How many, at most; a scored option or a sampled text may be one each.
        prompt_tokens: Tokens read for each, about; four characters count as one.
        new_tokens: Tokens written for each, at most.
    """

    resource: str
    requests: int
    prompt_tokens: int
    new_tokens: int
