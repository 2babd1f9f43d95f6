"""The claims about the Top-k transformer (C15 to C20)."""

from __future__ import annotations

from harness.claims import Cell, Claim, Contrast, NotComparable, difference
from methods.sparsity.scoring import ECE
from methods.sparsity.second_layer import SECONDS
from suites.sparsity.cells import MEASURED, MORE_NOISE_TASK, NOISE_TASK, NOISES, TOP, noise, tuned
from suites.sparsity.rules import above, learns, memorised, robust, same, within

_CLOSE = "the card's rule; the paper's Top-k models lose about .3 points"

ACCURATE = (
    Claim(
        id="C15",
        statement="A Top-k transformer matches the dense one at moderate k without retuning.",
        source="Figure 5",
        forms={},
        reported=("topk-t5-3b", "topk-vit"),
    ),
    Claim(
        id="C15a",
        parent="C15",
        statement="The accuracies differ by less than a point (k = d_ff/8 under small, d_ff/16 under gpu, "
        "d_ff/24 under paper).",
        source="Figure 5",
        forms=same(within(tuned(TOP), tuned("dense"), 1.0, _CLOSE), *MEASURED),
        reported=("topk-t5-3b", "topk-vit"),
    ),
    Claim(
        id="C15b",
        parent="C15",
        statement="At k = 1 accuracy is lost.",
        source="Figure 5",
        forms=same(
            above(difference(tuned("dense"), tuned("top-1")), 1.0, "more than what counts as a match"),
            *MEASURED,
        ),
        note="The card's contrast: k must matter somewhere, or a match at moderate k means little.",
    ),
    Claim(
        id="C16",
        statement="Unbatched decoding takes less time.",
        source="Figure 6",
        forms=same(
            NotComparable(
                theta=Contrast(
                    (
                        (1.0, Cell("second-layer-time", "dense", SECONDS, part="time")),
                        (-1.0, Cell("second-layer-time", "sparse", SECONDS, part="time")),
                    ),
                    log=True,
                ),
                reason="The paper times whole T5 models up to 11B on a TPUv4 with approximate top-k; here "
                "one second layer is timed, its active neurons being given.",
            ),
            *MEASURED,
        ),
        reported=("latency",),
    ),
)


def _growth(less: str, more: str) -> Contrast:
    """θ = what Top-k gains over dense on one task − what it gains on another."""
    return Contrast(
        (
            (1.0, noise(TOP, more)),
            (-1.0, noise("dense", more)),
            (-1.0, noise(TOP, less)),
            (1.0, noise("dense", less)),
        )
    )


ROBUST = (
    Claim(
        id="C17",
        statement="A Top-k transformer is less sensitive to noise in training labels.",
        source="Table 1",
        forms={},
        reported=("dense-noise-40", "top-128-noise-40", "dense-noise-80", "top-128-noise-80"),
    ),
    Claim(
        id="C17a",
        parent="C17",
        statement="With 40 % of the training labels drawn at random it is more accurate than the dense one.",
        source="Table 1",
        forms=same(
            robust(noise(TOP, NOISE_TASK), noise("dense", NOISE_TASK), memorised("dense"), memorised(TOP)),
            *MEASURED,
        ),
        reported=("dense-noise-40", "top-128-noise-40"),
    ),
    Claim(
        id="C17b",
        parent="C17",
        statement="The gain is larger under 40 % label noise than without.",
        source="Table 1",
        forms=same(
            above(
                _growth("clean", NOISE_TASK),
                0.5,
                "half a point, as for the gain itself",
                memorised("dense"),
                memorised(TOP),
            ),
            *MEASURED,
        ),
        reported=("dense-natural", "top-128-natural"),
    ),
    Claim(
        id="C17c",
        parent="C17",
        statement="It is larger still under 80 % label noise.",
        source="Table 1",
        forms=same(
            above(
                _growth(NOISE_TASK, MORE_NOISE_TASK),
                0.5,
                "half a point, as for the gain itself",
                *(
                    memorised(method, task)
                    for task in (NOISE_TASK, MORE_NOISE_TASK)
                    for method in ("dense", TOP)
                ),
            ),
            *MEASURED,
        ),
        reported=("dense-noise-80", "top-128-noise-80"),
        essential=False,
        note="Outside the paper's scale 80 % label noise belongs to the wider grid of --full.",
    ),
    Claim(
        id="C18",
        statement="It is more robust to corrupted images.",
        source="Table 1",
        forms={},
        reported=tuple(f"{model}-{kind}" for kind in NOISES for model in ("dense", "top-128")),
    ),
    *(
        Claim(
            id=f"C18{letter}",
            parent="C18",
            statement=f"It is more accurate on images with {kind} noise, over five severities.",
            source="Table 1",
            forms=same(
                robust(noise(TOP, part=kind), noise("dense", part=kind), learns("dense"), learns(TOP)),
                *MEASURED,
            ),
            reported=(f"dense-{kind}", f"top-128-{kind}"),
        )
        for letter, kind in zip("abc", NOISES, strict=True)
    ),
    Claim(
        id="C19",
        statement="It is better calibrated.",
        source="Table 1",
        forms=same(
            above(
                difference(noise("dense", metric=ECE), noise(TOP, metric=ECE)),
                0.25,
                "a quarter of a point, as much of the paper's gain of .94",
                learns("dense"),
                learns(TOP),
            ),
            *MEASURED,
        ),
        reported=("dense-ece", "top-128-ece"),
    ),
    Claim(
        id="C20",
        statement="Its accuracy on clean images is that of the dense transformer.",
        source="Table 1",
        forms=same(within(noise(TOP), noise("dense"), 1.0, "the card's rule", learns("dense")), *MEASURED),
        reported=("dense-natural", "top-128-natural"),
    ),
)

TOP_K = (*ACCURATE, *ROBUST)
