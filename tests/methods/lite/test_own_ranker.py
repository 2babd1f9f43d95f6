"""Encoder and scorer together: sentence-transformers' trainer, losses, folders and evaluators."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
import pytest
import torch
from ir_measures import RR, nDCG

from harness.method import ProblemError, ResourceError
from methods.lite.late import InBatch, LateInteraction, Pairs
from methods.lite.losses import kl, margin_mse
from methods.lite.own_encoder import open_encoder
from methods.lite.own_files import Example, read_examples
from methods.lite.own_ranker import KeepScorer, LateRanker
from tests.methods.lite.own_world import TEXTS, encoder_folder, training_rows

sentence_transformers = pytest.importorskip("sentence_transformers", minversion="6.2")
SLOW = pytest.mark.slow
DOCUMENTS = [text for text in TEXTS if text]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encoder_folder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def ranker(folder: Path) -> LateRanker:
    return LateRanker.new(folder, query_tokens=6, document_tokens=12, vectors=4)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> list[Example]:
    return read_examples(training_rows(tmp_path_factory.mktemp("rows") / "rows.jsonl", scores=True))


def rows_of(examples: list[Example], *, scores: bool) -> Any:
    from datasets import Dataset

    names = ("query", "positive", "negative_1", "negative_2")
    rows = [dict(zip(names, (one.query, *one.documents), strict=True)) for one in examples]
    return Dataset.from_list(
        [
            row | ({"label": list(one.scores)} if scores else {})
            for row, one in zip(rows, examples, strict=True)
        ]
    )


def loss_of(name: str, ranker: LateRanker) -> Any:
    from sentence_transformers.multi_vector_encoder import losses

    match name:
        case "margin-mse":
            return losses.MultiVectorMarginMSELoss(ranker.encoder, similarity_fct=Pairs(ranker.late))
        case "kl":
            return losses.MultiVectorDistillKLDivLoss(ranker.encoder, similarity_fct=ranker.late)
        case _:
            return losses.MultiVectorMultipleNegativesRankingLoss(
                ranker.encoder, similarity_fct=InBatch(ranker.late)
            )


def trainer_of(name: str, ranker: LateRanker, examples: list[Example], out: Path, steps: int) -> Any:
    args = sentence_transformers.MultiVectorEncoderTrainingArguments(
        output_dir=str(out),
        max_steps=steps,
        per_device_train_batch_size=8,
        learning_rate=3e-3,
        save_steps=2,
        logging_steps=1,
        report_to="none",
        disable_tqdm=True,
        use_cpu=True,
        seed=3,
    )
    return sentence_transformers.MultiVectorEncoderTrainer(
        model=ranker.encoder,
        args=args,
        train_dataset=rows_of(examples, scores=name != "one-hot"),
        loss=loss_of(name, ranker),
        callbacks=[KeepScorer(ranker.late)],
    )


@pytest.mark.parametrize(("name", "ours"), [("margin-mse", margin_mse), ("kl", kl)])
def test_the_libraries_losses_over_the_scorer_are_the_suites(
    ranker: LateRanker, examples: list[Example], name: str, ours: Any
) -> None:
    batch = examples[:4]
    columns = [[one.query for one in batch], *([one.documents[place] for one in batch] for place in range(3))]
    features = [
        ranker.encoder.preprocess(texts, task="query" if not place else "document")
        for place, texts in enumerate(columns)
    ]
    teacher = torch.tensor([one.scores for one in batch])
    theirs = loss_of(name, ranker)(features, teacher)
    scores = [
        torch.from_numpy(ranker.predict([(one.query, text) for text in one.documents])) for one in batch
    ]
    torch.testing.assert_close(theirs.detach(), ours(torch.stack(scores), teacher), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["margin-mse", *(pytest.param(n, marks=SLOW) for n in ("kl", "one-hot"))])
def test_the_libraries_trainer_trains_encoder_and_scorer(
    ranker: LateRanker, examples: list[Example], tmp_path: Path, name: str
) -> None:
    before = {key: value.clone() for key, value in ranker.late.state_dict().items()}
    word = next(ranker.encoder.parameters()).clone()
    trainer = trainer_of(name, ranker, examples, tmp_path, 12)
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert np.mean(losses[-3:]) < np.mean(losses[:3])
    assert not any(torch.equal(value, before[key]) for key, value in ranker.late.state_dict().items())
    assert not torch.equal(word, next(ranker.encoder.parameters()))


@SLOW
def test_a_training_that_goes_on_takes_the_scorer_up(
    folder: Path, examples: list[Example], tmp_path: Path
) -> None:
    def new() -> LateRanker:
        return LateRanker.new(folder, query_tokens=6, document_tokens=12)

    once, resumed = new(), new()
    trainer_of("margin-mse", once, examples, tmp_path, 4).train()
    kept = LateInteraction.load(tmp_path / "checkpoint-4").state_dict()
    assert all(torch.equal(value, kept[key]) for key, value in once.late.state_dict().items())
    trainer_of("margin-mse", resumed, examples, tmp_path, 4).train(
        resume_from_checkpoint=str(tmp_path / "checkpoint-2")
    )
    for key, value in once.late.state_dict().items():
        torch.testing.assert_close(resumed.late.state_dict()[key], value, rtol=1e-4, atol=1e-5)


def test_what_is_kept_ranks_with_equal_scores_and_opens_in_the_library(
    ranker: LateRanker, tmp_path: Path
) -> None:
    ranker.save_pretrained(tmp_path / "ranker")
    again = LateRanker.load(tmp_path / "ranker")
    assert again.rank("red hat", DOCUMENTS) == ranker.rank("red hat", DOCUMENTS)
    alone = sentence_transformers.MultiVectorEncoder(
        str(tmp_path / "ranker"), local_files_only=True, device="cpu"
    )
    theirs, ours = (model.encode_document(DOCUMENTS) for model in (alone, ranker.encoder))
    assert all(torch.equal(one, two) for one, two in zip(theirs, ours, strict=True))
    assert not list((tmp_path / "ranker").rglob("*.bin"))
    with pytest.raises(ProblemError, match="exists already"):
        ranker.save_pretrained(tmp_path / "ranker")


def test_ranking_has_the_form_of_a_cross_encoder(ranker: LateRanker) -> None:
    found = ranker.rank("red hat", DOCUMENTS, return_documents=True)
    scores = ranker.predict([("red hat", text) for text in DOCUMENTS])
    assert [one["corpus_id"] for one in found] == np.argsort(-scores, kind="stable").tolist()
    assert [one["text"] for one in found] == [DOCUMENTS[one["corpus_id"]] for one in found]
    np.testing.assert_allclose([one["score"] for one in found], np.sort(scores)[::-1], rtol=1e-5)
    assert ranker.rank("red hat", DOCUMENTS, 2) == [
        {key: value for key, value in one.items() if key != "text"} for one in found[:2]
    ]
    assert ranker.rank("red hat", []) == []
    assert ranker.predict([]).shape == (0,)


def test_evaluators_of_the_library_agree_with_ir_measures(
    ranker: LateRanker, examples: list[Example]
) -> None:
    from sentence_transformers.cross_encoder.evaluation import CrossEncoderRerankingEvaluator
    from sentence_transformers.multi_vector_encoder.evaluation import MultiVectorRerankingEvaluator

    samples = [
        {"query": one.query, "positive": [one.documents[0]], "negative": list(one.documents[1:])}
        for one in examples
    ]
    run, qrels = [], []
    for number, one in enumerate(examples):
        qrels.append(ir_measures.Qrel(str(number), "0", 1))
        run += [
            ir_measures.ScoredDoc(str(number), str(entry["corpus_id"]), entry["score"])
            for entry in ranker.rank(one.query, one.documents)
        ]
    ours = ir_measures.calc_aggregate([RR @ 10, nDCG @ 10], qrels, run)
    crossed = CrossEncoderRerankingEvaluator(samples, write_csv=False)(ranker)  # type: ignore[arg-type]
    late = MultiVectorRerankingEvaluator(samples, write_csv=False, similarity_fct=ranker.late.similarity)
    for found in (crossed, late(ranker.encoder)):
        assert found["mrr@10"] == pytest.approx(ours[RR @ 10], abs=1e-6)
        assert found["ndcg@10"] == pytest.approx(ours[nDCG @ 10], abs=1e-6)


def test_pooling_is_left_out_and_a_projection_of_tokens_kept(folder: Path, tmp_path: Path) -> None:
    from sentence_transformers.base.modules import Dense
    from sentence_transformers.sentence_transformer.modules import Pooling

    plain = open_encoder(folder, query_tokens=6)
    pooled = sentence_transformers.SentenceTransformer(modules=[plain.model[0], Pooling(16)], device="cpu")
    pooled.save_pretrained(str(tmp_path / "pooled"), create_model_card=False)
    opened = open_encoder(tmp_path / "pooled", query_tokens=6)
    for one, two in zip(opened.documents(TEXTS), plain.documents(TEXTS), strict=True):
        assert np.array_equal(one, two)
    dense = Dense(
        16, 5, bias=False, activation_function=torch.nn.Identity(), module_input_name="token_embeddings"
    )
    body, mask, norm = plain.model
    late = sentence_transformers.MultiVectorEncoder(modules=[body, dense, mask, norm], device="cpu")
    late.save_pretrained(str(tmp_path / "late"), create_model_card=False)
    opened = open_encoder(tmp_path / "late", query_tokens=6)
    assert opened.dim == 5
    expected = plain.documents(["red hat"])[0] @ dense.linear.weight.detach().numpy().T
    np.testing.assert_allclose(
        opened.documents(["red hat"])[0],
        expected / np.linalg.norm(expected, axis=1, keepdims=True),
        atol=1e-5,
    )


def test_code_of_a_folder_is_not_run(folder: Path, ranker: LateRanker, tmp_path: Path) -> None:
    ranker.save_pretrained(tmp_path / "ranker")
    listed = tmp_path / "ranker" / "modules.json"
    modules = json.loads(listed.read_text())
    modules[1]["type"] = "evil.Module"
    listed.write_text(json.dumps(modules))
    (tmp_path / "ranker" / "evil.py").write_text("raise SystemExit('run')")
    with pytest.raises(ResourceError, match="code of its own"):
        LateRanker.load(tmp_path / "ranker")
