"""KAFT on questions of one's own: contexts, targets, files for training, and tasks that lm-eval runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli.main import main
from harness.errors import ExitCode
from harness.method import ProblemError
from methods.kaft.mixture import Kind, Mixture
from methods.kaft.own_questions import as_dataset, augment, read_questions, rows_of, write_tasks
from methods.kaft.words import EMPTY, FROM_CONTEXT, IRRELEVANT, avoids

CITIES = {"Peru": "Lima", "France": "Paris", "Kenya": "Nairobi", "Japan": "Tokyo", "Chile": "Santiago"}
RIVERS = {"Peru": "Amazon", "France": "Seine", "Kenya": "Tana", "Japan": "Shinano", "Chile": "Loa"}


def rows(*, believed: bool = False) -> list[dict[str, Any]]:
    """Two questions about each country, each with a text of its own."""
    found = []
    for place, (country, city) in enumerate(CITIES.items()):
        river = RIVERS[country]
        pairs = [
            (f"What is the capital of {country}?", f"The government of {country} sits in {city}.", city),
            (f"What is the longest river of {country}?", f"Ships sail up the {river} there.", river),
        ]
        for question, context, answer in pairs:
            row: dict[str, Any] = {
                "title": country,
                "question": question,
                "context": context,
                "answers": [answer],
            }
            found.append(row | ({"model_answer": answer if place else "Oslo"} if believed else {}))
    return found


def written(folder: Path, content: list[dict[str, Any]]) -> Path:
    path = folder / "questions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in content), encoding="utf-8")
    return path


def test_each_question_gets_contexts_of_every_kind(tmp_path: Path) -> None:
    own = read_questions(written(tmp_path, rows()))
    assert len(own.questions) == 10
    for question in own.questions:
        assert question.answer in question.relevant
        assert question.fake in question.counterfactual
        assert question.answer not in question.counterfactual
        # Hard: of the same title; easy: of another; neither holds the answer.
        other = RIVERS if question.answer in CITIES.values() else CITIES
        assert other[question.subject] in question.hard
        assert question.subject not in question.easy
        assert question.answer not in question.hard + question.easy


def test_squad_rows_are_read_as_they_are(tmp_path: Path) -> None:
    content = rows()
    for row in content:
        row["answers"] = {"text": row["answers"] * 2, "answer_start": [0, 0]}
    unanswerable = {"title": "Peru", "question": "Who rules Peru?", "context": "It is warm."}
    content.append(unanswerable | {"answers": {"text": []}})
    own = read_questions(written(tmp_path, content))
    assert len(own.questions) == 11
    assert own.questions[-1].hard == "It is warm."
    assert own.questions[0].aliases == ("Lima",)


def test_targets_are_those_of_kaft(tmp_path: Path) -> None:
    own = read_questions(written(tmp_path, rows(believed=True)))
    items = augment(own)
    assert {item.kind for item in items} == set(Kind)
    by_text = {question.text: question for question in own.questions}
    for item in items:
        question = by_text[item.question]
        belief = own.beliefs[item.question]
        wanted = {
            Kind.RELEVANT: f"{question.answer} {FROM_CONTEXT}",
            Kind.COUNTERFACTUAL: f"{question.fake} {FROM_CONTEXT}",
            Kind.IRRELEVANT: f"{belief} {IRRELEVANT}",
            Kind.EMPTY: f"{belief} {EMPTY}",
        }
        assert item.target == wanted[item.kind]


def test_without_beliefs_targets_are_gold_and_half_of_them_is_refused(tmp_path: Path) -> None:
    own = read_questions(written(tmp_path, rows()))
    empty = [item for item in augment(own, Mixture(tags=False)) if item.kind is Kind.EMPTY]
    assert all(item.target in {*CITIES.values(), *RIVERS.values()} for item in empty)
    half = rows(believed=True)
    del half[3]["model_answer"]
    with pytest.raises(ProblemError, match="not known what the model answers to 1 of 10"):
        augment(read_questions(written(tmp_path, half)))


def test_rows_are_a_data_set_with_prompt_and_completion(tmp_path: Path) -> None:
    items = augment(read_questions(written(tmp_path, rows())))
    data = as_dataset(items)
    assert data.num_rows == len(items)
    first = next(row for row in rows_of(items) if row["context"])
    assert first["prompt"] == f"Context: {first['context']}\nQuestion: {first['question']}\nAnswer:"
    assert first["completion"] == f" {first['target']}"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "no JSON"),
        ("[]", "no question"),
        ('{"question": "q", "context": ""}', "no context"),
        ('{"question": "q", "context": "c", "answers": [1]}', "no texts"),
        ('{"question": "q", "context": "c", "answers": "a", "model_answer": 3}', "model_answer is no text"),
        (json.dumps(rows()[0]), "stands twice"),
    ],
)
def test_lines_that_are_no_questions_are_refused_with_their_place(
    tmp_path: Path, line: str, told: str
) -> None:
    path = written(tmp_path, rows()[:1])
    path.write_text(path.read_text() + line + "\n", encoding="utf-8")
    with pytest.raises(ProblemError, match=told) as error:
        read_questions(path)
    assert "line 2" in str(error.value) or "twice" in told


def test_answers_that_no_context_has_leave_nothing(tmp_path: Path) -> None:
    content = [row | {"answers": ["Atlantis"]} for row in rows()]
    with pytest.raises(ProblemError, match="10 left out: the context does not name the answer"):
        read_questions(written(tmp_path, content))


def test_the_command_augments_and_writes_tasks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = written(tmp_path, rows(believed=True)), tmp_path / "train.jsonl"
    assert main(["kaft", "augment", str(path), "--empty", "0", "--out", str(out)]) == ExitCode.OK
    kinds = {json.loads(line)["kind"] for line in out.read_text().splitlines()}
    assert kinds == {"relevant", "counterfactual", "irrelevant"}
    assert "M(q)" in capsys.readouterr().err
    assert main(["kaft", "augment", str(path), "--out", str(out)]) == ExitCode.USAGE
    assert main(["kaft", "augment", str(path), "--relevant", "-1"]) == ExitCode.USAGE
    assert main(["kaft", "tasks", str(path), "--out", str(tmp_path / "tasks")]) == ExitCode.OK
    assert "--include_path" in capsys.readouterr().err
    # Only what the model knows can be contradicted: eight of the ten.
    lines = (tmp_path / "tasks" / "controllability.jsonl").read_text().splitlines()
    assert len(lines) == 8
    assert main(["kaft", "tasks", str(path), "--out", str(tmp_path / "tasks")]) == ExitCode.USAGE
    assert "not empty" in capsys.readouterr().err


def test_lm_eval_runs_the_tasks_and_measures_as_the_suite_does(tmp_path: Path) -> None:
    lm_eval = pytest.importorskip("lm_eval")
    from lm_eval.api.model import LM
    from lm_eval.tasks import TaskManager

    own = read_questions(written(tmp_path, rows()))
    folder = tmp_path / 'tasks "here"'
    sizes = write_tasks(own, folder)

    class Copies(LM):  # type: ignore[misc]
        """Answers with the last word of the context: it follows everything that it reads."""

        def generate_until(self, requests: Any) -> list[str]:
            return [one.args[0].split("\n")[0].split()[-1] for one in requests]

        def loglikelihood(self, requests: Any) -> Any:
            raise AssertionError

        def loglikelihood_rolling(self, requests: Any) -> Any:
            raise AssertionError

    found = lm_eval.simple_evaluate(
        model=Copies(),
        tasks=list(sizes),
        task_manager=TaskManager(include_path=str(folder), include_defaults=False),
        bootstrap_iters=0,
    )
    last = {question.id: question.hard.split()[-1] for question in own.questions}
    robust = [avoids(last[question.id], question.hard) for question in own.questions]
    assert found["results"]["kaft_robustness"]["robustness,none"] == pytest.approx(sum(robust) / 10)
    assert 0 < sum(robust) < 10
    # Capitals end their sentence, rivers stand within.
    cities = sum(question.answer in CITIES.values() for question in own.questions if question.counterfactual)
    expected = cities / sizes["kaft_controllability"]
    assert found["results"]["kaft_controllability"]["controllability,none"] == pytest.approx(expected)


def test_a_file_of_squad_is_read_as_its_rows(tmp_path: Path) -> None:
    """Articles of paragraphs of questions, as SQuAD is given away; and rows in one list."""
    articles: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(rows()):
        article = articles.setdefault(row["title"], {"title": row["title"], "paragraphs": []})
        asked = {"id": str(number), "question": row["question"], "is_impossible": False}
        asked["answers"] = [{"text": text, "answer_start": 0} for text in row["answers"]]
        article["paragraphs"].append({"context": row["context"], "qas": [asked]})
    squad, listed = tmp_path / "train-v2.0.json", tmp_path / "rows.json"
    squad.write_text(json.dumps({"version": "v2.0", "data": list(articles.values())}), encoding="utf-8")
    listed.write_text(json.dumps(rows()), encoding="utf-8")
    expected = read_questions(written(tmp_path, rows())).questions
    for path in (squad, listed):
        found = read_questions(path).questions
        assert [(one.text, one.relevant, one.fake) for one in found] == [
            (one.text, one.relevant, one.fake) for one in expected
        ]


@pytest.mark.parametrize("text", ['{"questions": []}', '{"data": [{"paragraphs": 3}]}', "{", "3"])
def test_another_json_file_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "questions.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProblemError, match="no SQuAD") as error:
        read_questions(path)
    assert ".jsonl" in str(error.value.fix)


def test_what_questions_lack_is_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = rows()
    given[0]["answers"] = ["Atlantis"]
    given[3]["answers"] = []
    path, out = written(tmp_path, given), tmp_path / "training.jsonl"
    assert main(["kaft", "augment", str(path), "--out", str(out)]) == ExitCode.OK
    told = capsys.readouterr().err
    assert "9 questions; 1 without an answer; 1 left out: the context does not name the answer" in told
    impossible = [
        row for row in map(json.loads, out.read_text().splitlines()) if "unanswerable" in row["target"]
    ]
    assert {row["kind"] for row in impossible} <= {"irrelevant", "empty"}


def test_one_title_and_an_empty_file_are_told(tmp_path: Path) -> None:
    own = read_questions(written(tmp_path, [{**row, "title": row["title"][0] > "J"} for row in rows()]))
    assert len(own.questions) == 10
    same = tmp_path / "same.jsonl"
    texts = [
        json.dumps({**row, "answers": ["7 of them"], "context": row["context"] + " 7 of them"})
        for row in rows()
    ]
    same.write_text("\n".join(texts), encoding="utf-8")
    with pytest.raises(ProblemError, match="No question has an answer in its context and another"):
        read_questions(same)
    same.write_text("\n", encoding="utf-8")
    with pytest.raises(ProblemError, match="The file is empty"):
        read_questions(same)


def test_without_any_counterfactual_context_the_weight_is_named(tmp_path: Path) -> None:
    given = [
        {"title": title, "question": f"What of {title}?", "context": f"It is {answer}.", "answers": [answer]}
        for title, answer in (("a", "Lima"), ("b", "7"), ("c", "a long red thing"))
    ]
    own = read_questions(written(tmp_path, given))
    with pytest.raises(ProblemError, match=r"counterfactual.*no other title") as error:
        augment(own)
    assert "--counterfactual 0" in str(error.value.fix)
    assert augment(own, Mixture(counterfactual=0))


def test_answers_without_a_word_to_compare_are_left_out_and_not_called_unanswerable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = rows()
    for row, answer in ((given[0], "\u5229\u99ac"), (given[2], "the")):
        row["context"] += f" It is {answer}."
        row["answers"] = [answer]
    path, out = written(tmp_path, given), tmp_path / "training.jsonl"
    assert main(["kaft", "augment", str(path), "--out", str(out)]) == ExitCode.OK
    told = capsys.readouterr().err
    assert "8 questions; 2 left out: the answer has no word of the letters a to z or digits" in told
    assert "without an answer" not in told
    found = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert not any("unanswerable" in row["target"] for row in found)
