"""Where the runs differ from the paper."""

from __future__ import annotations

from harness.claims import Profile
from harness.suite import Deviation

_SMALL, _GPU, _PAPER = (Profile.SMALL,), (Profile.GPU,), (Profile.PAPER,)
_SCRATCH = (Profile.SMALL, Profile.GPU)

DEVIATIONS = (
    Deviation(
        id="D1",
        field="model",
        paper="T5-Base: 12 + 12 layers, width 768, d_ff 3072.",
        here="A T5 of 2 + 2 layers, width 64, d_ff 256, over bytes.",
        effect="Much denser: depth and width are what the paper says makes models sparse.",
        profiles=_SMALL,
    ),
)
