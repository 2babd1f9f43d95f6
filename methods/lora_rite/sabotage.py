"""Negative controls: LoRA-RITE with one part broken, on three problems. No real method imports this.

Size, cost and state of the optimizer are unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from methods.lora_rite.descent import Descend
from methods.lora_rite.finetune import FineTune
from methods.lora_rite.regression import FitLinear

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from methods.lora_rite.optimizer import LoraRite
    from methods.lora_rite.pairs import Pair


@dataclass(frozen=True)
class UntransportedDescend(Descend):
    """Moments are not carried over as the partner's basis turns."""

    def optimizer_for(self, pairs: list[Pair], rate: float) -> Optimizer:
        """See :class:`~methods.lora_rite.sabotage_optimizers.Untransported`."""
        from methods.lora_rite.sabotage_optimizers import Untransported

        return _made(Untransported, pairs, rate, plain=self.plain)


@dataclass(frozen=True)
class MisalignedDescend(Descend):
    """Steps are mapped back from another basis than the one in which they were computed."""

    def optimizer_for(self, pairs: list[Pair], rate: float) -> Optimizer:
        """See :class:`~methods.lora_rite.sabotage_optimizers.Misaligned`."""
        from methods.lora_rite.sabotage_optimizers import Misaligned

        return _made(Misaligned, pairs, rate, plain=self.plain)


@dataclass(frozen=True)
class MisalignedFit(FitLinear):
    """As :class:`MisalignedDescend`, in the regression."""

    def optimizer_for(self, pairs: list[Pair], rate: float) -> Optimizer:
        """See :class:`~methods.lora_rite.sabotage_optimizers.Misaligned`."""
        from methods.lora_rite.sabotage_optimizers import Misaligned

        return _made(Misaligned, pairs, rate)


@dataclass(frozen=True)
class MisalignedFineTune(FineTune):
    """As :class:`MisalignedDescend`, in fine-tuning."""

    def optimizer_for(self, pairs: list[Pair], rate: float) -> Optimizer:
        """See :class:`~methods.lora_rite.sabotage_optimizers.Misaligned`."""
        from methods.lora_rite.sabotage_optimizers import Misaligned

        return _made(Misaligned, pairs, rate)


@dataclass(frozen=True)
class UnevenFineTune(FineTune):
    """Both factors are no longer treated alike, in fine-tuning."""

    def optimizer_for(self, pairs: list[Pair], rate: float) -> Optimizer:
        """See :class:`~methods.lora_rite.sabotage_optimizers.Uneven`."""
        from methods.lora_rite.sabotage_optimizers import Uneven

        return _made(Uneven, pairs, rate)


def _made(kind: type[LoraRite], pairs: list[Pair], rate: float, *, plain: bool = False) -> Optimizer:
    from methods.lora_rite.optimizers import rite

    return rite(kind)(pairs, rate, plain)
