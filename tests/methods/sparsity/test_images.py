"""Digits and what is random in their place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from harness.method import ProblemError
from methods.sparsity.image_task import CLASSES, SHAPE, ImageTask
from methods.sparsity.images import Scaler, digits, epochs, fresh, split
from tests.methods.sparsity.worlds import FakeContext

TASK = ImageTask()


def test_sets_are_disjoint_and_drawn_anew_for_each_seed() -> None:
    sets = TASK.sets(FakeContext())
    names = [set(part.names) for part in (sets.train, sets.validation, sets.test)]
    assert [len(part) for part in names] == [1000, 200, 597]
    assert len(set.union(*names)) == 1797
    assert set(TASK.sets(FakeContext(seed=101)).test.names) != names[2]


def test_training_pixels_are_centred_and_rim_pixels_not_blown_up() -> None:
    sets = TASK.sets(FakeContext())
    scaled = sets.scaler(sets.train.pixels)
    assert scaled.mean(0).abs().max() < 1e-5
    deviation = sets.train.pixels.std(0)
    assert torch.allclose(scaled.std(0)[deviation > 0.2], torch.tensor(1.0), atol=1e-4)
    assert scaled.std(0).max() < 1.001


def test_random_labels_are_fixed_and_have_nothing_to_do_with_the_image() -> None:
    task = replace(TASK, labels="random")
    first, again = (task.sets(FakeContext()).train for _ in range(2))
    real = TASK.sets(FakeContext()).train
    assert torch.equal(first.labels, again.labels)
    assert torch.equal(first.pixels, real.pixels)
    assert float((first.labels == real.labels).float().mean()) == pytest.approx(0.1, abs=0.04)


def test_random_images_keep_their_labels() -> None:
    noise, real = (replace(TASK, images=kind).sets(FakeContext()).train for kind in ("random", "real"))
    assert torch.equal(noise.labels, real.labels)
    assert float(noise.pixels.std()) == pytest.approx(12**-0.5, abs=0.01)
    flat = noise.pixels.flatten(1)
    assert float(torch.corrcoef(flat.T).fill_diagonal_(0).abs().max()) < 0.2


def test_label_noise_is_for_training_only_and_may_hit_the_true_class() -> None:
    clean, noisy = (replace(TASK, noise=share).sets(FakeContext()) for share in (0.0, 0.4))
    assert torch.equal(clean.test.labels, noisy.test.labels)
    assert torch.equal(clean.validation.labels, noisy.validation.labels)
    changed = float((clean.train.labels != noisy.train.labels).float().mean())
    assert changed == pytest.approx(0.36, abs=0.03)


def test_a_quarter_is_a_part_of_the_whole_training_set() -> None:
    part, whole = (replace(TASK, share=share).sets(FakeContext()) for share in (0.25, 1.0))
    assert len(part.train) == 250
    assert set(part.train.names) < set(whole.train.names)
    assert list(part.test.names) == list(whole.test.names)


def test_an_epoch_shows_every_image_at_most_once() -> None:
    sets = split(digits(), test=1000, validation=700, rng=np.random.default_rng(0))
    assert len(sets.train) == 97
    marked = replace(sets.train, labels=torch.arange(97))
    batches = epochs(marked, sets.scaler, 30, torch.Generator().manual_seed(1))
    drawn = [next(batches)[1] for _ in range(6)]
    assert len(torch.cat(drawn[:3]).unique()) == 90
    assert not torch.equal(drawn[0], drawn[3])


def test_fresh_noise_never_comes_back() -> None:
    scaler = Scaler(torch.full(SHAPE, 0.5), torch.full(SHAPE, 0.3))
    batches = fresh(SHAPE, scaler, CLASSES, 16, torch.Generator().manual_seed(1))
    first, second = next(batches), next(batches)
    assert not torch.equal(first[0], second[0])
    assert first[0].shape == (16, *SHAPE)
    assert set(torch.cat([next(batches)[1] for _ in range(20)]).tolist()) == set(range(CLASSES))


def test_bad_sizes_are_refused() -> None:
    with pytest.raises(ProblemError, match="share"):
        ImageTask(share=0.0)
    with pytest.raises(ProblemError, match="noise"):
        ImageTask(noise=1.5)
    with pytest.raises(ProblemError, match="suffice"):
        split(digits(), test=1700, validation=97, rng=np.random.default_rng(0))
    sets = split(digits(), test=1000, validation=700, rng=np.random.default_rng(0))
    with pytest.raises(ProblemError, match="batch"):
        next(epochs(sets.train, sets.scaler, 98, torch.Generator()))
