"""Decoding of real (tiny, random) transformers: caches, scoring, limits and laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from harness.method import ProblemError
from methods.spectr import sessions
from methods.spectr.block import Laws, Outcome, select_block
from methods.spectr.decoding import BlockSize, Trace, generate
from methods.spectr.hidden_draft import HiddenDraft
from methods.spectr.hidden_mlp import LAGS, HiddenMLP, HiddenWeights
from methods.spectr.law import transform
from methods.spectr.markov import MarkovDraft, MarkovTarget, markov_pair
from methods.spectr.selection import FirstOnly, KSeq, Recursive, Rule
from methods.spectr.sessions import NoDraft, Sampling, TransformerDraft, TransformerTarget, prefix_tree

V = 12
PROMPTS = [[1, 2, 3], [4], [5, 6, 7, 8, 9], [2, 2]]


def llama(seed: int, layers: int = 2, vocabulary: int = V) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary, hidden_size=16, intermediate_size=32, num_hidden_layers=layers,
        num_attention_heads=2, max_position_embeddings=256, initializer_range=0.6,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval().requires_grad_(requires_grad=False)


def gemma(seed: int) -> Any:
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    torch.manual_seed(seed)
    config = Gemma3TextConfig(
        vocab_size=V, hidden_size=16, intermediate_size=32, num_hidden_layers=3, head_dim=8,
        num_attention_heads=2, num_key_value_heads=1, sliding_window=4, initializer_range=0.5,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
    )  # fmt: skip
    return Gemma3ForCausalLM(config).eval().requires_grad_(requires_grad=False)


def rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def decode(
    target: Any, draft: Any, rule: Rule, block: BlockSize, *, seed: int = 0, tokens: int = 12, **scoring: Any
) -> list[Trace]:
    sampling = Sampling()
    return generate(
        TransformerTarget(target, sampling, **scoring), TransformerDraft(draft, sampling), rule, PROMPTS,
        block, tokens=tokens, generator=rng(seed),
    )  # fmt: skip


class Recording(TransformerTarget):
    """Keeps every law that was asked for beside the context it belongs to."""

    def score(self, drafts: torch.Tensor) -> Laws:
        laws = super().score(drafts)
        contexts = [list(context) for context in self.contexts]

        def recorded(depth: int, rows: torch.Tensor, branch: torch.Tensor) -> torch.Tensor:
            found = laws(depth, rows, branch)
            for row, lead, law in zip(rows.tolist(), branch.tolist(), found, strict=True):
                self.seen.append((contexts[row] + drafts[row, lead, :depth].tolist(), law))
            return found

        return recorded

    seen: list[tuple[list[int], torch.Tensor]]


@pytest.mark.parametrize("model", [llama(0), gemma(0)], ids=["llama", "gemma"])
@pytest.mark.parametrize("scoring", ["tree", "batch"])
@pytest.mark.parametrize("together", [0, 10_000])
def test_cached_laws_equal_those_of_the_whole_text(
    model: Any, scoring: Any, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "TOGETHER", together)
    target = Recording(model, Sampling(), scoring=scoring)
    target.seen = []
    draft = TransformerDraft(llama(1, 1), Sampling())
    generate(target, draft, KSeq(), PROMPTS, BlockSize(3, 3), tokens=14, generator=rng(0))
    assert len(target.seen) > 40
    for context, law in target.seen:
        plain = model(torch.tensor([context])).logits[0, -1].softmax(-1)
        assert float((plain - law).abs().max()) < 2e-5


class Checked(TransformerTarget):
    """Holds the hidden states that drafts may look at against those of the whole text."""

    checks = 0

    def score(self, drafts: torch.Tensor) -> Laws:
        for context, hidden in zip(self.contexts, self.last_hidden, strict=True):
            read = torch.tensor([context[:-1]])
            whole = self.rows.model.base_model(read).last_hidden_state[0] if len(context) > 1 else None
            expected = torch.zeros_like(hidden) if whole is None else whole[-1]
            assert float((hidden - expected).abs().max()) < 1e-4
            Checked.checks += 1
        return super().score(drafts)


@pytest.mark.parametrize("model", [llama(0), gemma(0)], ids=["llama", "gemma"])
@pytest.mark.parametrize(("scoring", "length"), [("tree", 3), ("batch", 3), ("tree", 0)])
def test_a_draft_sees_the_hidden_state_before_the_last_token(model: Any, scoring: Any, length: int) -> None:
    before = Checked.checks
    generate(
        Checked(model, Sampling(), scoring=scoring), TransformerDraft(llama(1, 1), Sampling()), KSeq(),
        PROMPTS, BlockSize(3, length), tokens=14, generator=rng(0),
    )  # fmt: skip
    assert Checked.checks > before + 16


def hidden_mlp(target: Any) -> HiddenMLP:
    """An untrained network over two thirds of the ids."""
    ids = torch.tensor([1, 2, 4, 5, 7, 8, 10, 11])
    draw = rng(5)
    shapes = {"first": (20, 3 * 16 + LAGS), "bias": (20,), "second": (16, 20), "direct": (16, 3 * 16 + LAGS)}
    weights = {name: 0.3 * torch.randn(shape, generator=draw) for name, shape in shapes.items()}
    return HiddenWeights(ids, weights).on(target)


@pytest.mark.parametrize("block", [BlockSize(1, 2), BlockSize(3, 2), BlockSize(2, 1)], ids=repr)
def test_drafts_from_the_hidden_state_keep_the_target_s_law(block: BlockSize) -> None:
    target = llama(0)
    draft = HiddenDraft(hidden_mlp(target), Sampling())
    traces = generate(
        TransformerTarget(target, Sampling()), draft, KSeq(), PROMPTS * 50, block, tokens=40, generator=rng(3)
    )
    # Another model only orders the tokens.
    ranks = depths_and_ranks(traces, target, llama(1, 1))
    assert set(ranks) == set(range(1, block.length + 2))
    assert min(kstest(values, "uniform").pvalue for values in ranks.values()) > 1e-3


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=repr)
def test_one_request_with_few_nodes_keeps_the_target_s_law(dtype: torch.dtype) -> None:
    # The path that is timed: one request at a time, all logits at once, in the type that is faster.
    target = llama(0).to(dtype)
    draft, traces = HiddenDraft(hidden_mlp(target), Sampling()), []
    generator = rng(4)
    with torch.inference_mode():
        for prompt in PROMPTS * 6:
            traces += generate(
                TransformerTarget(target, Sampling()), draft, KSeq(), [prompt], BlockSize(3, 2),
                tokens=40, generator=generator,
            )  # fmt: skip
    ranks = depths_and_ranks(traces, target, llama(1, 1))
    assert min(kstest(values, "uniform").pvalue for values in ranks.values()) > 1e-3


def test_hidden_drafts_propose_what_their_laws_say() -> None:
    target = llama(0)
    session, draft = TransformerTarget(target, Sampling()), HiddenDraft(hidden_mlp(target), Sampling())
    draft.watch(session)
    session.start([[1, 2, 3]])
    draft.start([[1, 2, 3]])
    drafts, laws = draft.propose(torch.rand((1, 20_000, 2), generator=rng(0), dtype=torch.float64))
    first = laws(0, torch.tensor([0]), torch.tensor([0]))[0]
    seen = torch.bincount(drafts[0, :, 0], minlength=V) / 20_000
    assert float((first - seen).abs().max()) < 5 * (0.25 / 20_000) ** 0.5
    common = drafts[0, :, 0].mode().values
    lead = int((drafts[0, :, 0] == common).to(torch.int8).argmax())
    second = laws(1, torch.tensor([0]), torch.tensor([lead]))[0]
    after = drafts[0, drafts[0, :, 0] == common, 1]
    seen = torch.bincount(after, minlength=V) / len(after)
    assert float((second - seen).abs().max()) < 5 * (0.25 / len(after)) ** 0.5
    assert float(first[[0, 3, 6, 9]].sum() + second[[0, 3, 6, 9]].sum()) == 0


def test_hidden_drafts_need_a_transformer() -> None:
    _, chain = markov_pair(np.random.default_rng(0), states=V, noise=1.0)
    draft = HiddenDraft(hidden_mlp(llama(0)), Sampling())
    with pytest.raises(ProblemError, match="hidden states"):
        generate(MarkovTarget(chain), draft, KSeq(), [[0]], BlockSize(2, 2), tokens=2, generator=rng(0))


def test_draft_laws_equal_those_of_the_whole_text() -> None:
    model = llama(1, 1)
    draft = TransformerDraft(model, Sampling())
    draft.start(PROMPTS)
    contexts = [list(prompt) for prompt in PROMPTS]
    target = TransformerTarget(llama(0), Sampling())
    target.start(PROMPTS)
    for step in range(4):
        uniforms = torch.rand((len(contexts), 2, 3), generator=rng(step), dtype=torch.float64)
        drafts, p = draft.propose(uniforms)
        for row in range(len(contexts)):
            for depth in range(3):
                law = p(depth, torch.tensor([row]), torch.tensor([1]))[0]
                text = contexts[row] + drafts[row, 1, :depth].tolist()
                plain = model(torch.tensor([text])).logits[0, -1].softmax(-1)
                assert float((plain - law).abs().max()) < 2e-5
        choices = torch.rand((len(contexts), 4, 3), generator=rng(9 + step), dtype=torch.float64)
        outcome = select_block(KSeq(), drafts, p, target.score(drafts), choices)
        rows = torch.arange(len(contexts))
        draft.commit(outcome, rows)
        target.commit(outcome, rows)
        contexts = [list(context) for context in target.contexts]


def test_tree_and_batch_scoring_decode_the_same_tokens() -> None:
    block = BlockSize(4, 3)
    tree = decode(llama(0), llama(1, 1), KSeq(), block, scoring="tree")
    batch = decode(llama(0), llama(1, 1), KSeq(), block, scoring="batch")
    assert [trace.tokens for trace in tree] == [trace.tokens for trace in batch]


def test_prefix_tree_merges_shared_prefixes_only() -> None:
    drafts = torch.tensor([[[1, 2, 3], [1, 2, 4], [5, 2, 3]], [[1, 1, 1], [1, 1, 1], [1, 1, 1]]])
    tree = prefix_tree(drafts)
    assert tree.real.sum(1).tolist() == [7, 3]
    assert torch.equal(tree.tokens.gather(1, tree.node.flatten(1)), drafts.flatten(1))
    ancestors = tree.visible[torch.arange(2).view(-1, 1, 1), tree.node].sum(-1)
    assert ancestors.tolist() == [[[1, 2, 3]] * 3] * 2


def leviathan(
    drafts: torch.Tensor, p: list[torch.Tensor], q: list[torch.Tensor], u: torch.Tensor
) -> list[int]:
    """Single-draft speculative sampling for one request, written down independently."""
    emitted = []
    for depth, token in enumerate(drafts.tolist()):
        if u[depth, 0] < min(1.0, float(q[depth][token] / p[depth][token])):
            emitted.append(token)
            continue
        rest = (q[depth] - p[depth]).clamp(min=0)
        return [
            *emitted,
            int(torch.searchsorted((rest / rest.sum()).cumsum(0).double(), u[depth, 1], right=True)),
        ]
    return [*emitted, int(torch.searchsorted(q[-1].cumsum(0).double(), u[-1, 1], right=True))]


@pytest.mark.parametrize("rule", [KSeq(), KSeq(slack=1.0), FirstOnly(), Recursive()], ids=repr)
def test_one_draft_is_speculative_decoding_with_shared_random_numbers(rule: Rule) -> None:
    random = np.random.default_rng(5)
    for trial in range(200):
        p = list(torch.from_numpy(random.dirichlet(np.ones(6), size=3)))
        q = list(torch.from_numpy(random.dirichlet(np.ones(6), size=4)))
        drafts = torch.tensor([[int(random.choice(6, p=law.numpy())) for law in p]])
        u = torch.from_numpy(random.uniform(size=(4, 2)))

        def laws(which: list[torch.Tensor]) -> Laws:
            return lambda depth, rows, branch: which[depth].unsqueeze(0)

        outcome = select_block(rule, drafts.unsqueeze(1), laws(p), laws(q), u.unsqueeze(0))
        found = outcome.tokens[0, : int(outcome.matched[0]) + 1].tolist()
        assert found == leviathan(drafts[0], p, q, u), trial


def test_no_draft_tokens_is_autoregressive_sampling() -> None:
    traces = decode(llama(0), llama(1, 1), KSeq(), BlockSize(1, 0), tokens=5)
    assert all(trace.blocks == [1] * 5 for trace in traces)
    generator, model = rng(0), llama(0)
    contexts = [list(prompt) for prompt in PROMPTS]
    for _ in range(5):
        torch.rand((4, 1, 0), generator=generator, dtype=torch.float64)
        u = torch.rand((4, 1, 2), generator=generator, dtype=torch.float64)[:, 0, -1]
        for row, context in enumerate(contexts):
            law = model(torch.tensor([context])).logits[0, -1].softmax(-1)
            context.append(int(torch.searchsorted(law.cumsum(0, dtype=torch.float64), u[row], right=True)))
    assert [prompt + trace.tokens for prompt, trace in zip(PROMPTS, traces, strict=True)] == contexts


def test_a_draft_equal_to_the_target_is_always_accepted() -> None:
    model = llama(0)
    for count in (1, 3):
        traces = decode(model, model, KSeq(), BlockSize(count, 3), tokens=12)
        assert all(block == 4 for trace in traces for block in trace.blocks)


def test_at_temperature_zero_the_text_is_greedy_and_more_drafts_do_not_help() -> None:
    target, draft, greedy = llama(0), llama(1, 1), Sampling(temperature=0.0)
    found = {}
    for count in (1, 4):
        found[count] = generate(
            TransformerTarget(target, greedy), TransformerDraft(draft, greedy), KSeq(), PROMPTS,
            BlockSize(count, 3), tokens=10, generator=rng(count),
        )  # fmt: skip
    assert [t.blocks for t in found[1]] == [t.blocks for t in found[4]]
    for trace in found[4]:
        text = list(trace.prompt)
        for _ in trace.tokens:
            text.append(int(target(torch.tensor([text])).logits[0, -1].argmax()))
        assert text == trace.prompt + trace.tokens


def depths_and_ranks(traces: list[Trace], target: Any, draft: Any) -> dict[int, list[float]]:
    """Transforms of the emitted tokens by depth, with laws recomputed without any cache."""
    ranks: dict[int, list[float]] = {}
    generator = rng(77)
    for trace in traces:
        text = torch.tensor([trace.prompt + trace.tokens])
        start = len(trace.prompt) - 1
        laws = [model(text).logits[0, start:-1].double().softmax(-1) for model in (draft, target)]
        u = torch.rand(len(trace.tokens), generator=generator, dtype=torch.float64)
        values = transform(text[0, start + 1 :], laws[0], laws[1], u)
        depth = [i for block in trace.blocks for i in range(1, block + 1)]
        for place, value in zip(depth, values.tolist(), strict=True):
            ranks.setdefault(place, []).append(value)
    return ranks


class StaleTarget(TransformerTarget):
    """Keeps the keys and values of the first draft, whichever survived."""

    def surviving(self, outcome: Outcome) -> torch.Tensor:
        return torch.zeros_like(outcome.leader)


def sampled(session: type[TransformerTarget]) -> dict[int, list[float]]:
    sampling, target, draft = Sampling(), llama(0), llama(1, 1)
    traces = generate(
        session(target, sampling), TransformerDraft(draft, sampling), KSeq(), PROMPTS * 50, BlockSize(4, 2),
        tokens=40, generator=rng(3),
    )  # fmt: skip
    return depths_and_ranks(traces, target, draft)


def test_emitted_tokens_follow_the_target_and_a_stale_cache_shows() -> None:
    right, stale = sampled(TransformerTarget), sampled(StaleTarget)
    assert set(right) == {1, 2, 3}
    assert min(kstest(values, "uniform").pvalue for values in right.values()) > 1e-3
    assert min(kstest(values, "uniform").pvalue for values in stale.values()) < 1e-4


def test_markov_pair_decodes_to_the_stationary_law_of_the_target() -> None:
    draft, target = markov_pair(np.random.default_rng(0), states=5, noise=1.0)
    prompts = [[0]] * 4000
    traces = generate(
        MarkovTarget(target), MarkovDraft(draft), KSeq(), prompts, BlockSize(3, 2), tokens=3, generator=rng(1)
    )
    third = torch.bincount(torch.tensor([trace.tokens[2] for trace in traces]), minlength=5) / 4000
    expected = torch.linalg.matrix_power(target, 3)[0]
    assert float((third - expected).abs().max()) < 4.5 * (0.25 / 4000) ** 0.5


@pytest.mark.parametrize(("count", "length"), [(0, 4), (-1, 4), (2, -1)])
def test_impossible_block_sizes_are_refused(count: int, length: int) -> None:
    with pytest.raises(ProblemError) as caught:
        BlockSize(count, length)
    assert caught.value.fix


def test_models_of_different_widths_are_refused() -> None:
    with pytest.raises(ProblemError, match=f"{V + 4}"):
        decode(llama(0), llama(1, 1, vocabulary=V + 4), KSeq(), BlockSize(2, 2))


@pytest.mark.parametrize("prompts", [[[]], [[1], [V]], [[-1]]])
def test_prompts_that_do_not_fit_are_refused(prompts: list[list[int]]) -> None:
    target = TransformerTarget(llama(0), Sampling())
    with pytest.raises(ProblemError, match="prompt"):
        generate(target, NoDraft(V), KSeq(), prompts, BlockSize(1, 0), tokens=2, generator=rng(0))


def test_models_that_scale_their_logits_are_refused() -> None:
    model = llama(0)
    model.config.logit_scale = 0.5
    with pytest.raises(ProblemError, match="logit_scale"):
        TransformerTarget(model, Sampling())
