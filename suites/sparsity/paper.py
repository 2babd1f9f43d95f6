"""The paper's scale: ImageNet and C4 from the hub, and pretrained T5 and OPT as they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.claims import Profile
from harness.suite import Experiment
from methods.sparsity.image_task import ImageTask
from methods.sparsity.pretrained import C4, OPT_125M, T5_BASE, Read, ReadingTask
from methods.sparsity.sizes import LmSize, MixerSize, MlpSize
from methods.sparsity.stored_images import IMAGENET_1K
from methods.sparsity.stored_task import StoredImageTask
from methods.sparsity.text_task import TextTask
from suites.sparsity.plan import Plan

_VIT_B16 = StoredImageTask(data=IMAGENET_1K)
_MIXER_B16 = StoredImageTask(
    data=IMAGENET_1K,
    size=MixerSize(
        d_model=768, d_tokens=384, d_ff=3072, layers=12, patch=16, image=224, channels=3, classes=1000
    ),
)

PLAN = Plan(
    profile=Profile.PAPER,
    images=_VIT_B16,
    mixer=_MIXER_B16,
    two_layers=ImageTask(size=MlpSize()),
    noise=replace(_VIT_B16, corrupted=True),
    text=TextTask(
        data=(C4,),
        size=LmSize(d_model=768, d_ff=3072, layers=12, heads=12, context=640),
        characters=3_000_000_000,
        length=512,
        batch=64,
        accumulate=8,
        steps=100_000,
        warmup=10_000,
        counted=800,
    ),
    rate=1e-3,
    noise_rate=1e-3,
    text_rate=1e-3,
    minutes=60.0 * 24 * 30,
    memory_gb=200.0,
)


def pretrained() -> Experiment:
    """Pretrained models read what they were trained on."""
    models = {"t5-base": T5_BASE, "opt-125m": OPT_125M}
    tasks: dict[str, Any] = {name: ReadingTask(checkpoint=ref, data=C4) for name, ref in models.items()}
    return Experiment(
        id="pretrained",
        title="Pretrained models on C4",
        tasks=tasks,
        methods={"pretrained": Read(), "initialised": Read(trained=False)},
        seeds=tuple(range(100, 105)),
        unit="layer",
        minutes=240.0,
        memory_gb=64.0,
    )
