"""Parameters of adapters beside the pairs: what they are, and AdamW for them.

A LoRA model may train more than factors: magnitudes of DoRA, whole modules that are saved with the adapter,
biases, rows of embeddings. LoRA-RITE has nothing to say about these; they get AdamW in groups of their own.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.optim.adamw import adamw

EPSILON = 1e-8

_ROLES = {
    "modules_to_save": "saved module",
    "lora_magnitude_vector": "magnitude",
    "trainable_tokens_delta": "tokens",
}


def role_of(name: str) -> str | None:
    """Which kind of a parameter beside the pairs this is, by its name as ``peft`` gives it.

    Returns:
        ``"saved module"``, ``"magnitude"`` (of DoRA), ``"tokens"`` (trainable rows of an embedding) or
        ``"bias"``; ``None`` for all else, factors included.
    """
    parts = name.split(".")
    found = next((role for part, role in _ROLES.items() if part in parts), None)
    return "bias" if found is None and parts[-1] == "bias" else found


class Companion:
    """The parameters of one group that have gradients, before their step.

    Args:
        group: Of the optimizer; its ``lr``, ``betas``, ``eps`` and ``weight_decay`` are AdamW's.
        states: The optimizer's.
    """

    def __init__(self, group: dict[str, Any], states: dict[Tensor, dict[str, Any]]) -> None:
        self.group = group
        self.states = states
        named = zip(group["names"], group["params"], strict=True)
        active = [(name, p) for name, p in named if p.grad is not None]
        self.names = [name for name, _ in active]
        self.parameters = [parameter for _, parameter in active]

    def sizes(self) -> Tensor:
        """Norms of the gradients, (k,), on the parameters' device."""
        gradients = [cast("Tensor", p.grad) for p in self.parameters]
        return torch.stack([torch.linalg.vector_norm(g).float() for g in gradients])

    def step(self) -> None:
        """One step of AdamW, in float32 for parameters of less."""
        states = [self._state(parameter) for parameter in self.parameters]
        moved = [s.get("master", p) for s, p in zip(states, self.parameters, strict=True)]
        gradients = [cast("Tensor", p.grad).to(m.dtype) for p, m in zip(self.parameters, moved, strict=True)]
        adamw(
            moved,
            gradients,
            [state["first"] for state in states],
            [state["squared"] for state in states],
            [],
            [state["step"] for state in states],
            amsgrad=False,
            beta1=self.group["betas"][0],
            beta2=self.group["betas"][1],
            lr=self.group["lr"],
            weight_decay=self.group["weight_decay"],
            eps=self.group["eps"],
            maximize=False,
        )
        for parameter, exact in zip(self.parameters, moved, strict=True):
            if exact is not parameter:
                parameter.copy_(exact)

    def _state(self, parameter: Tensor) -> dict[str, Any]:
        state = self.states[parameter]
        low = parameter.dtype in (torch.bfloat16, torch.float16) and self.group["master"]
        # On the host, as AdamW wants it: reading it there waits for no device. Loading moves it.
        state["step"] = state["step"].cpu() if state else torch.zeros(())
        if len(state) == 1:
            kind = torch.float32 if low else parameter.dtype
            state["first"], state["squared"] = (torch.zeros_like(parameter, dtype=kind) for _ in range(2))
            if low:
                state["master"] = parameter.detach().float()
        elif low:
            given, master = parameter.detach(), state["master"]
            master.copy_(torch.where(master.to(given.dtype) == given, master, given.float()))
        return state
