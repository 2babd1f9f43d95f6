"""Small language models: tokenizer, training and storing."""

from __future__ import annotations

from pathlib import Path

import torch

from methods.common import tiny_lm
from methods.common.causal_lm import load_checkpoint, probabilities

TEXTS = ["abcabcabc", "cabcabca"] * 20


def trained(steps: int) -> tuple[float, object, object]:
    tokenizer = tiny_lm.train_tokenizer(TEXTS, 260)
    stream = tiny_lm.encode(tokenizer, TEXTS)
    generator = torch.Generator().manual_seed(0)
    model = tiny_lm.new_model(len(tokenizer), tiny_lm.Size(1, 32, heads=2), generator)
    schedule = tiny_lm.Schedule(steps=steps, batch=8, length=8, warmup=5, rate=5e-3)
    seen: list[float] = []
    loss = tiny_lm.train(model, stream, schedule, generator, lambda done, _: seen.append(done))
    assert 0 < min(seen) <= max(seen) <= 1
    return loss, model, tokenizer


def test_training_lowers_the_loss_and_is_repeatable() -> None:
    short, long = trained(4)[0], trained(60)[0]
    assert long < short - 1.0
    assert trained(4)[0] == short


def test_texts_are_joined_by_the_boundary_token() -> None:
    tokenizer = tiny_lm.train_tokenizer(TEXTS, 260)
    stream = tiny_lm.encode(tokenizer, ["ab", "c"])
    assert stream[0] == tokenizer.bos_token_id == 0
    assert int((stream == 0).sum()) == 2
    assert tokenizer.decode(stream[1:3].tolist()).startswith("a")


def test_a_stored_model_gives_the_same_law(tmp_path: Path) -> None:
    _, model, tokenizer = trained(4)
    tiny_lm.save(model, tokenizer, tmp_path)
    checkpoint = load_checkpoint(tmp_path)
    ids = torch.tensor([[0, 5, 9]])
    found = checkpoint.model("cpu", "float32")(ids).logits
    assert torch.allclose(found, model(ids).logits, atol=1e-6)  # type: ignore[operator]
    assert checkpoint.tokenizer.get_vocab() == tokenizer.get_vocab()  # type: ignore[attr-defined]
    assert checkpoint.model("cpu", "float32") is checkpoint.model("cpu", "float32")


def test_probabilities_follow_temperature_and_nucleus() -> None:
    logits = torch.tensor([[2.0, 1.0, 0.0, -4.0]])
    assert probabilities(logits, temperature=0).tolist() == [[1, 0, 0, 0]]
    assert torch.allclose(probabilities(logits, temperature=2.0), (logits / 2).softmax(-1))
    cut = probabilities(logits, top_p=0.7)
    plain = logits.softmax(-1)
    assert cut[0, 2:].tolist() == [0, 0]
    assert torch.allclose(cut[0, :2], plain[0, :2] / plain[0, :2].sum())
    assert probabilities(logits.bfloat16()).dtype is torch.float32
