"""PyLate's collator, losses, ranking and evaluator with the suite's scorers.

PyLate 1.6 wants sentence-transformers 5.3, and the pins have a later version: it is tried in an environment
of its own, and this file is skipped in the shared one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from methods.lite.late import InBatch, LateInteraction, LateOptions
from methods.lite.losses import kl
from methods.lite.own_files import read_examples
from tests.methods.lite.own_world import encoder_folder, training_rows

pylate = pytest.importorskip("pylate", reason="PyLate 1.6 wants sentence-transformers 5.3")
pytestmark = pytest.mark.filterwarnings("ignore")
DIM, L1, L2 = 8, 8, 16


@pytest.fixture
def model(tmp_path: Path) -> Any:
    from pylate import models

    torch.manual_seed(0)
    return models.ColBERT(
        str(encoder_folder(tmp_path / "encoder")),
        device="cpu",
        embedding_size=DIM,
        query_length=L1,
        document_length=L2,
        do_query_expansion=False,
        local_files_only=True,
    )


@pytest.fixture
def rows(tmp_path: Path) -> list[dict[str, Any]]:
    names = ("query", "positive", "negative_1", "negative_2")
    return [
        dict(zip(names, (one.query, *one.documents), strict=True))
        for one in read_examples(training_rows(tmp_path / "rows.jsonl"))
    ]


def late(scorer: Any = "lite", **options: Any) -> LateInteraction:
    return LateInteraction(
        LateOptions(dim=DIM, scorer=scorer, query_tokens=L1, document_tokens=L2, **options)
    )


def test_rerank_with_maxsim_is_pylates(model: Any, rows: list[dict[str, Any]]) -> None:
    from pylate import rank

    queries = model.encode([row["query"] for row in rows[:3]], is_query=True)
    texts = [[row["positive"], row["negative_1"], row["negative_2"]] for row in rows[:3]]
    documents, ids = model.encode(texts, is_query=False), [["p", "n", "m"]] * 3
    theirs = rank.rerank(documents_ids=ids, queries_embeddings=queries, documents_embeddings=documents)
    ours = late("maxsim", project=False, scale=False).rerank(ids, queries, documents)
    for one, two in zip(theirs, ours, strict=True):
        assert [entry["id"] for entry in one] == [entry["id"] for entry in two]
        np.testing.assert_allclose([e["score"] for e in one], [e["score"] for e in two], rtol=1e-4)


def test_the_distillation_loss_over_the_scorer_is_the_suites(model: Any, rows: list[dict[str, Any]]) -> None:
    from pylate import losses

    scorer, part = late().eval(), rows[:4]
    texts = [[row["positive"], row["negative_1"], row["negative_2"]] for row in part]
    teacher = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    features = [
        model.tokenize([row["query"] for row in part], is_query=True),
        model.tokenize([text for group in texts for text in group], is_query=False),
    ]
    theirs = losses.Distillation(model.eval(), score_metric=scorer, normalize_scores=False)(features, teacher)
    queries = model.encode([row["query"] for row in part], is_query=True)
    scores = [
        scorer.scores(
            torch.as_tensor(query), [torch.as_tensor(one) for one in model.encode(group, is_query=False)]
        )
        for query, group in zip(queries, texts, strict=True)
    ]
    torch.testing.assert_close(theirs.detach(), kl(torch.stack(scores), teacher), rtol=1e-3, atol=1e-4)


def test_its_trainer_and_collator_train_encoder_and_scorer(
    model: Any, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    from datasets import Dataset
    from pylate import losses, utils
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments

    scorer = late()
    before = {key: value.clone() for key, value in scorer.state_dict().items()}
    args = SentenceTransformerTrainingArguments(
        output_dir=str(tmp_path / "out"),
        max_steps=12,
        per_device_train_batch_size=8,
        learning_rate=3e-3,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        use_cpu=True,
    )
    trainer = SentenceTransformerTrainer(
        model=model,
        args=args,
        train_dataset=Dataset.from_list(rows),
        loss=losses.Contrastive(model, score_metric=InBatch(scorer)),
        data_collator=utils.ColBERTCollator(tokenize_fn=model.tokenize),
    )
    trainer.train()
    found = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert np.mean(found[-3:]) < np.mean(found[:3])
    assert not any(torch.equal(value, before[key]) for key, value in scorer.state_dict().items())


def test_its_evaluator_agrees_on_maxsim(model: Any, rows: list[dict[str, Any]]) -> None:
    from pylate import evaluation

    columns = [[row[name] for row in rows] for name in ("query", "positive", "negative_1")]
    evaluator = evaluation.ColBERTTripletEvaluator(*columns, write_csv=False)
    theirs = evaluator(model)["accuracy"]
    scorer, right = late("maxsim", project=False, scale=False), 0
    for query, *documents in zip(
        model.encode(columns[0], is_query=True),
        *(model.encode(column, is_query=False) for column in columns[1:]),
        strict=True,
    ):
        scores = scorer.scores(torch.as_tensor(query), [torch.as_tensor(one) for one in documents])
        right += int(scores[0] > scores[1])
    assert theirs == pytest.approx(right / len(rows))
