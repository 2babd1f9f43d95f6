"""The claims of the paper and the rules that decide them, declared before any run.

No number of the paper could be read, so every claim is a direction or an equivalence.
"""

from __future__ import annotations

from harness.claims import Claim, NotRun, Profile, difference
from suites.il_bench.cells import COVARIATES, Place
from suites.il_bench.rules import (
    Models,
    at_chance,
    beats_short,
    beats_singles,
    errors_lead,
    expansions_help,
    expansions_saturate,
    grows_with_depth,
    holds_for_both,
    holds_up,
    holds_up_elsewhere,
    measured,
    never_falls,
    representable,
    shown,
    smoke_never_falls,
    stronger_reads_as_well,
    summarising_helps,
    transfers,
)


def _whole(number: str, statement: str, source: str, *reported: str) -> Claim:
    """A compound claim; its verdict is put together from its parts."""
    return Claim(id=number, statement=statement, source=source, forms={}, reported=reported)


def _weaker(models: Models) -> Place:
    return models.weaker


def _stronger(models: Models) -> Place:
    return models.stronger


_PROMPTING = (
    _whole(
        "C1",
        "LSP beats automatic prompt optimisation, which learns one instruction.",
        "abstract",
        "prompting",
        "language",
    ),
    Claim(
        id="C1a",
        parent="C1",
        statement="LSP beats single instructions by the learner that writes its modules, on deeper trees.",
        source="abstract",
        forms=measured(beats_short),
        reported=("prompting",),
        essential=False,
    ),
    Claim(
        id="C1b",
        parent="C1",
        statement="LSP beats every search for a single instruction at equal requests to the learner, on "
        "deeper trees. Instructions of up to 24 rules are among them: only the executor limits their length.",
        source="abstract",
        forms=measured(beats_singles),
        reported=("prompting", "language"),
        note="The executor has learnt to follow lists of up to 24 rules; how well is measured, not set.",
    ),
    Claim(
        id="C1c",
        parent="C1",
        statement="The gap to single instructions grows with the depth of the hidden tree.",
        source="the card's reading of the claim",
        forms=measured(grows_with_depth),
        reported=("prompting",),
        note="Asked by this harness: the paper's tables could not be read.",
    ),
    Claim(
        id="C2",
        statement="LSP beats neurosymbolic and interpretable vision methods on pictures.",
        source="abstract",
        forms={
            profile: NotRun(
                reason="Neither pictures nor models that see are used here; captions would be another claim."
            )
            for profile in Profile
        },
        reported=("vision",),
    ),
)

_TRANSFER = (
    _whole("C3", "A learned program transfers to other language models.", "abstract", "transfer"),
    Claim(
        id="C3a",
        parent="C3",
        statement="Learnt with a weaker executor, a program keeps two thirds of its gain with a stronger.",
        source="table on transfer",
        forms=measured(transfers(_weaker)),
        reported=("transfer",),
    ),
    Claim(
        id="C3b",
        parent="C3",
        statement="Learnt with a stronger executor, it keeps two thirds of its gain with a weaker.",
        source="table on transfer",
        forms=measured(transfers(_stronger)),
        reported=("transfer",),
    ),
    Claim(
        id="C3c",
        parent="C3",
        statement="A stronger executor follows a program as well as the weaker one that it was learnt with.",
        source="the card's reading of the claim",
        forms=measured(stronger_reads_as_well),
        reported=("transfer",),
        essential=False,
    ),
    Claim(
        id="C4",
        statement="People without knowledge of the domain can use the printed program.",
        source="abstract",
        forms=measured(
            shown(
                lambda models: difference(
                    models.searching.of("lsp", 2, "proxy"), models.searching.of("lsp", 2)
                ),
                "No people: an interpreter of the printed rules stands in for them, which errs never.",
            )
        ),
        reported=("humans",),
    ),
)

_SHIFT = (
    _whole("C5", "LSP generalises out of the distribution.", "abstract", "shift"),
    Claim(
        id="C5a",
        parent="C5",
        statement="Under other distributions of inputs LSP loses less than nearest neighbours by symbols.",
        source="figure on shifted inputs",
        forms=measured(holds_up(COVARIATES, "knn")),
        reported=("shift",),
    ),
    Claim(
        id="C5b",
        parent="C5",
        statement="With variables in another order LSP loses less than nearest neighbours by embeddings.",
        source="figure on shifted inputs",
        forms=measured(holds_up(("order",), "minilm-knn")),
        reported=("shift",),
    ),
    Claim(
        id="C5c",
        parent="C5",
        statement="Under other templates LSP loses less than nearest neighbours by embeddings.",
        source="figure on shifted inputs",
        forms=measured(holds_up_elsewhere),
        reported=("shift",),
    ),
)

_SEARCH = (
    Claim(
        id="C6",
        statement="Modules learnt by summarising rules beat modules found by paraphrase, in the same tree.",
        source="ablation on module learning",
        forms=measured(summarising_helps),
        reported=("ablation",),
    ),
    _whole(
        "C7",
        "Error-driven search beats a naive order of expansions.",
        "ablation on structure search",
        "ablation",
    ),
    Claim(
        id="C7a",
        parent="C7",
        statement="Expanding the leaf with most errors beats expanding any leaf.",
        source="ablation on structure search",
        forms=measured(errors_lead("lsp-any")),
        reported=("ablation",),
    ),
    Claim(
        id="C7b",
        parent="C7",
        statement="It beats expanding any leaf that has errors.",
        source="ablation on structure search",
        forms=measured(errors_lead("lsp-random")),
        reported=("ablation",),
        note="Tells the use of counting errors from that of leaving finished leaves alone.",
    ),
    _whole(
        "C8", "Divide and conquer: more expansions help, then saturate.", "figure on convergence", "growth"
    ),
    Claim(
        id="C8a",
        parent="C8",
        statement="Training accuracy never falls with an expansion.",
        source="algorithm 2",
        forms={**measured(never_falls), Profile.SMOKE: smoke_never_falls()},
        reported=("growth",),
    ),
    Claim(
        id="C8b",
        parent="C8",
        statement="Test accuracy after all expansions is above that of the first module.",
        source="figure on convergence",
        forms=measured(expansions_help),
        reported=("growth",),
    ),
    Claim(
        id="C8c",
        parent="C8",
        statement="The first half of the expansions gains more than the second.",
        source="figure on convergence",
        forms=measured(expansions_saturate),
        reported=("growth",),
        essential=False,
        note="Recalled with low confidence.",
    ),
    Claim(
        id="C9",
        statement="Two operators, a call of a language model and a switch, are enough.",
        source="section on the language",
        forms=dict.fromkeys(Profile, representable()),
        reported=("operators",),
        note="Shown for hidden trees: each is written as a program whose modules have three rules at most.",
    ),
    Claim(
        id="C10",
        statement="The tasks cannot be solved without examples.",
        source="section on the benchmark",
        forms=measured(at_chance),
        reported=("zero-shot",),
        note="A transformer trained from scratch shows that nothing leaks through names, order or wording; "
        "what a pretrained model may know beforehand is measured under gpu.",
    ),
    Claim(
        id="C11",
        statement="LSP works with weak and strong language models.",
        source="main table",
        forms=measured(holds_for_both),
        reported=("models", "language"),
    ),
)

CLAIMS = (*_PROMPTING, *_TRANSFER, *_SHIFT, *_SEARCH)
