"""A search agent over documents of one's own, its trajectories in files, and what to train it on next."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from harness.method import ProblemError, parsed_json
from methods.common.language_model import LanguageModel
from methods.common.own_models import checked_model
from methods.common.own_tables import read_text
from methods.rest_react.agent import Candidate, Settings, Step, Trajectory, roll_out
from methods.rest_react.language import ModelRanker, few_shot
from methods.rest_react.public_questions import FreeQuestion
from methods.rest_react.retrieval import SearchTool
from methods.rest_react.steps import State, read
from methods.rest_react.training_data import Ranker, StepExample, retarget

_SUFFIXES = {".txt", ".md"}


@dataclass
class Documents:
    """Passages of a folder of texts, searched by BM25.

    Attributes:
        passages: Texts.
        sources: For each passage its file, and the place of the passage in it, from 1.
        results: Passages of a result list.
    """

    passages: tuple[str, ...]
    sources: tuple[str, ...]
    results: int = 3
    tool: SearchTool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Index the passages.

        Raises:
            ProblemError: If there are none, or BM25 is not installed.
        """
        if find_spec("bm25s") is None:
            raise ProblemError(
                "The package bm25s, which searches, is not installed",
                where="Documents",
                fix="Install corroborate[small], or bm25s.",
            )
        self.tool = SearchTool(self.passages, results=self.results)


def read_documents(folder: Path | str, *, words: int = 120, results: int = 3) -> Documents:
    """The ``.txt`` and ``.md`` files below a folder, cut into passages at ends of paragraphs.

    Args:
        folder: The folder.
        words: Words of a passage, at most; a longer paragraph is cut within.
        results: Passages of a result list.

    Raises:
        ProblemError: If there is no such folder, it holds no such file, or one cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ProblemError(
            "There is no such folder", where=str(folder), fix="Give the folder that the texts lie in."
        )
    passages, sources = [], []
    for path in sorted(one for one in folder.rglob("*") if one.suffix.lower() in _SUFFIXES):
        name = path.relative_to(folder).as_posix()
        found = list(_passages(read_text(path), words))
        passages += found
        sources += [f"{name}, passage {number}" for number in range(1, len(found) + 1)]
    if not passages:
        raise ProblemError(
            "There is no text in this folder",
            where=str(folder),
            fix=f"Give a folder with {' or '.join(sorted(_SUFFIXES))} files.",
        )
    return Documents(tuple(passages), tuple(sources), results)


def _passages(text: str, most: int) -> Iterator[str]:
    # A state has a line for each result, so that a passage is one line.
    paragraphs = [part.split() for part in re.split(r"\n\s*\n", text) if part.strip()]
    pieces = [words[start : start + most] for words in paragraphs for start in range(0, len(words), most)]
    gathered: list[str] = []
    for piece in pieces:
        if gathered and len(gathered) + len(piece) > most:
            yield " ".join(gathered)
            gathered = []
        gathered += piece
    if gathered:
        yield " ".join(gathered)


@dataclass
class SearchAgent:
    """Answers questions by searching, reading and checking itself; every step is a language model's.

    Attributes:
        model: Any :class:`~methods.common.language_model.LanguageModel`, local or behind an endpoint.
        documents: What is searched.
        settings: Searches of a question, candidates for a step, temperature.
        prompted: Show the model its task and solved examples at each step; a model that was fine-tuned on
            steps needs neither.
    """

    model: LanguageModel
    documents: Documents
    settings: Settings = field(default_factory=lambda: Settings(new_tokens=96))
    prompted: bool = True

    def __post_init__(self) -> None:
        """Check what was given.

        Raises:
            ProblemError: If the model cannot be asked, or the documents are not opened.
        """
        checked_model(self.model, "SearchAgent: model")
        if not isinstance(self.documents, Documents):
            raise ProblemError(
                f"The documents are a {type(self.documents).__name__}",
                where="SearchAgent: documents",
                fix="Open a folder, read_documents(FOLDER), or give Documents(passages, sources).",
            )

    def ask(self, questions: Sequence[str], *, seed: int = 0) -> list[Trajectory]:
        """A trajectory for each question; ``final`` is the answer.

        Args:
            questions: One line each.
            seed: Of what is sampled.

        Raises:
            ProblemError: If the questions are one text, or one is empty or has several lines.
        """
        if isinstance(questions, str):
            raise ProblemError("The questions are one text", where="questions", fix="Give a list of texts.")
        for number, question in enumerate(questions):
            if not question.strip() or "\n" in question:
                raise ProblemError(
                    f"Question {number} is empty or has several lines",
                    where="questions",
                    fix="Write each question on one line.",
                )
        asked = [FreeQuestion(str(number), "", (), text) for number, text in enumerate(questions)]
        model = few_shot(self.model) if self.prompted else self.model
        return roll_out(asked, model, self.documents.tool, self.settings, seed=seed)


def improve(
    trajectories: Iterable[Trajectory], ranker: LanguageModel | Ranker | None, *, seed: int = 0
) -> list[StepExample]:
    """Training examples of the next generation: every step, with its best-ranked candidate as target.

    No answers are needed, and no trajectory is left out for a wrong one.

    Args:
        trajectories: Of the last generation.
        ranker: A language model that is asked which candidate is best, or any other
            :class:`~methods.rest_react.training_data.Ranker`; without one targets are what was done.
        seed: Of the order in which candidates are shown.
    """
    chosen = ModelRanker(ranker) if isinstance(ranker, LanguageModel) else ranker
    return list(retarget(trajectories, chosen, np.random.default_rng(seed)).examples)


def save_trajectories(trajectories: Iterable[Trajectory], path: Path) -> None:
    """Write trajectories as JSON lines, with all candidates of all steps."""
    lines = [json.dumps(_plain(one), ensure_ascii=False) for one in trajectories]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def load_trajectories(path: Path | str) -> list[Trajectory]:
    """Read what :func:`save_trajectories` wrote.

    Raises:
        ProblemError: If the file cannot be read, or a line is no trajectory.
    """
    found = []
    for number, line in enumerate(read_text(Path(path)).splitlines(), 1):
        try:
            found.append(_trajectory(parsed_json(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise ProblemError(
                f"The line is no trajectory: {type(error).__name__} {error}",
                where=f"{path}, line {number}",
                fix="Give what save_trajectories() wrote.",
            ) from error
    return found


def save_examples(examples: Iterable[StepExample], path: Path) -> None:
    """Write examples as JSON lines with ``prompt`` and ``completion``, which TRL's ``SFTTrainer`` reads."""
    rows = [{"prompt": one.state, "completion": f" {one.target}\n"} for one in examples]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _plain(trajectory: Trajectory) -> dict[str, Any]:
    steps = [
        {
            "state": step.state.prompt,
            # Not every prompt says how many searches are left.
            "left": step.state.left,
            "candidates": [{"text": one.text, "perplexity": one.perplexity} for one in step.candidates],
            "action": step.text,
            "failed": step.failed,
        }
        for step in trajectory.steps
    ]
    return {
        "id": trajectory.question.id,
        "question": trajectory.question.text,
        "answer": trajectory.final,
        "draft": trajectory.draft,
        "steps": steps,
    }


def _trajectory(content: dict[str, Any]) -> Trajectory:
    steps = tuple(_step(step) for step in content["steps"])
    question = FreeQuestion(content["id"], "", (), content["question"])
    return Trajectory(question, steps, content["draft"], content["answer"])


def _step(content: dict[str, Any]) -> Step:
    state = replace(State.parse(content["state"]), left=int(content["left"]))
    action = read(state.kind, content["action"])
    if action is None:
        raise ValueError(f"'{content['action']}' is no action of '{state.kind.value}'")
    candidates = tuple(
        Candidate(one["text"], one["perplexity"], read(state.kind, one["text"]))
        for one in content["candidates"]
    )
    return Step(state, candidates, action, content["action"], content["failed"])
