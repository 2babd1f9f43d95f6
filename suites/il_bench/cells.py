"""Where methods are compared, and which run there; claims and displays take their cells from here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.claims import Cell, Contrast, Place, mean
from harness.method import mean_of
from harness.suite import Arm
from methods.il_bench.following import FOLLOWED
from methods.il_bench.method import ACCURACY
from suites.il_bench import arms

SIZES = {1: (4, 2), 2: (6, 3), 3: (8, 3)}
"""Variables and labels of the hidden trees, by depth."""
DEPTHS = tuple(SIZES)
DEEP = (2, 3)
"""Those on which the claim on prompt optimisation rests."""
ERRING = "depth-2-erring"
"""Task of depth 2 whose other executor errs in three of ten calls."""
SHIFTS = {
    "margin": "one value of the root's variable at a tenth of its weight",
    "nuisance": "unseen values of variables that no label needs",
    "order": "variables in another order",
    "json": "JSON in place of equations",
    "sentence": "sentences in place of equations",
}
"""Shifted test sets, by the part that they are scored in."""
COVARIATES = ("margin", "nuisance")
"""Shifts of what is said."""
TEMPLATES = ("json", "sentence")
"""Other ways to say it."""
COUNTS = (1, 2, 3, 4, 6, 8, 12, 16, 24)
"""Rules of the lists by which rule following is measured."""


WRONG = mean_of("error", better="lower", name="share of cases that are wrong", digits=3)
"""Of exact properties: the mean of their errors."""


def tree(depth: int) -> str:
    """Id of the task of a depth."""
    return f"depth-{depth}"


def _trees(experiment: str) -> Place:
    """Hidden trees, of depth 2 unless a call says otherwise."""
    return Place(experiment, tree(2), "test", metric=ACCURACY)


SURROGATE = _trees("surrogate")
"""Surrogate learner and interpreter."""
SEARCHES = _trees("search")
"""The same models; programs grown in different ways, on more seeds."""
NEURAL = _trees("neural")
"""Surrogate learner, a small transformer that follows rules; a wider one runs its programs, too."""
LARGER = _trees("larger")
"""The same with the two transformers exchanged."""
SHIFTED = _trees("shifted")
"""Shifted test sets, with the executor that most claims rest on."""
QUESTIONED = _trees("untaught")
"""The question alone, on more seeds, with a language model."""
GEMMA = _trees("gemma")
"""Surrogate learner, Gemma-3-270M as executor."""
INSTRUCT = _trees("instruct")
"""One instruction-tuned model as learner and executor."""
SERVED_WEAKER = _trees("served-weaker")
"""The weaker of two models behind an endpoint, as learner and executor."""
SERVED = _trees("served")
"""The stronger one."""
MAIN = (SURROGATE, GEMMA, SERVED)
"""Where the largest number of methods is compared, one for each profile."""
OTHER_TASKS = Place("tables", part="test", metric=ACCURACY)
"""Tasks that are no hidden trees, with surrogates."""
WAVEFORM = OTHER_TASKS.on("waveform")
"""The one of them whose items are drawn anew for each seed."""
LIMITS = Place("limits", part="test", metric=ACCURACY)
"""Trees of depth 3; the task is a limit of the surrogates."""
FOLLOWING = Place("following", metric=FOLLOWED)
"""Rule following; the task is an executor."""
EXPRESSIVE = Place("expressive", "trees", metric=ACCURACY)
"""Hidden trees written as programs."""


def _ids(*methods: str | Arm) -> tuple[str, ...]:
    return tuple(item if isinstance(item, str) else item.method for item in methods)


def _on(depths: Sequence[int], *methods: str | Arm) -> dict[str, Sequence[int]]:
    """Methods, with the depths that they run on."""
    return dict.fromkeys(_ids(*methods), depths)


_PLAIN = ("zero-shot", "best-of", "long-12", "lsp", "lsp-shuffled")
_ALL_SEARCHES = {
    **_on(DEPTHS, "zero-shot", *arms.SINGLES, "lsp", "lsp-crossed"),
    **_on(DEEP, "lsp-random", "lsp-any", "lsp-one", "lsp-half"),
    **_on(DEEP, "lsp-shuffled", "lsp-fewest", "lsp-half-vain"),
}
RUNS: Mapping[Place, Mapping[str, Sequence[int]]] = {
    SURROGATE: {
        **_on(DEPTHS, "zero-shot", "in-context", *arms.OPTIMISERS),
        **_on(DEEP, *arms.LONG, "long-24-all", *arms.POOLED),
        **_on(DEPTHS, "lsp", "lsp-one", *arms.CLASSICAL),
    },
    SEARCHES: _on(DEEP, *arms.PROGRAMS, "lsp-fewest", "lsp-half-vain"),
    NEURAL: _on(DEPTHS, "zero-shot", *arms.SINGLES, "lsp"),
    LARGER: _on((2,), "zero-shot", "best-of", "long-12", "lsp"),
    SHIFTED: _on((2,), "best-of", "lsp", "lsp-worded", "majority", "cart", "knn", "logistic", "minilm-knn"),
    QUESTIONED: _on(DEPTHS, "zero-shot", "lsp"),
    GEMMA: _ALL_SEARCHES,
    INSTRUCT: _on((2,), *_PLAIN, "lsp-paraphrase"),
    SERVED_WEAKER: _on(DEEP, *_PLAIN, "lsp-crossed"),
    SERVED: {
        **_ALL_SEARCHES,
        **_on(DEPTHS, "in-context", "vote", "tree-prompting", "reasoning", "lsp-paraphrase"),
    },
}
"""The methods of each place on hidden trees, with the depths that each runs on."""
ON_OTHER_TASKS = _ids(
    "zero-shot", "in-context", *arms.OPTIMISERS, "long-24", "lsp", "lsp-one", "lsp-shuffled", *arms.CLASSICAL
)
"""The methods on tasks that are no hidden trees."""
TRANSFERS = (GEMMA, INSTRUCT, SERVED_WEAKER, SERVED)
"""Where claims on transfer are decided, so that one of the other executors must err."""
IN_LIMITS = ("best-of", "long-24", "long-24-all", "lsp", "lsp-random")
"""The methods under other limits of the surrogates."""


def arms_of(methods: Iterable[str]) -> list[Arm]:
    """The arms of some methods, in the order of rows."""
    return [arms.ARMS[name] for name in sorted(methods, key=list(arms.ARMS).index)]


def over(here: Place, method: str, baseline: str) -> Contrast:
    """Mean difference between two methods, over the deeper trees that the place has."""
    depths = [depth for depth in DEEP if depth in RUNS[here][method]]
    return mean(here(method, task=tree(depth)) - here(baseline, task=tree(depth)) for depth in depths)


def followed(executor: str, rules: int) -> Cell:
    """How well an executor follows lists of so many rules."""
    return FOLLOWING("follow", task=executor, rules=rules)
