"""Programs as a classifier of scikit-learn: its own checks, frames of pandas, language models, files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from harness.method import ProblemError
from methods.common.language_model.interface import Completion, Decoding, LanguageModel
from methods.il_bench.asking import read_request
from methods.il_bench.classifier import LSPClassifier, class_words
from methods.il_bench.columns import column_of, text_of


@parametrize_with_checks([LSPClassifier(expansions=12, proposals=2, levels=6, rules=4)])  # type: ignore[untyped-decorator]
def test_scikit_learn_s_own_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def frame(rows: int = 120) -> tuple[pd.DataFrame, pd.Series]:
    """Weather in which people play or do not: by the outlook, and by the wind where it rains."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "outlook today": rng.choice(["sunny", "over cast", "rain"], rows),
            "wind (km/h)": rng.integers(0, 60, rows).astype(float),
            "humid": rng.choice([True, False], rows),
        }
    )
    windy = table["wind (km/h)"] > 30
    play = (table["outlook today"] == "sunny") | ((table["outlook today"] == "rain") & ~windy)
    return table, play.map({True: "play", False: "stay in"})


def test_a_frame_of_words_and_numbers_is_learnt() -> None:
    table, play = frame()
    model = LSPClassifier(levels=2).fit(table, play)
    assert (model.predict(table) == play.to_numpy()).mean() > 0.95
    assert [column.name for column in model.columns_] == ["outlook_today", "wind_km_h", "humid"]
    assert "outlook_today" in str(model)
    assert "stay_in" in str(model)
    assert min(model.calls(table)) == 1
    assert model.spent_["unreadable answers"] == 0


def test_it_is_cross_validated_like_any_other() -> None:
    table, kinds = load_iris(return_X_y=True)
    assert cross_val_score(LSPClassifier(), table, kinds, cv=3).mean() > 0.85


class Echo(LanguageModel):
    """Follows no rule: it answers with a word of the text, or writes a fixed instruction."""

    def __init__(self, word: str = "", instruction: str = "Say which label the text names.") -> None:
        super().__init__("echo", "echo")
        self.word, self.instruction, self.prompts = word, instruction, []  # type: ignore[var-annotated]

    def score(self, prompts: Any, options: Any) -> list[list[float]]:
        return [
            [float(option.strip() in read_request(p).text) for option in some]
            for p, some in zip(prompts, options, strict=True)
        ]

    def sample(
        self, prompts: Any, decoding: Decoding, *, count: int = 1, seed: int = 0
    ) -> list[list[Completion]]:
        self.prompts += prompts
        said = [
            self.instruction if "rules behind" in p else read_request(p).text.split()[-1] for p in prompts
        ]
        return [[Completion(text, 1, finished=True, log_probability=0.0)] for text in said]

    def next_token(self, prompts: Any, *, most: int | None = None) -> Any:
        raise AssertionError


def test_texts_are_read_as_they_are_by_language_models() -> None:
    before = "a long story about the weather and other things that ends with"
    texts, kinds = [f"{before} {word}" for word in ("bad", "good") * 6], np.array(["bad", "good"] * 6)
    table = np.array(texts, dtype=object)[:, None]
    learner, executor = Echo(), Echo()
    model = LSPClassifier(learner, executor, expansions=1).fit(table, kinds)
    assert (model.predict(table) == kinds).all()
    assert model.program_.instruction == "Say which label the text names."
    assert read_request(executor.prompts[0]).text == texts[0]
    # Equal texts are asked once.
    assert model.spent_ == {"learner requests": 4, "executor questions": 2, "unreadable answers": 0}
    likely = LSPClassifier(learner, executor, expansions=1, options=True).fit(table, kinds)
    assert (likely.predict(table) == kinds).all()
    with pytest.raises(ProblemError, match="Texts are read by language models"):
        LSPClassifier(learner).fit(table, kinds)


def test_what_is_saved_predicts_alike(tmp_path: Path) -> None:
    table, play = frame()
    model = LSPClassifier(levels=2).fit(table, play)
    model.save(tmp_path / "program.json")
    again = LSPClassifier.load(tmp_path / "program.json")
    assert (again.predict(table) == model.predict(table)).all()
    assert str(again) == str(model)
    content = json.loads((tmp_path / "program.json").read_text(encoding="utf-8"))
    (tmp_path / "program.json").write_text(json.dumps(content | {"program": "ask nobody"}), encoding="utf-8")
    with pytest.raises(ProblemError, match="Line 1 of the program"):
        LSPClassifier.load(tmp_path / "program.json")
    (tmp_path / "program.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ProblemError, match="holds no program"):
        LSPClassifier.load(tmp_path / "program.json")


def test_the_graph_has_each_module_and_quotes_its_text() -> None:
    table, play = frame()
    model = LSPClassifier(levels=2).fit(table, play)
    graph = model.dot()
    assert graph.count("shape=box") == 1
    assert graph.count("[label=") >= model.program_.size
    model.program_ = type(model.program_)('say "yes" \\ no\nor not', "play")
    assert '"say \\"yes\\" \\\\ no\\lor not\\l"' in model.dot()


def test_classes_are_named_by_single_words() -> None:
    assert class_words(["stay in", "go"], anonymous=False) == ["stay_in", "go"]
    assert class_words([0, 1], anonymous=False) == ["class_0", "class_1"]
    assert class_words(["a b", "A-b"], anonymous=False) == ["class_0", "class_1"]
    assert class_words(["x", "y"], anonymous=True) == ["foo", "bar"]
    with pytest.raises(ProblemError, match="11 classes"):
        class_words(list(range(11)), anonymous=True)


def test_columns_are_cut_and_named_from_training_values() -> None:
    numbers = column_of("size (cm)", np.arange(9.0), 3)
    assert [numbers.written(value) for value in (-1, 4, 100, float("nan"))] == [
        "low",
        "middle",
        "high",
        "missing",
    ]
    few = column_of("side", np.array([0.0, 1.0, 1.0]), 3)
    assert [few.written(value) for value in (0.0, 1.0, -2.0)] == ["0", "1", "minus_2"]
    words = column_of("kind", np.array(["a b", None], dtype=object), 3)
    assert text_of([words, few], ["a b", 1.0]) == "kind = a_b ; side = 1"


def test_texts_may_be_a_list_or_a_series() -> None:
    before = "a long story about the weather and other things that ends with"
    texts, kinds = [f"{before} {word}" for word in ("bad", "good") * 6], ["bad", "good"] * 6
    table = np.array(texts, dtype=object)[:, None]
    expected = LSPClassifier(Echo(), Echo(), expansions=1).fit(table, kinds)
    for given in (texts, tuple(texts), pd.Series(texts), pd.Series(texts, name="review")):
        model = LSPClassifier(Echo(), Echo(), expansions=1).fit(given, kinds)
        assert (model.predict(given) == kinds).all()
        assert model.calls(given) == expected.calls(table)
    assert model.columns_[0].name == "review"


def test_missing_values_are_a_word_of_their_own() -> None:
    table, play = frame()
    table.loc[::3, "outlook today"] = None
    table.loc[::4, "wind (km/h)"] = np.nan
    model = LSPClassifier(levels=2).fit(table, play)
    assert (model.predict(table) == play.to_numpy()).mean() > 0.7
    assert text_of(model.columns_, list(table.iloc[0])).count("missing") == 2


@pytest.mark.parametrize("unit", [None, "UTC"])
def test_dates_are_refused(unit: str | None) -> None:
    """Each would be a word of its own, and programs would name the days of the training data."""
    table, play = frame()
    days = pd.date_range("2020-01-01", periods=len(table), tz=unit)
    for column in (days, days.to_series().diff().to_numpy()):
        with pytest.raises(ProblemError, match="'day' holds dates or times"):
            LSPClassifier().fit(table.assign(day=column), play)


def test_options_out_of_range_and_models_by_name_are_told() -> None:
    table, play = frame()
    with pytest.raises(ProblemError, match=r"expansions = 0 \(LSPClassifier\)"):
        LSPClassifier(expansions=0).fit(table, play)
    with pytest.raises(ProblemError, match=r"str is no language model .*learner") as error:
        LSPClassifier("a-large-model").fit(table, play)  # type: ignore[arg-type]
    assert "local_model" in str(error.value.fix)
