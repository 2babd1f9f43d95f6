"""What methods ask of a language model, whatever stands behind it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.method import ProblemError


@dataclass(frozen=True)
class Decoding:
    """How text is sampled.

    Attributes:
        temperature: 0 takes the most probable token each time.
        top_k: Only the k most probable tokens are drawn from; 0 for all.
        top_p: Only the smallest set of most probable tokens with this mass is drawn from.
        new_tokens: Most tokens of a completion.
        stop: Texts that end a completion; they are not part of it.

    Raises:
        ProblemError: If a value is out of its range.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    new_tokens: int = 64
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the ranges."""
        wrong = {
            "temperature": self.temperature < 0,
            "top_k": self.top_k < 0,
            "top_p": not 0 < self.top_p <= 1,
            "new_tokens": self.new_tokens < 1,
            "stop": "" in self.stop,
        }
        for name, is_wrong in wrong.items():
            if is_wrong:
                raise ProblemError(
                    f"{name} = {getattr(self, name)!r} is out of range",
                    where="Decoding",
                    fix="temperature ≥ 0, top_k ≥ 0, 0 < top_p ≤ 1, new_tokens ≥ 1, no empty stop.",
                )


@dataclass(frozen=True)
class Completion:
    """One sampled text.

    Attributes:
        text: Up to the stop, without it, and without what the model thought before.
        tokens: Tokens generated, those of the stop and of the thought included.
        finished: Whether it ended by itself and not at the limit of tokens.
        log_probability: Of all generated tokens at temperature 1, in nats; NaN where a server does
            not tell.
        thought: What a reasoning model wrote before its answer.
        refusal: Why there is no answer, where the model or a filter of the server refused one.
    """

    text: str
    tokens: int
    finished: bool
    log_probability: float
    thought: str = ""
    refusal: str = ""

    @property
    def perplexity(self) -> float:
        """Per token, the stop included; infinite for a text without tokens, NaN where it is not told."""
        from math import exp, inf

        return exp(-self.log_probability / self.tokens) if self.tokens else inf


@dataclass(frozen=True)
class NextToken:
    """Distribution of the token after a prompt.

    Attributes:
        log_probabilities: In nats, by token, the most probable first; tokens are spelled as in
            the model's vocabulary.
        rest: Probability of all tokens that are not listed.
    """

    log_probabilities: Mapping[str, float]
    rest: float


@dataclass
class Usage:
    """What was asked of a model.

    Attributes:
        calls: Prompts sent: one for each scored option, one for each sampled text, one for each
            distribution.
        prompt_tokens: Tokens read, options included.
        completion_tokens: Tokens generated.
        cached: Answers that came from a cache or a record and were not computed.
        unfinished: Completions that ended at the limit of tokens.
        requests: Requests sent to a server, repeated ones included; 0 for models of this machine.
        retries: Requests that repeated one which had failed.
        failed: Requests that were given up.
        refused: Completions that the model or a filter of the server refused.
        unread: Answers that could not be read as what was asked for; who reads them counts them.
    """

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached: int = 0
    unfinished: int = 0
    requests: int = 0
    retries: int = 0
    failed: int = 0
    refused: int = 0
    unread: int = 0

    def as_dict(self) -> dict[str, int]:
        """All counts by name, for a record."""
        return asdict(self)

    def completed(self, completions: Sequence[Completion], prompt_tokens: int) -> None:
        """Count the completions of one prompt."""
        self.calls += len(completions)
        self.prompt_tokens += prompt_tokens * len(completions)
        self.completion_tokens += sum(one.tokens for one in completions)
        self.unfinished += sum(not one.finished for one in completions)


@dataclass
class LanguageModel(ABC):
    """A model that is used and not trained.

    Answers come in the order of the prompts and do not depend on what else is asked (see
    :attr:`together`). At temperature 0, and for equal seeds, they are the same each time.

    Attributes:
        name: For reports.
        identity: Tells two models apart in caches and records: a hash of weights, or an address
            with a model's name.
        surrogate: Whether it only stands in for a language model; reports name it so.
        usage: What was asked so far.
    """

    name: str
    identity: str
    surrogate: bool = field(default=False, kw_only=True)
    usage: Usage = field(default_factory=Usage, kw_only=True)

    @property
    def together(self) -> int:
        """Rows whose answers may depend on each other in their last digits; 0 if none do.

        Caches keep answers of such rows by whole calls only, and records name the number.
        """
        return 0

    @property
    def tells_probabilities(self) -> bool:
        """Whether it scores options and lists next tokens; some servers only write texts."""
        return True

    def described(self) -> dict[str, Any]:
        """What a record tells about the model, as plain JSON."""
        return {"name": self.name, "identity": self.identity, "surrogate": self.surrogate}

    @abstractmethod
    def score(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> list[list[float]]:
        """Log-probability of each option after its prompt, in nats.

        Args:
            prompts: Texts; none may be empty.
            options: For each prompt its options, with their leading spaces and, where "1" must not
                stand for the beginning of "10", with a terminator.

        Raises:
            ProblemError: If a prompt or an option is empty or both are too long.
        """

    @abstractmethod
    def sample(
        self, prompts: Sequence[str], decoding: Decoding, *, count: int = 1, seed: int = 0
    ) -> list[list[Completion]]:
        """``count`` independent texts after each prompt.

        Args:
            prompts: Texts; none may be empty.
            decoding: How.
            count: Texts a prompt.
            seed: Draws of a prompt depend on it, on the prompt and on nothing else.

        Raises:
            ProblemError: If a prompt is empty or too long.
        """

    @abstractmethod
    def next_token(self, prompts: Sequence[str], *, most: int | None = None) -> list[NextToken]:
        """Distribution of the token after each prompt.

        Args:
            prompts: Texts; none may be empty.
            most: Tokens to list; all without it, where the model can.

        Raises:
            ProblemError: If a prompt is empty or too long, or more is asked than the model tells.
        """


def check_texts(prompts: Sequence[str], options: Sequence[Sequence[str]] = ()) -> None:
    """Make sure that nothing to be read is empty.

    Raises:
        ProblemError: If a prompt or an option is, or their numbers differ.
    """
    if options and len(options) != len(prompts):
        raise ProblemError(
            f"{len(prompts)} prompts came with options for {len(options)}",
            fix="Give one list of options for each prompt.",
        )
    for number, prompt in enumerate(prompts):
        if not prompt:
            raise ProblemError(f"Prompt {number} is empty", fix="Ask with at least one character.")
    for number, of_prompt in enumerate(options):
        if not of_prompt or "" in of_prompt:
            raise ProblemError(
                f"Prompt {number} has an empty option or none", fix="Give options of at least one character."
            )
