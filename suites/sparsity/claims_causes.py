"""The claims about firing, size, causes, theory and cost (C6 to C14)."""

from __future__ import annotations

from harness.claims import Cell, Claim, Contrast, Exact, NotRun
from harness.method import Metric
from methods.sparsity.initial_gradient import CLOSENESS, LOSSES
from methods.sparsity.scoring import ABOVE_ONE, BELOW_TEN, DEAD, HIGHEST
from methods.sparsity.second_layer import EXACT
from suites.sparsity.cells import EVERY, MEASURED, below, image, of_layer, only, text
from suites.sparsity.rules import above, deeper, falls, more_neurons, persists, same, sparse_at_all, wider


def _first(metric: Metric) -> Cell:
    """The first encoder layer on test text."""
    return of_layer(text(metric=metric, part="test"), 0)


def _firing(letter: str, statement: str, theta: Contrast, reason: str, *reported: str) -> Claim:
    return Claim(
        id=f"C6{letter}",
        parent="C6",
        statement=statement,
        source="Figure 3",
        forms=same(above(theta, 1.0, reason, sparse_at_all(of_layer(text(), 0))), *MEASURED),
        reported=reported,
    )


FIRING = (
    Claim(
        id="C6",
        statement="It is not that a few neurons always fire and the others never do.",
        source="Figure 3",
        forms={},
        reported=("firing-below-ten", "firing-above-one", "firing-least", "firing-most"),
    ),
    _firing(
        "a",
        "At most one neuron in twenty of the first layer never fires.",
        below(5.0, _first(DEAD)),
        "a hundredth of the neurons below the limit; in the paper there is no dead neuron",
        "firing-least",
    ),
    _firing(
        "b",
        "No neuron of the first layer fires on more than 95 % of the tokens.",
        below(95.0, _first(HIGHEST)),
        "a point below what would be always; in the paper the most active ones fire on about half",
        "firing-most",
    ),
    _firing(
        "c",
        "Most neurons of the first layer fire on fewer than a tenth of the tokens.",
        only(_first(BELOW_TEN), 50.0),
        "a hundredth of the neurons beyond half; in the paper it is 93.5 %",
        "firing-below-ten",
    ),
    _firing(
        "d",
        "At least nine neurons in ten of the first layer fire on more than a hundredth of the tokens.",
        only(_first(ABOVE_ONE), 90.0),
        "a hundredth of the neurons beyond the limit; in the paper it is 99 %",
        "firing-above-one",
    ),
)

SIZES = (
    Claim(
        id="C7",
        statement="Deeper models are sparser.",
        source="Figure 4a",
        forms={profile: deeper(profile) for profile in MEASURED},
        reported=("depth",),
    ),
    Claim(
        id="C8",
        statement="Wider models are sparser in percentage but not in count.",
        source="Figures 4b and 4c",
        forms={},
        reported=("width",),
    ),
    Claim(
        id="C8a",
        parent="C8",
        statement="The percentage falls with d_ff.",
        source="Figure 4b",
        forms={profile: wider(profile) for profile in MEASURED},
        reported=("width",),
    ),
    Claim(
        id="C8b",
        parent="C8",
        statement="The number of active neurons rises with d_ff.",
        source="Figure 4c",
        forms={profile: more_neurons(profile) for profile in MEASURED},
        reported=("width",),
    ),
)

CAUSES = (
    Claim(
        id="C9",
        statement="Labels do not cause it: it persists under random labels.",
        source="abstract",
        forms=same(persists("random-labels"), *MEASURED),
        reported=("random-label",),
    ),
    Claim(
        id="C10",
        statement="Natural images do not cause it: it persists for random images.",
        source="abstract",
        forms=same(persists("random-images"), *MEASURED),
        reported=("random-image",),
    ),
    Claim(
        id="C11",
        statement="Fitting a finite set does not cause it: it persists when no image is seen twice.",
        source="abstract",
        forms=same(persists("fresh"), *MEASURED),
        reported=("infinite-data",),
        note="Images and labels are random, so nothing can be learnt: the loss stays near log C.",
    ),
    Claim(
        id="C12",
        statement="It emerges in other architectures, too.",
        source="Appendix B.1",
        forms={},
        reported=("architectures",),
    ),
    Claim(
        id="C12a",
        parent="C12",
        statement="In an MLP-Mixer.",
        source="Appendix B.1",
        forms=same(falls(image("mixer")), *MEASURED),
        reported=("architectures",),
    ),
    Claim(
        id="C12b",
        parent="C12",
        statement="In a network of two layers.",
        source="Appendix B.1",
        forms=same(falls(image("mlp")), *MEASURED),
        reported=("architectures",),
    ),
    Claim(
        id="C12c",
        parent="C12",
        statement="In a ResNet, to some extent.",
        source="Appendix B.1",
        forms=same(
            NotRun(reason="The appendix could not be read, and the main text states no quantity."), *MEASURED
        ),
        reported=("architectures",),
        essential=False,
    ),
)

THEORY = (
    Claim(
        id="C13",
        statement="At initialisation the expected gradient lowers active pre-activations.",
        source="section on causes",
        forms={},
        reported=("theorem",),
    ),
    *(
        Claim(
            id=f"C13{letter}",
            parent="C13",
            statement=f"Under the {loss} loss, for any target.",
            source="section on causes",
            forms=same(
                Exact(
                    cells=(Cell("gradient", "random", CLOSENESS, part=loss),),
                    oracle="the closed form of the expectation",
                    min_cases=4,
                ),
                *EVERY,
            ),
            reported=("theorem",),
            note="The theorem as recalled, proved and checked anew: the paper's wording could not be read.",
        )
        for letter, loss in zip("ab", LOSSES, strict=True)
    ),
    Claim(
        id="C14",
        statement="Skipping inactive neurons saves 1 − s/d_ff of the second layer and changes no output.",
        source="section 3.1",
        forms={},
        reported=("flops",),
    ),
    Claim(
        id="C14a",
        parent="C14",
        statement="The output from active rows only is that of the dense product.",
        source="section 3.1",
        forms=same(
            Exact(
                cells=(Cell("second-layer", "sparse", EXACT),),
                oracle="the dense product in float64",
                min_cases=4,
            ),
            *EVERY,
        ),
        reported=("flops",),
    ),
    Claim(
        id="C14b",
        parent="C14",
        statement="It takes 2 d_model s operations.",
        source="section 3.1",
        forms=same(
            Exact(
                cells=(Cell("second-layer", "sparse", EXACT, part="flops"),),
                oracle="the count of active entries",
                min_cases=4,
            ),
            *EVERY,
        ),
        reported=("flops",),
    ),
)

CAUSES_AND_SIZES = (*FIRING, *SIZES, *CAUSES, *THEORY)
