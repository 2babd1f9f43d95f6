"""What the experiments need beforehand: small transformers that have learnt to follow rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Artifact, Context, param

if TYPE_CHECKING:
    from methods.il_bench.rule_net import RuleNet


@dataclass(frozen=True, kw_only=True)
class RuleFollower(Artifact):
    """A transformer trained from scratch to follow lists of rules that it has never seen.

    It learns on random lists over random assignments: half of them lists in which any line may apply,
    half the paths of a random tree, which exclude each other. It is not trained on any benchmark, but
    there are so few lists of two or three lines that one of a benchmark may have been drawn, too. The
    longer it is trained, the longer the lists that it can follow; on one thread it has four minutes.
    """

    title: ClassVar[str] = "transformer that follows rules"

    layers: int = param(4, source="ours", doc="transformer layers")
    hidden: int = param(64, source="ours", doc="width")
    heads: int = param(4, source="ours", doc="attention heads")
    steps: int = param(1200, source="ours", doc="updates")
    tokens: int = param(4096, source="ours", doc="tokens an update, roughly; four assignments a list")
    rate: float = param(2e-3, source="ours", doc="largest learning rate of AdamW")
    lines: int = param(24, source="card, section 9", doc="rules of a list, at most")
    variables: int = param(10, source="ours", doc="variables of an assignment, at most")
    draw: int = param(0, source="ours", doc="draws weights and lists")
    minutes: float = field(default=15.0, metadata={"source": "ours", "fingerprint": False})

    @property
    def label(self) -> str:
        """Its name in reports."""
        return f"rule transformer {self.layers}×{self.hidden}"

    def build(self, folder: Path, ctx: Context) -> None:
        """Train, and write weights with the course of the loss."""
        from methods.il_bench.rule_training import Plan, train

        plan = Plan(self.steps, self.tokens, self.rate, self.lines, self.variables, self.draw)
        net = train(self.layers, self.hidden, self.heads, plan, ctx.progress, checkpoints=ctx.checkpoints)
        net.save(folder)

    def load(self, path: Path) -> tuple[RuleNet, str]:
        """The network, in evaluation mode, and a hash of its weights."""
        from methods.il_bench.rule_net import load_rule_net

        found: tuple[Any, str] = load_rule_net(path)
        return found
