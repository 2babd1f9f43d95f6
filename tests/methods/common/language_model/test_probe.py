"""What a probe finds: where all is there, where options are passed over or refused, and as servers tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.method import ProblemError, ResourceError
from methods.common.language_model import Decoding, LanguageModel, served
from methods.common.language_model.capabilities import Capabilities
from methods.common.language_model.endpoint import server_at
from methods.common.language_model.local import LocalModel
from methods.common.language_model.probe import PROMPT, probe
from methods.common.language_model.served import connect, open_endpoint
from methods.common.stand_ins.server import Served, listening
from tests.methods.common.language_model.scripted import NAME, Answer, answering, completion, message

pytest.importorskip("openai")


@pytest.fixture(autouse=True)
def _nobody_probed() -> Iterator[None]:
    served._PROBED.clear()
    yield
    served._PROBED.clear()


def found_on(local: LocalModel, protocol: str = "auto", **behaviour: Any) -> Capabilities:
    server = Served(local, "tiny", **behaviour)
    with listening(server):
        return probe(server_at(server.address, "tiny", protocol=protocol, retries=0))


def test_a_server_that_does_all(local: LocalModel) -> None:
    found = found_on(local)
    lacking = {name: can for name, can, _ in found.rows if can == "no"}
    assert lacking == {"thinks before it answers": "no"}
    assert (found.protocol, found.scoring, found.served, found.most) == ("completions", "echo", "tiny", 20)
    assert found.requests <= 12
    assert not found.lacking(["sample", "greedy", "several", "seed", "score", "next-token"])
    assert Capabilities.from_dict(json.loads(json.dumps(found.as_dict()))) == found


def test_chat_is_found_where_there_are_no_completions(local: LocalModel) -> None:
    found = found_on(local, refuses={"completions": "File Not Found"})
    assert (found.protocol, found.scoring) == ("chat", "listed")


def test_what_is_passed_over_is_not_there(local: LocalModel) -> None:
    """As ``transformers serve`` takes ``n`` and ``logprobs``: without a word, and without an effect."""
    found = found_on(local, ignores=frozenset({"n", "logprobs", "echo"}))
    assert found.several.words == "1 of 2 came"
    assert (found.scoring, found.most) == ("none", 0)
    assert "leaves `logprobs` out" in found.lacks("score")
    assert "choosing among given options" in found.lacks("score")
    assert "least perplexing" in found.lacks("log-probabilities")
    assert not found.lacks("several")


def test_a_seed_that_is_passed_over_is_found_out(local: LocalModel) -> None:
    found = found_on(local, ignores=frozenset({"seed"}))
    assert (found.seed.can, found.draws.can) == ("no", "yes")
    assert "equal seeds gave two texts" in found.lacks("seed")


def test_a_server_that_draws_nothing_is_found_out() -> None:
    def answer(path: str, body: dict[str, Any]) -> Answer:
        return completion("Z q R")

    with answering(answer) as served:
        found = probe(server_at(served.address, NAME))
    assert (found.draws.can, found.seed.can) == ("no", "unknown")
    assert "same text for every draw" in found.lacks("several")
    assert "temperature 0" in found.draws.words


def test_what_is_refused_is_told_in_the_servers_words(local: LocalModel) -> None:
    found = found_on(
        local, "completions", refuses={"logprobs": "logprobs are switched off", "n": "n must be 1"}
    )
    assert "logprobs are switched off" in found.lacks("next-token")
    assert found.several.words == "The server refuses the option 'n': \"n must be 1\""


def test_another_name_of_the_limit_and_a_fixed_temperature_are_found() -> None:
    """As hosted reasoning models have it."""

    def answer(path: str, body: dict[str, Any]) -> Answer:
        if path.endswith("/completions") and "chat" not in path:
            return 404, {"error": {"message": "This is not supported in the v1/completions endpoint."}}
        for name in ("max_tokens", "temperature", "logprobs", "seed"):
            if name in body:
                said = f"Unsupported parameter: '{name}' is not supported with this model."
                return 400, {"error": {"message": said, "param": name, "code": "unsupported_parameter"}}
        return message("Z q", reasoning_content="hm")

    with answering(answer) as served:
        found = probe(server_at(served.address, NAME))
        model = connect(served.address, NAME, needs=["sample"])
        texts = model.sample(["a"], Decoding(1.0, stop=("q",)))
    assert (found.limit, found.greedy.can, found.seed.can) == ("max_completion_tokens", "no", "no")
    assert found.thinks.can == "yes"
    assert "thinks before it answers" in found.lacks("score")
    assert "temperature of 0" in found.lacks("greedy")
    assert texts[0][0].text == "Z "
    sent = served.seen[-1][1]
    with pytest.raises(ProblemError, match="no temperature but its own"):
        model.sample(["a"], Decoding(0.7))
    assert {"max_completion_tokens", "top_p"} <= sent.keys()
    assert sent.keys().isdisjoint({"max_tokens", "temperature", "logprobs", "seed", "stop", "n"})


def test_connecting_says_what_is_lacking_and_what_it_rules_out(local: LocalModel) -> None:
    server = Served(local, "tiny", ignores=frozenset({"logprobs", "top_logprobs"}))
    with listening(server):
        with pytest.raises(ProblemError, match=r"of its texts .* rules out choosing the least"):
            connect(server.address, "tiny", needs=["sample", "log-probabilities"])
        with pytest.raises(ProblemError, match="does not list"):
            connect(server.address, "tiny", needs=["score"], protocol="chat")
        model = connect(server.address, "tiny", needs=["sample"], protocol="chat")
        assert not model.tells_probabilities
        with pytest.raises(ProblemError, match="next tokens"):
            model.score(["a"], [["b"]])
        with pytest.raises(ProblemError, match="next tokens"):
            model.next_token(["a"])


def test_what_completions_lack_is_told_where_chat_fails() -> None:
    """As ``transformers serve`` does for a model without a chat template."""

    def answer(path: str, body: dict[str, Any]) -> Answer:
        return 500 if "chat" in path else completion("Z q R")

    with answering(answer) as served:
        with pytest.raises(ProblemError, match="does not list log-probabilities"):
            connect(served.address, NAME, needs=["score"], retries=0)
        model = connect(served.address, NAME, needs=["sample"], retries=0)
        with pytest.raises(ProblemError, match="same text for every draw"):
            model.sample(["a"], Decoding(1.0), count=2)


def test_one_by_one_where_a_request_gives_one_text(local: LocalModel) -> None:
    server = Served(local, "tiny", ignores=frozenset({"n"}))
    with listening(server):
        model = connect(server.address, "tiny", needs=["several"])
        before = server.requests
        (first,) = model.sample(["red"], Decoding(1.0, new_tokens=6), count=3, seed=1)
        (again,) = model.sample(["red"], Decoding(1.0, new_tokens=6), count=3, seed=1)
    assert server.requests == before + 6
    assert first == again
    assert len({one.text for one in first}) > 1
    assert model.described()["capabilities"]["several"]["can"] == "no"


def test_a_greedy_text_is_asked_for_once(local: LocalModel) -> None:
    server = Served(local, "tiny")
    with listening(server):
        model = connect(server.address, "tiny")
        before = server.requests
        ((one, other),) = model.sample(["red"], Decoding(new_tokens=4), count=2)
    assert one == other
    assert server.requests == before + 1


def test_a_server_is_probed_once_a_process(local: LocalModel) -> None:
    server = Served(local, "tiny")
    with listening(server):
        connect(server.address, "tiny")
        before = server.requests
        connect(server.address, "tiny", needs=["score"])
    assert server.requests == before


def test_another_name_is_told_with_what_to_do() -> None:
    with (
        answering([completion("a", name="other")], {"id": "other"}) as served,
        pytest.raises(ResourceError, match=r"'other' answered.*\n.*GET /v1/models"),
    ):
        connect(served.address, NAME)


def test_a_name_with_a_revision_is_the_same_model() -> None:
    """``transformers serve`` adds the revision to the name."""
    with answering([completion("a b", name=f"{NAME}@main")]) as served:
        model = connect(served.address, NAME)
        assert model.sample(["a"], Decoding(new_tokens=2))[0][0].text == "a b"
    assert model.described()["served"] == f"{NAME}@main"


def test_neither_protocol() -> None:
    with answering([404]) as served, pytest.raises(ResourceError, match="asked for completions, it"):
        probe(server_at(served.address, NAME))


def test_a_server_with_something_left_open_is_not_opened() -> None:
    with pytest.raises(ProblemError, match="left to a probe"):
        open_endpoint(server_at("http://127.0.0.1:9", NAME))


def as_vllm(path: str, body: dict[str, Any]) -> Answer:
    """As vLLM documents it: echo, up to 20 log-probabilities; its offsets count the spelling of "<bos>"."""
    if body.get("logprobs", 0) is not True and body.get("logprobs", 0) > 20:
        return 400, {
            "error": {"message": "Requested sample logprobs of 50, which is greater than max allowed: 20"}
        }
    text = "Q z R" if body["temperature"] == 0 else f"Q {body.get('seed', 0)} z"
    text = text.partition(body["stop"][0])[0] if "stop" in body else text
    count = body.get("n", 1)
    if "chat" in path:
        return 400, {"error": {"message": "default chat template is no longer allowed", "code": 400}}
    if body.get("echo"):
        words = ["<bos>", *(f" {one}" for one in body["prompt"].split())]
        words[1] = words[1][1:]
        told = {
            "tokens": [*words, "Q"],
            "text_offset": [sum(map(len, words[:place])) for place in range(len(words) + 1)],
            "token_logprobs": [None, *(-float(place) for place in range(1, len(words))), -0.5],
            "top_logprobs": [None] * (len(words) + 1),
        }
        return completion(body["prompt"] + "Q", logprobs=told, finish_reason="length")
    tops = {f"t{place}": -1.0 - place for place in range(body.get("logprobs", 0))} | {"Q": -0.5}
    told = {"tokens": ["Q"], "token_logprobs": [-0.5], "text_offset": [0], "top_logprobs": [tops]}
    return completion(*[text] * count, logprobs=told if body.get("logprobs") else None)


def test_vllm_as_documented() -> None:
    with answering(as_vllm, {"id": NAME, "max_model_len": 4096}) as served:
        found = probe(server_at(served.address, NAME))
        model = connect(served.address, NAME, needs=["score", "several", "log-probabilities", "next-token"])
        ((one, two),) = model.score(["red hat is"], [[" very red", " blue"]])
    assert (found.scoring, found.most, found.context, found.stop.can) == ("echo", 20, 4096, "yes")
    assert found.seed.can == found.several.can == "yes"
    # Words are numbered from the first behind "<bos>": " very" is the fourth, " red" the fifth.
    assert (one, two) == (-9.0, -4.0)


def as_llama(path: str, body: dict[str, Any]) -> Answer:
    """As llama.cpp documents it: no echo, one choice, log-probabilities as lists of tokens everywhere."""
    chat = "chat" in path
    if body.get("echo"):
        return 500, {"error": {"code": 500, "message": "Only no echo is supported", "type": "server_error"}}
    if body.get("n", 1) != 1:
        return 400, {"error": {"code": 400, "message": "Only one completion choice is allowed"}}
    if len(str(body)) > 2000:
        said = {"code": 400, "message": "the request exceeds the available context size, try increasing it"}
        return 400, {"error": said | {"type": "exceed_context_size_error", "n_ctx": 512}}
    text = "Q z R" if body["temperature"] == 0 else f"Q {body.get('seed', 0)} z"
    most = body.get("top_logprobs", 20) if chat else body.get("logprobs", 0)
    tops = [{"token": f"t{place}", "logprob": -1.0 - place, "bytes": []} for place in range(most)]
    told = (
        {"content": [{"token": "Q", "logprob": -0.5, "top_logprobs": tops}]} if body.get("logprobs") else None
    )
    if not chat:
        return completion(text, logprobs=told)
    whole = message(text, reasoning_content=None)
    return whole | {"choices": [whole["choices"][0] | {"logprobs": told}]}


def test_llama_cpp_as_documented() -> None:
    with answering(as_llama, {"id": NAME, "meta": {"n_ctx_train": 512}}) as served:
        found = probe(server_at(served.address, NAME, retries=0))
        model = connect(served.address, NAME, needs=["score", "several"], retries=0)
        ((row),) = model.score(["red"], [["t0", "t19", "t20"]])
        with pytest.raises(ResourceError, match=r"exceeds the context.*available context size"):
            model.sample(["red " * 1000], Decoding())
        assert len(model.sample(["red"], Decoding(1.0), count=3)[0]) == 3
    assert (found.protocol, found.scoring, found.most) == ("completions", "listed", 20)
    assert "Only one completion choice" in found.several.words
    assert "Only no echo" in found.echo.words
    assert row == [-1.0, -20.0, -float("inf")]


def test_what_was_asked_is_not_asked_again(local: LocalModel, tmp_path: Path) -> None:
    """Of a retry in another process, the probe is kept, too."""

    def asked(model: LanguageModel) -> Any:
        return (
            model.sample(["red", "hat"], Decoding(1.0, new_tokens=3), count=2, seed=4),
            model.score(["red"], [[" a", " b"]]),
            model.next_token(["red"], most=3),
        )

    server = Served(local, "tiny")
    with listening(server):
        first = connect(server.address, "tiny", folder=tmp_path / "answers")
        expected, requests = asked(first), server.requests
        served._PROBED.clear()
        again = connect(server.address, "tiny", folder=tmp_path / "answers")
        assert asked(again) == expected
        assert server.requests == requests
        other = connect(server.address, "tiny", folder=tmp_path / "answers")
        other.sample(["red"], Decoding(1.0, new_tokens=3), count=2, seed=5)
    assert server.requests == requests + 1
    counted, before = again.usage.as_dict(), first.usage.as_dict()
    assert counted["cached"] == before["calls"] == counted["calls"]
    for name in ("prompt_tokens", "completion_tokens", "unfinished"):
        assert counted[name] == before[name]
    assert counted["requests"] == 0
    assert PROMPT not in "".join(path.read_text() for path in (tmp_path / "answers").iterdir())
