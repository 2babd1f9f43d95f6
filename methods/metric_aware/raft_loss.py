"""RAFT for a causal language model of one's own: the loss and the batches that ``Trainer`` needs.

::

    loss = RaftLoss(tokenizer, grid=(1, 2, 3, 4, 5))
    Trainer(model, args, train_dataset=rows, data_collator=RaftBatches(tokenizer), compute_loss_func=loss)

Rows have a ``text`` that ends where the answer begins, and a ``label``, any number within the grid's range.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from harness.method import ProblemError
from methods.common.numbers import write_number
from methods.metric_aware.raft import read_out


def grid_tokens(tokenizer: Any, grid: Sequence[float], space: str = "") -> list[int]:
    """The token of each value of a grid.

    Args:
        tokenizer: Of ``transformers``.
        grid: The values.
        space: What stands before the value in the answer's first token, such as ``" "``.

    Raises:
        ProblemError: If a value is more than one token, or two values are the same.
    """
    found = []
    for value in grid:
        text = f"{space}{write_number(value)}"
        ids = tokenizer.encode(text, add_special_tokens=False)
        if len(ids) != 1:
            split = tokenizer.convert_ids_to_tokens(ids)
            raise ProblemError(
                f"The tokenizer splits {text!r} into {len(ids)} tokens: {split}",
                where="grid",
                fix="Choose a grid of single tokens (digits); a grid of the two ends is enough for RAFT. Or "
                "change space=.",
            )
        if ids[0] in found:
            raise ProblemError(f"Two values of the grid are the token {ids[0]}", where="grid")
        found.append(ids[0])
    return found


@dataclass
class RaftLoss:
    """(y − Σ p(v) v)² at the last token of each row, averaged; for ``Trainer(compute_loss_func=...)``.

    Attributes:
        tokenizer: The model's.
        grid: Values (V,), each one token; labels may lie between them.
        space: See :func:`grid_tokens`.
        normalise: Take probabilities given the grid. The paper sums those of the whole vocabulary, which lets
            a model that answers something else predict too low.
    """

    tokenizer: Any
    grid: Sequence[float] = (1, 2, 3, 4, 5)
    space: str = ""
    normalise: bool = True

    def __post_init__(self) -> None:
        """Find the tokens.

        Raises:
            ProblemError: See :func:`grid_tokens`.
        """
        self._ids = torch.tensor(grid_tokens(self.tokenizer, self.grid, self.space))
        self._values = torch.tensor([float(value) for value in self.grid])

    def predict(self, logits: Tensor) -> Tensor:
        """Predictions in float32, shape (B,).

        Args:
            logits: Of the last token, shape (B, vocabulary), or of all, (B, T, vocabulary), as a model gives
                them for rows that :class:`RaftBatches` has padded on the left.

        Raises:
            ProblemError: If they have another shape.
        """
        if logits.ndim == 3:
            logits = logits[:, -1]
        if logits.ndim != 2:
            raise ProblemError(
                f"The logits have the shape {tuple(logits.shape)}",
                where="RaftLoss.predict",
                fix="Give model(**batch).logits, shape (rows, tokens, vocabulary).",
            )
        ids, values = self._ids.to(logits.device), self._values.to(logits.device)
        # In bfloat16 the softmax would have two digits.
        logits = logits.float()
        if self.normalise:
            return read_out(logits[:, ids], values)
        return logits.softmax(-1)[:, ids] @ values

    def __call__(
        self, outputs: Any, labels: Tensor, num_items_in_batch: Tensor | int | None = None
    ) -> Tensor:
        """The loss of a batch.

        Args:
            outputs: Of the model, with ``logits`` (B, T, vocabulary); rows are padded on the left.
            labels: Shape (B,).
            num_items_in_batch: Rows of all batches that are accumulated, as ``Trainer`` counts them.

        Raises:
            ProblemError: If a label lies outside the grid.
        """
        low, high = self._values.min().item(), self._values.max().item()
        if labels.ndim != 1:
            raise ProblemError(
                f"Labels have the shape {tuple(labels.shape)}", where="RaftLoss", fix="Give one number a row."
            )
        if (outside := ~((labels >= low) & (labels <= high))).any():
            row = int(outside.int().argmax())
            raise ProblemError(
                f"The label {labels[row].item():g} is not a number from {low:g} to {high:g}",
                where=f"RaftLoss, row {row} of the batch",
                fix="Give one number a row within the grid's range, or a wider grid.",
            )
        errors = (labels.float() - self.predict(outputs.logits[:, -1])).square()
        return errors.mean() if num_items_in_batch is None else errors.sum() / num_items_in_batch


@dataclass
class RaftBatches:
    """Puts rows with ``text`` and ``label`` together, padded on the left; a ``data_collator`` of ``Trainer``.

    Attributes:
        tokenizer: The model's; one without a padding token pads with its end token.
        length: Tokens of a row, at most; the text's end, which is what the answer follows, stays.
    """

    tokenizer: Any
    length: int = 512

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        """``input_ids`` and ``attention_mask`` (B, T), ``labels`` (B,).

        Raises:
            ProblemError: If a row lacks text or label, or nothing can pad.
        """
        pad = self.tokenizer.pad_token_id
        pad = self.tokenizer.eos_token_id if pad is None else pad
        if pad is None:
            raise ProblemError(
                "The tokenizer has neither a padding nor an end token",
                where=type(self.tokenizer).__name__,
                fix="Set tokenizer.pad_token.",
            )
        for row in rows:
            if lacking := [name for name in ("text", "label") if name not in row]:
                raise ProblemError(
                    f"A row has the fields {sorted(row)}, and no {lacking[0]}",
                    where="RaftBatches",
                    fix="Give a text and a label that is a number, and remove_unused_columns=False.",
                )
            if not isinstance(row["text"], str) or not isinstance(row["label"], Real):
                raise ProblemError(
                    f"A row has the text {row['text']!r:.60} and the label {row['label']!r:.60}",
                    where="RaftBatches",
                    fix="Give a text, and a label that is a number.",
                )
        ids = [self.tokenizer.encode(row["text"])[-self.length :] for row in rows]
        longest = max(map(len, ids))
        return {
            "input_ids": torch.tensor([[pad] * (longest - len(one)) + one for one in ids]),
            "attention_mask": torch.tensor([[0] * (longest - len(one)) + [1] * len(one) for one in ids]),
            "labels": torch.tensor([float(row["label"]) for row in rows]),
        }
