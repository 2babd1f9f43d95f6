"""The training loop beside a hand-written one, and what must not change its result."""

from __future__ import annotations

import math
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup

from harness.method import Checkpoints, DivergedError, ProblemError
from harness.method.passes import divided
from methods.common.examples import collate, stream
from methods.common.master_weights import MasterWeights
from methods.common.training import History, Recipe, fit, token_loss
from tests.methods.common import models

DATA = models.examples(24, seed=5)


def adamw(model: Any, rate: float = 3e-3) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=rate)


def trained(model: Any, recipe: Recipe, optimizer: Any = None, **options: Any) -> History:
    optimizer = optimizer or adamw(model)
    return fit(model, optimizer, DATA, recipe, rng=np.random.default_rng(7), pad=0, **options)


def at(folder: Path) -> Checkpoints:
    """Checkpoints after every update."""
    return Checkpoints(folder, every=0.0, clock=lambda: 1000.0 * next(seconds))


seconds = count()


class Stop(Exception):  # noqa: N818
    """A training was killed."""


def stops_after(passes: int) -> Any:
    """A loss that raises in the forward pass after so many."""
    done = count()

    def loss(model: Any, batch: Any, smoothing: float) -> Tensor:
        if next(done) == passes:
            raise Stop
        return token_loss(model, batch, smoothing)

    return loss


def weights(model: Any) -> Tensor:
    return nn.utils.parameters_to_vector(model.parameters()).detach().clone()


@pytest.mark.parametrize("name", ["llama", "t5"])
def test_it_is_the_plain_loop(name: str) -> None:
    separate = name == "t5"
    plain = models.MODELS[name]()
    optimizer = torch.optim.AdamW(plain.parameters(), lr=3e-3)
    losses = []
    plain.train()
    for step, chunk in enumerate(islice(stream(DATA, 6, np.random.default_rng(7)), 9)):
        batch = collate(chunk, 0, separate=separate)
        loss = plain(input_ids=batch.ids, attention_mask=batch.mask, labels=batch.labels).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(plain.parameters(), 0.5)
        optimizer.param_groups[0]["lr"] = 3e-3 * (
            min(1.0, (step + 1) / 3) if step < 3 else 1 - (step - 3) / 6
        )
        optimizer.step()
        losses.append(loss.item())
    ours = models.MODELS[name]()
    history = trained(ours, Recipe(9, 6, warmup=3, schedule="linear", clip=0.5))
    assert history.losses == pytest.approx(losses, rel=1e-4)
    assert history.steps == 9
    torch.testing.assert_close(weights(ours), weights(plain), rtol=1e-3, atol=2e-4)


def test_accumulated_batches_equal_one_large_batch() -> None:
    results = []
    for accumulate in (1, 2, 4):
        model = models.llama()
        sgd = torch.optim.SGD(model.parameters(), lr=0.05)
        history = trained(model, Recipe(5, 8 // accumulate, accumulate=accumulate), sgd)
        results.append((history.losses, weights(model)))
    for losses, found in results[1:]:
        assert losses == pytest.approx(results[0][0], rel=1e-5)
        torch.testing.assert_close(found, results[0][1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["llama", "t5"])
def test_halved_passes_descend_on_the_same_mean(name: str) -> None:
    """Targets differ in length, so that a mean of halves' means would be another."""
    sizes: list[int] = []

    def loss(model: Any, batch: Any, smoothing: float) -> Tensor:
        sizes.append(len(batch.ids))
        return token_loss(model, batch, smoothing)

    whole, halved = models.MODELS[name](), models.MODELS[name]()
    recipe = Recipe(5, 7, accumulate=2)
    history = trained(whole, recipe)
    with divided(2):
        assert trained(halved, recipe, loss=loss).losses == pytest.approx(history.losses, rel=1e-5)
    assert sizes == [4, 3] * 10
    assert torch.allclose(weights(halved), weights(whole), atol=1e-5)


def test_packed_rows_train_the_same() -> None:
    results = []
    for length in (0, 40):
        model = models.llama()
        sgd = torch.optim.SGD(model.parameters(), lr=0.05)
        results.append(trained(model, Recipe(5, 8, pack=length), sgd).losses)
    assert results[0] == pytest.approx(results[1], rel=1e-4)
    with pytest.raises(ProblemError, match="encoder-decoder"):
        trained(models.t5(), Recipe(1, 4, pack=40))


@pytest.mark.parametrize(
    ("schedule", "library"),
    [("linear", get_linear_schedule_with_warmup), ("cosine", get_cosine_schedule_with_warmup)],
)
def test_the_decay_is_that_of_transformers(schedule: Any, library: Any) -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = library(optimizer, 5, 20)
    recipe = Recipe(20, 1, warmup=5, schedule=schedule)
    for step in range(20):
        if step >= 5:
            assert recipe.rate(step) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()


def test_warm_up_is_that_of_torch() -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1 / 5, total_iters=4)
    recipe = Recipe(20, 1, warmup=5)
    for step in range(10):
        assert recipe.rate(step) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()


def test_each_group_keeps_its_own_rate() -> None:
    model = models.llama()
    first, *rest = model.parameters()
    seen: list[tuple[float, ...]] = []

    class Watched(torch.optim.SGD):
        def step(self, closure: Any = None) -> None:  # type: ignore[override]
            seen.append(tuple(group["lr"] for group in self.param_groups))
            super().step(closure)

    optimizer = Watched([{"params": [first], "lr": 0.4}, {"params": rest, "lr": 0.1}])
    trained(model, Recipe(4, 4, warmup=2), optimizer)
    assert seen == [(0.2, 0.05), (0.4, 0.1), (0.4, 0.1), (0.4, 0.1)]
    assert [group["lr"] for group in optimizer.param_groups] == [0.4, 0.1]


def test_only_the_optimizers_parameters_change_and_get_gradients() -> None:
    model = models.llama()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    chosen = model.model.layers[1].mlp.up_proj.weight
    inside: list[int] = []
    model.requires_grad_(requires_grad=False)

    def loss(model: Any, batch: Any, smoothing: float) -> Tensor:
        inside.append(sum(p.requires_grad for p in model.parameters()))
        return token_loss(model, batch, smoothing)

    trained(model, Recipe(2, 4), torch.optim.SGD([chosen], lr=0.1), loss=loss)
    changed = [name for name, value in model.state_dict().items() if not torch.equal(value, before[name])]
    assert changed == ["model.layers.1.mlp.up_proj.weight"]
    assert inside == [1, 1]
    assert not any(p.requires_grad for p in model.parameters())
    assert not model.training


def test_it_looks_before_during_and_after() -> None:
    seen: list[int] = []
    scores = iter([0.1, 0.5, 0.3])
    history = trained(models.llama(), Recipe(5, 4, every=3), validate=lambda: next(scores), watch=seen.append)
    assert seen == [0, 3, 5]
    assert history.scores == {0: 0.1, 3: 0.5, 5: 0.3}
    assert (history.best_step, history.best) == (3, 0.5)


def test_the_best_weights_come_back() -> None:
    model = models.llama()
    kept: list[Tensor] = []
    scores = iter([0.1, 0.5, 0.5, 0.3])

    def validate() -> float:
        assert not model.training
        kept.append(weights(model))
        return next(scores)

    history = trained(model, Recipe(6, 4, every=2, keep="best"), validate=validate)
    assert history.best_step == 2
    assert torch.equal(weights(model), kept[1])
    assert not torch.equal(kept[1], kept[3])


@pytest.mark.parametrize("step", [2, 6])
def test_of_equal_checkpoints_the_earliest_or_the_latest_is_kept(step: int) -> None:
    model, later = models.llama(), step == 6
    kept: dict[int, Tensor] = {}
    scores = {0: 0.0, 2: 0.5, 4: 0.1, 6: 0.5, 8: 0.4}

    def validate() -> float:
        done = list(scores)[len(kept)]
        kept[done] = weights(model)
        return scores[done]

    history = trained(model, Recipe(8, 6, every=2, keep="best", later=later), validate=validate)
    assert history.best_step == step
    assert torch.equal(weights(model), kept[step])


def test_patience_ends_training() -> None:
    scores = iter([0.1, 0.5, 0.4, 0.3, 0.9])
    history = trained(models.llama(), Recipe(50, 4, every=2, patience=2), validate=lambda: next(scores))
    assert history.steps == 6
    assert history.best_step == 2


def test_it_can_watch_between_validations_until_a_score_is_reached() -> None:
    seen: list[int] = []
    scores = {0: 0.1, 4: 0.4, 8: 0.9, 12: 0.5}
    recipe = Recipe(12, 4, every=4, watch_every=2, watch_until=0.8)
    validated = iter(scores.values())
    history = trained(models.llama(), recipe, validate=lambda: next(validated), watch=seen.append)
    assert seen == [0, 2, 4, 6, 8, 12]
    assert history.scores == scores
    with pytest.raises(ProblemError, match="divide"):
        trained(models.llama(), Recipe(4, 4, every=4, watch_every=3), validate=lambda: 0.0)


def test_nothing_is_trained_past_the_highest_score() -> None:
    """The weights that are kept are those of a training to the end."""
    found, looks = [], []
    for enough in (None, 1.0):
        seen: list[int] = []
        scores, model = iter([0.0, 0.7, 1.0, 0.2, 1.0]), models.llama()
        recipe = Recipe(8, 4, every=2, keep="best", enough=enough)
        history = trained(model, recipe, validate=lambda scores=scores: next(scores), watch=seen.append)
        found.append((weights(model), history.best_step))
        looks.append(seen)
    assert torch.equal(found[0][0], found[1][0])
    assert found[0][1] == found[1][1] == 4
    assert looks == [[0, 2, 4, 6, 8], [0, 2, 4]]


@pytest.mark.parametrize("recipe", [Recipe(4, 4, keep="best"), Recipe(4, 4, every=2, patience=1)])
def test_what_needs_validation_says_so(recipe: Recipe) -> None:
    with pytest.raises(ProblemError, match="validation"):
        trained(models.llama(), recipe)


def test_impossible_recipes_are_refused() -> None:
    for recipe in (Recipe(4, 0), Recipe(4, 4, accumulate=0), Recipe(-1, 4)):
        with pytest.raises(ProblemError, match="recipe"):
            trained(models.llama(), recipe)


def test_a_loss_that_is_not_finite_ends_the_trial_with_its_place() -> None:
    def loss(model: Any, batch: Any, smoothing: float) -> Tensor:
        good = token_loss(model, batch, smoothing)
        return good * math.nan if len(calls) == 3 or calls.append(1) else good

    calls: list[int] = []
    with pytest.raises(DivergedError) as caught:
        trained(models.llama(), Recipe(9, 4, every=2), validate=lambda: 0.25, loss=loss)
    assert "step 4" in str(caught.value)
    assert "0.25 after step 2" in str(caught.value)
    chunk = next(islice(stream(DATA, 4, np.random.default_rng(7)), 3, None))
    assert all(example.id in caught.value.where for example in chunk)


def dropout_model() -> Any:
    model = models.llama()
    model.config.attention_dropout = 0.2
    for layer in model.model.layers:
        layer.self_attn.attention_dropout = 0.2
    return model


@pytest.mark.parametrize("keep", ["last", "best"])
def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path: Path, keep: Any) -> None:
    """Also with dropout, momentum and accumulation: the weights agree to the last bit."""
    recipe = Recipe(12, 3, accumulate=2, warmup=3, schedule="cosine", every=4, keep=keep)
    whole, score = dropout_model(), iter([0.1, 0.9, 0.3, 0.4])
    torch.manual_seed(3)
    wanted = trained(whole, recipe, validate=lambda: next(score))

    half, score = dropout_model(), iter([0.1, 0.9, 0.3])
    torch.manual_seed(3)
    with pytest.raises(Stop):
        trained(half, recipe, validate=lambda: next(score), checkpoints=at(tmp_path), loss=stops_after(20))
    resumed, score = dropout_model(), iter([0.4])
    torch.manual_seed(99)
    found = trained(resumed, recipe, validate=lambda: next(score), checkpoints=at(tmp_path))
    assert found == wanted
    assert torch.equal(weights(resumed), weights(whole))
    (folder,) = tmp_path.iterdir()
    assert len(list(folder.glob("*.safetensors"))) == 1


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    trained(models.llama(), Recipe(2, 4, every=2), checkpoints=at(tmp_path))
    other = models.llama()
    with pytest.raises(ProblemError, match="belongs to other work"):
        trained(other, Recipe(4, 4, every=2), adamw(other, rate=1.0), checkpoints=at(tmp_path))


def test_an_order_that_cannot_be_found_again_is_refused(tmp_path: Path) -> None:
    """Validation that draws from the same generator would go on with other examples, silently."""

    def killed(passes: int) -> None:
        rng, model = np.random.default_rng(7), models.llama()
        options: dict[str, Any] = {"validate": rng.random, "checkpoints": at(tmp_path)}
        recipe = Recipe(40, 8, every=2)
        fit(model, adamw(model), DATA, recipe, rng=rng, pad=0, loss=stops_after(passes), **options)

    with pytest.raises(Stop):
        killed(7)
    with pytest.raises(ProblemError, match="draws from the generator of the order"):
        killed(99)


def test_progress_is_the_share_of_the_steps() -> None:
    seen: list[float] = []
    trained(models.llama(), Recipe(50, 2), progress=lambda done, _: seen.append(done))
    assert seen == [0.4, 0.8, 1.0]


def test_an_optimizer_without_parameters_is_refused() -> None:
    model = models.llama()
    optimizer = adamw(model)
    optimizer.param_groups[0]["params"] = []
    with pytest.raises(ProblemError, match="holds no parameters"):
        trained(model, Recipe(1, 4), optimizer)


def test_zero_steps_change_nothing() -> None:
    model = models.llama()
    before = weights(model)
    assert trained(model, Recipe(0, 4)).losses == []
    assert torch.equal(weights(model), before)


def test_training_lowers_the_loss() -> None:
    history = trained(models.llama(), Recipe(40, 8))
    assert np.mean(history.losses[-5:]) < 0.7 * np.mean(history.losses[:5])


def test_small_updates_survive_in_master_weights() -> None:
    """Assert that bfloat16 alone loses updates of 1/1000 of a weight, and master weights do not."""
    results = []
    for wrap in (False, True):
        parameter = nn.Parameter(torch.ones(3, dtype=torch.bfloat16))
        inner = torch.optim.SGD([parameter], lr=1e-3)
        optimizer: Any = MasterWeights(inner) if wrap else inner
        for _ in range(100):
            parameter.grad = torch.ones_like(parameter)
            optimizer.step()
        results.append(parameter.float().tolist())
    assert results[0] == [1.0] * 3
    assert results[1] == pytest.approx([0.9] * 3, rel=1 / 256)


def test_master_weights_of_float32_models_change_nothing(tmp_path: Path) -> None:
    plain, mastered, resumed = models.llama(), models.llama(), models.llama()
    recipe = Recipe(6, 4, warmup=2, every=3)
    trained(plain, recipe)
    trained(mastered, recipe, MasterWeights(adamw(mastered)))
    assert torch.equal(weights(mastered), weights(plain))
    half = models.llama()
    with pytest.raises(Stop):
        trained(half, recipe, MasterWeights(adamw(half)), checkpoints=at(tmp_path), loss=stops_after(4))
    trained(resumed, recipe, MasterWeights(adamw(resumed)), checkpoints=at(tmp_path))
    assert torch.equal(weights(resumed), weights(plain))


def test_a_bfloat16_model_trains_with_master_weights() -> None:
    model = models.llama().bfloat16()
    history = trained(model, Recipe(30, 8), MasterWeights(adamw(model)))
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}
    assert np.mean(history.losses[-5:]) < 0.8 * np.mean(history.losses[:5])


def test_master_weights_come_before_the_first_step() -> None:
    stepped = adamw(models.llama())
    stepped.param_groups[0]["params"][0].grad = torch.zeros(models.VOCABULARY, 32)
    stepped.step()
    with pytest.raises(ProblemError, match="state already"):
        MasterWeights(stepped)
