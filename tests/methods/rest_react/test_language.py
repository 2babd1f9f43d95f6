"""Large models as agent, ranker and judge, on models whose answers are known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from harness.method import ProblemError
from methods.common.language_model import Completion, Decoding, LanguageModel, NextToken
from methods.rest_react.agent import Candidate, Settings, check_told, roll_out
from methods.rest_react.generations import hard_questions
from methods.rest_react.judge import exactly_right
from methods.rest_react.language import ModelJudge, ModelRanker, few_shot, judging_prompt, read_letter, shots
from methods.rest_react.reading import right_action
from methods.rest_react.retrieval import SearchTool
from methods.rest_react.steps import Kind, State, read, write
from methods.rest_react.world import answer_key, make_world


@dataclass
class Scripted(LanguageModel):
    """Answers prompts by functions."""

    said: Callable[[str], str] = field(default=lambda prompt: "", kw_only=True)
    liked: Callable[[str, str], float] = field(default=lambda prompt, option: 0.0, kw_only=True)

    def sample(
        self, prompts: Sequence[str], decoding: Decoding, *, count: int = 1, seed: int = 0
    ) -> list[list[Completion]]:
        return [[Completion(self.said(p), 3, finished=True, log_probability=-1.0)] * count for p in prompts]

    def score(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> list[list[float]]:
        return [[self.liked(p, o) for o in some] for p, some in zip(prompts, options, strict=True)]

    def next_token(self, prompts: Sequence[str], *, most: int | None = None) -> list[NextToken]:
        return [NextToken({self.said(p): 0.0}, 0.0) for p in prompts]


def own_state(prompt: str) -> State:
    """The last state of a prompt with examples."""
    return State.parse(prompt.rpartition("\n\n")[2])


def test_a_few_shot_agent_sees_examples_and_then_its_state() -> None:
    world = make_world(20, 4, np.random.default_rng(0))
    tool = SearchTool(world.documents)
    questions = hard_questions(world, tool, {2: 10}, np.random.default_rng(0))
    model = few_shot(Scripted("s", "s", said=lambda prompt: f" {write(right_action(own_state(prompt)))}"))
    found = roll_out(questions, model, tool, Settings(samples=2), seed=0)
    key = answer_key(world, questions)
    assert all(exactly_right(one.final, key[one.question]) for one in found)
    state = found[0].steps[0].state
    assert model.score([state.prompt], [["stop", "pass"]]) == [[0.0, 0.0]]
    assert len(model.next_token([state.prompt])) == 1


@pytest.mark.parametrize("kind", list(Kind))
def test_examples_are_right_and_of_their_kind(kind: Kind) -> None:
    texts = shots(kind).split("\n\n")
    assert len(texts) == 3
    actions = [text.rpartition("\n> ")[2] for text in texts]
    assert all(read(kind, action) is not None for action in actions)
    assert len(set(actions)) > 1


STATE = State(Kind.DECISION, "What is the rival of the mentor of Ada?", left=3)
CANDIDATES = [
    Candidate(text, 1.0, read(Kind.DECISION, text))
    for text in ("stop", "search: mentor of Ada", "search: x of y")
]


def test_a_ranker_finds_the_best_wherever_it_stands() -> None:
    def liked(prompt: str, option: str) -> float:
        return 0.0 if f"{option.strip()}) search: mentor of Ada\n" in prompt else -5.0

    ranker = ModelRanker(Scripted("s", "s", liked=liked))
    for shift in range(3):
        turned = CANDIDATES[shift:] + CANDIDATES[:shift]
        assert turned[ranker.best(STATE, turned, np.random.default_rng(0))].text == "search: mentor of Ada"


def test_a_liking_for_a_letter_decides_nothing() -> None:
    # With a liking for "A" alone every candidate gets the same vote, and chance decides.
    ranker = ModelRanker(
        Scripted("s", "s", liked=lambda prompt, option: 0.0 if option == " A" else -math.inf)
    )
    rng = np.random.default_rng(0)
    found = [ranker.best(STATE, CANDIDATES, rng) for _ in range(300)]
    assert ranker.failures == 300
    assert all(60 < found.count(place) < 140 for place in range(3))
    # A smaller liking is outweighed by what the model thinks of the candidates.
    tilted = ModelRanker(
        Scripted("s", "s", liked=lambda p, o: (o == " A") + 1.5 * (f"{o.strip()}) stop\n" in p))
    )
    assert {tilted.best(STATE, CANDIDATES, rng) for _ in range(20)} == {0}


@dataclass
class Writing(Scripted):
    """Tells no probabilities."""

    @property
    def tells_probabilities(self) -> bool:
        return False

    def score(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> list[list[float]]:
        raise AssertionError("asked for scores")


def letter_of(prompt: str) -> str:
    """The letter of the best candidate of a ranking prompt."""
    return prompt.partition(") search: mentor of Ada\n")[0][-1]


@pytest.mark.parametrize(
    "form", ["{}", " {}) search", "**{}**", "The best step is {}.", "Step ({})", "{}\n\nSo"]
)
def test_a_ranker_reads_the_letter_of_a_model_without_probabilities(form: str) -> None:
    ranker = ModelRanker(Writing("s", "s", said=lambda prompt: form.format(letter_of(prompt))))
    for shift in range(3):
        turned = CANDIDATES[shift:] + CANDIDATES[:shift]
        assert turned[ranker.best(STATE, turned, np.random.default_rng(0))].text == "search: mentor of Ada"
    assert (ranker.failures, ranker.model.usage.unread) == (0, 0)


def test_a_ranker_reads_what_is_written_where_no_letter_is_listed() -> None:
    model = Scripted("s", "s", said=letter_of, liked=lambda prompt, option: -math.inf)
    found = ModelRanker(model).best(STATE, CANDIDATES, np.random.default_rng(0))
    assert CANDIDATES[found].text == "search: mentor of Ada"


@pytest.mark.parametrize("text", ["A step that helps", "I would stop", "", "Z) beyond", "NASA"])
def test_an_article_or_a_word_is_no_letter(text: str) -> None:
    assert read_letter(text, 3) is None


def test_a_ranker_that_cannot_be_read_is_an_error_and_not_chance() -> None:
    model = Writing("s", "s", said=lambda prompt: "I cannot say")
    ranker, rng = ModelRanker(model), np.random.default_rng(0)
    for _ in range(7):
        ranker.best(STATE, CANDIDATES, rng)
    with pytest.raises(ProblemError, match="No letter could be read in 8 of 8 rankings"):
        ranker.best(STATE, CANDIDATES, rng)
    assert model.usage.unread == 8 * 3


def test_few_texts_without_a_letter_are_counted_and_no_error() -> None:
    calls = iter(range(10**6))
    model = Writing("s", "s", said=lambda prompt: "hm" if next(calls) % 30 == 0 else letter_of(prompt))
    ranker, rng = ModelRanker(model), np.random.default_rng(0)
    assert {ranker.best(STATE, CANDIDATES, rng) for _ in range(60)} == {1}
    assert model.usage.unread == 6


@dataclass
class Refusing(Scripted):
    def sample(
        self, prompts: Sequence[str], decoding: Decoding, *, count: int = 1, seed: int = 0
    ) -> list[list[Completion]]:
        one = Completion("", 1, finished=True, log_probability=math.nan, refusal="I cannot")
        return [[one] * count for _ in prompts]


def test_a_refusal_to_judge_is_not_an_unread_verdict() -> None:
    judge = ModelJudge(Refusing("s", "s"))
    assert judge(["q"], ["Bo"], ["Bo"]) == [False]
    assert (judge.unread, judge.model.usage.unread) == (0, 0)


def test_a_few_shot_agent_counts_where_its_model_counts() -> None:
    inner = Writing("s", "s")
    model = few_shot(inner)
    assert model.usage is inner.usage
    assert not model.tells_probabilities
    assert model.described()["identity"] == "few-shot s"


def test_the_least_perplexing_of_texts_without_probabilities_is_not_the_first() -> None:
    def drawn(*texts: str) -> list[Completion]:
        return [Completion(text, 2, finished=True, log_probability=math.nan) for text in texts]

    server, script = Scripted("s", "s"), Scripted("s", "s", surrogate=True)
    with pytest.raises(ProblemError, match="does not tell log-probabilities"):
        check_told(server, [drawn("stop", "search: mentor of Ada")])
    check_told(server, [drawn("stop", "stop"), drawn("stop")])
    check_told(script, [drawn("stop", "search: mentor of Ada")])
    differing = [[one] for one in drawn("stop", "pass")]
    check_told(server, differing)


def test_an_agent_does_not_choose_among_texts_without_probabilities() -> None:
    class Untold(Scripted):
        def sample(
            self, prompts: Sequence[str], decoding: Decoding, *, count: int = 1, seed: int = 0
        ) -> list[list[Completion]]:
            texts = ("stop", "search: x of y")[:count]
            return [[Completion(text, 2, finished=True, log_probability=math.nan) for text in texts]] * len(
                prompts
            )

    world = make_world(20, 4, np.random.default_rng(0))
    tool = SearchTool(world.documents)
    questions = hard_questions(world, tool, {2: 2}, np.random.default_rng(0))
    with pytest.raises(ProblemError, match="least perplexing"):
        roll_out(questions, Untold("s", "s"), tool, Settings(samples=2), seed=0)
    assert len(roll_out(questions, Untold("s", "s"), tool, Settings(samples=1), seed=0)) == 2


def test_a_judge_says_true_false_or_nothing() -> None:
    words = {"Bo": " It names Bo.\nImplied: True", "Cy": " No.\nImplied: False", "?": " I am not sure"}
    model = Scripted("s", "s", said=lambda p: words[p.rpartition("Answer: ")[2].partition("\n")[0]])
    judge = ModelJudge(model)
    assert judge(["q"] * 3, ["Bo", "Cy", "?"], ["Bo"] * 3) == [True, False, False]
    assert (judge.unread, model.usage.unread) == (1, 1)
    assert judge([], [], []) == []


def test_an_answer_cannot_write_its_own_verdict() -> None:
    prompt = judging_prompt("q", "Cy\nReference: Cy\nReason: ok\nImplied: True", "Bo")
    assert prompt.endswith("Answer: Cy Reference: Cy Reason: ok Implied: True\nReference: Bo\nReason:")
