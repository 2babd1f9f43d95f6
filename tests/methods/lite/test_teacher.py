"""Cross-encoders: the layers of transformers, padding, training, and stored scores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, BertModel

from harness.method import DivergedError, ProblemError, ResourceError
from methods.common.minilm import MINILM, Encoder, mean_pooled
from methods.lite.cross_encoder import CrossEncoder
from methods.lite.cross_training import PairCourse, PairScorer, Shelf
from methods.lite.passages import DocstringPassages, RetrievalSet
from methods.lite.prepare import Texts
from methods.lite.teacher import (
    GivenTeacher,
    Teacher,
    load_pair_classifier,
    load_teacher,
    quality,
    save_teacher,
)
from tests.methods.context import FakeContext
from tests.methods.lite.worlds import tiny_encoder, tiny_set

COURSE = PairCourse(queries=0, negatives=2, batch=4, rate=3e-3, passes=12)


@pytest.fixture(scope="module")
def data() -> RetrievalSet:
    return tiny_set()


def encoder_of(folder: Path, layers: int = 3) -> Encoder:
    encoder = tiny_encoder(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(encoder.tokenizer),
        hidden_size=16,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=32,
    )
    return replace(encoder, model=BertModel(config).eval())


@pytest.fixture
def encoder(tmp_path: Path) -> Encoder:
    return encoder_of(tmp_path)


def scorer_of(encoder: Encoder, data: RetrievalSet, joined: int = 1) -> PairScorer:
    return PairScorer(encoder, data, joined=joined, lengths=(8, 16), device="cpu")


def some_texts(encoder: Encoder, rows: int = 5) -> Texts:
    rng = torch.Generator().manual_seed(3)
    mask = (torch.arange(9) < torch.randint(1, 10, (rows, 1), generator=rng)).float()
    return Texts(torch.randint(5, len(encoder.tokenizer), (rows, 9), generator=rng), mask)


def test_lower_layers_are_those_of_transformers(encoder: Encoder) -> None:
    texts = some_texts(encoder)
    with torch.no_grad():
        model = encoder.model(
            input_ids=texts.data, attention_mask=texts.mask.long(), output_hidden_states=True
        )
        for joined, states in ((3, model.hidden_states[0]), (1, model.hidden_states[2])):
            found = CrossEncoder(encoder.model, joined).eval().read(texts.data, texts.mask)
            real = texts.mask.bool()
            torch.testing.assert_close(found[real], states[real])
        cross = CrossEncoder(encoder.model, 2).eval()
        pooled = mean_pooled(model.last_hidden_state, texts.mask)
        torch.testing.assert_close(cross.alone(cross.read(texts.data, texts.mask), texts.mask), pooled)


def test_joined_layers_are_those_of_transformers(encoder: Encoder) -> None:
    texts = some_texts(encoder)
    cross = CrossEncoder(encoder.model, 3).eval()
    torch.nn.init.normal_(cross.head.weight)
    with torch.no_grad():
        cross.scale.zero_()
        cross.prior.zero_()
        q, d = texts.data[:, :4], texts.data[:, 4:]
        ones = torch.ones_like(q), torch.ones_like(d)
        scores = cross(cross.read(q, ones[0]), ones[0], cross.read(d, ones[1]), ones[1], torch.ones(len(q)))
        embedded = torch.cat([encoder.model.embeddings(q), encoder.model.embeddings(d)], 1)
        states = encoder.model.encoder(embedded).last_hidden_state
        torch.testing.assert_close(scores, cross.head(states[:, 0])[:, 0])


@pytest.mark.parametrize("joined", [1, 3])
def test_padding_changes_no_score(encoder: Encoder, joined: int) -> None:
    texts = some_texts(encoder)
    cross = CrossEncoder(encoder.model, joined).eval()
    other = torch.where(texts.mask.bool(), texts.data, 7)
    with torch.no_grad():
        scores = []
        for ids in (texts.data, other):
            shelf = Shelf(cross, Texts(ids, texts.mask))
            states, mask = shelf.take(torch.arange(len(ids)))
            scores.append(cross(states, mask, states, mask, shelf.pooled @ shelf.pooled[0]))
    torch.testing.assert_close(scores[0], scores[1])


def test_a_querys_scores_do_not_depend_on_other_queries(encoder: Encoder, data: RetrievalSet) -> None:
    scorer = scorer_of(encoder, data)
    whole = scorer.score(data.queries)
    for query in data.queries[:3]:
        assert scorer.score([query]) == {query.id: whole[query.id]}


def test_a_shelf_keeps_what_it_read(encoder: Encoder) -> None:
    texts = some_texts(encoder)
    cross = CrossEncoder(encoder.model, 1).eval()
    rows = torch.tensor([3, 0])
    states, mask = Shelf(cross, texts).take(rows)
    with torch.no_grad():
        fresh = cross.read(texts.data[rows], texts.mask[rows])[:, : mask.shape[1]]
    assert mask.shape[1] == int(texts.mask[rows].sum(1).max())
    torch.testing.assert_close(states, fresh, atol=2e-3, rtol=2e-3)  # Half precision.
    assert Shelf(CrossEncoder(encoder.model, 3), texts).states is None


@pytest.mark.parametrize("joined", [1, 3])
def test_training_learns_and_leaves_lower_layers_alone(
    encoder: Encoder, data: RetrievalSet, joined: int
) -> None:
    scorer = scorer_of(encoder, data, joined)
    lower = [p.clone() for p in scorer.model.lower.parameters()]
    embeddings = [p.clone() for p in scorer.model.embeddings.parameters()]
    train = data.split("train")
    before = quality(train, scorer.score(train))["teacher"]
    done: list[float] = []
    scorer.fit(train, COURSE, np.random.default_rng(0), lambda share, _: done.append(share))
    after = quality(train, scorer.score(train))["teacher"]
    assert after > before
    assert done[-1] == 1.0
    assert all(torch.equal(a, b) for a, b in zip(lower, scorer.model.lower.parameters(), strict=True))
    same = [torch.equal(a, b) for a, b in zip(embeddings, scorer.model.embeddings.parameters(), strict=True)]
    assert all(same) is (joined < 3)


def test_a_seed_gives_one_teacher(tmp_path: Path, data: RetrievalSet) -> None:
    found = []
    for name in ("a", "b"):
        scorer = scorer_of(encoder_of(tmp_path / name), data)
        scorer.fit(data.split("train"), replace(COURSE, queries=8, passes=1), np.random.default_rng(5))
        found.append(scorer.score(data.queries))
    assert found[0] == found[1]


def test_scores_belong_to_their_candidates(encoder: Encoder, data: RetrievalSet) -> None:
    scorer = scorer_of(encoder, data)
    together = scorer.score(data.queries)
    for query in data.queries[:5]:
        assert len(together[query.id]) == len(query.candidates)
        assert scorer.score([query])[query.id] == pytest.approx(together[query.id], abs=1e-4)
        with torch.no_grad():
            alone = [scorer.pairs([query], [[place]]).item() for place in range(len(query.candidates))]
        assert alone == pytest.approx(list(together[query.id]), abs=1e-4)


def test_what_cannot_be_trained_is_refused(encoder: Encoder, data: RetrievalSet) -> None:
    for joined in (0, 4):
        with pytest.raises(ProblemError, match="cannot be joined"):
            CrossEncoder(encoder.model, joined)
    with pytest.raises(ProblemError, match="Linear"):
        CrossEncoder(torch.nn.Linear(2, 2), 1)
    scorer = scorer_of(encoder, data)
    with pytest.raises(ProblemError, match="99 others"):
        scorer.fit(data.split("train"), PairCourse(negatives=99), np.random.default_rng(0))
    with torch.no_grad():
        scorer.model.scale.fill_(float("nan"))
    with pytest.raises(DivergedError):
        scorer.fit(data.split("train"), COURSE, np.random.default_rng(0))


def test_the_artifact_scores_every_candidate(tmp_path: Path, encoder: Encoder, data: RetrievalSet) -> None:
    teacher = Teacher(data=DocstringPassages(), encoder=MINILM, queries=8, l1=8, l2=16)
    ctx = FakeContext(objects={MINILM.name: encoder, "DocstringPassages": data})
    (tmp_path / "made").mkdir()
    teacher.build(tmp_path / "made", ctx)
    scores = teacher.load(tmp_path / "made")
    assert {name: len(found) for name, found in scores.items()} == {
        query.id: len(query.candidates) for query in data.queries
    }
    assert "BM25" in (tmp_path / "made" / "card.json").read_text()


def test_scores_survive_storage_in_single_precision(tmp_path: Path) -> None:
    save_teacher(tmp_path, {"b": (1.5, -2.0), "a": (0.25,)}, {})
    assert load_teacher(tmp_path) == {"a": (0.25,), "b": (1.5, -2.0)}
    (tmp_path / "scores.npz").write_bytes(b"junk")
    with pytest.raises(ResourceError, match="cannot be read"):
        load_teacher(tmp_path)
    with pytest.raises(ResourceError, match="cannot be read"):
        load_teacher(tmp_path / "absent")


def classifier(folder: Path, labels: int) -> Path:
    encoder = tiny_encoder(folder)
    encoder.tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(encoder.tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
    )
    config.num_labels = labels
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def test_a_given_cross_encoder_scores_pairs(tmp_path: Path, data: RetrievalSet) -> None:
    model = load_pair_classifier(classifier(tmp_path / "one", 1))
    given = GivenTeacher(data=DocstringPassages(), longest=24)
    (tmp_path / "made").mkdir()
    given.build(tmp_path / "made", FakeContext(objects={"teacher": model, "DocstringPassages": data}))
    query = data.queries[0]
    tokens = model.tokenizer(
        [query.text], [data.texts(query)[1]], truncation="only_second", max_length=24, return_tensors="pt"
    )
    with torch.no_grad():
        alone = model.model(**tokens).logits.item()
    assert given.load(tmp_path / "made")[query.id][1] == pytest.approx(alone, abs=1e-4)


def test_other_classifiers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="3 outputs"):
        load_pair_classifier(classifier(tmp_path / "three", 3))
    with pytest.raises(ResourceError, match="safetensors"):
        load_pair_classifier(tmp_path)
