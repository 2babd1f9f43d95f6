"""A language model as annotator, as a method of the harness."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from harness.method import Context, Method, Reference, param
from methods.common.gemma import SafeWeights
from methods.ibws.designs import balanced_design
from methods.ibws.direct import direct_assessment, mean_by_item
from methods.ibws.iterated import Iteration, iterated_bws
from methods.ibws.problems import Annotation, AnnotationProblem
from methods.ibws.scoring import bradley_terry


@dataclass(frozen=True)
class LanguageModelAnnotator(Method[AnnotationProblem, Annotation]):
    """A causal language model reads the items and answers in place of the crowd.

    It gives a mark from 0 to 100 (``slider``), or chooses best and worst of tuples, in one round
    (``bws``) or in iterated rounds (``ibws``), both scored by Bradley-Terry.
    """

    problem_type: ClassVar[type] = AnnotationProblem
    cites: ClassVar[str] = "Bagdon et al. (2024)"

    model: Reference = field(
        default=SafeWeights(), metadata={"source": "ours", "doc": "a local causal language model"}
    )
    protocol: Literal["slider", "bws", "ibws"] = param("bws", source="ours", doc="what it is asked")
    appearances: int = param(8, source="ours", doc="tuples an item is in (each round)")
    batch: int = param(32, source="ours", doc="sequences at once")

    def run(self, problem: AnnotationProblem, ctx: Context) -> Annotation:
        """Let the model annotate all items."""
        from methods.ibws.reader import LanguageModelJudge

        checkpoint = ctx.load(self.model)
        judge = LanguageModelJudge(
            checkpoint.model(ctx.device, ctx.dtype),
            checkpoint.tokenizer,
            problem.texts,
            ctx.rng("answers"),
            batch=self.batch,
        )
        n = problem.n_items
        if self.protocol == "slider":
            ratings = direct_assessment(n, judge, ctx.rng("screens"), raters=1, workers=1)
            return Annotation(mean_by_item(n, ratings), judge.ledger, "direct")
        if self.protocol == "bws":
            design = balanced_design(n, 4, self.appearances, ctx.rng("design"))
            return Annotation(bradley_terry(n, [judge.compare(design)]), judge.ledger, "comparative")
        options = Iteration(appearances=self.appearances, final="bt_all")
        found = iterated_bws(n, judge.compare, ctx.rng("design"), options)
        return Annotation(found.estimate, judge.ledger, "comparative")
