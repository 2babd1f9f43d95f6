"""Steps a second of our training loop, beside a naive loop and the ``Trainer`` of transformers.

Run with ``python -m benchmarks.training_loop``. All three train the same small Llama on the same
batches with AdamW. Blocks are interleaved, and ratios are of medians of CPU seconds over the blocks
of one run. The naive loop is the least that can be written: labels in, loss out, no checks.
"""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from methods.common.examples import IGNORED, Example, filled
from methods.common.tiny_lm import Size, new_model
from methods.common.training import Recipe, fit

STEPS, BLOCKS, BATCH, VOCABULARY = 40, 5, 32, 256
RATE = 1e-3


def examples(seed: int = 0) -> list[Example]:
    """Prompts of 5 to 30 tokens whose target repeats two of them."""
    rng = np.random.default_rng(seed)
    rows = [rng.integers(1, VOCABULARY, int(rng.integers(5, 30))).tolist() for _ in range(STEPS * BATCH)]
    return [Example(str(n), (0, *row), (row[0], row[-1], 0)) for n, row in enumerate(rows)]


def model(hidden: int) -> Any:
    """Two layers."""
    return new_model(VOCABULARY, Size(2, hidden), torch.Generator().manual_seed(0))


def tensors(rows: list[Example]) -> dict[str, Tensor]:
    """What the model's own loss reads."""
    labels = [(IGNORED,) * len(row.prompt) + row.target for row in rows]
    texts = [row.prompt + row.target for row in rows]
    return {
        "input_ids": torch.from_numpy(filled(texts, 0)),
        "labels": torch.from_numpy(filled(labels, IGNORED)),
        "attention_mask": torch.from_numpy(filled([(1,) * len(text) for text in texts], 0)),
    }


def ours(net: Any, rows: list[Example], *, pack: int = 0) -> None:
    """The loop of the papers."""
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE)
    recipe = Recipe(STEPS, BATCH, pack=pack)
    fit(net, optimizer, rows, recipe, rng=np.random.default_rng(0), pad=0)


def naive(net: Any, rows: list[Example]) -> None:
    """The least that can be written."""
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE)
    net.train()
    for step in range(STEPS):
        loss = net(**tensors(rows[step * BATCH : (step + 1) * BATCH])).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def trainer(net: Any, rows: list[Example]) -> None:
    """``transformers.Trainer`` with all reporting and saving switched off."""
    from transformers import PrinterCallback, Trainer, TrainingArguments

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            max_steps=STEPS,
            per_device_train_batch_size=BATCH,
            learning_rate=RATE,
            lr_scheduler_type="constant",
            max_grad_norm=0.0,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            remove_unused_columns=False,
            use_cpu=True,
        )
        loop: Any = Trainer(model=net, args=arguments, train_dataset=rows, data_collator=tensors)
        loop.remove_callback(PrinterCallback)
        loop.train()


ARMS: Mapping[str, Callable[[Any, list[Example]], None]] = {
    "naive loop": naive,
    "ours": ours,
    "ours, rows of 128": lambda net, rows: ours(net, rows, pack=128),
    "transformers.Trainer": trainer,
}


def main() -> None:
    """Measure and print."""
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    rows = examples()
    print(f"{STEPS} steps of {BATCH} examples, one thread, torch {torch.__version__}")
    print(f"{'':24}{'width':>8}{'ms a step':>12}{'/ naive':>10}")
    for hidden in (64, 128):
        seconds: dict[str, list[float]] = {name: [] for name in ARMS}
        for block in range(BLOCKS + 1):
            for name, arm in ARMS.items():
                net = model(hidden)
                start = time.process_time()
                arm(net, rows)
                if block:  # The first warms up.
                    seconds[name].append(time.process_time() - start)
        medians = {name: statistics.median(times) for name, times in seconds.items()}
        for name, median in medians.items():
            step = 1e3 * median / STEPS
            print(f"{name:24}{hidden:>8}{step:>12.1f}{median / medians['naive loop']:>10.2f}")


if __name__ == "__main__":
    main()
