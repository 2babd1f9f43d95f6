"""LoRA-RITE (Yen et al., 2024): transformation-invariant optimization of LoRA pairs."""

from methods.lora_rite.baselines import Lamb, LoraPlus, ScaledAdam, ScaledGD, Shampoo
from methods.lora_rite.optimizer import LoraRite
from methods.lora_rite.pairs import Pair, find_pairs

__all__ = ["Lamb", "LoraPlus", "LoraRite", "Pair", "ScaledAdam", "ScaledGD", "Shampoo", "find_pairs"]
