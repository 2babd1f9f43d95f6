"""A transformer encoder that reads rules and an input, and says which label the rules give.

Shapes: B prompts, T tokens, F words of a token, d width, L labels.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from methods.common.draws import fill_normal
from methods.il_bench.rule_tokens import LABELS, SIGNS, WORDS

CONFIG, WEIGHTS = "rule_net.json", "model.safetensors"


@dataclass(frozen=True)
class Size:
    """Size of the encoder (pre-norm, GELU, MLP of four widths)."""

    layers: int
    hidden: int
    heads: int = 4


class RuleNet(nn.Module):
    """Tokens in, labels out.

    The answer is read at the last token. At the other tokens the network can be asked whether a
    condition holds and whether a line decides, which it is taught besides.
    """

    def __init__(self, size: Size, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.size = size
        self.embedding = nn.Embedding(WORDS, size.hidden, padding_idx=0)
        layer = nn.TransformerEncoderLayer(
            size.hidden,
            size.heads,
            4 * size.hidden,
            dropout=0.0,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.encoder = nn.TransformerEncoder(layer, size.layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(size.hidden)
        self.answer = nn.Linear(size.hidden, LABELS)
        self.holds = nn.Linear(size.hidden, 1)
        self._draw(generator)

    def _draw(self, generator: torch.Generator | None) -> None:
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                if parameter.ndim > 1:
                    fill_normal(parameter, 0.0, parameter.shape[1] ** -0.5, generator)
                elif name.endswith("bias"):
                    # PyTorch drew them from its global generator when it made the layers.
                    parameter.zero_()
            fill_normal(self.embedding.weight, 0.0, 1.0, generator)
            # The padding row, which the line above has overwritten.
            self.embedding.weight[0] = 0.0

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the labels, and for each token the logit that its condition holds or its line decides.

        Args:
            tokens: Shape (B, T, F); rows of zeros before the prompt are padding.

        Returns:
            Shapes (B, L) and (B, T).
        """
        empty = tokens[:, :, 0] == 0
        mask = empty if bool(empty.any()) else None
        words = self.embedding(tokens)
        summed = (words * words.new_tensor(SIGNS)[:, None]).sum(2)
        hidden = self.norm(self.encoder(summed, src_key_padding_mask=mask))
        return self.answer(hidden[:, -1]), self.holds(hidden)[:, :, 0]

    def save(self, folder: Path) -> None:
        """Write weights and size."""
        save_file(self.state_dict(), folder / WEIGHTS)
        (folder / CONFIG).write_text(json.dumps(asdict(self.size)), encoding="utf-8")


def load_rule_net(folder: Path) -> tuple[RuleNet, str]:
    """The network saved in ``folder``, in evaluation mode, and a hash of its weights."""
    net = RuleNet(Size(**json.loads((folder / CONFIG).read_text(encoding="utf-8"))))
    net.load_state_dict(load_file(folder / WEIGHTS))
    identity = hashlib.blake2b((folder / WEIGHTS).read_bytes(), digest_size=16).hexdigest()
    return net.requires_grad_(requires_grad=False).eval(), identity
