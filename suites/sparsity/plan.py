"""How large models are and how long they train under each profile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from harness.claims import Profile
from harness.method.sizes import model_gb
from harness.suite import Scale
from methods.common.ratings import RATINGS
from methods.sparsity.image_task import ImageTask
from methods.sparsity.sizes import LmSize, MixerSize, MlpSize, VitSize
from methods.sparsity.text_task import TextTask
from suites.sparsity.cells import LAYERS, STACK, WIDTH


@dataclass(frozen=True)
class Plan:
    """The scale of a profile.

    Attributes:
        profile: The profile.
        images: The task of natural images, from which the others differ in one thing each.
        mixer: The same for an MLP-Mixer.
        two_layers: The same for a network of two layers.
        noise: The task of natural images where noisy labels are to be memorised.
        text: The task of span corruption.
        rate: AdamW's rate for images.
        noise_rate: AdamW's rate in ``noise``.
        text_rate: AdamW's rate for text.
        seeds: Seeds of trained models.
        minutes: Hard limit of a trial.
        memory_gb: Hard limit of a trial.
        device_gb: Memory that a model in training needs where it is computed, if that is known.
    """

    profile: Profile
    images: Any
    mixer: Any
    two_layers: Any
    noise: Any
    text: TextTask
    rate: float = 8e-3
    noise_rate: float = 4e-3
    text_rate: float = 4e-3
    seeds: int = 5
    minutes: float = 10.0
    memory_gb: float = 6.0
    device_gb: float | None = None


def plan_of(scale: Scale) -> Plan:
    """The sizes of a scale; under ``small`` ``--full`` trains longer, on more seeds.

    Twice as long is what it takes until labels are learnt by heart of which 80 % are noise.
    """
    if scale.profile is Profile.PAPER:
        from suites.sparsity.paper import PLAN

        return PLAN
    plan = {Profile.SMOKE: SMOKE, Profile.SMALL: SMALL, Profile.GPU: GPU}[scale.profile]
    if not (scale.full and scale.profile is Profile.SMALL):
        return plan
    times = {"images": 2.5, "mixer": 2.5, "two_layers": 2.5, "text": 2.5, "noise": 2.0}
    longer = {name: _longer(getattr(plan, name), factor) for name, factor in times.items()}
    return replace(plan, seeds=8, **longer)


def _longer(task: Any, times: float) -> Any:
    return replace(task, steps=round(times * task.steps), warmup=round(times * task.warmup))


def _vit(profile: Profile, **changes: Any) -> VitSize:
    return VitSize(layers=LAYERS[profile], d_ff=WIDTH[profile], **changes)


_TINY = ImageTask(size=_vit(Profile.SMOKE, d_model=16), steps=4, warmup=1, batch=16, counted=64, test=100)
_DIGITS = ImageTask(size=_vit(Profile.SMALL), steps=700, warmup=70, batch=32)
_LARGER = ImageTask(size=_vit(Profile.GPU, d_model=128, heads=4), steps=1000, warmup=100)

SMOKE = Plan(
    profile=Profile.SMOKE,
    images=_TINY,
    mixer=replace(_TINY, size=MixerSize(d_model=16, d_tokens=16, d_ff=32, layers=1)),
    two_layers=replace(_TINY, size=MlpSize(d_ff=64)),
    noise=_TINY,
    text=TextTask(
        size=LmSize(d_model=16, d_ff=32, layers=STACK[Profile.SMOKE], heads=2, context=64),
        length=32,
        batch=4,
        steps=3,
        warmup=1,
        counted=16,
    ),
    seeds=1,
)
SMALL = Plan(
    profile=Profile.SMALL,
    images=_DIGITS,
    mixer=replace(_DIGITS, size=MixerSize()),
    two_layers=replace(_DIGITS, size=MlpSize()),
    # Half of the images, and a lower rate: so labels are learnt by heart in a few seconds.
    noise=replace(_DIGITS, steps=800, warmup=50, share=0.5, corrupted=True),
    text=TextTask(
        data=(RATINGS,),
        size=LmSize(layers=STACK[Profile.SMALL], context=96),
        length=64,
        batch=8,
        steps=550,
        warmup=55,
    ),
)
GPU = Plan(
    profile=Profile.GPU,
    images=_LARGER,
    mixer=replace(_LARGER, size=MixerSize(d_model=128, d_tokens=256, d_ff=1024, layers=6)),
    two_layers=replace(_LARGER, size=MlpSize(d_ff=4096)),
    noise=replace(_LARGER, steps=1500, corrupted=True),
    text=TextTask(
        data=(RATINGS,),
        size=LmSize(d_model=384, d_ff=1536, layers=STACK[Profile.GPU], heads=6, context=384),
        length=256,
        batch=64,
        steps=1000,
        warmup=100,
    ),
    rate=2e-3,
    noise_rate=1e-3,
    text_rate=1e-3,
    minutes=20.0,
    memory_gb=24.0,
    # Ten million parameters at most; batches of text take some four GB, in 16 bits.
    device_gb=model_gb(0.011, "full", weight_bytes=4, beside_gb=8.0),
)
