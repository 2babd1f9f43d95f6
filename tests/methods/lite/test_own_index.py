"""An index on disk: what it holds, what half precision costs, what is refused, and rankings over it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from harness.method import ProblemError
from methods.common.draws import generator
from methods.lite import own_index, own_ranking
from methods.lite.late import LateInteraction, LateOptions
from methods.lite.own_encoder import TokenEncoder
from methods.lite.own_index import Index, build_index, open_index
from methods.lite.own_ranking import (
    check_fit,
    csv_table,
    plain_scorer,
    rank_all,
    rank_candidates,
    rows_of,
    trec_run,
)
from methods.lite.prepare import Texts, TokenSet
from methods.lite.ranker import Lists, Ranker, Reduction, Tower
from methods.lite.reduction import block_mean, cluster, truncate
from methods.lite.tokens import fixed_length, unit_tokens
from tests.methods.lite.own_world import unit

DIM, L2 = 8, 8
LENGTHS = (8, 3, 5, 8, 1, 2, 7)
IDS = [f"d{row}" for row in range(len(LENGTHS))]
VECTORS = [unit(generator(row), length, DIM) for row, length in enumerate(LENGTHS)]
QUERIES = [unit(generator(100 + row), 4, DIM).numpy() for row in range(3)]


@dataclass(frozen=True)
class Given(TokenEncoder):
    """Texts are numbers of vectors."""

    @property
    def dim(self) -> int:
        return DIM

    def documents(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        return [VECTORS[int(text)].numpy() for text in texts]


ENCODER = Given(None, 4, L2, Path("there"), "identity")
TEXTS = [str(row) for row in range(len(LENGTHS))]


def built(folder: Path, vectors: int = 0, reduction: Reduction = "none") -> Index:
    build_index(ENCODER, IDS, TEXTS, folder / "index", vectors=vectors, reduction=reduction)
    return open_index(folder / "index")


def scorer(index: Index, name: str = "lite") -> LateInteraction:
    options = LateOptions(dim=DIM, query_tokens=4, document_tokens=L2, scorer=name, seed=1)  # type: ignore[arg-type]
    shape = {"vectors": index.made.vectors, "reduction": index.made.reduction}
    return LateInteraction(replace(options, **shape)).eval()  # type: ignore[arg-type]


def test_vectors_come_back_in_half_precision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_index, "AT_ONCE", 2)
    index = built(tmp_path)
    vectors, mask = index.dense(torch.tensor([[2, 0], [4, 2]]))
    assert vectors.shape == (2, 2, L2, DIM)
    for place, row in (((0, 0), 2), ((0, 1), 0), ((1, 0), 4), ((1, 1), 2)):
        expected, shown, _ = fixed_length([VECTORS[row].half().float()], L2)
        assert torch.equal(vectors[place], expected[0])
        assert torch.equal(mask[place], shown[0])
    assert index.mask.sum(1).tolist() == list(LENGTHS)
    assert (tmp_path / "index" / "vectors.f16").stat().st_size == sum(LENGTHS) * DIM * 2
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


@pytest.mark.parametrize("name", ["truncate", "block-mean", "k-means"])
def test_reductions_are_the_suites(tmp_path: Path, name: Reduction) -> None:
    index = built(tmp_path, 4, name)
    d, mask, _ = fixed_length(VECTORS, L2)
    way = {"truncate": truncate, "block-mean": block_mean, "k-means": cluster}[name]
    fewer, kept = way(d, mask, 4)
    vectors, shown = index.dense(torch.arange(len(index)))
    assert torch.equal(shown, kept)
    assert torch.equal(vectors, unit_tokens(fewer, kept).half().float())


@pytest.mark.parametrize("name", ["de", "maxsim", "knrm", "lite", "lite-flat"])
def test_the_whole_index_is_ranked_as_the_suite_ranks_all_its_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    index = built(tmp_path)
    late = scorer(index, name)
    monkeypatch.setattr(own_ranking, "AT_ONCE", 3)
    found = rank_all(index, late, QUERIES, 4)
    d, mask, _ = fixed_length([one.half().float() for one in VECTORS], L2)
    q = Texts(torch.from_numpy(np.stack(QUERIES)), torch.ones(3, 4))
    tower = Tower(DIM)
    tower.load_state_dict(late.ranker.tower.state_dict())
    suite = Ranker(tower, late.ranker.scorer, reduction="none", doc_tokens=0, l2=L2)
    everything = torch.arange(len(IDS)).expand(3, -1)
    lists = Lists(("a", "b", "c"), torch.arange(3), everything, torch.ones(3, len(IDS), dtype=torch.bool))
    scores = suite.rank(TokenSet(q, Texts(d, mask)), lists)
    for row, best in enumerate(found):
        order = torch.argsort(-scores[row], stable=True)[:4]
        assert best.rows.tolist() == order.tolist()
        np.testing.assert_allclose(best.scores, scores[row, order], rtol=1e-5, atol=1e-5)


def test_half_precision_moves_maxsim_by_less_than_a_thousandth_of_a_token(tmp_path: Path) -> None:
    index = built(tmp_path)
    for query, best in zip(QUERIES, rank_all(index, plain_scorer(index, 4), QUERIES, 7), strict=True):
        for row, score in zip(best.rows, best.scores, strict=True):
            exact = (torch.from_numpy(query) @ VECTORS[row].T).amax(1).sum().item()
            assert abs(score - exact) < 4 * 2**-11


def test_only_candidates_are_ranked_and_equal_scores_stay_in_the_order_of_the_index(tmp_path: Path) -> None:
    index = built(tmp_path)
    plain = plain_scorer(index, 4)
    rows = rows_of(index, ["q", "none"], {"q": [("d5", 1), ("d0", 2), ("d3", 3)]}, "run.txt")
    assert rows == [[5, 0, 3], []]
    found = rank_candidates(index, plain, QUERIES[:2], rows, 2)
    everything = rank_all(index, plain, QUERIES[:1], 7)[0].rows.tolist()
    assert found[0].rows.tolist() == [row for row in everything if row in (5, 0, 3)][:2]
    assert found[1].rows.tolist() == []
    best = own_ranking.Best(2)
    best.offer(np.array([3, 1]), np.array([1.0, 1.0], dtype=np.float32))
    best.offer(np.array([0]), np.array([1.0], dtype=np.float32))
    assert best.rows.tolist() == [0, 1]
    text = trec_run(["q", "none"], index, found, "x")
    assert [line.split()[:4] for line in text.splitlines()] == [
        ["q", "Q0", f"d{row}", str(rank)] for rank, row in enumerate(found[0].rows, 1)
    ]
    assert csv_table(["q", "none"], index, found).splitlines()[0] == "query,document,rank,score"
    with pytest.raises(ProblemError, match="no document 'x'") as caught:
        rows_of(index, ["q"], {"q": [("x", 9)]}, "run.txt")
    assert "line 9" in caught.value.where


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    for texts, error in ((["0", "x"], ValueError), (["0", str(len(VECTORS))], IndexError)):
        with pytest.raises(error):
            build_index(ENCODER, IDS[:2], texts, tmp_path / "index")
        assert list(tmp_path.iterdir()) == []


def test_a_folder_is_replaced_on_demand_only_and_only_if_it_is_an_index(tmp_path: Path) -> None:
    built(tmp_path)
    with pytest.raises(ProblemError, match="exists already"):
        build_index(ENCODER, IDS[:1], TEXTS[:1], tmp_path / "index")
    build_index(ENCODER, IDS[:1], TEXTS[:1], tmp_path / "index", force=True)
    assert len(open_index(tmp_path / "index")) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["index"]
    (tmp_path / "other").mkdir()
    with pytest.raises(ProblemError, match="is not replaced"):
        build_index(ENCODER, IDS, TEXTS, tmp_path / "other", force=True)
    with pytest.raises(ProblemError, match="is not there"):
        build_index(ENCODER, IDS, TEXTS, tmp_path / "no" / "index")
    with pytest.raises(ProblemError, match="does not give all vectors"):
        build_index(ENCODER, IDS, TEXTS, tmp_path / "new", reduction="truncate")


def test_an_index_that_was_changed_or_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="no index that can be read"):
        open_index(tmp_path)
    folder = tmp_path / "index"
    built(tmp_path)
    with (folder / "vectors.f16").open("r+b") as file:
        file.write(b"\x00\x01")
    with pytest.raises(ProblemError, match="changed after it was built"):
        open_index(folder)
    assert len(open_index(folder, check=False)) == len(IDS)
    with (folder / "vectors.f16").open("ab") as file:
        file.write(b"\x00\x01")
    with pytest.raises(ProblemError, match="no index that can be read"):
        open_index(folder, check=False)
    head = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(head | {"format": 2}))
    with pytest.raises(ProblemError, match="format is not known"):
        open_index(folder)


def test_other_encoders_and_scorers_for_other_vectors_are_refused(tmp_path: Path) -> None:
    index = built(tmp_path, 4, "block-mean")
    late = scorer(index)
    check_fit(index, late, ENCODER)
    with pytest.raises(ProblemError, match="another encoder than this"):
        check_fit(index, late, replace(ENCODER, identity="other"))
    trained = LateInteraction(replace(late.options, encoder="other"))
    with pytest.raises(ProblemError, match="trained on vectors of another encoder"):
        check_fit(index, trained, ENCODER)
    for change, fix in (
        ({"vectors": 0}, r"--document-tokens 8, and without --vectors\.$"),
        ({"vectors": 2}, "--vectors 2 --reduction"),
    ):
        with pytest.raises(ProblemError, match="4 of them kept by block-mean") as caught:
            check_fit(index, LateInteraction(replace(late.options, **change)), ENCODER)  # type: ignore[arg-type]
        assert pytest.importorskip("re").search(fix, caught.value.fix)
