"""SpecTr in ``generate``: the law of plain sampling, its options, ends, streams and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from scipy.stats import chisquare
from torch import Tensor

from harness.method import ProblemError
from methods.common import tiny_lm
from methods.spectr.ngram import count_ngrams
from methods.spectr.own_ngrams import ngrams_of
from methods.spectr.prompt_lookup import followers
from methods.spectr.strategy import SpecTr

V = 7
PROMPT = [1, 4, 2, 4]


def llama(seed: int, vocabulary: int = V) -> Any:
    size: dict[str, Any] = {
        "hidden_size": 16,
        "intermediate_size": 24,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }
    config = hf.LlamaConfig(vocab_size=vocabulary, **size, initializer_range=0.6)
    torch.manual_seed(seed)
    model = hf.LlamaForCausalLM(config).eval()
    model.generation_config.eos_token_id = None
    return model


@pytest.fixture(scope="module")
def pair() -> tuple[Any, Any]:
    return llama(0), llama(1)


def ngram() -> Any:
    text = np.random.default_rng(0).integers(0, V, size=200)
    return count_ngrams([(text, 1.0)], V)


DRAFTS = {"model": lambda pair: pair[1], "n-gram": lambda _: ngram(), "look-up": lambda _: "prompt-lookup"}
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {"top_k": 0},
    "warped": {"temperature": 0.7, "top_k": 5, "top_p": 0.9},
}


def exact(model: Any, tokens: int, **options: Any) -> Tensor:
    """The law of the next tokens by plain sampling, shape (V, ..., V), through the library's own warpers."""
    config = hf.GenerationConfig(do_sample=True, **options)
    warpers = model._get_logits_processor(config, input_ids_seq_length=4, encoder_input_ids=None)
    texts, law = [PROMPT], torch.ones(1)
    for _ in range(tokens):
        with torch.no_grad():
            logits = model(torch.tensor(texts)).logits[:, -1]
        law = (law.unsqueeze(1) * warpers(torch.tensor(texts), logits).softmax(-1)).flatten()
        texts = [[*text, token] for text in texts for token in range(V)]
    return law


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("draft", DRAFTS)
def test_text_has_the_law_of_plain_sampling(pair: tuple[Any, Any], draft: str, option: str) -> None:
    model, count, tokens = pair[0], 2500, 3
    torch.manual_seed(3)
    found = model.generate(
        torch.tensor([PROMPT] * count),
        attention_mask=torch.ones(count, len(PROMPT), dtype=torch.long),
        custom_generate=SpecTr(DRAFTS[draft](pair), drafts=3, length=2),
        do_sample=True,
        max_new_tokens=tokens,
        pad_token_id=0,
        **OPTIONS[option],
    )
    new = found[:, len(PROMPT) :]
    assert new.shape == (count, tokens)
    seen = torch.bincount(new @ torch.tensor([V**2, V, 1]), minlength=V**tokens).double()
    law = exact(model, tokens, **OPTIONS[option]).double()
    assert seen[law == 0].sum() == 0
    # Rare texts together, so that each cell has enough.
    common = law * count > 8
    cells = torch.cat([seen[common], seen[~common].sum().view(1)])
    wanted = torch.cat([law[common], law[~common].sum().view(1)]) * count
    some = wanted > 0
    assert (
        chisquare(cells[some].numpy(), wanted[some].numpy() * (count / wanted[some].sum()).item()).pvalue
        > 1e-3
    )


def test_greedy_text_is_the_library_s(pair: tuple[Any, Any]) -> None:
    ids = torch.tensor([PROMPT, [3, 3, 5, 1]])
    mask = torch.ones_like(ids)
    options: dict[str, Any] = {
        "attention_mask": mask,
        "do_sample": False,
        "max_new_tokens": 12,
        "pad_token_id": 0,
    }
    plain = pair[0].generate(ids, **options)
    for draft in (pair[1], "prompt-lookup"):
        strategy = SpecTr(draft, drafts=2, length=3)
        torch.testing.assert_close(pair[0].generate(ids, custom_generate=strategy, **options), plain)
        assert sum(strategy.traces[0].blocks) >= 12
        assert len(strategy.traces[0].blocks) <= 12


def test_padded_prompts_and_ends_are_as_the_library_s(pair: tuple[Any, Any]) -> None:
    ids = torch.tensor([[0, 0, 3, 5], PROMPT])
    mask = torch.tensor([[0, 0, 1, 1], [1, 1, 1, 1]])
    model = pair[0]
    free = model.generate(ids, attention_mask=mask, do_sample=False, max_new_tokens=10, pad_token_id=0)
    end = int(free[1, 6])
    options: dict[str, Any] = {
        "attention_mask": mask,
        "do_sample": False,
        "max_new_tokens": 10,
        "pad_token_id": 0,
        "eos_token_id": [end],
    }
    plain = model.generate(ids, **options)
    found = model.generate(ids, custom_generate=SpecTr(pair[1], drafts=2, length=4), **options)
    torch.testing.assert_close(found, plain)
    told = model.generate(ids, custom_generate=SpecTr(pair[1]), return_dict_in_generate=True, **options)
    torch.testing.assert_close(told.sequences, plain)


def test_other_criteria_end_a_text_within_a_block(pair: tuple[Any, Any]) -> None:
    class Long(hf.StoppingCriteria):
        def __call__(self, input_ids: Tensor, scores: Any, **_: Any) -> Tensor:
            return torch.full((len(input_ids),), input_ids.shape[1] >= 7)

    found = pair[0].generate(
        torch.tensor([PROMPT]),
        custom_generate=SpecTr(pair[1], drafts=2, length=4),
        stopping_criteria=[Long()],
        do_sample=True,
        max_new_tokens=20,
        pad_token_id=0,
    )
    assert found.shape == (1, 7)


class Kept:
    """A streamer that keeps what it is given."""

    def __init__(self) -> None:
        self.parts: list[list[int]] = []
        self.ended = False

    def put(self, value: Tensor) -> None:
        self.parts.append(value.flatten().tolist())

    def end(self) -> None:
        self.ended = True


def test_tokens_are_streamed_up_to_the_end(pair: tuple[Any, Any]) -> None:
    streamer = Kept()
    found = pair[0].generate(
        torch.tensor([PROMPT]),
        custom_generate=SpecTr(pair[1], drafts=2, length=4, streamer=streamer),
        do_sample=True,
        max_new_tokens=6,
        pad_token_id=0,
    )
    assert [token for part in streamer.parts for token in part] == found[0].tolist()
    assert len(streamer.parts) == 7
    assert streamer.ended


def test_equal_seeds_give_equal_texts(pair: tuple[Any, Any]) -> None:
    def text(seed: int) -> list[int]:
        torch.manual_seed(seed)
        strategy = SpecTr(pair[1], drafts=2, length=2)
        ids = torch.tensor([PROMPT])
        found = pair[0].generate(
            ids, custom_generate=strategy, do_sample=True, max_new_tokens=16, pad_token_id=0
        )
        return list(found[0].tolist())

    assert text(5) == text(5) != text(6)


def ask(model: Any, strategy: SpecTr, **options: Any) -> None:
    settings = {"do_sample": True, "max_new_tokens": 4, "pad_token_id": 0, **options}
    model.generate(torch.tensor([PROMPT, PROMPT]), custom_generate=strategy, **settings)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"repetition_penalty": 1.3}, "RepetitionPenaltyLogitsProcessor changes probabilities"),
        ({"no_repeat_ngram_size": 2}, "NoRepeatNGramLogitsProcessor"),
        ({"num_return_sequences": 2}, "several texts a prompt"),
    ],
)
def test_options_that_do_not_go_with_blocks_are_refused(
    pair: tuple[Any, Any], options: dict[str, Any], told: str
) -> None:
    with pytest.raises(ProblemError, match=told):
        ask(pair[0], SpecTr(pair[1]), **options)


def test_drafts_that_do_not_fit_are_refused(pair: tuple[Any, Any]) -> None:
    with pytest.raises(ProblemError, match="str is no draft"):
        ask(pair[0], SpecTr("small"))
    with pytest.raises(ProblemError, match="draft and target"):
        ask(pair[0], SpecTr(llama(2, vocabulary=9)))
    with pytest.raises(ProblemError, match="Several texts cannot be streamed"):
        ask(pair[0], SpecTr(pair[1], streamer=Kept()))
    with pytest.raises(ProblemError, match="K = 0"):
        ask(pair[0], SpecTr(pair[1], drafts=0))


def test_look_up_follows_the_longest_history() -> None:
    text = [1, 2, 3, 9, 1, 2, 4, 7, 2, 3]
    assert followers(text, [1, 2]) == [3, 4]
    assert followers(text, [5, 2]) == [3, 4, 3]
    assert followers(text, [8, 1, 2, 3]) == [9]
    assert followers(text, [6]) == [6]


def test_models_with_an_encoder_are_refused(pair: tuple[Any, Any]) -> None:
    size: dict[str, Any] = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}
    size |= {"decoder_start_token_id": 0, "eos_token_id": None, "pad_token_id": 0}
    config = hf.T5Config(vocab_size=V, **size)
    t5 = hf.T5ForConditionalGeneration(config).eval()
    ids = torch.tensor([PROMPT])
    options: dict[str, Any] = {"do_sample": True, "max_new_tokens": 2, "attention_mask": torch.ones_like(ids)}
    with pytest.raises(ProblemError, match=r"The model has an encoder.*T5"):
        t5.generate(ids, custom_generate=SpecTr("prompt-lookup"), **options)
    with pytest.raises(ProblemError, match=r"The draft has an encoder.*T5"):
        pair[0].generate(ids, custom_generate=SpecTr(t5), **options)


def test_n_grams_are_counted_over_texts() -> None:
    texts = ["a red hat on the table", "", "a red hat"]
    tokenizer = tiny_lm.train_tokenizer(texts * 3, 270)
    model = llama(0, vocabulary=len(tokenizer) + 3)
    found = ngrams_of(texts, tokenizer, model)
    ids = [tokenizer(text, add_special_tokens=False).input_ids for text in texts]
    counts = np.bincount([one for row in ids for one in row], minlength=len(tokenizer) + 3)
    assert found.single.numpy() == pytest.approx(counts / counts.sum())
    inputs = torch.tensor([ids[2]])
    made = model.generate(
        inputs, attention_mask=torch.ones_like(inputs), custom_generate=SpecTr(found, 2, 2), max_new_tokens=3
    )
    assert made.shape == (1, inputs.shape[1] + 3)


def test_texts_that_cannot_be_counted_are_told() -> None:
    tokenizer = tiny_lm.train_tokenizer(["a red hat"] * 3, 270)
    model = llama(0, vocabulary=len(tokenizer))
    with pytest.raises(ProblemError, match="list of texts"):
        ngrams_of("a red hat", tokenizer, model)
    with pytest.raises(ProblemError, match="no token"):
        ngrams_of(["", ""], tokenizer, model)
    with pytest.raises(ProblemError, match=r"gives the id \d+, and the model has 7 ids"):
        ngrams_of(["a red hat"], tokenizer, llama(0))
