"""Where the runs differ from the paper."""

from __future__ import annotations

from harness.claims import Profile
from harness.suite import Deviation

_SMALL, _GPU, _PAPER = (Profile.SMALL,), (Profile.GPU,), (Profile.PAPER,)

DEVIATIONS = (
    Deviation(
        id="D1",
        field="model",
        paper="mT5 XXL (13 billion parameters), pretrained on text.",
        here="Two decoders of 2 layers and width 64 and an encoder-decoder of as many, pretrained from "
        "scratch on episodes of a formal language with eight task formats.",
        effect="Their abilities are those they were trained on: they can be lost, and no new one can appear, "
        "which works against C5b and C6b.",
        profiles=_SMALL,
    ),
)
