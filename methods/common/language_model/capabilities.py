"""What a server can do, and what follows for those who ask it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Need = Literal["sample", "greedy", "several", "seed", "stop", "score", "next-token", "log-probabilities"]
"""What may be asked of a server: texts at all, at temperature 0, several of a prompt, draws that repeat with
their seed, texts that end at a stop, scored options, listed next tokens, log-probabilities of texts."""
RULES_OUT: Mapping[Need, str] = {
    "sample": "everything that asks this server",
    "greedy": "answers at temperature 0, which are the same each time",
    "several": "choosing among several draws of a prompt",
    "seed": "draws that can be had again: a run that is repeated gets other texts",
    "stop": "nothing; texts are cut here, and the tokens behind the stop are paid for",
    "score": "choosing among given options by their probability",
    "next-token": "grades and choices from the distribution of the next token",
    "log-probabilities": "choosing the least perplexing of several texts",
}
"""What cannot be done where a need is not met."""


@dataclass(frozen=True)
class Ability:
    """One thing that a server does, does not do, or did not show.

    Attributes:
        can: Which of them.
        words: What the server said, or what it did instead.
        refused: Whether a request that asks for it fails, so that none may.
    """

    can: Literal["yes", "no", "unknown"] = "unknown"
    words: str = ""
    refused: bool = False


@dataclass(frozen=True)
class Capabilities:
    """What a probe found, for one of the protocols of a server.

    Attributes:
        served: The name that the server gives the model in its answers.
        protocol: The protocol that was probed: ``completions`` or ``chat``.
        sample: Whether it writes texts.
        greedy: Whether it takes a temperature of 0.
        draws: Whether texts at temperature 1 differ.
        several: Whether one request may ask for several texts (n > 1).
        seed: Whether equal seeds give equal texts.
        stop: Whether texts end at a stop.
        own: Whether log-probabilities of a text's own tokens are told.
        listed: Whether the most probable next tokens are listed.
        echo: Whether log-probabilities of the prompt are told.
        thinks: Whether texts begin with a thought.
        most: How many next tokens are listed; 0 for none.
        limit: Name of the parameter that limits the tokens of a text.
        context: Tokens of the context, 0 if the server does not tell.
        requests: What the probe took.
    """

    served: str
    protocol: Literal["completions", "chat"]
    sample: Ability = Ability()
    greedy: Ability = Ability()
    draws: Ability = Ability()
    several: Ability = Ability()
    seed: Ability = Ability()
    stop: Ability = Ability()
    own: Ability = Ability()
    listed: Ability = Ability()
    echo: Ability = Ability()
    thinks: Ability = Ability()
    most: int = 0
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    context: int = 0
    requests: int = 0

    def lacks(self, need: Need) -> str:
        """What stands in the way of a need, and what that rules out; empty where nothing does.

        What did not show itself counts as there: its fault is told when it is met.
        """
        reason = self._reason(need)
        return f"{reason}. That rules out {RULES_OUT[need]}." if reason else ""

    def lacking(self, needs: Collection[Need]) -> list[str]:
        """The words of all needs that are not met, in their order."""
        return [words for need in needs if (words := self.lacks(need))]

    @property
    def scoring(self) -> Literal["echo", "listed", "none"]:
        """The best way of scoring options: exact for any text, for single tokens only, or none."""
        if self.echo.can == "yes":
            return "echo"
        return "listed" if not self._reason("next-token") and self.listed.can == "yes" else "none"

    @property
    def rows(self) -> list[tuple[str, str, str]]:
        """What was probed, the answer, and the server's words, for a table."""
        names = [item.name for item in fields(self) if item.type == "Ability"]
        found = [(_NAMES[name], getattr(self, name)) for name in names]
        return [(name, one.can, one.words) for name, one in found]

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Capabilities:
        """The inverse of :meth:`as_dict`.

        Raises:
            TypeError: If it holds something else.
        """
        values: dict[str, Any] = dict(found)
        for key, one in found.items():
            if isinstance(one, Mapping):
                values[key] = Ability(**one)
        return cls(**values)

    def _reason(self, need: Need) -> str:
        if self.sample.can == "no":
            return f"The server does not answer {self.protocol} requests{_quoted(self.sample)}"
        thinks = self.thinks.can == "yes"
        refused: dict[Need, str] = {
            "greedy": self._missing("greedy", "does not take a temperature of 0"),
            "several": self._missing("draws", "gives the same text for every draw"),
            "seed": self._missing("draws", "gives the same text for every draw")
            or self._missing("seed", "does not repeat a text with its seed"),
            "log-probabilities": self._missing("own", "does not tell log-probabilities of its texts"),
            "next-token": self._missing("listed", "does not list log-probabilities of next tokens"),
        }
        if thinks and need in ("next-token", "log-probabilities"):
            return "The model thinks before it answers, so its next token is not its answer"
        if need == "score" and self.echo.can != "yes":
            if thinks:
                return "The model thinks before it answers, so options cannot be scored"
            unclear = f"The server did not list next tokens{_quoted(self.listed)}"
            return refused["next-token"] or ("" if self.listed.can == "yes" else unclear)
        return refused.get(need, "")

    def _missing(self, name: str, words: str) -> str:
        ability: Ability = getattr(self, name)
        return f"The server {words}{_quoted(ability)}" if ability.can == "no" else ""


_NAMES = {
    "sample": "texts",
    "greedy": "temperature 0",
    "draws": "draws that differ",
    "several": "several texts a request (n > 1)",
    "seed": "seed",
    "stop": "stop",
    "own": "log-probabilities of a text",
    "listed": "listed next tokens",
    "echo": "echo of prompt log-probabilities",
    "thinks": "thinks before it answers",
}


def _quoted(ability: Ability) -> str:
    return f" ({ability.words})" if ability.words else ""
