"""Images on disk, as the paper's scale reads them, with tiny files."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from harness.method import ProblemError, ResourceError
from methods.sparsity import stored_images
from methods.sparsity.method import Train
from methods.sparsity.sizes import MlpSize, VitSize
from methods.sparsity.stored_images import IMAGENET_1K, cropped, load_images, whole
from methods.sparsity.stored_task import TRAINED, StoredImageTask, image_side
from tests.methods.sparsity.worlds import watched

SIZE = VitSize(d_model=16, d_ff=32, layers=1, heads=2, patch=8, image=16, channels=3, classes=4)
TASK = StoredImageTask(
    data=IMAGENET_1K, size=SIZE, steps=6, warmup=1, batch=8, accumulate=2, counted=20, scored=12
)


def encoded(value: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (20, 30), (value, 0, 255 - value)).save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("imagenet")
    (folder / "data").mkdir()
    for split, files, rows in (("train", 3, 40), ("validation", 1, 16)):
        for number in range(files):
            labels = [(number * rows + row) % 4 for row in range(rows)]
            images = [{"bytes": encoded(60 * label), "path": ""} for label in labels]
            path = folder / "data" / f"{split}-{number:05d}.parquet"
            pq.write_table(pa.table({"image": images, "label": labels}), path)
    return folder


def context(folder: Path, task: Any = TASK, **changes: Any) -> Any:
    return watched(task, objects={IMAGENET_1K.name: load_images(folder)}, **changes)


def test_a_stream_shows_every_image_once(folder: Path) -> None:
    stored = load_images(folder)
    assert stored.count("train") == 120
    plain = [image.index for image in stored.stream("train")]
    mixed = [image.index for image in stored.stream("train", np.random.default_rng(0))]
    assert plain == list(range(120))
    assert sorted(mixed) == plain
    assert mixed != plain


def test_pixels_are_square_and_in_range(folder: Path) -> None:
    image = next(load_images(folder).stream("train"))
    for pixels in (whole(image, 16), cropped(image, 16, np.random.default_rng(0))):
        assert pixels.shape == (3, 16, 16)
        assert np.allclose(pixels[:, 3, 3], (0.0, 0.0, 1.0))


def test_training_and_scoring(folder: Path) -> None:
    task = replace(TASK, corrupted=True)
    ctx = context(folder, task)
    result = Train(rate=1e-3).run(task.problem(ctx), ctx)
    parts = task.evaluate(result, ctx).parts
    sets = {"train", "test", "neurons", "gap", "main", "validation", "fit"}
    assert set(parts) == {*sets, "gaussian", "impulse", "shot"}
    assert len(parts["main"]["unit_id"]) == 12
    assert ctx.probes[0][0] == 0
    tune = context(folder, stage="tune")
    rows = TASK.evaluate(Train(rate=1e-3).run(TASK.problem(tune), tune), tune).parts
    assert list(rows) == ["validation"]


def test_validation_images_are_never_trained_on(folder: Path) -> None:
    task = replace(TASK, batch=1, accumulate=1)
    ctx = context(folder, task)
    stream = load_images(folder).stream("train")
    kept_out = [image.index for image in stream if image.index * 7919 % 1000 >= TRAINED]
    assert 0 < len(kept_out) < 10
    assert len(
        task.validation(task.problem(ctx).model(Train().activation, 0, torch.Generator()), ctx)["loss"]
    ) == len(kept_out)


@pytest.mark.parametrize(
    ("changes", "labels_change", "pixels_change"),
    [({}, False, False), ({"labels": "random"}, True, False), ({"images": "random"}, False, True)],
)
def test_variations_are_fixed_for_an_image(
    changes: dict[str, Any],
    labels_change: bool,  # noqa: FBT001
    pixels_change: bool,  # noqa: FBT001
) -> None:
    task = replace(TASK, **changes)
    vary = task._variation(watched(task))
    pixels, labels, indices = np.full((40, 3, 4, 4), 0.5, np.float32), np.zeros(40, int), np.arange(40)
    first, again = vary(pixels, labels, indices, 0), vary(pixels, labels, indices, 7)
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert bool((first[1] != labels).any()) is labels_change
    assert bool((first[0] != pixels).any()) is pixels_change


def test_fresh_data_change_with_every_visit_and_noise_with_its_share() -> None:
    task = replace(TASK, fresh=True)
    vary = task._variation(watched(task))
    pixels, labels, indices = np.zeros((9, 3, 4, 4), np.float32), np.zeros(9, int), np.arange(9)
    assert not np.array_equal(vary(pixels, labels, indices, 0)[0], vary(pixels, labels, indices, 1)[0])
    noisy = replace(TASK, noise=0.4)._variation(watched(TASK))
    many = np.zeros(2000, int)
    changed = noisy(np.zeros((2000, 3, 1, 1), np.float32), many, np.arange(2000), 0)[1] != many
    assert float(changed.mean()) == pytest.approx(0.4 * 0.75, abs=0.04)


def test_what_cannot_be_read_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="validation"):
        load_images(tmp_path).count("validation")
    pq.write_table(pa.table({"image": [1]}), tmp_path / "train-0.parquet")
    with pytest.raises(ResourceError, match="label"):
        next(load_images(tmp_path).stream("train"))
    with pytest.raises(ProblemError, match="two layers"):
        image_side(MlpSize())


@pytest.mark.parametrize("done", [0, 1, 13, 14, 15, 40])
def test_a_killed_training_goes_on_without_decoding_what_was_seen(
    done: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in later epochs and with few images waiting to be drawn, so that most are passed over."""
    monkeypatch.setattr(stored_images, "_READ_AHEAD", 10)
    task = replace(TASK, noise=0.5)
    problem = task.problem(context(folder, task))
    whole = list(islice(problem.batches(torch.Generator().manual_seed(3), "cpu"), 45))
    read: list[int] = []
    opened = stored_images._opened

    def noted(image: Any) -> Any:
        read.append(image.index)
        return opened(image)

    monkeypatch.setattr(stored_images, "_opened", noted)
    rest = list(islice(problem.batches_after(done, torch.Generator().manual_seed(3), "cpu"), 45 - done))
    # An epoch ends with images that fill no batch.
    assert 0 <= len(read) - 8 * (45 - done) < 8 * 4
    for (pixels, labels), (again, others) in zip(whole[done:], rest, strict=True):
        assert torch.equal(pixels, again)
        assert torch.equal(labels, others)
