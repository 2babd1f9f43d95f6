from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.latex_text import latex, latex_code, typesettable
from tests.reports.demo import NASTY
from tests.reports.latex_lint import problems


@given(st.text())
def test_any_text_becomes_balanced_ascii_that_runs_no_command(text: str) -> None:
    assert problems(latex(text)) == []
    assert problems(latex_code(text)) == []


@pytest.mark.parametrize("text", NASTY)
def test_nasty_labels_are_escaped(text: str) -> None:
    assert problems(latex(text)) == []


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        (r"\write18{x}", r"\textbackslash{}write18\{x\}"),
        ("50 % & more_#1~", r"50 \% \& more\_\#1\textasciitilde{}"),
        ("Müller", r"M\"{u}ller"),
        ("Łukasz", r"\L{}ukasz"),
        ("α ≤ 1", r"\ensuremath{\alpha} \ensuremath{\leq} 1"),
        ("1–2 — so", r"1\textendash{}2 \textemdash{} so"),
        ("👍", "[thumbs up sign]"),
        ("א", "[U+05D0]"),
        ("x₁²", r"x\textsubscript{1}\textsuperscript{2}"),
    ],
)
def test_text_is_set_or_spelt_out(text: str, escaped: str) -> None:
    assert latex(text) == escaped


def test_code_keeps_its_hyphens_apart_and_may_break() -> None:
    assert latex_code("run --full") == r"run -{}-{}\allowbreak{}full"
    assert r"\allowbreak{}" in latex_code("0123456789abcdef0123456789abcdef")


@given(st.text())
def test_figures_get_text_that_standard_fonts_have(text: str) -> None:
    # Whatever is left unspelt must be something that LaTeX sets without spelling it out.
    assert "[U+" not in latex(typesettable(text).replace("[U+", ""))
