"""A search agent over a folder of one's own, with a scripted model and with one behind a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.method import ProblemError
from methods.common.language_model.interface import Completion, Decoding, LanguageModel
from methods.rest_react.agent import Settings
from methods.rest_react.search_agent import (
    SearchAgent,
    improve,
    load_trajectories,
    read_documents,
    save_examples,
    save_trajectories,
)
from methods.rest_react.steps import Kind, State

QUESTION = "Where was the author of Ulysses born?"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    docs = tmp_path / "docs"
    (docs / "people").mkdir(parents=True)
    (docs / "books.txt").write_text(
        "Ulysses was written\nby James Joyce.\n\nEmma is by Austen.", encoding="utf-8"
    )
    (docs / "people" / "joyce.md").write_text("James Joyce was born in Dublin.\n", encoding="utf-8")
    (docs / "picture.png").write_bytes(b"\x89PNG")
    return docs


class Scripted(LanguageModel):
    """Searches twice, copies what it finds, and answers with its last word; a candidate of three is bad."""

    def __init__(self) -> None:
        super().__init__("scripted", "scripted")
        self.asked: list[str] = []

    def sample(
        self, prompts: Any, decoding: Decoding, *, count: int = 1, seed: int = 0
    ) -> list[list[Completion]]:
        self.asked += prompts
        found = []
        for prompt in prompts:
            state = State.parse(prompt[prompt.rindex(f"question: {QUESTION}\n") :])
            texts = [self.act(state), "???", self.act(state)][:count]
            found.append([Completion(text, 5, finished=True, log_probability=-1.0) for text in texts])
        return found

    @staticmethod
    def act(state: State) -> str:
        if state.kind is Kind.DECISION:
            queries = ["author of Ulysses", "James Joyce born"]
            return f"search: {queries[len(state.rounds)]}" if len(state.rounds) < 2 else "stop"
        if state.kind is Kind.SUMMARY:
            return f"[{state.results[0].link}] => {state.results[0].text}"
        if state.kind is Kind.ANSWER:
            return f"{state.rounds[-1].summary.split()[-1].strip('.')} [{state.rounds[-1].links[0]}]"
        return "pass"

    def score(self, prompts: Any, options: Any) -> list[list[float]]:
        # As a ranker: the bad candidate is never readable, so that there is one choice only.
        return [[-1.0] * len(some) for some in options]

    def next_token(self, prompts: Any, *, most: int | None = None) -> Any:
        raise AssertionError


def test_a_question_is_answered_from_the_folder(folder: Path) -> None:
    model = Scripted()
    agent = SearchAgent(model, read_documents(folder), Settings(searches=3, samples=3))
    (found,) = agent.ask([QUESTION])
    assert found.final == "Dublin"
    assert found.searches == 2
    assert "Decide whether another search is needed" in model.asked[0]
    bare = SearchAgent(Scripted(), read_documents(folder), Settings(searches=3, samples=2), prompted=False)
    assert bare.ask([QUESTION])[0].final == "Dublin"


def test_passages_know_where_they_are_from(folder: Path) -> None:
    found = read_documents(folder, words=6)
    assert found.passages == (
        "Ulysses was written by James Joyce.",
        "Emma is by Austen.",
        "James Joyce was born in Dublin.",
    )
    assert found.sources == ("books.txt, passage 1", "books.txt, passage 2", "people/joyce.md, passage 1")
    assert found.passages[found.tool.search("Emma")[0]] == "Emma is by Austen."
    long = read_documents(folder, words=2)
    assert [len(passage.split()) <= 2 for passage in long.passages] == [True] * len(long.passages)


def test_trajectories_come_back_from_their_file(folder: Path, tmp_path: Path) -> None:
    agent = SearchAgent(Scripted(), read_documents(folder), Settings(searches=3, samples=3))
    found = agent.ask([QUESTION])
    save_trajectories(found, tmp_path / "walks.jsonl")
    assert load_trajectories(tmp_path / "walks.jsonl") == found
    (tmp_path / "walks.jsonl").write_text('{"id": "1"}\n', encoding="utf-8")
    with pytest.raises(ProblemError, match="no trajectory"):
        load_trajectories(tmp_path / "walks.jsonl")


class Last:
    """Prefers the longest candidate."""

    def best(self, state: State, candidates: Any, rng: np.random.Generator) -> int:
        return max(range(len(candidates)), key=lambda place: len(candidates[place].text))


def test_the_next_generation_learns_what_the_ranker_prefers(folder: Path, tmp_path: Path) -> None:
    class Wordy(Scripted):
        def sample(self, prompts: Any, decoding: Decoding, *, count: int = 1, seed: int = 0) -> Any:
            rows = super().sample(prompts, decoding, count=1)
            more = [
                Completion(
                    row[0].text.replace("search: ", "search: the "), 5, finished=True, log_probability=-9.0
                )
                for row in rows
            ]
            return [[row[0], other] for row, other in zip(rows, more, strict=True)]

    agent = SearchAgent(Wordy(), read_documents(folder), Settings(searches=3, samples=2))
    found = agent.ask([QUESTION])
    assert [one.target for one in improve(found, None)] == [step.text for step in found[0].steps]
    targets = [one.target for one in improve(found, Last())]
    assert targets[0] == "search: the author of Ulysses"
    assert len(targets) == len(found[0].steps)
    ranked = improve(found, agent.model, seed=1)
    assert {one.target for one in ranked if one.target.startswith("search")} <= {
        "search: author of Ulysses",
        "search: the author of Ulysses",
        "search: James Joyce born",
        "search: the James Joyce born",
    }
    save_examples(ranked, tmp_path / "examples.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "examples.jsonl").read_text().splitlines()]
    assert rows[0]["prompt"].endswith("\n>")
    assert rows[-1]["completion"] == " pass\n"


def test_a_model_behind_a_server_goes_all_the_way(folder: Path) -> None:
    pytest.importorskip("openai")
    from methods.common.language_model.endpoint import Server
    from methods.common.language_model.served import open_endpoint
    from methods.common.stand_ins.server import serving

    with serving() as address:
        model = open_endpoint(Server(address, "tiny", retries=0))
        agent = SearchAgent(model, read_documents(folder), Settings(searches=1, samples=1, new_tokens=4))
        (found,) = agent.ask([QUESTION])
    # An untrained model writes nothing that can be read: the agent says so, and does not invent.
    assert found.steps[-1].state.kind is Kind.GROUNDING
    assert all(step.failed or step.action for step in found.steps)


@pytest.mark.parametrize("question", ["", " ", "two\nlines"])
def test_questions_are_one_line(folder: Path, question: str) -> None:
    with pytest.raises(ProblemError, match="Question 0"):
        SearchAgent(Scripted(), read_documents(folder)).ask([question])


def test_a_folder_without_texts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="no text in this folder"):
        read_documents(tmp_path)
    (tmp_path / "x.txt").write_bytes("é".encode("latin-1"))
    with pytest.raises(ProblemError, match="not UTF-8"):
        read_documents(tmp_path)


def test_folders_and_files_may_be_texts_and_are_told_where_they_lack(folder: Path, tmp_path: Path) -> None:
    assert read_documents(str(folder)).passages == read_documents(folder).passages
    for missing in (tmp_path / "nowhere", folder / "books.txt"):
        with pytest.raises(ProblemError, match="no such folder"):
            read_documents(missing)
    with pytest.raises(ProblemError, match=r"cannot be read.*nowhere\.jsonl"):
        load_trajectories(tmp_path / "nowhere.jsonl")


def test_what_is_no_model_no_documents_and_no_list_of_questions(folder: Path) -> None:
    documents = read_documents(folder)
    with pytest.raises(ProblemError, match="str is no language model") as error:
        SearchAgent("my-model", documents)  # type: ignore[arg-type]
    assert "local_model" in str(error.value.fix)
    with pytest.raises(ProblemError, match=r"documents are a list.*\n.*read_documents"):
        SearchAgent(Scripted(), ["a passage"])  # type: ignore[arg-type]
    with pytest.raises(ProblemError, match="list of texts"):
        SearchAgent(Scripted(), documents).ask(QUESTION)


def test_a_missing_search_engine_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("methods.rest_react.search_agent.find_spec", lambda name: None)
    with pytest.raises(ProblemError, match="bm25s"):
        read_documents(folder)
