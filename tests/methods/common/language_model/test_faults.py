"""Every way in which a server fails: repeated or not, told in its words, counted, and without keys."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from harness.method import ProblemError, ResourceError
from methods.common.language_model import Decoding
from methods.common.language_model.endpoint import Server, server_at
from methods.common.language_model.served import EndpointModel, open_endpoint
from tests.methods.common.language_model.scripted import (
    NAME,
    Answer,
    Scripted,
    answering,
    completion,
    message,
)

pytest.importorskip("openai")
ONE = Decoding(new_tokens=4)


def model_of(served: Scripted, **values: Any) -> EndpointModel:
    found = open_endpoint(Server(served.address, NAME, **{"retries": 2, **values}))
    found.wire.sleep = lambda seconds: None
    return found


def chat_of(served: Scripted, **values: Any) -> EndpointModel:
    return model_of(served, protocol="chat", scoring="listed", **values)


@pytest.mark.parametrize(
    "fault",
    [
        429,
        500,
        503,
        408,
        (200, b'{"choices": [{"text": "cut o', {}),
        (200, b'{"choices": [', {"Content-Length": "4000"}),
        (200, b"", {}),
        (200, {"error": {"message": "overloaded", "code": 502}}),
    ],
)
def test_a_passing_failure_is_asked_again_and_counted(fault: Answer) -> None:
    with answering([fault, fault, completion("red")]) as served:
        model = model_of(served)
        assert model.sample(["a"], ONE)[0][0].text == "red"
    counted = model.usage.as_dict()
    assert (counted["requests"], counted["retries"], counted["failed"]) == (3, 2, 0)


def test_what_does_not_pass_is_given_up_after_its_repeats() -> None:
    with answering([503]) as served:
        model = model_of(served)
        with pytest.raises(ResourceError, match="failed"):
            model.sample(["a"], ONE)
    counted = model.usage.as_dict()
    assert (counted["requests"], counted["retries"], counted["failed"]) == (3, 2, 1)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ((400, {"error": {"message": "temperature must be 1", "param": "temperature"}}), "'temperature'"),
        ((422, {"detail": [{"loc": ["body", "seed"], "msg": "extra field"}]}), "'seed'.*body.seed: extra"),
        ((422, {"detail": "Unexpected fields in the request: {'top_p'}"}), "'top_p'"),
        ((400, {"error": {"message": "Unsupported parameter: 'max_tokens'"}}), "'max_tokens'"),
        ((400, {"object": "error", "message": "logprobs is too many"}), "'logprobs'.*too many"),
        ((400, {"error": {"message": "This is for n people"}}), 'refuses the request: "This is for'),
        (
            (400, {"error": {"message": "This model's maximum context length is 8 tokens. However, …"}}),
            "exceeds the context.*8 tokens",
        ),
        (
            (400, {"error": {"message": "too large", "type": "exceed_context_size_error"}}),
            "exceeds the context",
        ),
        ((401, {"error": {"message": "bad"}}), "refuses the key"),
        ((403, {"error": {"message": "not yours"}}), "refuses the key.*not yours"),
        ((404, {"error": {"message": "The model `x` does not exist."}}), "does not exist"),
        ((404, {"detail": "Not Found"}), "Not Found"),
        ((429, {"error": {"message": "pay", "code": "insufficient_quota"}}), "no quota left"),
        ((429, {"error": {"message": "slow"}}, {"Retry-After": "3600"}), "wait 3600 s"),
        ((307, b"", {"Location": "https://user:pw@evil.example/v1?key=1"}), "on to https://evil.example,"),
        ((200, b"<html>hello</html>", {"Content-Type": "text/html"}), "text and not.*<html>"),
        ({"choices": None}, "no answers where 1"),
        ({"choices": []}, "0 answers where 1"),
        ({"model": NAME, "choices": [{"index": 0, "finish_reason": "stop"}]}, "neither a message nor a text"),
        (completion("a", name="giant"), "'giant' answered"),
        ((200, {"error": {"message": "bad temperature: > 1", "code": 400}}), "'temperature'"),
    ],
)
def test_what_cannot_pass_is_told_at_once(fault: Answer, said: str) -> None:
    with answering([fault]) as served:
        model = model_of(served)
        with pytest.raises(ResourceError, match=said) as caught:
            model.sample(["a"], ONE)
    assert "may exceed" not in str(caught.value)
    assert (len(served.seen), model.usage.failed) == (1, 1)


@pytest.mark.parametrize(
    "choice",
    [{"index": 0}, {"index": 0, "message": None}, {"index": 0, "message": {"content": [1]}}, None, 3],
)
def test_a_chat_answer_without_a_message_is_an_error_by_name(choice: Any) -> None:
    with answering([{"model": NAME, "choices": [choice]}]) as served:
        model = chat_of(served)
        with pytest.raises(ResourceError, match="OpenAI's protocol"):
            model.sample(["a"], ONE)
    assert model.usage.failed == 1


@pytest.mark.parametrize(
    ("texts", "said"), [(("a",), "1 answers where 2"), (("a", "b", "c"), "3 answers where 2")]
)
def test_choices_must_be_as_many_as_were_asked_for(texts: tuple[str, ...], said: str) -> None:
    with answering([completion(*texts)]) as served, pytest.raises(ResourceError, match=said):
        model_of(served).sample(["a"], Decoding(1.0), count=2)


def test_a_choice_that_comes_twice_is_none_of_two_draws() -> None:
    with answering([completion("a", "a", index=0)]) as served, pytest.raises(ResourceError, match="several"):
        model_of(served).sample(["a"], Decoding(1.0), count=2)


def paused_by(wish: str, outcome: AbstractContextManager[Any]) -> float:
    """Seconds that the model would have slept for a server that asks for ``wish`` in Retry-After."""
    slept: list[float] = []
    with answering([(429, {}, {"Retry-After": wish}), completion("red")]) as served, outcome:
        model = model_of(served)
        model.wire.pace._sleep = slept.append
        model.sample(["a"], ONE)
    return sum(slept)


def test_the_servers_wish_to_wait_is_honoured() -> None:
    assert paused_by("7", nullcontext()) == pytest.approx(7, abs=0.5)


def test_a_wish_to_wait_for_a_day_is_refused_with_its_length() -> None:
    # The date is made here, not in a parameter: pytest-xdist's workers collect at different moments, and
    # names of tests that hold the time end the session.
    tomorrow = format_datetime(datetime.now(UTC) + timedelta(days=1))
    assert paused_by(tomorrow, pytest.raises(ResourceError, match=r"wait 8\d{4} s")) == 0


def test_pauses_grow_and_are_bounded() -> None:
    slept: list[float] = []
    # The stand-in asks for no pause of its own where it says so.
    with answering([(500, {}, {"Retry-After": ""})]) as served:
        model = model_of(served, retries=6)
        model.wire.sleep = slept.append
        with pytest.raises(ResourceError):
            model.sample(["a"], ONE)
    assert slept == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]


def test_keys_are_in_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "hush-hush-secret")
    said = {"error": {"message": "Incorrect API key provided: hush-hush-secret, or sk-abc123***xyz"}}
    with answering([(401, said)]) as served, pytest.raises(ResourceError) as caught:
        model_of(served).sample(["a"], ONE)
    assert served.keys == ["Bearer hush-hush-secret"]
    shown: list[BaseException | None] = [caught.value, caught.value.__cause__, caught.value.__context__]
    for one in shown:
        assert "secret" not in str(one)
        assert "abc123" not in str(one)


def test_a_redirection_carries_the_key_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "hush")
    with (
        answering([completion("red")]) as goal,
        answering([(307, b"", {"Location": f"{goal.address}/completions"})]) as first,
        pytest.raises(ResourceError, match="not followed"),
    ):
        model_of(first).sample(["a"], ONE)
    assert goal.seen == []


def test_a_refusal_is_an_outcome_of_its_own() -> None:
    answers: list[Answer] = [message(None, refusal="I cannot"), message("", reason="content_filter")]
    with answering(answers) as served:
        model = chat_of(served, parallel=1)
        rows = model.sample(["a", "b"], ONE)
    assert [row[0].refusal for row in rows] == ["I cannot", "content filter"]
    assert (model.usage.refused, model.usage.unfinished) == (2, 0)


@pytest.mark.parametrize(
    ("told", "text", "thought", "ended"),
    [
        (message("<think>\nhm\n</think>\n\nred"), "red", "hm", True),
        (message("hm</think>red"), "red", "hm", True),
        (message("<think>hm, and", reason="length"), "", "hm, and", False),
        (message("red", reasoning_content="hm"), "red", "hm", True),
        (message("red", reasoning="hm"), "red", "hm", True),
        (message(None, reasoning_content="hm", reason="length"), "", "hm", False),
        (message(None), "", "", True),
        (message("a <think> in between"), "a <think> in between", "", True),
    ],
)
def test_thoughts_are_split_off_and_kept(
    told: dict[str, Any], text: str, thought: str, *, ended: bool
) -> None:
    with answering([told]) as served:
        model = chat_of(served)
        ((one,),) = model.sample(["a"], ONE)
    assert (one.text, one.thought, one.finished) == (text, thought, ended)
    assert one.tokens == model.usage.completion_tokens == 7
    assert model.usage.unfinished == (not ended)


def test_a_stop_that_stays_in_the_text_is_cut_off() -> None:
    with answering([completion("red\nblue", finish_reason="length")]) as served:
        ((one,),) = model_of(served).sample(["a"], Decoding(stop=("\n",)))
    assert (one.text, one.finished) == ("red", True)


def test_log_probabilities_in_the_form_of_llama_cpp_are_read() -> None:
    tops = [{"token": "▁A", "logprob": -0.5}, {"token": "B", "logprob": -2.0}]
    told = {"content": [{"token": "▁A", "logprob": -0.5, "top_logprobs": tops}]}
    with answering([completion("A", logprobs=told)]) as served:
        model = model_of(served, scoring="listed")
        assert model.sample(["a"], ONE)[0][0].log_probability == -0.5
        assert model.score(["a"], [[" A", "B", "C"]]) == [[-0.5, -2.0, -float("inf")]]


def test_a_mark_at_the_beginning_that_is_not_in_the_text_moves_no_offset() -> None:
    """vLLM counts the spelling of "<bos>" into the offsets of the tokens behind it."""
    told = {
        "tokens": ["<bos>", "red", " 1", "\n"],
        "text_offset": [0, 5, 8, 10],
        "token_logprobs": [None, -1.0, -0.25, -3.0],
        "top_logprobs": None,
    }
    with answering([completion("red 1\n", logprobs=told)]) as served:
        assert model_of(served).score(["red"], [[" 1"]]) == [[-0.25]]


def test_without_log_probabilities_nothing_is_scored() -> None:
    with answering([completion("red")]) as served:
        with pytest.raises(ResourceError, match="does not echo"):
            model_of(served).score(["a"], [["b"]])
        with pytest.raises(ResourceError, match="lists no probabilities"):
            model_of(served, scoring="listed").score(["a"], [["b"]])


def test_equal_spellings_of_listed_tokens_add_up() -> None:
    told = {
        "content": [{"token": "a", "logprob": -1.0, "top_logprobs": [{"token": "�", "logprob": -1.0}] * 2}]
    }
    with answering([message("a") | {"choices": [message("a")["choices"][0] | {"logprobs": told}]}]) as served:
        (law,) = chat_of(served).next_token(["a"], most=2)
    assert dict(law.log_probabilities) == {"�": pytest.approx(-1.0 + 0.6931, abs=1e-3)}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("localhost:8000", "no address"),
        ("ftp://host/v1", "no address"),
        ("http://", "no address"),
        ("http://host:port/v1", "no address"),
        ("http://a host/v1", "no address"),
        ("https://me:hush@host/v1", "more than scheme"),
        ("https://host/v1?key=hush", "more than scheme"),
        ("https://host/v1/chat/completions", "one operation"),
    ],
)
def test_what_is_no_address_is_refused_and_no_key_repeated(url: str, said: str) -> None:
    with pytest.raises(ProblemError, match=said) as caught:
        server_at(url, NAME)
    assert "hush" not in str(caught.value)


def test_an_address_may_leave_out_its_version() -> None:
    found = [
        server_at(url, NAME).address
        for url in ("http://h:1", "http://h:1/", "http://h:1/v1/", "http://h/api")
    ]
    assert found == ["http://h:1/v1", "http://h:1/v1", "http://h:1/v1", "http://h/api"]


def test_what_a_model_tells_about_itself_is_plain_and_without_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "hush")
    with answering([completion("red")]) as served:
        told = json.loads(json.dumps(model_of(served).described()))
    assert (told["address"], told["model"], told["protocol"]) == (served.address, NAME, "completions")
    assert "hush" not in json.dumps(told)
