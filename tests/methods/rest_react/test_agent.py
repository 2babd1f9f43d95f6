"""The agent: its state machine, its grammar, and what it learns from."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.method import ProblemError
from methods.common.language_model import Completion, Decoding
from methods.rest_react import agent, demonstrator, ranker, reading, training_data
from methods.rest_react.agent import Candidate, Settings, Trajectory, least_perplexity, roll_out
from methods.rest_react.delexical import Lexicon
from methods.rest_react.demonstrator import Demonstrator
from methods.rest_react.judge import exactly_right
from methods.rest_react.ranker import LocalRanker, RandomRanker, quality
from methods.rest_react.reading import right_action, supporting
from methods.rest_react.retrieval import SearchTool
from methods.rest_react.steps import (
    Action,
    Answer,
    Kind,
    Round,
    Search,
    Snippet,
    State,
    Stop,
    Summary,
    Verdict,
    read,
    write,
)
from methods.rest_react.training_data import retarget
from methods.rest_react.world import AnswerKey, Question, World, all_questions, choose, make_world

plain = st.text("abc de", min_size=1, max_size=8).map(str.strip).filter(bool)
links = st.lists(st.integers(1, 20), max_size=3).map(tuple)
actions = {
    Kind.DECISION: st.builds(Search, plain) | st.just(Stop()),
    Kind.SUMMARY: st.builds(Summary, links, plain | st.just("")),
    Kind.ANSWER: st.builds(Answer, plain, links),
    Kind.RELEVANCE: st.builds(Verdict, st.none() | plain),
    Kind.GROUNDING: st.builds(Verdict, st.none() | plain),
}


def questions_of(seed: int, count: int, hops: int = 2) -> tuple[World, list[Question], AnswerKey]:
    rng = np.random.default_rng(seed)
    world = make_world(30, 5, rng)
    questions, key = all_questions(world, hops)
    return world, choose(questions, count, rng), key


def walk(
    error: float = 0.0, *, hops: int = 2, count: int = 40, samples: int = 1, searches: int = 4
) -> list[Trajectory]:
    world, questions, _ = questions_of(0, count, hops)
    model = Demonstrator("script", "script", error=error)
    settings = Settings(searches=searches, samples=samples)
    return roll_out(questions, model, SearchTool(world.documents), settings, seed=0)


@pytest.mark.parametrize("kind", list(Kind))
@given(data=st.data())
def test_actions_read_back(kind: Kind, data: st.DataObject) -> None:
    action = data.draw(actions[kind])
    assert read(kind, write(action)) == action


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.DECISION, "search:"),
        (Kind.DECISION, "__import__('os')"),
        (Kind.SUMMARY, "[1] no arrow"),
        (Kind.ANSWER, ""),
        (Kind.RELEVANCE, "revise:"),
        (Kind.GROUNDING, "perhaps"),
    ],
)
def test_other_texts_are_no_actions(kind: Kind, text: str) -> None:
    assert read(kind, text) is None


states = st.builds(
    State,
    st.sampled_from(list(Kind)),
    plain.map(lambda text: f"What is {text}?"),
    st.lists(st.builds(Round, plain, links, plain | st.just("")), max_size=3).map(tuple),
)


@given(states, st.integers(0, 9), plain, st.lists(st.builds(Snippet, st.integers(1, 30), plain), max_size=3))
def test_prompts_say_all_that_a_state_holds(
    state: State, left: int, text: str, results: list[Snippet]
) -> None:
    extra: dict[Kind, dict[str, object]] = {
        Kind.DECISION: {"left": left},
        Kind.SUMMARY: {"query": text, "results": tuple(results)},
        Kind.ANSWER: {},
        Kind.RELEVANCE: {"draft": text},
        Kind.GROUNDING: {"draft": text},
    }
    whole = State(state.kind, state.question, state.rounds, **extra[state.kind])  # type: ignore[arg-type]
    assert State.parse(whole.prompt) == whole


@pytest.mark.parametrize("hops", [2, 3])
def test_doing_what_is_right_answers_every_question(hops: int) -> None:
    _, _, key = questions_of(0, 40, hops)
    found = walk(hops=hops)
    assert all(exactly_right(one.final, key[one.question]) for one in found)
    # Golden: 2h + 4 examples for h searches.
    for one in found:
        assert len(one.steps) == 2 * one.searches + 4
    assert {one.searches for one in found} == {hops}


@pytest.mark.parametrize("error", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("searches", [1, 4])
def test_every_trajectory_ends_in_order(error: float, searches: int) -> None:
    for one in walk(error, searches=searches):
        kinds = [step.state.kind for step in one.steps]
        assert one.searches <= searches
        assert kinds[-3:] == [Kind.ANSWER, Kind.RELEVANCE, Kind.GROUNDING]
        assert kinds[:-3] == [Kind.DECISION, Kind.SUMMARY] * one.searches + [Kind.DECISION]
        assert isinstance(one.steps[-4].action, Stop) or one.steps[-4].state.left == 0
        verdicts = [step.action for step in one.steps[-2:]]
        if all(verdict == Verdict() for verdict in verdicts):
            assert one.final == one.draft


def test_a_search_beyond_the_limit_is_stored_and_refused() -> None:
    @dataclass
    class Restless(Demonstrator):
        def _act(self, state: State, rng: np.random.Generator) -> Action:
            return Search("anything at all") if state.kind is Kind.DECISION else right_action(state)

    world, questions, _ = questions_of(0, 5)
    model = Restless("restless", "restless")
    found = roll_out(questions, model, SearchTool(world.documents), Settings(searches=2, samples=1), seed=0)
    # Golden: 2m + 4 steps, the refused decision stored.
    assert {len(one.steps) for one in found} == {8}


def test_links_are_unique_in_a_trajectory() -> None:
    for one in walk(0.3):
        numbers = [snippet.link for step in one.steps for snippet in step.state.results]
        assert numbers == list(range(1, len(numbers) + 1))


def candidate(text: str, *probabilities: float) -> Candidate:
    perplexity = math.exp(-sum(map(math.log, probabilities)) / len(probabilities))
    return Candidate(text, perplexity, Search(text))


def test_golden_perplexity() -> None:
    short, long = candidate("a", 0.5, 0.5), candidate("b", 0.6, 0.6, 0.6, 0.6)
    assert (short.perplexity, long.perplexity) == pytest.approx((2.0, 1 / 0.6))
    assert least_perplexity([short, long]) is long
    assert least_perplexity([Candidate("?", 1.0, None), short]) is short
    assert least_perplexity([Candidate("?", 1.0, None)]) is None


@dataclass
class Urn(Demonstrator):
    """Draws one of three queries from a law, at a temperature."""

    law: tuple[float, ...] = field(default=(0.5, 0.3, 0.2), kw_only=True)

    def sample(
        self, prompts: Sequence[str], decoding: Decoding, *, count: int = 1, seed: int = 0
    ) -> list[list[Completion]]:
        rng = np.random.default_rng(seed)
        sharp = np.array(self.law) ** (1 / decoding.temperature)
        drawn = rng.choice(3, size=(len(prompts), count), p=sharp / sharp.sum())
        return [
            [
                Completion(f"search: {'abc'[i]}", 1, finished=True, log_probability=math.log(self.law[i]))
                for i in row
            ]
            for row in drawn
        ]


@pytest.mark.parametrize(("samples", "expected"), [(1, 0.6579), (4, 0.9863), (16, 1.0)])
def test_golden_sharpening(samples: int, expected: float) -> None:
    state = State(Kind.DECISION, "What is the rival of the mentor of Ada?", left=1)
    completions = Urn("urn", "urn").sample([state.prompt] * 20000, Decoding(0.5), count=samples, seed=1)
    chosen = [agent.choose(state, row).text for row in completions]
    assert chosen.count("search: a") / len(chosen) == pytest.approx(expected, abs=0.012)


def test_unreadable_steps_fall_back_and_are_counted() -> None:
    @dataclass
    class Babbling(Demonstrator):
        def sample(
            self, prompts: Sequence[str], decoding: Decoding, *, count: int = 1, seed: int = 0
        ) -> list[list[Completion]]:
            return [[Completion("", 0, finished=False, log_probability=0.0)] * count for _ in prompts]

    world, questions, _ = questions_of(0, 3)
    found = roll_out(questions, Babbling("b", "b"), SearchTool(world.documents), Settings(), seed=0)
    assert all(step.failed for one in found for step in one.steps)
    assert {one.final for one in found} == {"unknown"}


def test_without_a_ranker_targets_are_what_was_done() -> None:
    found = walk(0.3, samples=4)
    data = retarget(found, None, np.random.default_rng(0))
    steps = [step for one in found for step in one.steps]
    assert [example.target for example in data.examples] == [step.text for step in steps]
    assert (data.changed, data.asked) == (0, 0)


@pytest.mark.parametrize("chosen", [LocalRanker(0.0), LocalRanker(), RandomRanker()])
def test_ranking_changes_targets_and_never_states(chosen: training_data.Ranker) -> None:
    found = walk(0.3, samples=4)
    before = [step.state.prompt for one in found for step in one.steps]
    data = retarget(found, chosen, np.random.default_rng(0))
    assert [example.state for example in data.examples] == before
    assert len(data.examples) == sum(len(one.steps) for one in found)
    assert 0 < data.changed <= data.asked


def test_a_clear_eye_chooses_what_is_right_whenever_it_was_proposed() -> None:
    found = walk(0.5, samples=4)
    data = retarget(found, LocalRanker(0.0), np.random.default_rng(0))
    steps = [step for one in found for step in one.steps]
    rights = [write(right_action(step.state)) for step in steps]
    proposed = [
        (right, example.target)
        for right, step, example in zip(rights, steps, data.examples, strict=True)
        if right in {one.text for one in step.candidates}
    ]
    assert len(proposed) > len(steps) / 2
    assert all(right == target for right, target in proposed)


def test_the_noise_of_the_ranker_is_what_it_says() -> None:
    state = State(Kind.DECISION, "What is the rival of the mentor of Ada?", left=1)
    pair = [Candidate(text, 1.0, read(Kind.DECISION, text)) for text in ("search: mentor of Ada", "stop")]
    assert [quality(state, one) for one in pair] == [1.0, 0.0]
    rng = np.random.default_rng(0)
    share = np.mean([LocalRanker(0.5).best(state, pair, rng) == 0 for _ in range(4000)])
    assert share == pytest.approx(0.921, abs=0.015)


def test_the_demonstrator_fails_as_often_as_the_card_says() -> None:
    _, _, key = questions_of(0, 400)
    right = [exactly_right(one.final, key[one.question]) for one in walk(0.35, count=400)]
    assert 0.2 < np.mean(right) < 0.6


def test_hasty_drafts_are_corrected_by_the_checks() -> None:
    _, _, key = questions_of(0, 40)
    # Random steps make the detours after which drafts are hasty.
    model = Demonstrator("script", "script", error=0.1, hasty=1.0)
    found = [one for seed in range(5) for one in _rolled(model, seed)]
    drafts = [exactly_right(one.draft, key[one.question]) for one in found]
    finals = [exactly_right(one.final, key[one.question]) for one in found]
    assert sum(finals) > sum(drafts) > 0


def test_who_skims_takes_the_first_result_for_the_right_one() -> None:
    world, questions, _ = questions_of(0, 40)
    model = Demonstrator("script", "script", error=0.0, skims=(1.0, 0.0))
    tool = SearchTool(world.documents, mixed=True)
    walks = roll_out(questions, model, tool, Settings(samples=1), seed=0)
    steps = [step for one in walks for step in one.steps if step.state.kind is Kind.SUMMARY]
    taken: dict[int, set[int]] = {}
    for step in steps:
        assert isinstance(step.action, Summary)
        right = supporting(step.state)
        assert right is not None
        links = [result.link for result in step.state.results]
        taken.setdefault(links.index(right.link), set()).add(links.index(step.action.links[0]))
    assert taken == {0: {0}, 1: {0}, 2: {2}}


def _rolled(model: Demonstrator, seed: int) -> list[Trajectory]:
    world, questions, _ = questions_of(0, 40)
    return roll_out(questions, model, SearchTool(world.documents), Settings(samples=1), seed=seed)


def test_no_answer_can_reach_the_training_data() -> None:
    # Neither the code that builds data nor anything in its arguments knows of answers.
    for module in (training_data, agent, ranker, demonstrator, reading):
        assert "AnswerKey" not in inspect.getsource(module)
        assert not {"AnswerKey", "all_questions", "follow"} & set(vars(module))
    found = walk(0.3, samples=2)
    everything = repr(retarget(found, LocalRanker(), np.random.default_rng(0)))
    assert "AnswerKey" not in everything
    assert not hasattr(found[0].question, "answer")


def test_free_questions_need_a_language_model() -> None:
    with pytest.raises(ProblemError, match="form"):
        right_action(State(Kind.ANSWER, "Why?"))
    with pytest.raises(ProblemError, match="no state"):
        State.parse("hello\nthere\n>")
    with pytest.raises(ProblemError, match="samples"):
        Settings(samples=0)


def test_placeholders_come_in_order_of_mention_and_go_back() -> None:
    lexicon = Lexicon(frozenset({"Ada", "Ada Lovelace", "Bo"}), frozenset({"rival", "mentor"}))
    text = "What is the rival of the mentor of Ada Lovelace? Bo is not Ada."
    names = lexicon.names(text)
    hidden = names.hide(text)
    assert hidden == "What is the R1 of the R2 of E1? E2 is not E3."
    assert names.show(hidden) == text
    assert names.show("search: R2 of E9") == "search: mentor of E9"


@pytest.mark.parametrize("seed", range(3))
def test_every_state_survives_placeholders(seed: int) -> None:
    world, questions, _ = questions_of(seed, 3)
    lexicon = Lexicon(frozenset(world.entities), frozenset(world.relations))
    for question in questions:
        prompt = State(Kind.DECISION, question.text, left=2).prompt
        names = lexicon.names(prompt)
        assert names.show(names.hide(prompt)) == prompt
        assert not any(name in names.hide(prompt) for name in world.entities)
