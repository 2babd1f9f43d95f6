"""How large models are and how long they train under each profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.claims import Profile
from harness.method.sizes import model_gb
from harness.suite import Scale
from methods.common.ratings import RATINGS
from methods.sparsity.image_task import ImageTask
from methods.sparsity.pretrained import C4
from methods.sparsity.sizes import LmSize, MixerSize, MlpSize, VitSize
from methods.sparsity.stored_images import IMAGENET_1K
from methods.sparsity.stored_task import StoredImageTask
from methods.sparsity.text_task import TextTask


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
        keep: k of the Top-k transformer that is compared with the dense one.
        depths: Numbers of blocks of the vision transformers of different depth.
        widths: d_ff of those of different width.
        rate: AdamW's rate for images.
        noise_rate: AdamW's rate in ``noise``.
        text_rate: AdamW's rate for text.
        seeds: Seeds of trained models.
        dear_seeds: Seeds of those that take longest: text, and other sizes of vision transformers.
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
    keep: int
    depths: tuple[int, ...] = ()
    widths: tuple[int, ...] = ()
    rate: float = 8e-3
    noise_rate: float = 4e-3
    text_rate: float = 4e-3
    seeds: int = 5
    dear_seeds: int = 5
    minutes: float = 10.0
    memory_gb: float = 6.0
    device_gb: float | None = None

    @property
    def layers(self) -> int:
        """Blocks of the vision transformer."""
        return int(self.images.size.layers)

    @property
    def d_ff(self) -> int:
        """Neurons of each of its blocks."""
        return int(self.images.size.d_ff)

    @property
    def text_layers(self) -> int:
        """Blocks of the text model's encoder and decoder."""
        return 2 * self.text.size.layers

    def depth_task(self, layers: int) -> str:
        """Id of the task with so many blocks."""
        return "real" if layers == self.layers else f"layers-{layers}"

    def width_task(self, d_ff: int) -> str:
        """Id of the task with so many neurons."""
        return "real" if d_ff == self.d_ff else f"width-{d_ff}"

    @property
    def sizes(self) -> Mapping[str, int]:
        """Blocks of every vision transformer, by task."""
        return {self.depth_task(n): n for n in self.depths} | {
            self.width_task(n): self.layers for n in self.widths
        }

    @property
    def other_keeps(self) -> tuple[int, ...]:
        """Further k under ``--full``."""
        keep = self.keep
        return tuple(sorted({2, keep // 4, keep // 2, 2 * keep, 4 * keep} - {1, keep}))

    @property
    def rates(self) -> Mapping[str, tuple[float, ...]]:
        """By optimizer: five rates of AdamW around the common one, a factor of two apart, and two of SGD."""
        around = tuple(float(f"{self.rate * 2.0**k:.2g}") for k in range(-2, 3))
        return {"adamw": around, "sgd": (0.1, 0.3)}


def plan_of(scale: Scale) -> Plan:
    """The sizes of a scale; under ``small`` ``--full`` trains longer, on more seeds.

    Twice as long is what it takes until labels are learnt by heart of which 80 % are noise.
    """
    plan = {Profile.SMOKE: SMOKE, **PLANS}[scale.profile]
    if not (scale.full and scale.profile is Profile.SMALL):
        return plan
    tasks = {name: getattr(plan, name) for name in ("images", "mixer", "two_layers", "text", "noise")}
    longer = {
        name: replace(task, steps=2 * task.steps, warmup=2 * task.warmup) for name, task in tasks.items()
    }
    return replace(plan, seeds=8, dear_seeds=8, **longer)


_TINY = ImageTask(
    size=VitSize(layers=2, d_ff=32, d_model=16), steps=4, warmup=1, batch=16, counted=64, test=100
)
_DIGITS = ImageTask(size=VitSize(layers=3, d_ff=128), steps=1600, warmup=160, batch=16)
_LARGER = ImageTask(size=VitSize(layers=6, d_ff=1024, d_model=128, heads=4), steps=1000, warmup=100)
_VIT_B16 = StoredImageTask(data=IMAGENET_1K)
_MIXER_B16 = MixerSize(
    d_model=768, d_tokens=384, d_ff=3072, layers=12, patch=16, image=224, channels=3, classes=1000
)

SMOKE = Plan(
    profile=Profile.SMOKE,
    images=_TINY,
    mixer=replace(_TINY, size=MixerSize(d_model=16, d_tokens=16, d_ff=32, layers=1)),
    two_layers=replace(_TINY, size=MlpSize(d_ff=64)),
    noise=_TINY,
    text=TextTask(
        size=LmSize(d_model=16, d_ff=32, layers=1, heads=2, context=64),
        length=32,
        batch=4,
        steps=3,
        warmup=1,
        counted=16,
    ),
    keep=4,
    seeds=1,
    dear_seeds=1,
)
SMALL = Plan(
    profile=Profile.SMALL,
    images=_DIGITS,
    mixer=replace(_DIGITS, size=MixerSize()),
    two_layers=replace(_DIGITS, size=MlpSize()),
    # Half of the images, and a lower rate: so labels are learnt by heart in a few seconds.
    noise=replace(_DIGITS, steps=800, warmup=50, batch=32, share=0.5, corrupted=True),
    text=TextTask(
        data=(RATINGS,),
        size=LmSize(layers=2, context=96),
        length=64,
        batch=8,
        steps=1200,
        warmup=120,
    ),
    keep=16,
    seeds=7,
    dear_seeds=6,
    depths=(2, 3, 6),
    widths=(32, 128, 512),
)
GPU = Plan(
    profile=Profile.GPU,
    images=_LARGER,
    mixer=replace(_LARGER, size=MixerSize(d_model=128, d_tokens=256, d_ff=1024, layers=6)),
    two_layers=replace(_LARGER, size=MlpSize(d_ff=4096)),
    noise=replace(_LARGER, steps=1500, corrupted=True),
    text=TextTask(
        data=(RATINGS,),
        size=LmSize(d_model=384, d_ff=1536, layers=4, heads=6, context=384),
        length=256,
        batch=64,
        steps=1000,
        warmup=100,
    ),
    keep=64,
    depths=(3, 6, 12),
    widths=(256, 1024, 4096),
    rate=2e-3,
    noise_rate=1e-3,
    text_rate=1e-3,
    minutes=20.0,
    memory_gb=24.0,
    # Ten million parameters at most; batches of text take some four GB, in 16 bits.
    device_gb=model_gb(0.011, "full", weight_bytes=4, beside_gb=8.0),
)
PAPER = Plan(
    profile=Profile.PAPER,
    images=_VIT_B16,
    mixer=replace(_VIT_B16, size=_MIXER_B16),
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
    keep=128,
    depths=(8, 12, 24),
    widths=(768, 3072, 12288),
    rate=1e-3,
    noise_rate=1e-3,
    text_rate=1e-3,
    minutes=60.0 * 24 * 30,
    memory_gb=200.0,
)

PLANS = {plan.profile: plan for plan in (SMALL, GPU, PAPER)}
"""The profiles in which more than exact claims are judged."""
