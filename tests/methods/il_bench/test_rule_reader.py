"""A trained rule transformer as a language model."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from methods.common.language_model import Decoding
from methods.il_bench.asking import Executor, label_request
from methods.il_bench.prepare import RuleFollower
from methods.il_bench.rule_net import RuleNet, Size, load_rule_net
from methods.il_bench.rule_reader import RuleReader
from methods.il_bench.rule_training import Plan, draw_lesson, rule_loss, train
from tests.methods.context import FakeContext

RULES = "If x1 is A and x3 is not B, then foo.\nIf x2 is B, then bar.\nOtherwise foo."
LABELS = ("foo", "bar")
TEXTS = [f"x1 = {a} ; x2 = {b} ; x3 = {c}" for a in "AB" for b in "AB" for c in "AB"]
PROMPTS = [label_request(RULES, text, LABELS) for text in TEXTS]


@pytest.fixture(scope="module")
def reader() -> RuleReader:
    """Untrained, which is enough for everything but being right."""
    net = RuleNet(Size(2, 16, 2), torch.Generator().manual_seed(0)).eval()
    return RuleReader("rules", "r", net.requires_grad_(requires_grad=False))


def test_scores_are_a_distribution_over_the_labels(reader: RuleReader) -> None:
    scores = reader.score(PROMPTS, [[" foo", " bar", " baz"]] * len(PROMPTS))
    for row in scores:
        assert math.fsum(map(math.exp, row[:2])) == pytest.approx(1.0)
        assert row[2] == -math.inf


def test_greedy_texts_and_listed_tokens_agree_with_scores(reader: RuleReader) -> None:
    scores = reader.score(PROMPTS, [list(LABELS)] * len(PROMPTS))
    best = [LABELS[int(np.argmax(row))] for row in scores]
    assert [one.text for (one,) in reader.sample(PROMPTS, Decoding())] == best
    assert [next(iter(one.log_probabilities)) for one in reader.next_token(PROMPTS, most=1)] == best
    assert Executor(reader, LABELS)(RULES, TEXTS) == Executor(reader, LABELS, options=True)(RULES, TEXTS)


def test_scores_of_a_request_are_the_same_alone_to_the_last_bit(reader: RuleReader) -> None:
    options = [list(LABELS)]
    together = reader.score(PROMPTS, options * len(PROMPTS))
    assert [reader.score([prompt], options)[0] for prompt in PROMPTS] == together


def test_draws_follow_the_distribution(reader: RuleReader) -> None:
    ((first, _),) = reader.score(PROMPTS[:1], [list(LABELS)])
    (drawn,) = reader.sample(PROMPTS[:1], Decoding(temperature=1.0), count=2000, seed=3)
    share = Counter(one.text for one in drawn)["foo"] / 2000
    assert share == pytest.approx(math.exp(first), abs=0.05)
    assert reader.sample(PROMPTS[:1], Decoding(temperature=1.0), count=5, seed=3)[0] == drawn[:5]


def test_answers_do_not_depend_on_the_batch(reader: RuleReader) -> None:
    single = RuleReader("rules", "r", reader.net, batch=1)
    mixed = [*PROMPTS, label_request("Otherwise bar.", "x1 = A", LABELS)]
    options = [list(LABELS)] * len(mixed)
    assert np.allclose(reader.score(mixed, options), single.score(mixed, options), atol=1e-5)
    assert np.allclose(reader.score(mixed[::-1], options)[::-1], single.score(mixed, options), atol=1e-5)


def test_other_names_and_another_order_give_the_same_answers(reader: RuleReader) -> None:
    # P5, exactly: names are numbered as they come.
    def renamed(text: str) -> str:
        pairs = {"x1": "size", "x2": "x9", "x3": "x1", "A": "low", "B": "high", "foo": "qux", "bar": "waldo"}
        return " ".join(pairs.get(word, word) for word in text.replace(".", " .").split(" "))

    rules = "\n".join(renamed(line.replace(",", "")).replace(" .", ".") for line in RULES.splitlines())
    rules = rules.replace(" then", ", then")
    said = Executor(reader, LABELS)(RULES, TEXTS)
    names = dict(zip(LABELS, ("qux", "waldo"), strict=True))
    others = Executor(reader, ("qux", "waldo"))(rules, [renamed(text) for text in TEXTS])
    assert [names[str(label)] for label in said] == others
    backwards = [" ; ".join(reversed(text.split(" ; "))) for text in TEXTS]
    assert Executor(reader, LABELS)(RULES, backwards) == said


def test_usage_is_counted(reader: RuleReader) -> None:
    fresh = RuleReader("rules", "r", reader.net)
    fresh.sample(PROMPTS, Decoding())
    assert (fresh.usage.calls, fresh.usage.completion_tokens) == (len(PROMPTS), len(PROMPTS))
    # Three conditions, three conclusions, and the question.
    assert fresh.usage.prompt_tokens == len(PROMPTS) * 7


def test_a_few_updates_teach_short_rules(tmp_path: Path) -> None:
    plan = Plan(steps=60, tokens=500, rate=5e-3, lines=2, variables=3, draw=0)
    net = train(2, 32, 4, plan, lambda _done, _message: None)
    rng = np.random.default_rng(1)
    with torch.no_grad():
        right = []
        for _ in range(20):
            batch = draw_lesson(plan, rng)
            answers, _ = net(torch.from_numpy(batch.tokens))
            right.append(float((answers.argmax(1).numpy() == batch.label).mean()))
    assert np.mean(right) > 0.8
    net.save(tmp_path)
    again, identity = load_rule_net(tmp_path)
    with torch.inference_mode():
        tokens = torch.from_numpy(batch.tokens)
        assert torch.equal(again(tokens)[0], net(tokens)[0])
    assert len(identity) == 32


def test_the_artifact_is_the_same_each_time(tmp_path: Path) -> None:
    follower = RuleFollower(layers=1, hidden=16, heads=2, steps=3, tokens=200, lines=4, variables=4)
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        follower.build(tmp_path / name, FakeContext())
        found.append(follower.load(tmp_path / name)[1])
    assert found[0] == found[1]


def test_lessons_count_towards_the_loss_by_token() -> None:
    plan = Plan(steps=1, tokens=400, rate=1e-3, lines=6, variables=6, draw=0)
    net = RuleNet(Size(1, 16, 2), torch.Generator().manual_seed(0))
    batch = draw_lesson(plan, np.random.default_rng(0))
    answers, holds = net(torch.from_numpy(batch.tokens))
    picked = answers.log_softmax(1)[torch.arange(len(batch.label)), torch.from_numpy(batch.label)]
    told = batch.truth >= 0
    chance = holds.sigmoid().detach().numpy()[told]
    truth = batch.truth[told]
    second = -np.mean(np.where(truth == 1, np.log(chance), np.log(1 - chance)))
    assert rule_loss(net, batch).item() == pytest.approx(-picked.mean().item() + second, rel=1e-4)
