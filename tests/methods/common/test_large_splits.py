"""Splits that do not fit into memory: the rows of a draw, and what reading them costs."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.method import ResourceError
from methods.common import datasets
from methods.common.datasets import load_translations
from methods.common.large_splits import LargeSplit
from methods.promot.texts import TextSource


def written(folder: Path, rows: int, text: Callable[[int], str] = "sentence number {}".format) -> Path:
    with gzip.open(folder / "train.jsonl.gz", "wt", compresslevel=1) as file:
        for number in range(rows):
            file.write(json.dumps({"en": text(number), "fr": f"phrase {number}"}) + "\n")
    return folder


def test_rows_are_found_at_their_places_in_one_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    split = LargeSplit(written(tmp_path, 5000) / "train.jsonl.gz")
    assert len(split) == 5000
    found = split.rows([4999, 0, 17, 0])
    assert [row["fr"] for row in found] == ["phrase 4999", "phrase 0", "phrase 17", "phrase 0"]
    monkeypatch.setattr(gzip, "open", None)
    assert split.rows([17, 4999])[0]["fr"] == "phrase 17"


def test_a_longer_draw_begins_like_a_shorter_one(tmp_path: Path) -> None:
    data = load_translations(written(tmp_path, 700))
    draws = [
        [
            row.source
            for row, _ in zip(data.drawn("train", np.random.default_rng(3), n), range(n), strict=False)
        ]
        for n in (20, 300)
    ]
    assert draws[1][:20] == draws[0]
    everything = [row.id for row in data.drawn("train", np.random.default_rng(3), 64)]
    assert sorted(map(int, everything)) == list(range(700))
    assert everything != sorted(everything, key=int)


def test_texts_of_a_large_split_are_distinct_and_leave_out_what_they_should(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = TextSource("en-fr", datasets.WMT14_EN_FR, "to french")
    data = load_translations(written(tmp_path, 900, lambda n: f"sentence {n % 40}"))
    small = source.drawn(data, "train", np.random.default_rng(1), 100)
    assert len(small) == 40
    monkeypatch.setattr(datasets, "LARGE", 1)
    assert data.is_large("train")
    some = source.drawn(data, "train", np.random.default_rng(1), 15)
    assert len({item.prompt for item in some}) == 15
    without = {item.prompt for item in some}
    rest = source.drawn(data, "train", np.random.default_rng(1), 100, without=without)
    assert {item.prompt for item in rest} | without == {item.prompt for item in small}
    assert not without & {item.prompt for item in rest}
    with pytest.raises(ResourceError, match="also a training input"):
        source.drawn(data, "train", np.random.default_rng(1), 5, without={item.prompt for item in small})


def test_a_damaged_split_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, 2000) / "train.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ResourceError, match="cannot be read"):
        len(LargeSplit(path))


MEASURED = """
import resource, sys
from pathlib import Path
import numpy as np
from methods.common import datasets
from methods.promot.texts import TextSource
datasets.LARGE = 1
data = datasets.load_translations(Path(sys.argv[1]))
source = TextSource("en-fr", datasets.WMT14_EN_FR, "to french")
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
items = source.drawn(data, "train", np.random.default_rng(0), 3000)
assert len({item.id for item in items}) == 3000
print(peak() - before)
"""


@pytest.mark.parametrize("rows", [200_000, pytest.param(2_000_000, marks=pytest.mark.slow)])
def test_memory_stays_flat(rows: int, tmp_path: Path) -> None:
    """MB beside those of the program itself; two million rows as objects take more than a thousand."""
    written(tmp_path, rows)
    command = [sys.executable, "-c", MEASURED, str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert float(found.stdout) < 30
