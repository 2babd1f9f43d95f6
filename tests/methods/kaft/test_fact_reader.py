"""The encoder of the generated worlds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from harness.method import ProblemError
from methods.common.examples import Example, collate
from methods.kaft import fact_reader
from methods.kaft.fact_reader import FactReader, Size, answer_words, word_loss
from methods.kaft.models import load_language_model
from methods.kaft.pretraining import Plan, ask_all, pretrain
from methods.kaft.world import Rules, World

SIZE = Size(vocabulary=20, layers=2, hidden=16, heads=2)


@pytest.fixture(scope="module")
def model() -> FactReader:
    return FactReader(SIZE, torch.Generator().manual_seed(0)).eval()


def logits(model: FactReader, *prompts: list[int]) -> torch.Tensor:
    with torch.no_grad():
        batch = collate([Example("", tuple(p), (1,)) for p in prompts], 0, separate=True)
        return model(batch.ids, batch.mask)


def test_a_context_is_a_set_of_facts(model: FactReader) -> None:
    question, facts = [2, 3, 4], [[5, 6, 7], [8, 9, 10], [11, 12, 13]]
    first = logits(model, [*facts[0], *facts[1], *facts[2], *question])
    second = logits(model, [*facts[2], *facts[0], *facts[1], *question])
    other = logits(model, [*facts[0], *facts[1], *question])
    torch.testing.assert_close(first, second)
    assert not torch.allclose(first, other)


def test_padding_changes_nothing(model: FactReader) -> None:
    short, long = [2, 3, 4], [5, 6, 7, 8, 9, 10, 2, 3, 4]
    together = logits(model, short, long)
    torch.testing.assert_close(together[0], logits(model, short)[0])
    torch.testing.assert_close(together[1], logits(model, long)[0])


def test_loss_is_the_sum_over_the_words_of_the_answers(model: FactReader) -> None:
    examples = [Example("a", (2, 3, 4), (5, 1)), Example("b", (5, 6, 7, 2, 3, 4), (6, 7, 8, 1))]
    with torch.no_grad():
        loss = word_loss(model, collate(examples, 0, separate=True), 0.0)
    logs = [logits(model, list(example.prompt))[0].log_softmax(-1) for example in examples]
    by_hand = -sum(
        log[place, word] for log, e in zip(logs, examples, strict=True) for place, word in enumerate(e.target)
    )
    torch.testing.assert_close(loss, by_hand)


def test_answers_are_the_best_words_up_to_the_end(model: FactReader) -> None:
    rng = np.random.default_rng(0)
    prompts = [rng.integers(2, 20, size=3 * rng.integers(1, 4)).tolist() for _ in range(9)]
    best = [logits(model, prompt)[0].argmax(-1).tolist() for prompt in prompts]
    stop = {best[0][2]}
    found = answer_words(model, prompts, stop=stop, pad=0, batch=4)
    for row, answer in zip(best, found, strict=True):
        end = next((place for place, word in enumerate(row) if word in stop), 4)
        assert answer == row[:end]


@pytest.mark.parametrize("threads", [1, 2])
def test_laws_do_not_depend_on_the_other_prompts(
    model: FactReader, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    rng = np.random.default_rng(0)
    prompts = [rng.integers(2, 20, size=3 * rng.integers(1, 7)).tolist() for _ in range(20)]
    seen: dict[tuple[int, ...], set[bytes]] = {}
    forward = fact_reader._log_probabilities

    def watched(model: FactReader, rows: list[list[int]], width: int, pad: int) -> torch.Tensor:
        logs = forward(model, rows, width, pad)
        for row, law in zip(rows, logs, strict=True):
            seen.setdefault(tuple(row), set()).add(law.numpy().tobytes())
        return logs

    monkeypatch.setattr(fact_reader, "_log_probabilities", watched)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    for chosen in (prompts, prompts[::-1], prompts[::3], prompts[:1]):
        answer_words(model, chosen, stop=(), pad=0, batch=64)
    torch.set_num_threads(before)
    assert {len(laws) for laws in seen.values()} == {1}


def test_context_aware_decoding_follows_its_formula(model: FactReader) -> None:
    prompts = [[5, 6, 7, 2, 3, 4], [8, 9, 10, 11, 12, 13, 2, 9, 4]]
    against = [prompt[-3:] for prompt in prompts]
    for alpha in (0.5, 3.0):
        expected = []
        for prompt, bare in zip(prompts, against, strict=True):
            logs = [logits(model, side)[0].log_softmax(-1) for side in (prompt, bare)]
            expected.append(((1 + alpha) * logs[0] - alpha * logs[1]).argmax(-1).tolist())
        found = answer_words(model, prompts, stop=(), pad=0, batch=8, against=against, alpha=alpha)
        assert found == expected


def test_a_cut_fact_is_refused(model: FactReader) -> None:
    with pytest.raises(ProblemError, match="not made of facts"):
        logits(model, [2, 3, 4, 5])


def test_it_is_saved_and_loaded_whole(model: FactReader, tmp_path: Path) -> None:
    model.save(tmp_path)
    again = load_language_model(tmp_path, device="cpu", dtype="float32")
    assert isinstance(again, FactReader)
    assert not any(parameter.requires_grad for parameter in again.parameters())
    torch.testing.assert_close(logits(again, [2, 3, 4]), logits(model, [2, 3, 4]))


def test_pretraining_teaches_known_facts_and_reading(tmp_path: Path) -> None:
    world = World.draw(Rules(subjects=10, novel=4, relations=2, objects=3), np.random.default_rng(0))
    size = Size(len(world.vocabulary()), layers=2, hidden=32)
    model, words = pretrain(world, Plan(size, 300, 32, 4000, 3e-3, (0,)), lambda _done, _message: None)
    model.save(tmp_path)
    words.save(tmp_path)
    beliefs = ask_all(world, tmp_path)
    questions = world.questions(range(10), np.random.default_rng(5))
    known = [q for q in questions if world.known[int(q.subject[1:]), int(q.relation[1:])]]
    assert np.mean([beliefs[q.text] == q.answer for q in known]) > 0.95
    prompts = [words(f"{q.relevant} {q.text}")["input_ids"] for q in questions]
    read = answer_words(model, prompts, stop={1}, pad=0, batch=64)
    assert np.mean([words.decode(r) == q.answer for r, q in zip(read, questions, strict=True)]) > 0.8
