"""Open answers: record, replay and read-outs."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.method import ProblemError
from methods.common.datasets import Question
from methods.common.language_model.interface import Completion
from methods.metric_aware.country_names import load_names, provide_names
from methods.metric_aware.mbr import normalised
from methods.metric_aware.open_answers import (
    GreedyText,
    MinimumRisk,
    MostFrequent,
    OneSample,
    OpenProblem,
    OpenTask,
    Questions,
    SampledAnswers,
)
from methods.metric_aware.sabotage import MisplacedRisk, ShuffledRisk
from tests.methods.context import FakeContext
from tests.methods.metric_aware.data import tiny_checkpoint

CTX = FakeContext()
# The card's samples, as frequencies of twenty answers.
GOLDEN = ["new york city"] * 6 + ["new york"] * 5 + ["york city usa"] * 2 + ["london"] * 7


def problem(*samples: list[str]) -> OpenProblem:
    rows = tuple(
        tuple(Completion(f" {text}", 3, finished=True, log_probability=-1.0) for text in row)
        for row in samples
    )
    return OpenProblem(tuple(map(str, range(len(rows)))), ("greedy",) * len(rows), rows, {"call": [0]})


def test_golden_choice() -> None:
    assert MinimumRisk().run(problem(GOLDEN), CTX).answers == ("new york city",)
    assert MostFrequent().run(problem(GOLDEN), CTX).answers == ("london",)
    assert OneSample().run(problem(GOLDEN), CTX).answers == ("new york city",)
    assert GreedyText(record=True).run(problem(GOLDEN), CTX).calls == {"call": [0]}


def test_another_utility_may_choose_otherwise() -> None:
    samples = ["the king of spain", "spain of the king", "king spain"]
    assert MinimumRisk(utility="rouge-l").run(problem(samples), CTX).answers[0] in samples


def test_foreign_evidence_keeps_the_candidates() -> None:
    found = MisplacedRisk().run(problem(GOLDEN, ["london bridge", "york"]), CTX)
    assert found.answers[0] in GOLDEN
    assert found.answers[1] == "york"


def test_shuffled_utilities_choose_candidates_by_chance() -> None:
    found = ShuffledRisk().run(problem(*[GOLDEN] * 200), CTX).answers
    assert set(found) == set(GOLDEN)
    # The best of four candidates is chosen as often as any other.
    assert 30 < sum(answer == "new york city" for answer in found) < 70


def test_names_of_countries(tmp_path: Path) -> None:
    pytest.importorskip("pycountry")
    provide_names(tmp_path)
    rows = {row.id: row.answers for row in Questions().read(load_names(tmp_path))}
    assert rows["Portugal"] == ("Portuguese Republic",)
    assert len(rows) > 100


def test_no_country_is_asked_for_twice_or_has_another_ones_answer(tmp_path: Path) -> None:
    pycountry = pytest.importorskip("pycountry")
    provide_names(tmp_path)
    rows = load_names(tmp_path)
    assert len({normalised(row["name"]) for row in rows}) == len(rows)
    assert len({normalised(row["official"]) for row in rows}) == len(rows)
    current = {country.name for country in pycountry.countries}
    assert all(row["name"] in current for row in rows)


def test_answers_are_judged_by_the_best_right_one() -> None:
    questions = Questions(kind="qa", split="test")
    rows = [Question(str(i), f"q{i}", ("x b", "the c")) for i in range(4)]
    answers = SampledAnswers(questions=questions, shots=1, test=3, count=2)
    task = OpenTask(answers=answers, questions=questions)
    ctx = FakeContext(objects={"official-country-names": {"test": rows}})
    from methods.metric_aware.open_answers import Texts

    main = task.evaluate(Texts(("C", "x y", "")), ctx).parts["main"]
    assert list(main["f1"]) == [1.0, 0.5, 0.0]
    assert list(main["exact"]) == [True, False, False]


def test_a_record_replays_without_the_model(tmp_path: Path) -> None:
    questions = Questions()
    rows = [{"name": f"Land {i}", "official": f"Republic of Land {i}"} for i in range(12)]
    answers = SampledAnswers(
        questions=questions, draws=(100,), shots=2, test=6, count=3, tokens=4, batch=4, top_k=0
    )
    model = tmp_path / "model"
    model.mkdir()
    ctx = FakeContext(objects={"SafeWeights": tiny_checkpoint(model), "official-country-names": rows})
    answers.build(tmp_path, ctx)
    seen = FakeContext(objects={"SampledAnswers": answers.load(tmp_path), "official-country-names": rows})
    task = OpenTask(answers=answers, questions=questions)
    found = task.problem(seen)
    assert len(found.ids) == 6
    assert all(len(row) == 3 for row in found.samples)
    parts = task.evaluate(GreedyText(record=True).run(found, seen), seen).parts
    # One question for the greedy answer and one for the samples of each.
    assert len(parts["calls"]["call"]) == 12
    assert task.problem(FakeContext(seed=7, objects=seen.objects)).greedy == found.greedy


@pytest.mark.parametrize(("test", "shots"), [(0, 2), (9, 5)])
def test_too_few_questions_are_refused(test: int, shots: int) -> None:
    rows = Questions().read([{"name": str(i), "official": str(i)} for i in range(10)])
    with pytest.raises(ProblemError, match="do not give"):
        SampledAnswers(test=test, shots=shots).chosen(rows, 0)
