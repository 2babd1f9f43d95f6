"""The encoder with a scalar head, and the language model as annotator, on tiny random models."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from harness.method import ProblemError
from methods.common.minilm import MINILM, Encoder, embed, load_encoder, mean_pooled
from methods.ibws import encoder as code
from methods.ibws.encoder_method import EncoderRanker
from methods.ibws.generated import generated_ratings
from methods.ibws.problems import AnnotationProblem
from methods.ibws.reader import LanguageModelJudge
from methods.ibws.reader_method import LanguageModelAnnotator
from methods.ibws.tasks import AnnotationTask, Items, RankingTask
from tests.methods.ibws.conftest import FakeContext

TEXTS = generated_ratings(300, 3, np.random.default_rng(0)).texts
WORDS = sorted({word for text in TEXTS for word in text.split()})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT with a word-level vocabulary."""
    from transformers import BertConfig, BertModel, BertTokenizer

    path = tmp_path_factory.mktemp("encoder")
    vocabulary = path / "vocab.txt"
    vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS) + 5,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
    )
    BertModel(config).save_pretrained(path)
    BertTokenizer(str(vocabulary)).save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def language_model() -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=256,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=2048,
    )
    return LlamaForCausalLM(config).eval()


class Bytes:
    """A tokenizer of bytes."""

    def encode(self, text: str, *, add_special_tokens: bool = True) -> list[int]:
        return ([1] if add_special_tokens else []) + list(text.encode())


def test_losses_by_hand() -> None:
    scores, labels = torch.tensor([2.0, 0.0, 1.0]), torch.tensor([1.0, 0.0, 0.0])
    assert code.mse_loss(scores, labels).item() == pytest.approx(2 / 3)
    expected = (log(1 + exp(-2)) + log(1 + exp(-1))) / 2
    assert code.pairwise_loss(scores, labels).item() == pytest.approx(expected)
    assert code.margin_loss(scores, labels, margin=1.5).item() == pytest.approx(0.25)
    p = np.exp([1, 0, 0]) / np.exp([1, 0, 0]).sum()
    q = np.exp([2, 0, 1]) / np.exp([2, 0, 1]).sum()
    assert code.listnet_loss(scores, labels).item() == pytest.approx(-(p * np.log(q)).sum(), rel=1e-5)


def test_a_batch_of_equal_labels_gives_no_gradient_but_no_nan() -> None:
    scores = torch.zeros(3, requires_grad=True)
    code.pairwise_loss(scores, torch.ones(3)).backward()
    assert scores.grad is not None
    assert not scores.grad.any()


def test_mean_pooling_ignores_padding() -> None:
    hidden = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [99.0, 99.0]]])
    assert mean_pooled(hidden, torch.tensor([[1, 1, 0]])).tolist() == [[2.0, 3.0]]


def test_embeddings_have_unit_length_and_do_not_depend_on_the_batch(folder: Path) -> None:
    encoder = load_encoder(folder)
    texts = [*TEXTS[:9], "short"]
    vectors = embed(encoder, texts, batch=4)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(vectors, embed(encoder, texts, batch=1), atol=1e-5)


@pytest.mark.parametrize("loss", list(code.LOSSES))
def test_every_loss_trains_the_encoder_to_rank(folder: Path, loss: str) -> None:
    task = RankingTask(items=Items(count=240), test=80)
    ctx = FakeContext(objects={MINILM: lambda: load_encoder(folder)})
    torch.manual_seed(0)
    method = EncoderRanker(labels="slider", amount=4, loss=loss, epochs=4, rate=3e-3, batch=16)
    found = method.run(task.problem(ctx), ctx)
    gold = task.items.draw(ctx).gold[160:]
    assert spearmanr(found.estimate, gold).statistic > 0.35
    assert found.label_reads == 4


def test_training_repeats_exactly_and_unknown_losses_are_refused(folder: Path) -> None:
    def once(loss: str = "mse") -> np.ndarray:
        torch.manual_seed(1)
        encoder: Encoder = load_encoder(folder)
        recipe = code.Training(loss=loss, epochs=1, batch=8)
        labels = np.arange(16.0)
        model = code.train_ranker(
            encoder,
            TEXTS[:16],
            labels,
            recipe,
            np.random.default_rng(0),
            device="cpu",
            progress=lambda _done, _message: None,
        )
        scores = code.score_texts(model, encoder.tokenizer, TEXTS[16:24], batch=4, longest=32)
        some = code.score_texts(model, encoder.tokenizer, TEXTS[20:22], batch=4, longest=32)
        np.testing.assert_array_equal(some, scores[4:6])
        return scores

    np.testing.assert_array_equal(once(), once())
    with pytest.raises(ProblemError, match="no loss"):
        once("hinge")


def test_likelihoods_agree_with_one_prompt_at_a_time(language_model: Any) -> None:
    judge = LanguageModelJudge(language_model, Bytes(), TEXTS[:8], np.random.default_rng(0), batch=5)
    prompts, options = ["A prompt", "Another, longer prompt"], [" A", " 100"]
    found = judge._likelihoods([prompts], options)[0]
    for row, prompt in enumerate(prompts):
        for column, option in enumerate(options):
            head, tail = Bytes().encode(prompt), Bytes().encode(option, add_special_tokens=False)
            logs = language_model(torch.tensor([head + tail])).logits.log_softmax(-1)[0].detach()
            expected = sum(logs[len(head) + i - 1, token].item() for i, token in enumerate(tail))
            assert found[row, column] == pytest.approx(expected, abs=1e-4)


def test_a_language_model_answers_tuples_and_marks(language_model: Any) -> None:
    judge = LanguageModelJudge(language_model, Bytes(), TEXTS[:8], np.random.default_rng(0))
    tuples = np.array([[0, 1, 2, 3], [4, 5, 6, 7]])
    answers = judge.compare(tuples)
    assert (answers.best != answers.worst).all()
    assert all(best in row for best, row in zip(answers.best, tuples.tolist(), strict=True))
    ratings = judge.rate(np.array([[0], [0], [5]]), np.zeros(3, dtype=np.intp))
    assert ratings.values[0] == ratings.values[1] != ratings.values[2]
    assert ((ratings.values > 0) & (ratings.values < 1)).all()
    assert judge.ledger.reads.sum() == 8 + 3
    with pytest.raises(ProblemError):
        judge.rate(np.array([[0]]), np.zeros(1, dtype=np.intp), points=5)


class _Checkpoint:
    tokenizer = Bytes()

    def __init__(self, model: Any) -> None:
        self._model = model

    def model(self, device: str, dtype: str) -> Any:
        return self._model


@pytest.mark.parametrize("protocol", ["slider", "bws", "ibws"])
def test_language_model_as_a_method(language_model: Any, protocol: str) -> None:
    method = LanguageModelAnnotator(protocol=protocol, appearances=1)  # type: ignore[arg-type]
    task = AnnotationTask(items=Items(count=12))
    ctx = FakeContext(objects={method.model: _Checkpoint(language_model)})
    problem: AnnotationProblem = replace(task.problem(ctx), texts=TEXTS[:12])
    found = method.run(problem, ctx)
    assert np.isfinite(found.estimate).all()
    assert found.group == ("direct" if protocol == "slider" else "comparative")
    table = task.evaluate(found, ctx).parts["main"]
    assert len(table["unit_id"]) == 12
