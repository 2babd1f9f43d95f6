"""Served models: the same answers as the local model, and every way a server can fail."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from harness.method import ProblemError, ResourceError
from methods.common.language_model import Decoding
from methods.common.language_model.endpoint import Server
from methods.common.language_model.local import LocalModel
from methods.common.language_model.pace import Pace
from methods.common.language_model.served import EndpointModel, open_endpoint
from tests.methods.common.language_model.server import NAME, Served, serving

pytest.importorskip("openai")
PROMPTS = ["red", "rating:", "what colour is the hat?"]


@pytest.fixture
def served(local: LocalModel) -> Iterator[Served]:
    with serving(local) as running:
        yield running


def connect(served: Served, **values: Any) -> EndpointModel:
    return open_endpoint(Server(served.address, NAME, **{"retries": 0, "listed": 5, **values}))


def test_echoed_scores_are_the_local_ones(served: Served, local: LocalModel) -> None:
    options = [[" 1\n", " 10\n"]] * 3
    found = connect(served).score(PROMPTS, options)
    for row, expected in zip(found, local.score(PROMPTS, options), strict=True):
        assert row == pytest.approx(expected, abs=1e-3)


def test_listed_scores_are_of_single_tokens(served: Served, local: LocalModel) -> None:
    (law,) = local.next_token(["red"], most=5)
    token = next(iter(law.log_probabilities))
    ((value, unknown),) = connect(served, scoring="listed").score(["red"], [[token, "nowhere"]])
    assert value == pytest.approx(law.log_probabilities[token], abs=1e-4)
    assert unknown == -math.inf


@pytest.mark.parametrize("protocol", ["completions", "chat"])
def test_greedy_text_is_the_local_one(served: Served, local: LocalModel, protocol: str) -> None:
    scoring = "listed" if protocol == "chat" else "echo"
    model = connect(served, protocol=protocol, scoring=scoring)
    decoding = Decoding(new_tokens=5, stop=("\n",))
    found, expected = model.sample(PROMPTS, decoding), local.sample(PROMPTS, decoding)
    assert [row[0].text for row in found] == [row[0].text for row in expected]
    assert found[0][0].log_probability == pytest.approx(expected[0][0].log_probability)
    assert model.usage.calls == 3


def test_draws_repeat_with_their_seed(served: Served) -> None:
    model, decoding = connect(served), Decoding(temperature=1.0, new_tokens=4)
    first = model.sample(PROMPTS, decoding, count=2, seed=1)
    assert first == model.sample(PROMPTS, decoding, count=2, seed=1)
    assert first != model.sample(PROMPTS, decoding, count=2, seed=2)


@pytest.mark.parametrize("protocol", ["completions", "chat"])
def test_the_next_token_is_listed(served: Served, local: LocalModel, protocol: str) -> None:
    model = connect(served, protocol=protocol, scoring="listed")
    (found,), (expected,) = model.next_token(["red"], most=4), local.next_token(["red"], most=4)
    assert dict(found.log_probabilities) == pytest.approx(dict(expected.log_probabilities), abs=1e-4)
    assert found.rest == pytest.approx(expected.rest, abs=1e-4)
    with pytest.raises(ProblemError, match="lists"):
        model.next_token(["red"], most=50)


def test_keys_come_from_the_environment_and_stay_there(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "hush-hush")
    model = connect(served, key_variable="SECRET_KEY")
    model.sample(["red"], Decoding(new_tokens=1))
    assert served.keys == ["Bearer hush-hush"]
    assert "hush" not in repr(model)
    assert "hush" not in model.identity
    served.faults = [401]
    with pytest.raises(ResourceError, match="key") as caught:
        model.sample(["red"], Decoding(new_tokens=1))
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("fault", [429, 500])
def test_a_passing_failure_is_tried_again(served: Served, fault: int) -> None:
    served.faults = [fault]
    assert connect(served, retries=2).sample(["red"], Decoding(new_tokens=2))[0][0].tokens == 2
    assert len(served.seen) == 2


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (429, "rate"),
        (500, "failed"),
        (404, "model"),
        (400, 'refuses the request: "no"'),
        (b"<html>", "protocol"),
        (b'{"choices": [', "protocol"),
        (b"{}", "protocol"),
        (b'{"choices": []}', "protocol"),
    ],
)
def test_failures_say_what_to_do(served: Served, fault: int | bytes, said: str) -> None:
    served.faults = [fault]
    with pytest.raises(ResourceError, match=said):
        connect(served).sample(["red"], Decoding(new_tokens=1))


@pytest.mark.parametrize("name", ["giant", f"{NAME}-large"])
def test_another_model_answers(served: Served, name: str) -> None:
    served.name = name
    with pytest.raises(ResourceError, match=name):
        connect(served).sample(["red"], Decoding(new_tokens=1))


def test_a_dated_name_is_the_same_model(served: Served) -> None:
    served.name = f"{NAME}-2026-01-31"
    assert len(connect(served).sample(["red"], Decoding(new_tokens=1))) == 1


def test_a_slow_server_is_given_up(served: Served) -> None:
    served.delay = threading.Event()
    try:
        with pytest.raises(ResourceError, match="answer within"):
            connect(served, timeout=0.2).sample(["red"], Decoding(new_tokens=1))
    finally:
        served.delay.set()


def test_nobody_listens() -> None:
    model = open_endpoint(Server("http://127.0.0.1:9/v1", NAME, retries=0))
    with pytest.raises(ResourceError, match="reached"):
        model.sample(["red"], Decoding(new_tokens=1))


def test_half_an_answer_is_counted_as_unfinished(served: Served) -> None:
    model = connect(served)
    ((one,),) = model.sample(["red"], Decoding(new_tokens=2))
    assert not one.finished
    assert model.usage.unfinished == 1


def test_chat_cannot_echo() -> None:
    with pytest.raises(ProblemError, match="Chat"):
        Server("http://127.0.0.1:9/v1", NAME, protocol="chat")


def test_requests_are_spaced() -> None:
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    pace = Pace(60.0, clock=lambda: now[0], sleep=sleep)
    for _ in range(3):
        pace.wait()
    now[0] += 10.0
    pace.wait()
    assert slept == pytest.approx([1.0, 1.0])
