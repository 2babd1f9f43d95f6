"""Where a library answers harmless but degenerate input in a way nobody expects, our functions do not."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.claims import Equivalence, Replication
from harness.evidence import judge
from harness.evidence.distributions import bca, sign_flip, student
from harness.evidence.family import holm
from harness.method import ResourceError
from harness.resources.hub_tables import rows_of
from harness.resources.jsonl import read_split, write_split
from harness.store.records import VerdictRecord
from harness.store.units import decode, encode
from methods.common import datasets, lm_harness
from methods.common.data_set import DataSet
from methods.common.rank_metrics import correlation
from methods.common.ranking import rank_query
from methods.lite.candidates import Bm25
from methods.lite.passages import TRAIN
from methods.lite.public_sets import Collection, collection_set
from methods.metric_aware import losses, metrics, public_sets
from methods.metric_aware.calibration import linear_map
from methods.promot import paper_data
from methods.rest_react.retrieval import SearchTool
from tests.harness.evidence.worlds import SMALL, claim, direction, gain, run_of, suite
from tests.methods.common.real_tables import atlas, tables

NAN = float("nan")


# Tests of two methods that are equal: no evidence of a difference, which is p = 1 and never 0 or NaN.


def judged(scores: np.ndarray, replication: Replication) -> VerdictRecord:
    """The verdict on a claim that one of two methods with equal rows is better."""
    declared = suite([claim(direction(replication=replication))])
    return judge(declared, SMALL, run_of({"a": scores, "b": scores}, declared)).verdicts[0]


@pytest.mark.parametrize("replication", list(Replication))
@pytest.mark.parametrize("kind", ["all right", "all wrong", "right and wrong"])
def test_two_equal_classifiers_do_not_differ(replication: Replication, kind: str) -> None:
    draw = np.random.default_rng(0).integers(0, 2, size=60).astype(float)
    row = {"all right": np.ones(60), "all wrong": np.zeros(60), "right and wrong": draw}[kind]
    seeds = 1 if replication is Replication.UNITS else 6
    verdict = judged(np.tile(row, (seeds, 1)), replication)
    assert verdict.verdict != "reproduced"
    (test,) = verdict.tests
    assert test.effect.value == test.effect.low == test.effect.high == 0.0
    assert test.p_plus == 1.0
    assert test.p_sign_flip in (None, 1.0)


def test_two_equal_methods_are_equivalent_by_so_many_seeds_as_can_tell() -> None:
    form = Equivalence(theta=gain(), margin=0.1, margin_reason="r", replication=Replication.SEEDS)
    declared = suite([claim(form)])
    rows = np.full((8, 4), 0.5)
    assert (
        judge(declared, SMALL, run_of({"a": rows, "b": rows}, declared)).verdicts[0].verdict == "reproduced"
    )


def test_differences_that_are_all_zero() -> None:
    rng = np.random.default_rng(0)
    law = student(np.zeros(8))
    assert law is not None
    assert (law.p_above(0.0), law.p_below(0.0), law.interval()) == (1.0, 1.0, (0.0, 0.0))
    assert sign_flip(np.zeros(8), rng) == 1.0  # Wilcoxon's test is undefined here.
    assert sign_flip(np.zeros(40), rng) == 1.0
    constant = bca(0.0, np.zeros(999), np.zeros(40), 40)  # A bootstrap of a constant.
    assert (constant.p_above(0.0), constant.p_below(0.0), constant.interval()) == (1.0, 1.0, (0.0, 0.0))


# Multiplicity: what is no number is neither rejected nor in the way of others.


@pytest.mark.parametrize("place", range(4))
def test_a_p_value_that_is_no_number_stays_missing_and_changes_no_other(place: int) -> None:
    known: list[float | None] = [0.001, 0.02, 0.3]
    found = holm([*known[:place], NAN, *known[place:]])
    assert found.pop(place) is None
    assert found == holm(known)


def test_p_values_of_which_none_is_a_number() -> None:
    assert holm([NAN, None, NAN]) == [None, None, None]
    assert holm([]) == []


# Rankings: ties are no order, whatever the order of the candidates and whatever the cut.


def by_hand(scores: Sequence[int], grades: Sequence[int], cut: int) -> tuple[Fraction, Fraction]:
    """Mean and least reciprocal rank over every order that the scores allow."""
    orders = [
        order
        for order in itertools.permutations(range(len(scores)))
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))
    ]
    found = [
        next(
            (Fraction(1, rank) for rank, at in enumerate(order, 1) if grades[at] and rank <= cut), Fraction(0)
        )
        for order in orders
    ]
    return sum(found, Fraction(0)) / len(found), min(found)


@pytest.mark.parametrize("cut", [1, 2, 10])
@pytest.mark.parametrize(
    ("scores", "grades"),
    [((5, 5), (1, 0)), ((5, 5, 5), (1, 0, 0)), ((1, 1, 1, 1), (0, 2, 0, 1)), ((3, 1, 1, 1), (0, 0, 1, 0))],
)
def test_ties_are_broken_by_no_order(scores: tuple[int, ...], grades: tuple[int, ...], cut: int) -> None:
    mean, least = by_hand(scores, grades, cut)
    for order in itertools.permutations(range(len(scores))):
        found = rank_query([scores[i] for i in order], [grades[i] for i in order], cuts=(cut,))
        assert found[f"rr{cut}"] == pytest.approx(float(mean), abs=1e-12)
        assert found[f"rr{cut}_low"] == pytest.approx(float(least), abs=1e-12)


def test_a_query_for_which_nothing_was_retrieved_scores_nothing() -> None:
    assert set(rank_query([], [], unretrieved=[1.0]).values()) == {0.0}


# Retrieval: a query without a known word finds nothing, neither the first nor the last documents.

TEXTS = ("the red cat sleeps", "a blue dog barks", "green birds sing", "old fish swim")
UNKNOWN = ("quagga zebu", "", "the of a", "!?")


@pytest.mark.parametrize("query", UNKNOWN)
def test_a_query_without_a_known_word_finds_no_document(query: str) -> None:
    assert SearchTool(TEXTS).search(query) == []
    assert SearchTool(TEXTS, mixed=True).search(query) == []
    (scores,) = Bm25(TEXTS).scores([query])
    assert scores.tolist() == [0.0] * len(TEXTS)


def test_one_known_word_finds_the_documents_that_have_it() -> None:
    assert SearchTool(TEXTS).search("zebu dog") == [1]
    (scores,) = Bm25(TEXTS).scores(["zebu dog"])
    assert np.flatnonzero(scores).tolist() == [1]


def test_documents_of_no_words_are_never_found() -> None:
    assert [scores.tolist() for scores in Bm25(["", "the"]).scores(["the", "cat"])] == [[0.0, 0.0]] * 2


@pytest.mark.parametrize("query", [*UNKNOWN, "zebu dog"])
def test_candidates_of_a_collection_share_a_word_with_their_query(query: str) -> None:
    documents = {str(place): ("", text) for place, text in enumerate(TEXTS)}
    data = Collection(documents, {"q": query}, {"q": {"1": 1.0}})
    (found,) = collection_set(data, "x", "test", depth=3).queries
    assert found.candidates == (("x/1",) if "dog" in query else ())
    assert found.unretrieved == (() if "dog" in query else (1.0,))
    (trained,) = collection_set(data, "x", TRAIN, depth=3, insert=True).queries
    assert trained.candidates == ("x/1",)


# Tables of data sets: text stays text, and a label that names no class is refused.

DATES = {"when": "2024-02-29", "at": "2024-02-29T10:00:00Z", "code": "NA", "none": "null", "zip": "00501"}


def as_parquet(*rows: dict[str, Any]) -> io.BytesIO:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), stream)
    stream.seek(0)
    return stream


def as_lines(*rows: dict[str, Any]) -> io.BytesIO:
    return io.BytesIO("".join(json.dumps(row) + "\n" for row in rows).encode())


@pytest.mark.parametrize(("name", "stored"), [("t.parquet", as_parquet), ("t.jsonl", as_lines)])
def test_dates_codes_and_digits_are_read_as_the_text_they_are(
    name: str, stored: Callable[..., io.BytesIO], tmp_path: Path
) -> None:
    rows = list(rows_of(name, stored(DATES, DATES), None, "here"))
    assert rows == [DATES, DATES]
    write_split(tmp_path, "test", rows)
    assert read_split(tmp_path, "test") == rows


def test_dates_in_columns_of_dates_become_the_text_that_they_print(tmp_path: Path) -> None:
    day = pa.array([DATES["when"]]).cast(pa.date32())
    stream = io.BytesIO()
    pq.write_table(pa.table({"when": day, "kind": pa.array(["x"]).dictionary_encode()}), stream)
    stream.seek(0)
    write_split(tmp_path, "test", rows_of("t.parquet", stream, None, "here"))
    assert read_split(tmp_path, "test") == [{"when": "2024-02-29", "kind": "x"}]


@dataclass(frozen=True)
class Dated:
    """A row with texts that look like something else."""

    id: str
    when: str
    answer: str


def stored_split(folder: Path, *rows: dict[str, Any]) -> Path:
    with gzip.open(folder / "test.jsonl.gz", "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)
    return folder


def test_lm_eval_is_given_dates_as_text(tmp_path: Path) -> None:
    folder = stored_split(tmp_path, *({"when": DATES["at"], "answer": code} for code in ("NA", "007")))
    data = DataSet(folder, lambda n, raw: Dated(str(n), raw["when"], raw["answer"]))
    with lm_harness._given({"dated": data}):
        table = lm_harness.provided(name="dated", splits=["test"])["test"]
    assert table[:] == {"id": ["0", "1"], "when": [DATES["at"]] * 2, "answer": ["NA", "007"]}


PAIR = {"sentence1": "a", "sentence2": "b", "premise": "a", "hypothesis": "b", "word": "w", "text": "t"}
SICK = {"sentence_A": "a", "sentence_B": "b", "relatedness_score": 3.0}
READERS: dict[str, tuple[Callable[[Path], DataSet[Any]], dict[str, Any], str, int]] = {
    "RTE": (paper_data.load_rte, PAIR, "label", 2),
    "CB": (paper_data.load_cb, PAIR, "label", 3),
    "WiC": (paper_data.load_word_senses, PAIR, "label", 2),
    "SICK": (datasets.load_inferences, SICK, "label", 3),
    "HellaSwag": (datasets.load_endings, {"ctx": "c", "endings": ["e", "f"]}, "label", 2),
    "BoolQ": (datasets.load_yes_no, {"question": "q"}, "answer", 2),
    "stars": (public_sets.load_starred, PAIR, "label", 5),
    "STS": (public_sets.load_similar, PAIR, "score", 6),
}


@pytest.mark.parametrize(("load", "fields", "label", "classes"), READERS.values(), ids=READERS)
def test_a_label_that_names_no_class_is_refused(
    load: Callable[[Path], DataSet[Any]], fields: dict[str, Any], label: str, classes: int, tmp_path: Path
) -> None:
    for value in range(classes):
        assert len(load(stored_split(tmp_path, fields | {label: value}))["test"]) == 1
    for value in (-1, classes):
        data = load(stored_split(tmp_path, fields | {label: 0}, fields | {label: value}))
        with pytest.raises(ResourceError, match=r"Row 1 of split 'test'.*none of 0 to"):
            data["test"]


def test_rows_of_scores_keep_whole_numbers_and_texts() -> None:
    large = 2**53 + 1
    parts: dict[str, dict[str, Any]] = {
        "main": {"unit_id": ["NA", "007"], "n": [large, -large]},
        "other": {"unit_id": ["x"], "n": ["1e5"]},
    }
    stored = encode(parts)
    main, other = decode(stored, "main", "here"), decode(stored, "other", "here")
    assert main["unit_id"].tolist() == ["NA", "007"]
    assert main["n"].tolist() == [large, -large]
    assert other["n"].tolist() == ["1e5"]


# Facts about countries: one record a country, though tables list one twice, or under a code used again.


def test_a_country_under_two_names_is_one_record() -> None:
    listed = [row["name"] for row in tables()[0] if row["code"] == "MM"]
    assert len(listed) > 1, "countryinfo lists it once now: this guard may go"
    found = atlas().countries
    assert set(listed) <= {found["MM"].name, *found["MM"].others}
    names = [name for country in found.values() for name in (country.name, *country.others)]
    assert len(names) == len(set(names))


def test_codes_that_look_missing_or_were_used_before_are_countries() -> None:
    found = atlas().countries
    assert found["NA"].name == "Namibia"
    assert found["NA"].continent == "Africa"
    assert {"GE": "Georgia", "SK": "Slovakia"}.items() <= {code: c.name for code, c in found.items()}.items()


# Metrics of degenerate rows: a number with a meaning, never NaN.


@pytest.mark.parametrize("kind", ["spearman", "kendall", "pearson"])
@pytest.mark.parametrize("rows", [([1.0] * 3, [1.0, 2.0, 3.0]), ([2.0], [1.0]), ([], [])])
def test_constants_correlate_with_nothing(kind: Any, rows: tuple[list[float], list[float]]) -> None:
    left, right = rows
    assert correlation(kind, "a", "b", {"a": left, "b": right}) == 0.0
    assert correlation(kind, "a", "b", {"a": right, "b": left}) == 0.0


def test_one_class_is_detected_by_chance() -> None:
    columns = {"positive": np.ones(4), "truth": np.ones(4), "decision": np.arange(4.0)}
    assert metrics.detection(columns) == 0.5
    assert metrics.ranking(columns) == 0.5
    assert losses.quadratic_weighted_kappa(np.ones(4), np.ones(4)) == 0.0
    assert linear_map(np.ones(4), np.arange(4.0)) == (0.0, 1.5)


def test_empty_texts_score_nothing() -> None:
    pytest.importorskip("sacrebleu")
    pytest.importorskip("rouge_score")
    from methods.promot.metrics import bleu_counts, corpus_bleu, score

    assert corpus_bleu([bleu_counts("", ["a b c d"]), bleu_counts("", ["e"])]) == 0.0
    assert corpus_bleu([bleu_counts("a b", ["a b"])]) < 100.0 + 1e-9
    for output, reference in (("", "a b"), ("a b", ""), ("", "")):
        assert score("rouge", output, [reference]).score == 0.0
    half = corpus_bleu([bleu_counts("", ["a b c d"]), bleu_counts("a b c d", ["a b c d"])])
    assert half == pytest.approx(100.0 * math.exp(-1.0))  # The empty output costs brevity, not a match.
