"""Answers of servers: kept one by one, by several at once, and asked again where a file is damaged."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from harness.method import Checkpoints, ResourceError
from methods.common.language_model import Decoding
from methods.common.language_model.answers import Answers, request_key
from methods.common.language_model.endpoint import Server
from methods.common.language_model.kept import kept
from methods.common.language_model.served import EndpointModel, open_endpoint
from tests.methods.common.language_model.scripted import NAME, Answer, Scripted, answering, completion

ONE = Decoding(new_tokens=4)


def opened(served: Scripted, where: Checkpoints | Path, **values: Any) -> EndpointModel:
    pytest.importorskip("openai")
    model = kept(open_endpoint(Server(served.address, NAME, **{"retries": 0, **values})), where)
    assert isinstance(model, EndpointModel)
    return model


def echoing(path: str, body: dict[str, Any]) -> Answer:
    return 500 if body["prompt"] == "bad" else completion(body["prompt"].upper())


def test_what_came_before_a_failure_is_not_paid_for_again(tmp_path: Path) -> None:
    prompts = ["a", "b", "bad"]
    with answering(echoing) as served:
        for _ in range(2):
            with pytest.raises(ResourceError):
                opened(served, tmp_path, parallel=1).sample(prompts, ONE)
        asked = [body["prompt"] for _, body in served.seen]
        assert asked == ["a", "b", "bad", "bad"]
        rows = opened(served, tmp_path).sample(["a", "b"], ONE)
    assert [row[0].text for row in rows] == ["A", "B"]
    assert len(served.seen) == 4


@pytest.mark.parametrize(
    "other",
    [
        {"decoding": Decoding(new_tokens=5)},
        {"decoding": Decoding(new_tokens=4, stop=("\n",))},
        {"decoding": Decoding(1.0, new_tokens=4)},
        {"server": {"protocol": "chat", "scoring": "listed"}},
    ],
)
def test_everything_that_an_answer_depends_on_tells_it_apart(other: dict[str, Any], tmp_path: Path) -> None:
    def answer(path: str, body: dict[str, Any]) -> Answer:
        whole = completion("x")
        if "chat" in path:
            whole["choices"][0]["message"] = {"role": "assistant", "content": "x"}
        return whole

    with answering(answer) as served:
        opened(served, tmp_path).sample(["a"], ONE)
        opened(served, tmp_path).sample(["a"], ONE)
        assert len(served.seen) == 1
        opened(served, tmp_path, **other.get("server", {})).sample(["a"], other.get("decoding", ONE))
        assert len(served.seen) == 2


def test_damaged_lines_are_told_and_asked_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with answering(echoing) as served:
        opened(served, tmp_path, parallel=1).sample(["a", "b", "c"], ONE)
        (path,) = tmp_path.iterdir()
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(lines[0] + lines[1].replace(b'"B"', b'"X"') + lines[2][:30])
        rows = opened(served, tmp_path, parallel=1).sample(["a", "b", "c"], ONE)
    assert "2 damaged answers" in capsys.readouterr().out
    assert [row[0].text for row in rows] == ["A", "B", "C"]
    assert [body["prompt"] for _, body in served.seen] == ["a", "b", "c", "b", "c"]


def write(folder: Path, start: int) -> None:
    answers = Answers(folder)
    for number in range(start, start + 40):
        answers.keep(request_key(number), {"read": number})


def test_several_processes_share_a_folder(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=write, args=(tmp_path, 20 * part)) for part in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    found = Answers(tmp_path)
    assert found.damaged == 0
    assert [found.find(request_key(number)) for number in range(80)] == [{"read": n} for n in range(80)]


def test_a_full_disk_ends_the_keeping_and_not_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    told: list[str] = []
    answers = Answers(tmp_path / "file", give_up=told.append)
    answers.keep("a", 1)
    answers.keep("b", 2)
    assert (answers.find("a"), answers.find("b"), len(told)) == (1, 2, 1)


def test_a_trial_that_failed_asks_for_the_rest_only(tmp_path: Path) -> None:
    """Its answers are written as they come, long before a checkpoint is due, and noted with the first."""
    noted: list[int] = []

    def trial() -> Checkpoints:
        found = Checkpoints(tmp_path / "trial", every=300.0)
        found.on_written = lambda: noted.append(1)
        return found

    with answering(echoing) as served:
        with pytest.raises(ResourceError):
            opened(served, trial(), parallel=1).sample(["a", "b", "bad"], ONE)
        assert noted == [1]
        model = opened(served, trial(), parallel=1)
        assert [row[0].text for row in model.sample(["a", "b", "c"], ONE)] == ["A", "B", "C"]
    assert [body["prompt"] for _, body in served.seen] == ["a", "b", "bad", "c"]
    assert (model.usage.calls, model.usage.cached, model.usage.requests) == (3, 2, 1)


def test_a_shared_folder_goes_before_a_trials_own(tmp_path: Path) -> None:
    with answering(echoing) as served:
        model = opened(served, tmp_path / "shared")
        kept(model, Checkpoints(tmp_path / "trial"))
        model.sample(["a"], ONE)
    assert len(list((tmp_path / "shared").iterdir())) == 1
    assert not (tmp_path / "trial").exists()
