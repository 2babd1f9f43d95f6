"""What it costs that a row's answer does not depend on other rows.

Run it from the repository's root::

    OMP_NUM_THREADS=1 python benchmarks/fixed_batches.py [tiny] [encoder] [readers] [gemma]

The same rows are read in :mod:`methods.common.fixed_batches` and, as before, sorted by length in batches
of 64 that are padded to their longest row; and one by one. Arms take turns in blocks. ``many`` asks all
rows in one call, ``few`` five at a time, as a search does. Weights are random: time does not depend on
them.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from transformers import BertConfig, BertModel, Gemma3ForCausalLM, Gemma3TextConfig

from methods.common import answering, fixed_batches, minilm, tiny_lm
from methods.kaft import fact_reader
from methods.rest_react import policy
from methods.rest_react.compact import KINDS, VOCABULARY
from methods.rest_react.toy_transformer import Shape, ToyTransformer

BLOCKS = 3
FEW = 5
Case = tuple[ModuleType, int, Callable[[Sequence[int]], object]]
"""Where batches are made, the number of rows, and what reads some of them."""


def loose(
    lengths: Sequence[int], most: int, *, kinds: Sequence[Hashable] | None = None, **_: Any
) -> Iterator[fixed_batches.FixedBatch]:
    """Sorted by length, padded to the longest of a batch, whatever there is in a batch."""
    groups: dict[Hashable, list[int]] = {}
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        groups.setdefault(None if kinds is None else kinds[row], []).append(row)
    for rows in groups.values():
        for start in range(0, len(rows), most):
            chosen = tuple(rows[start : start + most])
            yield fixed_batches.FixedBatch(chosen, len(chosen), max(lengths[row] for row in chosen))


def alone(lengths: Sequence[int], most: int, **_: Any) -> Iterator[fixed_batches.FixedBatch]:
    """Rows one by one, without padding."""
    for row, length in enumerate(lengths):
        yield fixed_batches.FixedBatch((row,), 1, length)


ARMS: dict[str, Any] = {"fixed": fixed_batches.fixed_batches, "sorted": loose, "one by one": alone}


def rows_of(count: int, shortest: int, longest: int, words: int) -> list[list[int]]:
    """Random rows."""
    rng = np.random.default_rng(0)
    return [rng.integers(5, words, rng.integers(shortest, longest + 1)).tolist() for _ in range(count)]


def tiny() -> dict[str, Case]:
    """A causal model of two layers of 64: options of two tokens, and eight new tokens."""
    model = tiny_lm.new_model(300, tiny_lm.Size(2, 64, context=256), torch.Generator().manual_seed(0)).eval()
    return _language("tiny", model, rows_of(100, 8, 60, 300))


def gemma() -> dict[str, Case]:
    """A model of the shape of Gemma-3-270M in bfloat16."""
    config = Gemma3TextConfig(
        vocab_size=262_144,
        hidden_size=640,
        intermediate_size=2048,
        num_hidden_layers=18,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=256,
    )
    model: Any = Gemma3ForCausalLM(config).eval()
    model.to(torch.bfloat16)
    return _language("gemma", model, rows_of(24, 30, 90, 300))


def _language(name: str, model: Any, rows: list[list[int]]) -> dict[str, Case]:
    options = [[3, 4], [3, 2], [1]]

    def score(chosen: Sequence[int]) -> object:
        prompts = [rows[i] for i in chosen]
        return answering.option_scores(model, prompts, [options] * len(prompts), pad=0)

    def write(chosen: Sequence[int]) -> object:
        return answering.generate(model, [rows[i] for i in chosen], new_tokens=8, stop=(), pad=0)

    return {
        f"{name}: scores": (answering, len(rows), score),
        f"{name}: texts": (answering, len(rows), write),
    }


def encoder() -> dict[str, Case]:
    """A model of the shape of MiniLM."""
    config = BertConfig(hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536)
    rows = rows_of(200, 6, 60, 30_000)
    held = minilm.Encoder(_Given(), BertModel(config).eval(), Path())

    def read(chosen: Sequence[int]) -> object:
        return minilm.embed(held, [" ".join(map(str, rows[i])) for i in chosen])

    return {"MiniLM": (fixed_batches, len(rows), read)}


class _Given:
    """A tokenizer of texts that are ids."""

    pad_token_id = 0

    def __call__(self, texts: Sequence[str], **_: Any) -> dict[str, list[list[int]]]:
        return {"input_ids": [[int(word) for word in text.split()] for text in texts]}


def readers() -> dict[str, Case]:
    """The models that are trained from scratch: policies, readers of rules and of facts."""
    generator = torch.Generator().manual_seed(0)
    network = ToyTransformer(Shape(len(VOCABULARY), 64, pivots=KINDS), generator).eval()
    states = [tuple(row) for row in rows_of(400, 12, 80, len(VOCABULARY))]

    def laws(chosen: Sequence[int]) -> object:
        fresh = policy.Policy("toy", "toy", network, None)  # type: ignore[arg-type]
        return fresh._laws([states[i] for i in chosen])  # noqa: SLF001

    facts = fact_reader.FactReader(fact_reader.Size(200, 2, 64, 4), generator).eval()
    contexts = [(row * 3)[: 3 * len(row)] for row in rows_of(400, 1, 20, 200)]

    def words(chosen: Sequence[int]) -> object:
        return fact_reader.answer_words(facts, [contexts[i] for i in chosen], stop=(), pad=0, batch=64)

    return {"policy": (policy, len(states), laws), "facts": (fact_reader, len(contexts), words)}


def measure(case: Case, calls: Sequence[Sequence[int]]) -> dict[str, list[float]]:
    """CPU seconds of each arm by block, after a warm-up."""
    module, _, read = case
    seconds: dict[str, list[float]] = {}
    for block in range(BLOCKS + 1):
        for name in sorted(ARMS, key=lambda name: hash_of(block, name)):
            with ExitStack() as stack:
                stack.enter_context(patch.object(module, "fixed_batches", ARMS[name]))
                start = time.process_time()
                for chosen in calls:
                    read(chosen)
                if block:
                    seconds.setdefault(name, []).append(time.process_time() - start)
    return seconds


def hash_of(block: int, name: str) -> int:
    """A number that gives each block another order."""
    return int(np.random.default_rng([block, *name.encode()]).integers(2**31))


def main() -> None:
    """Print the table."""
    warnings.filterwarnings("ignore")
    print(f"{torch.get_num_threads()} thread(s), {BLOCKS} blocks; ratios to batches sorted by length")
    chosen = sys.argv[1:] or ["tiny", "encoder", "readers", "gemma"]
    for cases in [globals()[name] for name in chosen]:
        for name, case in cases().items():
            every = list(range(case[1]))
            few = [every[start : start + FEW] for start in range(0, min(case[1], 8 * FEW), FEW)]
            for kind, calls in {"many": [every], "few": few}.items():
                seconds = {arm: np.array(found) for arm, found in measure(case, calls).items()}
                base = seconds["sorted"]
                ratios = ", ".join(
                    f"{arm} {np.median(seconds[arm] / base):.2f}" for arm in ARMS if arm != "sorted"
                )
                print(f"{name:16} {kind:5} {1e3 * np.median(base):8.1f} ms  {ratios}", flush=True)


if __name__ == "__main__":
    main()
