"""SpecTr's measured time on Gemma-3-270M beside plain sampling, one draft, and assisted generation.

Run it from the repository's root, with the folders that a run of the suite leaves in the cache::

    OMP_NUM_THREADS=1 python benchmarks/spectr_decoding.py TARGET DRAFT TEXTS [PROMPTS [TOKENS]]

K, L and the type of the weights are chosen on prompts of their own, by the same procedure for all. Then every
prompt is decoded by all arms in turn, in an order drawn anew; ratios are of the seconds for a token within a
prompt. The limits: 1.3 times plain sampling, 1.0 times the best single draft, 1.5 times assisted generation.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from methods.common.causal_lm import load_checkpoint
from methods.common.ratings import load_ratings
from methods.spectr.calibration import TYPES, Choice, choose
from methods.spectr.hidden_mlp import load_hidden_weights
from methods.spectr.ngram import load_ngram
from methods.spectr.prepare import held_out
from methods.spectr.running import decode_one
from methods.spectr.task import PairProblem

PILOTS, PILOT_TOKENS, PROMPT_TOKENS = 4, 8, 8


def prompts_of(checkpoint: Any, texts: Path, count: int) -> list[list[int]]:
    """Beginnings of held-out texts, in an order of this benchmark's own."""
    tokenizer, found = checkpoint.tokenizer, []
    held = held_out(load_ratings(texts))
    for index in np.random.default_rng(20).permutation(len(held)):
        ids = [tokenizer.bos_token_id, *tokenizer(held[index][1], add_special_tokens=False)["input_ids"]]
        if len(ids) >= PROMPT_TOKENS:
            found.append(ids[:PROMPT_TOKENS])
        if len(found) == count:
            break
    return found


def measured_choice(problem: PairProblem, pilots: list[list[int]], generator: torch.Generator) -> Choice:
    """What is fastest on the pilot prompts."""
    short = replace(problem, tokens=PILOT_TOKENS)

    def run(dtype: str, kind: Any, size: tuple[int, int], prompt: list[int]) -> int:
        return decode_one(replace(short, dtype=dtype), kind, size, prompt, generator)

    return choose(run, pilots, TYPES)


def paces(
    problem: PairProblem, arms: dict[str, tuple[Any, tuple[int, int]]], prompts: list[list[int]], rng: Any
) -> dict[str, np.ndarray[Any, Any]]:
    """Seconds a token of each arm on each prompt."""
    found: dict[str, list[float]] = {name: [] for name in arms}
    names, order = list(arms), np.random.default_rng(21)
    for number, prompt in enumerate(prompts):
        for index in order.permutation(len(names)):
            kind, size = arms[names[index]]
            start = time.perf_counter()
            count = decode_one(problem, kind, size, prompt, rng)
            found[names[index]].append((time.perf_counter() - start) / count)
        means = ", ".join(f"{name} {1e3 * np.mean(values):.0f}" for name, values in found.items())
        print(f"prompt {number + 1} of {len(prompts)}, ms a token so far: {means}", flush=True)
    return {name: np.array(values) for name, values in found.items()}


def main() -> None:
    """Choose, measure, print."""
    target, draft, texts = map(Path, sys.argv[1:4])
    count, tokens = (int(value) for value in (*sys.argv[4:], "10", "24")[:2])
    checkpoint = load_checkpoint(target)
    counted = draft / "ngram.safetensors"
    weights: Any = (
        load_ngram(counted) if counted.exists() else load_hidden_weights(draft / "draft.safetensors")
    )
    problem = PairProblem(checkpoint, weights, {}, tokens, "cpu", "float32")
    prompts = prompts_of(checkpoint, texts, PILOTS + count)
    generator = torch.Generator().manual_seed(22)
    with torch.inference_mode():
        choice = measured_choice(problem, prompts[:PILOTS], generator)
        for name, seconds in choice.seconds.items():
            print(f"{1e3 * seconds:8.0f} ms a token: {name}")
        print(f"chosen: {choice.dtype}, {dict(choice.sizes)}", flush=True)
        arms: dict[str, tuple[Any, tuple[int, int]]] = {
            "plain": (None, (1, 0)),
            "one draft": ("one", choice.sizes["one"]),
            "SpecTr": ("several", choice.sizes["several"]),
            "assisted": ("assisted", choice.sizes["assisted"]),
            "one draft, L = 8": ("one", (1, 8)),
            "SpecTr, K = L = 8": ("several", (8, 8)),
        }
        found = paces(replace(problem, dtype=choice.dtype), arms, prompts[PILOTS:], generator)
    for name, values in found.items():
        ratio = np.log(values / found["SpecTr"])
        error = 1.96 * ratio.std(ddof=1) / len(ratio) ** 0.5
        low, middle, high = np.exp([ratio.mean() - error, ratio.mean(), ratio.mean() + error])
        print(
            f"{name:>18}: {1e3 * np.median(values):6.0f} ms a token; over SpecTr's: median "
            f"{np.exp(np.median(ratio)):.2f}, geometric mean {middle:.2f} [{low:.2f}, {high:.2f}]"
        )


if __name__ == "__main__":
    main()
