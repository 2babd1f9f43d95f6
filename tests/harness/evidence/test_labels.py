"""What quantities are called."""

from __future__ import annotations

import pytest

from harness.claims import Contrast, EveryCell, Replication
from harness.claims.labels import cell_label, contrast_label
from harness.method import mean_of
from tests.harness.evidence.worlds import cell, gain

TAU = mean_of("tokens", better="higher", name="block efficiency")


@pytest.mark.parametrize(
    ("contrast", "label"),
    [
        (gain(), "score: a − b"),
        (
            Contrast(((1.0, cell("k8", TAU)), (-1.15, cell("k1", TAU)))),
            "block efficiency: k8 − 1.15 × k1",
        ),
        (Contrast(gain().terms, constant=-0.5), "score: a − b + 0.5"),
        (Contrast(((-1.0, cell("a")),), constant=-1.0), "score: 1 − a"),
        (Contrast(((-2.0, cell("a")),), constant=1.0), "score: −2 × a − 1"),
        (Contrast(gain().terms, log=True), "score: log a − log b"),
        (
            Contrast(((1.0, cell("a", task="x")), (-1.0, cell("a", task="y")))),
            "score: a (x) − a (y)",
        ),
        (
            Contrast(((-1.0, cell("a", where=(("depth", 2),))), (1.0, cell("a", TAU)))),
            "−score of a (depth = 2) + block efficiency of a",
        ),
    ],
)
def test_contrasts_read_as_formulas(contrast: Contrast, label: str) -> None:
    assert contrast_label(contrast) == label


def test_cells_name_metric_and_place() -> None:
    assert cell_label(cell("a", task="t", part="gold")) == "score of a (t, gold)"


def test_cells_of_one_formula_are_told_apart_by_task() -> None:
    form = EveryCell(
        thetas=(gain(task="amazon"), gain(task="nyt")),
        delta=0.1,
        delta_reason="",
        replication=Replication.SEEDS,
    )
    labels = [question.label for question in form.questions({})]
    assert labels == ["score: a − b, on amazon", "score: a − b, on nyt"]
