"""Made-up rows go through the real readers."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from harness.method import Resource
from methods.common import datasets, ratings
from methods.common.stand_ins import COMMON, Collection, Images, QuestionTable, Rows
from methods.common.stand_ins.rows import SCHEMAS

LOADERS = {resource.name: resource for resource in vars(datasets).values() if isinstance(resource, Resource)}


@pytest.mark.parametrize("name", sorted(LOADERS))
def test_shared_sets_are_read(name: str, tmp_path: Path) -> None:
    COMMON[name].make(tmp_path)
    data = LOADERS[name].load(tmp_path)
    assert data.splits
    for split in data.splits:
        unlabelled = name == "hellaswag" and split == "test"
        assert len(data[split]) >= 40 or unlabelled


@pytest.mark.parametrize("schema", sorted(SCHEMAS))
def test_rows_are_the_same_each_time_and_differ_from_each_other(schema: str, tmp_path: Path) -> None:
    written = []
    for name in ("a", "b"):
        Rows(schema, {"train": 30}).make(tmp_path / name)
        with gzip.open(tmp_path / name / "train.jsonl.gz", "rt", encoding="utf-8") as lines:
            written.append([json.loads(line) for line in lines])
    assert written[0] == written[1]
    assert len({json.dumps(row) for row in written[0]}) == 30
    assert len({tuple(row) for row in written[0]}) == 1


def test_numbers_have_their_thousands_separated(tmp_path: Path) -> None:
    COMMON["gsm8k"].make(tmp_path)
    answers = [float(row.answer) for row in datasets.load_sums(tmp_path)["train"]]
    assert max(answers) > 10_000


def test_ratings_are_read(tmp_path: Path) -> None:
    COMMON["human-ratings"].make(tmp_path)
    found = ratings.load_ratings(tmp_path)
    assert {*found} == {"amazon", "movie", "tweets", "nyt"}
    assert all(len(one) > 200 and not one.mismatched.any() for one in found.values())


def test_collections_are_read(tmp_path: Path) -> None:
    from methods.lite.public_sets import collection_set, load_collection

    for given in (True, False):
        folder = tmp_path / str(given)
        folder.mkdir()
        Collection(given=given).make(folder)
        found = collection_set(load_collection(folder), "made-up", "test", depth=10)
        card: Any = found.card
        assert card["queries without a relevant passage"] >= 1
        assert len(found.queries) >= 8


def test_images_and_tables_are_read(tmp_path: Path) -> None:
    from methods.rest_react.public_questions import load_questions
    from methods.sparsity.stored_images import load_images, whole

    for name, stand_in in (("images", Images(rows=6)), ("table", QuestionTable())):
        (tmp_path / name).mkdir()
        stand_in.make(tmp_path / name)
    images = load_images(tmp_path / "images")
    assert (images.count("train"), images.count("validation")) == (12, 6)
    assert whole(next(images.stream("train")), 16).shape == (3, 16, 16)
    assert len(load_questions(tmp_path / "table").questions) == 12
