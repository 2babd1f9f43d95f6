"""Local models: scores, samples and distributions against the plain forward pass."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from harness.method import ProblemError
from methods.common.language_model import Decoding
from methods.common.language_model.local import LocalModel, weights_identity

PROMPTS = ["rating:", "what colour is the hat?", "red", "1 2 3"]


def law(local: LocalModel, ids: list[int]) -> torch.Tensor:
    with torch.no_grad():
        return local.model(torch.tensor([ids])).logits[0, -1].double().softmax(-1)


def test_scores_multiply_token_probabilities(local: LocalModel) -> None:
    (found,) = local.score(["rating:"], [[" 10\n", " red"]])
    for option, value in zip((" 10\n", " red"), found, strict=True):
        before = local.tokenizer.encode("rating:")
        after = local.tokenizer.encode("rating:" + option)[len(before) :]
        expected = sum(
            math.log(float(law(local, before + after[:place])[token])) for place, token in enumerate(after)
        )
        assert value == pytest.approx(expected, abs=1e-4)


def test_an_option_that_merges_with_the_prompt_is_split_alone(local: LocalModel) -> None:
    merged = local.tokenizer.encode("red")
    assert merged[: len(local.tokenizer.encode("r"))] != local.tokenizer.encode("r")
    ((value,),) = local.score(["r"], [["ed"]])
    tokens = local.tokenizer.encode("ed")
    context = local.tokenizer.encode("r")
    expected = sum(
        math.log(float(law(local, context + tokens[:place])[token])) for place, token in enumerate(tokens)
    )
    assert value == pytest.approx(expected, abs=1e-4)


def test_greedy_text_is_the_most_probable_token_each_time(local: LocalModel) -> None:
    found = local.sample(PROMPTS, Decoding(new_tokens=5), seed=1)
    for prompt, (one,) in zip(PROMPTS, found, strict=True):
        ids, total = local.tokenizer.encode(prompt), 0.0
        for _ in range(one.tokens):
            probabilities = law(local, ids)
            ids.append(int(probabilities.argmax()))
            total += math.log(float(probabilities.max()))
        assert one.log_probability == pytest.approx(total, abs=1e-3)
        assert local.tokenizer.decode(ids).startswith(prompt + one.text)


def test_draws_depend_on_prompt_and_seed_only(local: LocalModel) -> None:
    decoding = Decoding(temperature=1.0, new_tokens=6)
    together = local.sample(PROMPTS, decoding, count=3, seed=5)
    alone = [local.sample([prompt], decoding, count=3, seed=5)[0] for prompt in reversed(PROMPTS)]
    assert [[one.text for one in row] for row in together] == [[o.text for o in row] for row in alone[::-1]]
    other = local.sample(PROMPTS, decoding, count=3, seed=6)
    assert [row[0].text for row in other] != [row[0].text for row in together]


@pytest.mark.parametrize(
    ("decoding", "support"),
    [
        (Decoding(1.0, new_tokens=1), 300),
        (Decoding(1.5, new_tokens=1), 300),
        (Decoding(1.0, 4, new_tokens=1), 4),
    ],
)
def test_samples_follow_the_tempered_law(local: LocalModel, decoding: Decoding, support: int) -> None:
    ids = local.tokenizer.encode("rating:")
    expected = law(local, ids).pow(1 / decoding.temperature).numpy()
    expected[np.argsort(-expected)[support:]] = 0.0
    expected /= expected.sum()
    (found,) = local.sample(["rating:"], decoding, count=600, seed=0)
    values = np.array([one.log_probability for one in found])
    # Tokens are told apart by their probability.
    logs = law(local, ids).log().numpy()
    tokens = np.abs(logs[None] - values[:, None]).argmin(1)
    counts = np.bincount(tokens, minlength=len(expected))
    # Bins of about a tenth of the mass each, the most probable tokens first.
    order = np.argsort(-expected)
    bins = np.minimum((expected[order].cumsum() - expected[order]) * 10, 9).astype(int)
    observed = np.bincount(bins, weights=counts[order])
    predicted = np.bincount(bins, weights=expected[order] * 600)
    kept = predicted > 0
    assert counts[expected == 0].sum() == 0
    assert kept.sum() > 1
    assert chisquare(observed[kept], predicted[kept]).pvalue > 1e-4


def test_a_stop_ends_the_text_and_is_not_part_of_it(local: LocalModel) -> None:
    ((whole,),) = local.sample(["red"], Decoding(new_tokens=8))
    stop = whole.text[2:4]
    ((cut,),) = local.sample(["red"], Decoding(new_tokens=8, stop=(stop,)))
    assert cut.text == whole.text[: whole.text.index(stop)]
    assert cut.finished
    assert not whole.finished
    assert cut.tokens <= whole.tokens
    assert cut.log_probability >= whole.log_probability


def test_the_next_token_has_a_whole_distribution(local: LocalModel) -> None:
    (whole,), (top,) = local.next_token(["red"]), local.next_token(["red"], most=3)
    assert sum(map(math.exp, whole.log_probabilities.values())) == pytest.approx(1.0, abs=1e-5)
    assert list(top.log_probabilities) == list(whole.log_probabilities)[:3]
    assert top.rest == pytest.approx(1 - sum(map(math.exp, top.log_probabilities.values())), abs=1e-9)


def test_what_was_asked_is_counted(local: LocalModel) -> None:
    model = LocalModel("tiny", "tiny-0", local.model, local.tokenizer)
    model.score(["red", "1"], [["a", "b"], ["c"]])
    model.sample(["red"], Decoding(new_tokens=4), count=2)
    assert model.usage.calls == 5
    assert model.usage.completion_tokens == 8
    assert model.usage.unfinished == 2


@pytest.mark.parametrize("prompts", [[""], ["red " * 200]])
def test_prompts_that_cannot_be_read_are_refused(local: LocalModel, prompts: list[str]) -> None:
    with pytest.raises(ProblemError):
        local.sample(prompts, Decoding())
    with pytest.raises(ProblemError):
        local.score(prompts, [["a"]])


def test_an_empty_option_is_refused(local: LocalModel) -> None:
    with pytest.raises(ProblemError, match="option"):
        local.score(["red"], [["a", ""]])


@pytest.mark.parametrize(
    "values", [{"temperature": -1.0}, {"top_p": 0.0}, {"new_tokens": 0}, {"stop": ("",)}]
)
def test_decoding_out_of_range_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(ProblemError, match=next(iter(values))):
        Decoding(**values)  # type: ignore[arg-type]


def test_weights_tell_models_apart(local: LocalModel, tmp_path: Path) -> None:
    local.model.save_pretrained(tmp_path)
    before = weights_identity(tmp_path)
    assert before == weights_identity(tmp_path)
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    assert before != weights_identity(tmp_path)


def test_encoder_decoders_answer_too() -> None:
    from transformers import T5Config, T5ForConditionalGeneration

    from methods.common import tiny_lm

    tokenizer = tiny_lm.train_tokenizer(["red green blue 1 2 3"] * 3, 280)
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=16,
        d_kv=8,
        d_ff=16,
        num_layers=1,
        num_heads=2,
    )
    config.decoder_start_token_id = 0
    model = T5ForConditionalGeneration(config).eval()
    t5 = LocalModel("t5", "t5-0", model, tokenizer, batch=2)
    together = t5.sample(["red", "green blue 1 2"], Decoding(new_tokens=4))
    alone = [t5.sample([prompt], Decoding(new_tokens=4))[0] for prompt in ("red", "green blue 1 2")]
    assert [row[0].text for row in together] == [row[0].text for row in alone]
    ((one, two),) = t5.score(["red"], [["1", "2"]])
    assert one < 0
    assert two < 0
