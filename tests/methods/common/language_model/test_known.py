"""Cache, record and replay give what the model gives."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.method import ProblemError, ResourceError
from methods.common.language_model import Decoding, LanguageModel
from methods.common.language_model.cache import CachedModel, cached
from methods.common.language_model.local import LocalModel
from methods.common.language_model.record import ReplayedModel, recorded, replayed

PROMPTS = ["red", "rating:", "red"]
NOTHING = ReplayedModel("none", "none", {})
DECODING = Decoding(temperature=1.0, new_tokens=4)


def fresh(local: LocalModel) -> LocalModel:
    return LocalModel(local.name, local.identity, local.model, local.tokenizer)


def ask(model: LanguageModel) -> tuple[object, ...]:
    return (
        model.score(PROMPTS, [["a", "b"], ["c"], ["a", "b"]]),
        model.sample(PROMPTS, DECODING, count=2, seed=3),
        model.next_token(PROMPTS, most=4),
    )


def test_a_cache_answers_like_the_model_and_asks_once(local: LocalModel, tmp_path: Path) -> None:
    inner = fresh(local)
    model = cached(inner, tmp_path / "answers.sqlite")
    first = ask(model)
    assert first == ask(fresh(local))
    calls = inner.usage.calls
    assert ask(cached(inner, tmp_path / "answers.sqlite")) == first
    assert inner.usage.calls == calls


def test_what_a_cache_holds_changes_no_answer(local: LocalModel, tmp_path: Path) -> None:
    model = cached(fresh(local), tmp_path / "answers.sqlite")
    model.score(PROMPTS[1:], [["c"], ["a"]])
    model.sample(PROMPTS[:1], DECODING, count=2, seed=3)
    model.next_token(PROMPTS[1:2], most=4)
    assert ask(model) == ask(fresh(local))


@dataclass
class Neighbourly(LocalModel):
    """Its answers depend on how many are asked, as on a GPU."""

    @property
    def together(self) -> int:
        return 7

    def score(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> list[list[float]]:
        self.usage.calls += len(prompts)
        return [[-float(len(prompts))] * len(of_prompt) for of_prompt in options]


def test_answers_that_depend_on_their_neighbours_are_kept_by_whole_calls(
    local: LocalModel, tmp_path: Path
) -> None:
    inner = Neighbourly(local.name, local.identity, local.model, local.tokenizer)
    model = cached(inner, tmp_path / "answers.sqlite")
    options = [["a"], ["c"]]
    assert model.score(["red"], options[:1]) == [[-1.0]]
    assert model.score(["red", "1"], options) == [[-2.0]] * 2
    assert model.score(["red", "1"], options) == [[-2.0]] * 2
    assert model.score(["red"], options[:1]) == [[-1.0]]
    assert (inner.usage.calls, inner.usage.cached) == (3, 3)


def test_records_name_what_was_read_together_and_replay_it(local: LocalModel) -> None:
    model = recorded(Neighbourly(local.name, local.identity, local.model, local.tokenizer))
    answers = [model.score(["red", "1"][:count], [["a"], ["c"]][:count]) for count in (1, 2)]
    table = model.table()
    assert [json.loads(one)["rows"] for one in table["parameters"]] == [7, 7, 7]
    replay = replayed(table, name="replay")
    assert [replay.score(["red", "1"][:count], [["a"], ["c"]][:count]) for count in (1, 2)] == answers
    with pytest.raises(ProblemError, match="record"):
        replay.score(["1"], [["c"]])


def test_equal_questions_of_a_call_are_asked_once(local: LocalModel, tmp_path: Path) -> None:
    inner = fresh(local)
    cached(inner, tmp_path / "answers.sqlite").score(["red"] * 5, [["a"]] * 5)
    assert (inner.usage.calls, inner.usage.cached) == (1, 4)


def test_the_cache_tells_models_and_parameters_apart(local: LocalModel, tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    inner = fresh(local)
    cached(inner, path).sample(["red"], DECODING, seed=1)
    other = LocalModel(local.name, "another", local.model, local.tokenizer)
    cached(other, path).sample(["red"], DECODING, seed=1)
    cached(other, path).sample(["red"], DECODING, seed=2)
    assert other.usage.calls == 2


def test_the_seed_does_not_matter_at_temperature_zero(local: LocalModel, tmp_path: Path) -> None:
    inner = fresh(local)
    model = cached(inner, tmp_path / "answers.sqlite")
    assert model.sample(["red"], Decoding(), seed=1) == model.sample(["red"], Decoding(), seed=2)
    assert inner.usage.calls == 1


def write(path: Path, start: int) -> None:
    from methods.common.language_model.calls import scoring

    model = CachedModel("none", "none", NOTHING, path)
    for number in range(start, start + 40):
        model.keep([(scoring("none", str(number), ["a"]), "[0.0]")])


def test_several_processes_share_a_cache(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=write, args=(path, 20 * part)) for part in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    model = CachedModel("none", "none", NOTHING, path)
    assert model.score([str(number) for number in range(80)], [["a"]] * 80) == [[0.0]] * 80


def test_a_damaged_cache_is_an_error(local: LocalModel, tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(ResourceError, match="cache"):
        cached(local, path)


def test_a_record_replays_without_the_model(local: LocalModel) -> None:
    model = recorded(fresh(local))
    answers = ask(model)
    table = model.table()
    assert "rating:" not in json.dumps(table)
    assert ask(replayed(table, name="replay")) == answers


def test_what_was_not_recorded_cannot_be_replayed(local: LocalModel) -> None:
    model = recorded(fresh(local))
    model.score(["red"], [["a"]])
    replay = replayed(model.table(), name="replay")
    with pytest.raises(ProblemError, match="record"):
        replay.score(["red"], [["b"]])


@pytest.mark.parametrize("table", [{}, {"call": [0]}])
def test_a_table_without_calls_is_refused(table: dict[str, list[int]]) -> None:
    with pytest.raises(ProblemError, match="columns missing"):
        replayed(table, name="replay")


def test_whole_distributions_are_not_kept(local: LocalModel) -> None:
    model = recorded(fresh(local))
    assert len(model.next_token(["red"])[0].log_probabilities) == len(local.tokenizer)
    assert model.table()["call"] == []


def test_surrogates_stay_surrogates(local: LocalModel, tmp_path: Path) -> None:
    inner = LocalModel("stand-in", "0", local.model, local.tokenizer, surrogate=True)
    assert recorded(cached(inner, tmp_path / "answers.sqlite")).surrogate
