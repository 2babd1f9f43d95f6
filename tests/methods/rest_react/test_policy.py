"""Toy policies: their tokens, their network, their promises as language models."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Any, cast

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.method import ProblemError
from methods.common.language_model import Decoding
from methods.rest_react.agent import Settings, roll_out
from methods.rest_react.cloning import Cloning, Fit, batches, step_loss, tokenised, train_network
from methods.rest_react.compact import END, KINDS, OTHER, VOCABULARY, Compact
from methods.rest_react.delexical import Lexicon
from methods.rest_react.demonstrator import Demonstrator
from methods.rest_react.generations import lexicon_of
from methods.rest_react.policy import Policy
from methods.rest_react.retrieval import SearchTool
from methods.rest_react.steps import Kind, Round, Search, Snippet, State, read, write
from methods.rest_react.toy_transformer import CONTEXT, REPLY, Block, Shape, ToyTransformer
from methods.rest_react.training_data import StepExample, retarget
from methods.rest_react.world import World, choose, make_world, unanswered_questions

LEXICON = Lexicon(frozenset({"Ada", "Bo", "Cy Young", "Dee"}), frozenset({"mentor", "rival", "close friend"}))
QUESTION = "What is the rival of the close friend of Cy Young?"
START = State(Kind.DECISION, QUESTION, left=4)


def network(hidden: int = 16, seed: int = 0) -> ToyTransformer:
    generator = torch.Generator().manual_seed(seed)
    return ToyTransformer(Shape(len(VOCABULARY), hidden, pivots=KINDS), generator).eval()


def policy(seed: int = 0) -> Policy:
    return Policy("toy", f"toy {seed}", network(seed=seed), Compact(LEXICON))


def demonstrated(count: int = 30, error: float = 0.3) -> tuple[World, list[StepExample]]:
    rng = np.random.default_rng(0)
    world = make_world(20, 4, rng)
    questions = choose(unanswered_questions(world, 2), count, rng)
    model = Demonstrator("script", "script", error=error, hasty=0.8)
    found = roll_out(questions, model, SearchTool(world.documents), Settings(samples=1), seed=0)
    return world, list(retarget(found, None, rng).examples)


def test_laws_do_not_depend_on_what_was_read_before() -> None:
    _, examples = demonstrated(12)
    compact = Compact(LEXICON)
    beginnings = list(dict.fromkeys(compact.encode(one.state).tokens for one in examples))
    whole = policy()._laws(beginnings)
    used = policy()
    used._laws(beginnings[::3])
    used._laws(beginnings[1:2])
    assert [law.tobytes() for law in used._laws(beginnings)] == [law.tobytes() for law in whole]


def test_states_and_actions_survive_their_tokens() -> None:
    # Every action that the scripted agent can take comes back from its tokens, word by word.
    world, examples = demonstrated(60)
    compact = Compact(lexicon_of(world))
    for example in examples:
        prompt = compact.encode(example.state)
        tokens = compact.encode_action(prompt, example.target)
        assert OTHER not in tokens
        assert OTHER not in prompt.tokens
        assert tokens[-1] == END
        assert compact.decode_action(prompt, tokens[:-1]) == example.target
        # Nothing that the agent needs is lost: the tokens tell different states apart.
        assert VOCABULARY[prompt.tokens[-1]] == State.parse(example.state).kind.value
    states = [example.state for example in examples]
    hidden = {compact.encode(state).tokens for state in states}
    assert len(hidden) == len(set(placeholder_texts(world, states))) > 20


def placeholder_texts(world: World, states: list[str]) -> list[str]:
    """States with placeholders and links in order: what tokens have to tell apart."""
    found = []
    for state in states:
        text = lexicon_of(world).names(state).hide(state)
        numbers: dict[str, str] = {}
        words = text.replace("[", " [").replace("]", "] ").split(" ")
        found.append(
            " ".join(
                numbers.setdefault(word, f"[l{len(numbers)}]") if re.fullmatch(r"\[\d+\]", word) else word
                for word in words
            )
        )
    return found


def test_tokens_are_few_and_numbered_by_mention() -> None:
    compact = Compact(LEXICON)
    state = State(
        Kind.SUMMARY,
        QUESTION,
        (
            Round("close friend of Cy Young", (3,), "The close friend of Cy Young is Bo."),
            Round("rival of Ada", (), ""),
        ),
        2,
        "rival of Bo",
        (Snippet(7, "The rival of Bo is Dee."), Snippet(8, "The rival of Dee is Bo.")),
    )
    words = [VOCABULARY[token] for token in compact.encode(state.prompt).tokens]
    expected = (
        # The summary of the first search repeats its query; the second found nothing.
        "R1 R2 E1 searched: L1 R2 E1 E2 searched: R1 E3 now: R1 E2 L2 R1 E2 E4 L3 R1 E4 E2 summarise"
    )
    assert words == expected.split()


def test_tokens_that_form_no_action_cannot_be_read() -> None:
    compact = Compact(LEXICON)
    prompt = compact.encode(START.prompt)
    ids = {token: place for place, token in enumerate(VOCABULARY)}
    wrong = [
        ("search:",),
        ("search:", "E1", "R1"),
        ("search:", "R1", "E9"),
        ("R1", "E1"),
        (),
        ("L1", "R1", "E1"),
    ]
    for words in wrong:
        text = compact.decode_action(prompt, [ids[word] for word in words])
        assert read(Kind.DECISION, text) is None, text
        assert read(Kind.SUMMARY, text) is None, text
    good = compact.decode_action(prompt, [ids[word] for word in ("search:", "R1", "E1")])
    assert read(Kind.DECISION, good) == Search("rival of Cy Young")


def test_other_texts_are_no_states() -> None:
    for text in ("hello", "question: a\ndecide: b\n>", "question: a\nponder: a\n>"):
        with pytest.raises(ProblemError, match="no state"):
            Compact(LEXICON).encode(text)


def test_sizes_are_the_cards() -> None:
    counts = [network(width).parameter_count for width in (64, 32, 16)]
    assert counts[0] == pytest.approx(111_000, rel=0.1)
    assert counts[1] == pytest.approx(31_000, rel=0.2)
    assert counts[2] == pytest.approx(9_000, rel=0.3)
    assert counts[0] / counts[2] > 10


def test_the_network_is_causal_and_equals_the_library() -> None:
    model = network(16)
    ids = torch.randint(KINDS[1] + 1, len(VOCABULARY), (5, 12), generator=torch.Generator().manual_seed(1))
    ids[:, 6] = KINDS[0]
    changed = ids.clone()
    changed[:, 8:] = KINDS[1] + 2
    with torch.inference_mode():
        places = torch.arange(60)
        full, other = (model(one, places).view(5, 12, -1) for one in (ids, changed))
        assert torch.allclose(full[:, :8], other[:, :8], atol=1e-6)
        assert not torch.allclose(full[:, 8:], other[:, 8:], atol=1e-3)
        some = model(ids, torch.tensor([3, 20, 59]))
        assert torch.allclose(some, full.reshape(60, -1)[[3, 20, 59]], atol=1e-6)
        # Oracle: torch's own layers with the same weights.
        x = model.tokens[ids] + model.positions[CONTEXT - 6 : CONTEXT + 6]
        mask = torch.nn.Transformer.generate_square_subsequent_mask(12)
        for block in cast("list[Block]", list(model.blocks)):
            layer: Any = torch.nn.TransformerEncoderLayer(
                16, block.heads, 64, 0.0, torch.relu, batch_first=True, norm_first=True
            ).eval()
            layer.self_attn.in_proj_weight, layer.self_attn.in_proj_bias = (
                block.mixed.weight,
                block.mixed.bias,
            )
            layer.self_attn.out_proj, layer.norm1, layer.norm2 = (
                block.out,
                block.before_attention,
                block.before_wide,
            )
            layer.linear1, layer.linear2 = block.wide, block.narrow
            x = layer(x, src_mask=mask)
        assert torch.allclose(full, model.norm(x) @ model.tokens.T, atol=1e-5)


PROMPTS = [
    START.prompt,
    State(Kind.ANSWER, QUESTION).prompt,
    State(Kind.RELEVANCE, "What is the rival of the mentor of Ada?", draft="Bo").prompt,
]


def test_samples_depend_on_prompt_and_seed_only() -> None:
    decoding = Decoding(1.0, new_tokens=6)
    together = policy().sample(PROMPTS, decoding, count=3, seed=5)
    assert together == policy().sample(PROMPTS, decoding, count=3, seed=5)
    alone = [policy().sample([prompt], decoding, count=3, seed=5)[0] for prompt in PROMPTS]
    assert [[one.text for one in row] for row in together] == [[one.text for one in row] for row in alone]
    assert together != policy().sample(PROMPTS, decoding, count=3, seed=6)
    assert together[0] != together[1]


def test_probabilities_agree_with_scores_and_with_the_network() -> None:
    model = policy(3)
    texts = ["search: rival of Cy Young", "stop"]
    (scores,) = model.score([START.prompt], [texts])
    prompt = model.compact.encode(START.prompt)
    for text, score in zip(texts, scores, strict=True):
        action = model.compact.encode_action(prompt, text)
        ids = torch.tensor([prompt.tokens + action])
        places = torch.arange(len(prompt.tokens) - 1, ids.shape[1] - 1)
        with torch.inference_mode():
            laws = model.network(ids, places).log_softmax(-1)
        assert score == pytest.approx(float(laws.gather(1, torch.tensor(action)[:, None]).sum()), abs=1e-5)
    (row,) = model.sample([START.prompt], Decoding(1.0, new_tokens=8), count=60, seed=0)
    readable = [one for one in row if one.finished and read(Kind.DECISION, one.text) is not None]
    again = model.score([START.prompt] * len(readable), [[one.text] for one in readable])
    assert [one.log_probability for one in readable] == pytest.approx([value for (value,) in again], abs=1e-4)
    assert all(one.perplexity >= 1 for one in row)


def test_samples_follow_the_law_at_each_temperature() -> None:
    model = policy(1)
    (law,) = model.next_token([START.prompt])
    assert sum(map(math.exp, law.log_probabilities.values())) == pytest.approx(1, abs=1e-5)
    for temperature in (1.0, 0.5):
        (row,) = model.sample([START.prompt], Decoding(temperature, new_tokens=1), count=20000, seed=0)
        found = Counter(round(one.log_probability, 5) for one in row)
        weights = {name: math.exp(value / temperature) for name, value in law.log_probabilities.items()}
        total = sum(weights.values())
        for name, value in list(law.log_probabilities.items())[:3]:
            share = sum(n for key, n in found.items() if abs(key - value) < 1e-4) / len(row)
            assert share == pytest.approx(weights[name] / total, abs=0.02)
    (row,) = model.sample([START.prompt], Decoding(0.0, new_tokens=3), count=2, seed=0)
    assert row[0] == row[1]


def test_what_is_too_long_is_refused() -> None:
    rounds = tuple(Round("rival of Ada", (n,), "The rival of Ada is Bo.") for n in range(CONTEXT // 5))
    state = State(Kind.DECISION, QUESTION, rounds, left=1)
    with pytest.raises(ProblemError, match="tokens"):
        policy().sample([state.prompt], Decoding(0.5))
    with pytest.raises(ProblemError, match="tokens"):
        tokenised([StepExample(state.prompt, "stop")], Compact(LEXICON))
    with pytest.raises(ProblemError, match="top_p"):
        policy().sample([START.prompt], Decoding(0.5, top_k=3))
    with pytest.raises(ProblemError, match="tokens"):
        policy().score([START.prompt], [["search: " + "rival of Ada " * REPLY]])
    with pytest.raises(ProblemError, match="no steps"):
        tokenised([], Compact(LEXICON))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=50), st.integers(1, 9), st.integers(0, 100))
def test_batches_go_through_the_data_again_and_again(lengths: list[int], size: int, seed: int) -> None:
    stream = batches(np.array(lengths), size, np.random.default_rng(seed))
    seen = Counter(place for _ in range(4 * len(lengths)) for place in next(stream).tolist())
    passes = 4 * size
    # Within a group of four batches the order is not that of the pass.
    assert all(abs(seen[place] - passes) <= 4 * size / len(lengths) + 1 for place in range(len(lengths)))


def test_the_loss_is_taken_of_actions_only() -> None:
    world, examples = demonstrated(8)
    compact = Compact(lexicon_of(world))
    rows = tokenised(examples, compact)
    model = network(16)
    chosen = np.arange(len(examples))
    spoken = Policy("toy", "toy", model, compact)
    total = sum(-spoken.score([one.state], [[one.target]])[0][0] for one in examples)
    tokens = int((rows.ends - rows.starts)[rows.place].sum())
    # Equal examples are computed once and count as often as they come.
    assert len(rows.ids) < len(rows.place) == len(examples)
    assert step_loss(model, rows, chosen).item() == pytest.approx(total / tokens, rel=1e-4)


def test_training_is_the_same_each_time_and_learns() -> None:
    world, examples = demonstrated(40, error=0.0)
    rows = tokenised(examples, Compact(lexicon_of(world)))

    def train(steps: int) -> tuple[ToyTransformer, Fit]:
        rngs = torch.Generator().manual_seed(1), np.random.default_rng(1)
        return train_network(rows, 32, Cloning(steps=steps, batch=16), generator=rngs[0], order=rngs[1])

    again = zip(train(10)[0].parameters(), train(10)[0].parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in again)
    first, fit = train(120)
    assert fit.loss < 0.5 < step_loss(network(32), rows, np.arange(len(examples))).item()
    spoken = Policy("toy", "toy", first, Compact(lexicon_of(world)))
    found = spoken.sample([one.state for one in examples], Decoding(0.0, new_tokens=12))
    right = [row[0].text == one.target for row, one in zip(found, examples, strict=True)]
    assert np.mean(right) > 0.6
    assert write(Search("a of b")) == "search: a of b"
