"""Questions of one's own with contexts of every kind, as training data and as tasks of lm-eval."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.method import ProblemError, parsed_json
from methods.common.own_tables import read_text
from methods.kaft.mixture import Item, Mixture, build
from methods.kaft.open_qa import Passage, as_questions
from methods.kaft.prompts import DECODER
from methods.kaft.questions import Question
from methods.kaft.substitution import mentions_any
from methods.kaft.words import avoids, unigrams

if TYPE_CHECKING:
    from datasets import Dataset

_REASONS = {
    "fake is an alias": "without a counterfactual context: no other title has an answer like it",
    "answer not in context": "left out: the context does not name the answer",
    "answer in hard context": "without a hard context: it names the answer",
    "no irrelevant context": "left out: no context of another title lacks the answer",
    "no word": "left out: the answer has no word of the letters a to z or digits",
}
_WORDLESS = ("",)
"""In place of answers that have no word."""
_FIX = (
    'Write {"question": ..., "context": ..., "answers": [...]} on each line, and "title" and "model_answer" '
    "where known."
)


@dataclass(frozen=True)
class OwnQuestions:
    """Questions with their contexts.

    Attributes:
        questions: With relevant, counterfactual, hard and easy contexts, as far as there are any.
        beliefs: What a model answered without a context, by the text of the question.
        left_out: How many lack something, by reason.
        unanswerable: How many have no answer.
    """

    questions: tuple[Question, ...]
    beliefs: Mapping[str, str]
    left_out: Mapping[str, int]
    unanswerable: int = 0


def read_questions(path: Path, *, seed: int = 0) -> OwnQuestions:
    """Questions from JSON lines, as SQuAD's rows are.

    Each line has ``question``, ``context`` and ``answers`` (texts, or SQuAD's ``{"text": [...]}``), and where
    known an ``id``, the ``title`` of what it is about and ``model_answer``, M(q). A hard irrelevant context
    is another one with the same title that lacks the answer, an easy one is of another title. The
    counterfactual answer is that of a question of another title which looks alike. A question without
    answers, as of SQuAD 2.0, gives irrelevant and empty contexts alone. A ``.json`` file is read as SQuAD's.

    Args:
        path: The file.
        seed: Of what is drawn.

    Raises:
        ProblemError: If a line is no such question, a question stands twice, or there are too few.
    """
    passages, beliefs = [], {}
    for number, (place, row) in enumerate(_rows(path), 1):
        passage, belief = _passage(row, number, place)
        passages.append(passage)
        if belief is not None:
            beliefs[passage.question] = belief
    again = [text for text, times in Counter(one.question for one in passages).items() if times > 1]
    if again:
        raise ProblemError(f"A question stands twice: {again[0]}", where=str(path), fix="Keep one of them.")
    # Without a word an answer would pass for one that the context does not hold.
    readable = [one for one in passages if one.aliases != _WORDLESS]
    rng = np.random.default_rng(seed)
    found, left_out = as_questions([_with_hard(one, readable, rng) for one in readable], rng, kind="own")
    if unread := len(passages) - len(readable):
        left_out["no word"] = unread
    if not found:
        raise ProblemError(
            "No question has an answer in its context and another context to go with it",
            where=f"{path}: {told_reasons(left_out)}",
            fix="Give at least two titles, and answers as their contexts name them.",
        )
    bare = sum(not one.aliases for one in readable)
    return OwnQuestions(tuple(found), beliefs, left_out, bare)


def told_reasons(left_out: Mapping[str, int]) -> str:
    """What questions lack, for people."""
    return "; ".join(f"{count} {_REASONS.get(reason, reason)}" for reason, count in left_out.items())


def _rows(path: Path) -> Iterator[tuple[str, Any]]:
    """Rows with their places, of JSON lines or of a file of SQuAD."""
    text = read_text(path)
    if not text.strip():
        raise ProblemError("The file is empty", where=str(path), fix=_FIX)
    if path.suffix.lower() == ".json":
        yield from _squad_rows(text, path)
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield f"{path}, line {number}", parsed_json(line)
            except ValueError as error:
                raise ProblemError(
                    f"The line is no JSON: {error}", where=f"{path}, line {number}", fix=_FIX
                ) from error


def _squad_rows(text: str, path: Path) -> Iterator[tuple[str, Any]]:
    """Questions of a file as SQuAD's site has it: articles of paragraphs of questions; or a list of rows."""
    try:
        content = parsed_json(text)
        if isinstance(content, list):
            yield from ((f"{path}, row {number}", row) for number, row in enumerate(content, 1))
            return
        for article in content["data"]:
            for paragraph in article["paragraphs"]:
                for asked in paragraph["qas"]:
                    answers = [answer["text"] for answer in asked["answers"]]
                    given = {
                        "title": article.get("title"),
                        "context": paragraph["context"],
                        "answers": answers,
                    }
                    yield f"{path}, question {asked.get('id')}", {**asked, **given}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProblemError(
            f"The file is no SQuAD: {type(error).__name__} {error}",
            where=str(path),
            fix=f"End JSON lines in .jsonl. {_FIX}",
        ) from error


def _passage(row: Any, number: int, where: str) -> tuple[Passage, str | None]:
    texts = {name: row.get(name) if isinstance(row, dict) else None for name in ("question", "context")}
    if wrong := [name for name, text in texts.items() if not isinstance(text, str) or not text.strip()]:
        raise ProblemError(f"The line has no {wrong[0]}", where=where, fix=_FIX)
    answers = row.get("answers", row.get("answer"))
    answers = answers.get("text") if isinstance(answers, dict) else answers
    answers = [answers] if isinstance(answers, str) else answers
    if not isinstance(answers, list) or not all(isinstance(one, str) for one in answers):
        raise ProblemError("The answers are no texts", where=where, fix=_FIX)
    belief = row.get("model_answer")
    if belief is not None and not isinstance(belief, str):
        raise ProblemError("model_answer is no text", where=where, fix=_FIX)
    aliases = tuple(dict.fromkeys(one for one in answers if unigrams(one)))
    if not aliases and any(one.strip() for one in answers):
        aliases = _WORDLESS
    title = str(row.get("title") or f"line {number}")
    return Passage(
        str(row.get("id", number)), title, row["question"].strip(), aliases, row["context"]
    ), belief


def _with_hard(passage: Passage, passages: Sequence[Passage], rng: np.random.Generator) -> Passage:
    """The passage with another context of its title from which its answer cannot be taken."""
    others = [
        other.context
        for other in passages
        if other.entity == passage.entity and other.context != passage.context
    ]
    fit = [
        text
        for text in dict.fromkeys(others)
        if not mentions_any(text, passage.aliases) and all(avoids(alias, text) for alias in passage.aliases)
    ]
    return replace(passage, beside=fit[int(rng.integers(len(fit)))]) if fit and passage.aliases else passage


def augment(own: OwnQuestions, mixture: Mixture | None = None, *, seed: int = 0) -> list[Item]:
    """Training items of every kind of context, with the target that KAFT gives each.

    Args:
        own: The questions.
        mixture: Shares of the kinds, and targets; equal shares and tags without it. Where M(q) is not known
            of any question, irrelevant and empty contexts get the gold answer.
        seed: Of which items are drawn.

    Raises:
        ProblemError: If a kind that is wanted has no items.
    """
    chosen = mixture or Mixture()
    asked = [question for question in own.questions if question.hard or question.easy]
    if chosen.counterfactual and not any(question.counterfactual for question in asked):
        raise ProblemError(
            "No question has a counterfactual context",
            where=told_reasons(own.left_out) or "questions",
            fix="Give questions of at least two titles with answers of the same kind, or --counterfactual 0.",
        )
    if chosen.targets == "model" and (unknown := [q for q in asked if q.text not in own.beliefs]):
        if own.beliefs:
            raise ProblemError(
                f"It is not known what the model answers to {len(unknown)} of {len(asked)} questions",
                where=unknown[0].text,
                fix="Give model_answer on every line, or on none.",
            )
        chosen = replace(chosen, targets="gold")
    return build(asked, chosen, own.beliefs, np.random.default_rng(seed))


def rows_of(items: Sequence[Item]) -> list[dict[str, str]]:
    """Items as rows with ``prompt`` and ``completion``, which TRL's ``SFTTrainer`` reads, and their parts."""
    return [
        {
            "id": item.id,
            "kind": str(item.kind),
            "question": item.question,
            "context": item.context,
            "target": item.target,
            "prompt": DECODER.prompt(item.question, item.context),
            "completion": DECODER.target(item.target),
        }
        for item in items
    ]


def as_dataset(items: Sequence[Item]) -> Dataset:
    """The rows of items as a data set of ``datasets``."""
    from datasets import Dataset

    return Dataset.from_list(rows_of(items))


_TASKS = {"controllability": "counterfactual", "robustness": "hard"}
"""Tasks of lm-eval, with the context that they ask under."""
_YAML = """\
task: kaft_{name}
dataset_path: json
dataset_kwargs:
  data_files:
    test: {path}
test_split: test
output_type: generate_until
doc_to_text: prompt
doc_to_target: answer
process_results: !function metrics.{name}
metric_list:
  - metric: {name}
    aggregation: mean
    higher_is_better: true
generation_kwargs:
  until: ["\\n"]
  do_sample: false
  max_gen_toks: 24
metadata:
  version: 1.0
"""
_METRICS = '''\
"""Whether an answer follows a counterfactual context, and whether it avoids an irrelevant one."""

from methods.kaft.words import avoids, follows, strip_tag


def controllability(doc, results):
    return {"controllability": float(follows(strip_tag(results[0]), doc["answer"]))}


def robustness(doc, results):
    return {"robustness": float(avoids(strip_tag(results[0]), doc["context"]))}
'''


def write_tasks(own: OwnQuestions, folder: Path) -> dict[str, int]:
    """Write tasks for ``lm_eval --include_path``: ``kaft_controllability`` and ``kaft_robustness``.

    Where M(q) is known, only questions that the model answers rightly without a context are asked, as in the
    paper: to others no context is counterfactual.

    Args:
        own: Questions.
        folder: A new or empty folder.

    Returns:
        Questions of each task.

    Raises:
        ProblemError: If the folder holds something, or a task would have no question.
    """
    from methods.kaft.words import gives_any

    if folder.exists() and any(folder.iterdir()):
        raise ProblemError("The folder is not empty", where=str(folder), fix="Name a new one.")
    folder.mkdir(parents=True, exist_ok=True)
    known = [q for q in own.questions if not own.beliefs or gives_any(own.beliefs.get(q.text, ""), q.aliases)]
    sizes = {}
    for name, kind in _TASKS.items():
        rows = [_row(question, kind) for question in known if getattr(question, kind) and question.relevant]
        if not rows:
            raise ProblemError(
                f"No question has a context for {name}",
                where=str(folder),
                fix="Give more questions, and several contexts a title.",
            )
        data = folder / f"{name}.jsonl"
        data.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        # JSON strings are YAML strings, whatever the path holds.
        text = _YAML.format(name=name, path=json.dumps(str(data.absolute())))
        (folder / f"kaft_{name}.yaml").write_text(text, encoding="utf-8")
        sizes[f"kaft_{name}"] = len(rows)
    (folder / "metrics.py").write_text(_METRICS, encoding="utf-8")
    return sizes


def _row(question: Question, kind: str) -> dict[str, Any]:
    context = getattr(question, kind)
    return {
        "id": question.id,
        "prompt": DECODER.prompt(question.text, context),
        "context": context,
        "answer": question.fake if kind == "counterfactual" else question.answer,
    }
