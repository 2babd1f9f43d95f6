"""What a fine-tuning method sees, and what it gives back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from methods.promot.metrics import Kind

if TYPE_CHECKING:
    from methods.common.examples import Example
    from methods.common.soft_prompt import SoftPrompt

Shape = Literal["true or false", "letter", "renamed", "french"]
"""The output format that a target task teaches."""

_FRENCH = frozenset(
    {"le", "la", "les", "un", "une", "des", "du", "de", "et", "en", "est", "dans", "sur", "avec"}
    | {"qui", "que", "au", "aux", "se", "son", "sa", "ses", "pour", "par", "il", "elle"}
)
"""The commonest words of French captions."""


@dataclass(frozen=True)
class Query:
    """One question to a model.

    Attributes:
        unit: Identifies the input, the same for every method.
        task: Name of its task.
        shots: Demonstrations in the prompt.
        kind: How the answer is scored.
        prompt: Token ids.
        references: Correct answers, as text.
    """

    unit: str
    task: str
    shots: int
    kind: Kind
    prompt: tuple[int, ...]
    references: tuple[str, ...]


@dataclass(frozen=True)
class Target:
    """A task to be tuned on.

    Attributes:
        name: Its name; ids of its examples begin with it.
        shape: The output format that it teaches.
        train: Training examples by number of demonstrations in the input (0 and 1).
        validation: Questions of the validation set, likewise.
    """

    name: str
    shape: Shape
    train: Mapping[int, Sequence[Example]]
    validation: Mapping[int, Sequence[Query]]


@dataclass(frozen=True)
class Reading:
    """How answers are generated and turned into text.

    Attributes:
        decode: From token ids to text.
        stop: Ids that end an answer.
        pad: Id to fill rows with.
        new_tokens: Tokens an answer has at most.
        batch: Questions at once.
    """

    decode: Callable[[Sequence[int]], str]
    stop: frozenset[int]
    pad: int
    new_tokens: int
    batch: int = 64


@dataclass(frozen=True)
class TuningProblem:
    """Target tasks to learn with a pretrained model, whose other abilities are to be kept.

    Attributes:
        model: Gives a private copy of the pretrained model.
        targets: By name; more than one for multi-task tuning.
        reading: How answers are read.
        replay: Examples like those the model was pretrained on, for replay; may be empty.
        folder: Where the pretrained model lies, for processes that share it; None if it is for one device.
    """

    model: Callable[[], Any]
    targets: Mapping[str, Target]
    reading: Reading
    replay: Sequence[Example] = ()
    folder: Path | None = None


@dataclass(frozen=True)
class Adapted:
    """A tuned model.

    Attributes:
        model: θ*, used as it is for every task that was not tuned on.
        prompts: The soft prompt of each target task, or None where it has none.
        shots: Demonstrations in the inputs of the target tasks.
        steps: Updates of the model so far.
        final: False while training goes on.
        alignment: Cosine of gradient and format gradient by parameter block, where it was taken.
    """

    model: Any
    prompts: Mapping[str, SoftPrompt | None]
    shots: int = 0
    steps: int = 0
    final: bool = True
    alignment: Mapping[str, float] = field(default_factory=dict)


def in_format(shape: Shape, text: str) -> bool:
    """Whether an output has the format that a target task teaches."""
    words = text.lower().replace(".", " ").replace(",", " ").split()
    if shape == "true or false":
        return bool(words) and words[0] in {"true", "false"}
    if shape == "letter":
        return len(words) == 1 and len(words[0]) == 1 and words[0].isalpha()
    if shape == "renamed":
        return len(words) == 4 and all(word.startswith("t") and word[1:].isdigit() for word in words)
    return sum(word in _FRENCH or word.startswith(("l'", "d'")) for word in words) >= max(1, len(words) / 5)


def answers(
    model: Any, queries: Sequence[Query], reading: Reading, prompt: SoftPrompt | None = None
) -> list[str]:
    """Greedy answers as text."""
    from methods.common.answering import generate

    rows = generate(
        model,
        [query.prompt for query in queries],
        new_tokens=reading.new_tokens,
        stop=reading.stop,
        pad=reading.pad,
        batch=reading.batch,
        prefix=prompt,
    )
    return [reading.decode(row) for row in rows]


def weight_hash(tensors: Mapping[str, Any]) -> str:
    """A hash of tensors by name: equal only for bit-identical values."""
    import torch

    found = hashlib.blake2b(digest_size=16)
    for name, tensor in sorted(tensors.items()):
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        found.update(name.encode())
        found.update(flat.view(torch.uint8).numpy().tobytes())
    return found.hexdigest()
