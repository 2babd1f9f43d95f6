"""The suite's scorers as modules for token vectors of any library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
import torch
from torch import Tensor

from harness.method import ProblemError
from methods.common.draws import generator
from methods.lite.command import REDUCTIONS, SCORERS
from methods.lite.late import CONFIG, WEIGHTS, InBatch, LateInteraction, LateOptions, Pairs, ScorerName
from methods.lite.ranker import Reduction
from methods.lite.reduction import block_mean
from methods.lite.scorers import MaxSim
from methods.lite.scoring import NamedScorer
from methods.lite.tokens import unit_tokens
from tests.methods.lite.own_world import unit

L1, L2, DIM = 4, 8, 6


def made(scorer: ScorerName = "lite", **options: object) -> LateInteraction:
    return LateInteraction(
        LateOptions(dim=DIM, scorer=scorer, query_tokens=L1, document_tokens=L2, **options)  # type: ignore[arg-type]
    ).eval()


def batch(queries: int = 3, documents: int = 2) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Unit vectors that are padded with zeros to other lengths than a scorer's."""
    rng = generator(0)
    q, d = unit(rng, queries, 3, DIM), unit(rng, queries, documents, 6, DIM)
    q_mask, d_mask = (
        torch.ones(queries, 3, dtype=torch.bool),
        torch.ones(queries, documents, 6, dtype=torch.bool),
    )
    q_mask[0, 2:], d_mask[0, 1, 4:] = False, False
    return q * q_mask[..., None], d * d_mask[..., None], q_mask, d_mask


@pytest.mark.parametrize("scorer", SCORERS)
def test_scores_are_those_of_the_suites_scorer_on_the_same_vectors(scorer: ScorerName) -> None:
    late, (q, d, q_mask, d_mask) = made(scorer, project=False), batch()
    own = NamedScorer(scorer=scorer, factor=4).scorer_for(L1, L2)
    own.load_state_dict(late.ranker.scorer.state_dict())
    padded_q, padded_d = (torch.nn.functional.pad(x, (0, 0, 0, n)) for x, n in ((q, 1), (d, 2)))
    padded = (torch.nn.functional.pad(m.float(), (0, n)) for m, n in ((q_mask, 1), (d_mask, 2)))
    expected = own.candidates(padded_q, padded_d, *padded)
    torch.testing.assert_close(late(q, d, q_mask, d_mask), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(late(q, d), expected, rtol=1e-5, atol=1e-5)


def test_maxsim_is_the_sum_of_best_matches() -> None:
    late, (q, d, q_mask, d_mask) = made("maxsim", project=False, scale=False), batch()
    for row in range(3):
        for place in range(2):
            asked, found = q[row][q_mask[row]], d[row, place][d_mask[row, place]]
            slow = sum(max(float(a @ b) for b in found) for a in asked)
            assert late(q, d, q_mask, d_mask)[row, place].item() == pytest.approx(slow, abs=1e-5)


def test_masked_tokens_in_between_are_as_if_they_were_not_there() -> None:
    late, (q, d, q_mask, d_mask) = made(), batch()
    d_mask = d_mask.clone()
    d_mask[:, :, 1] = False
    without = torch.cat([d[:, :, :1], d[:, :, 2:]], dim=2)
    rest = torch.cat([d_mask[:, :, :1], d_mask[:, :, 2:]], dim=2)
    torch.testing.assert_close(late(q, d, q_mask, d_mask), late(q, without, q_mask, rest))


def test_longer_texts_are_cut_and_vectors_of_any_length_are_normalised() -> None:
    late, rng = made(), generator(1)
    q, d = unit(rng, 2, 9, DIM), unit(rng, 2, 3, 20, DIM)
    torch.testing.assert_close(late(3 * q, d), late(q[:, :L1], d[:, :, :L2]), rtol=1e-5, atol=1e-6)


def test_the_other_forms_give_the_same_scores() -> None:
    late, (q, d, q_mask, d_mask) = made(), batch()
    lists = late(q, d, q_mask, d_mask)
    torch.testing.assert_close(Pairs(late)(q, d[:, 1], q_mask, d_mask[:, 1]), lists[:, 1])
    crossed = InBatch(late)(q, d, q_mask, d_mask)
    assert crossed.shape == (3, 6)
    for row in range(3):
        torch.testing.assert_close(crossed[row, 2 * row : 2 * row + 2], lists[row], rtol=1e-5, atol=1e-5)


def test_a_loss_that_holds_it_has_its_weights() -> None:
    late = made()
    names = {name for name, _ in Pairs(late).named_parameters()}
    assert names == {f"late.{name}" for name, _ in late.named_parameters()}
    Pairs(late)(*batch(2, 2)[:1], batch(2, 2)[1][:, 0]).sum().backward()
    assert all(p.grad is not None for p in late.parameters())


def test_fewer_vectors_are_the_suites_reduction() -> None:
    late, (q, d, q_mask, d_mask) = made("maxsim", vectors=4, project=False, scale=False), batch()
    padded = torch.nn.functional.pad(d, (0, 0, 0, 2)), torch.nn.functional.pad(d_mask.float(), (0, 2))
    fewer, kept = block_mean(*padded, 4)
    expected = MaxSim().candidates(q, unit_tokens(fewer, kept), q_mask.float(), kept)
    torch.testing.assert_close(late(q, d, q_mask, d_mask), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("scorer", SCORERS)
def test_what_is_kept_gives_equal_bits(scorer: ScorerName, tmp_path: Path) -> None:
    late, (q, d, q_mask, d_mask) = made(scorer, seed=3, vectors=4, reduction="linear"), batch()
    with torch.no_grad():
        for parameter in late.parameters():
            parameter.add_(0.1)
    late.save_pretrained(tmp_path / "kept")
    again = LateInteraction.load(tmp_path / "kept")
    assert again.options == late.options
    assert torch.equal(again(q, d, q_mask, d_mask), late(q, d, q_mask, d_mask))


def test_first_weights_are_those_of_the_seed() -> None:
    torch.manual_seed(5)
    one = made(seed=1).state_dict()
    state = torch.get_rng_state()
    two, other = made(seed=1).state_dict(), made(seed=2).state_dict()
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["ranker.scorer.read.weight"], other["ranker.scorer.read.weight"])


def test_reranking_orders_documents_and_keeps_ties_as_they_were() -> None:
    late, rng = made("maxsim", project=False, scale=False), generator(2)
    query, far = unit(rng, 3, DIM), unit(rng, 5, DIM)
    found = late.rerank([["a", "b", "c", "d"]], [query.numpy()], [[far, query, far.tolist(), query.numpy()]])[
        0
    ]
    assert [one["id"] for one in found] == ["b", "d", "a", "c"]
    assert found[0]["score"] == pytest.approx(3, abs=1e-5)
    assert late.scores(query, []).shape == (0,)
    torch.testing.assert_close(
        late.similarity([query, far[:2]], [far, query])[0], late.scores(query, [far, query])
    )


def test_the_libraries_maxsim_is_the_suites() -> None:
    similarity = pytest.importorskip("sentence_transformers.util.similarity")
    late, (q, d, q_mask, d_mask) = made("maxsim", project=False, scale=False), batch()
    for place in range(2):
        theirs = similarity.maxsim_pairwise(q, d[:, place], a_mask=q_mask, b_mask=d_mask[:, place])
        torch.testing.assert_close(Pairs(late)(q, d[:, place], q_mask, d_mask[:, place]), theirs)


def test_names_are_those_of_the_suite() -> None:
    assert get_args(ScorerName) == SCORERS == LateOptions.SCORERS
    assert {*REDUCTIONS, "none", "linear"} == set(get_args(Reduction))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"scorer": "colbert"}, "no scorer 'colbert'"),
        ({"vectors": 9}, "9 vectors cannot be kept of 8"),
        ({"factor": 0}, "0 is below 1"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, object], told: str) -> None:
    with pytest.raises(ProblemError, match=told):
        made(**options)  # type: ignore[arg-type]


def test_vectors_of_another_dimension_are_refused() -> None:
    with pytest.raises(ProblemError, match="5 dimensions; the scorer is for 6"):
        made()(torch.zeros(1, 2, 5), torch.zeros(1, 1, 2, 5))


def test_a_scorer_of_ones_own_is_used_and_not_kept(tmp_path: Path) -> None:
    options = LateOptions(dim=DIM, query_tokens=L1, document_tokens=L2, project=False)
    late, (q, d, q_mask, d_mask) = LateInteraction(options, MaxSim(2)), batch()
    assert not torch.equal(
        late(q, d, q_mask, d_mask), made("maxsim", project=False, scale=False)(q, d, q_mask, d_mask)
    )
    with pytest.raises(ProblemError, match="scorer of your own"):
        late.save_pretrained(tmp_path)


def test_folders_that_hold_no_scorer_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="no late interaction"):
        LateInteraction.load(tmp_path)
    made().save_pretrained(tmp_path)
    config = json.loads((tmp_path / CONFIG).read_text())
    (tmp_path / CONFIG).write_text(json.dumps(config | {"query_tokens": 5}))
    with pytest.raises(ProblemError, match="weights cannot be read"):
        LateInteraction.load(tmp_path)
    (tmp_path / CONFIG).write_text(json.dumps(config | {"format": 2}))
    with pytest.raises(ProblemError, match="format is not known"):
        LateInteraction.load(tmp_path)
    (tmp_path / CONFIG).write_text(json.dumps(config))
    (tmp_path / WEIGHTS).write_bytes(b"no")
    with pytest.raises(ProblemError, match="weights cannot be read"):
        LateInteraction.load(tmp_path)
