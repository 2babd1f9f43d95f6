"""One prompt decoded with a given K and L, as calibration tries them."""

from __future__ import annotations

from typing import Any

from methods.common import draws
from methods.spectr.calibration import Kind
from methods.spectr.decoding import BlockSize, generate
from methods.spectr.huggingface import assisted
from methods.spectr.selection import FirstOnly, KSeq
from methods.spectr.sessions import Sampling


def decode_one(
    problem: Any, kind: Kind | None, size: tuple[int, int], prompt: list[int], generator: Any
) -> int:
    """Decode a prompt, and say how many tokens it got.

    Args:
        problem: A ``PairProblem``.
        kind: One draft, several, or assisted generation; ``None`` is plain sampling.
        size: K and L; L = 0 for plain sampling.
        prompt: Token ids.
        generator: Of random numbers.
    """
    if kind == "assisted":
        with draws.seeded(draws.integer(2**31, generator)), draws.LibraryDraws():
            traces = assisted(
                problem.target_model(),
                problem.assistant(),
                [prompt],
                length=size[1],
                tokens=problem.tokens,
                sampling=Sampling(problem.temperature, problem.top_p),
            )
    else:
        rule = KSeq() if kind == "several" else FirstOnly()
        target, draft = problem.open("tree")
        block = BlockSize(*size)
        traces = generate(target, draft, rule, [prompt], block, tokens=problem.tokens, generator=generator)
    return len(traces[0].tokens)
