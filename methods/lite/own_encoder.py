"""Token vectors from an encoder folder of one's own, read by sentence-transformers.

Three kinds of folders are read: a plain encoder of ``transformers`` (BERT and the like), a
``SentenceTransformer``, whose pooling is left out, and a late-interaction model (``MultiVectorEncoder``, or
ColBERT as PyLate saves it), whose projection, prefixes and masks are kept. Nothing is looked up on a hub, no
code of the folder is run, and weights are read from safetensors only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.method import ProblemError, ResourceError, reading_model
from methods.lite.tokens import slices

_READ = (".json", ".model", ".safetensors", ".txt")
"""Endings of files that decide what an encoder gives."""
_AT_ONCE = 4096
"""Texts whose tokens are in memory at once, as lists of numbers."""
_PICKLED = ("pytorch_model.bin", "model.bin")


@dataclass(frozen=True)
class TokenEncoder:
    """An encoder with the lengths that texts are cut to.

    Attributes:
        model: A ``MultiVectorEncoder`` of sentence-transformers.
        query_tokens: Tokens of a query, at most, special ones and prefixes counted.
        document_tokens: The same of a document.
        folder: Where it was read from.
        identity: SHA-256 over the folder's files, wherever it lies.
    """

    model: Any
    query_tokens: int
    document_tokens: int
    folder: Path
    identity: str

    @property
    def dim(self) -> int:
        """Dimension of a token vector."""
        return int(self.model.get_embedding_dimension())

    def queries(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Unit token vectors of queries, each of shape (tokens, P)."""
        return _vectors(self.model.encode_query, texts)

    def documents(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """The same of documents."""
        return _vectors(self.model.encode_document, texts)

    def too_long(self, texts: Sequence[str], *, queries: bool = False) -> list[int]:
        """Places of texts that are cut."""
        limit = self.query_tokens if queries else self.document_tokens
        names = ("query",) if queries else ("document", "passage", "corpus")
        prompt = next((self.model.prompts[name] for name in names if self.model.prompts.get(name)), "")
        found: list[int] = []
        for part in slices(len(texts), _AT_ONCE):
            # One token more than fits shows which texts are cut, without keeping all tokens of long ones.
            rows = self.model.tokenizer(
                [prompt + text for text in texts[part]], truncation=True, max_length=limit + 1
            )["input_ids"]
            found += [part.start + place for place, row in enumerate(rows) if len(row) > limit]
        return found


def open_encoder(
    folder: Path, *, query_tokens: int = 0, document_tokens: int = 128, device: str = "cpu"
) -> TokenEncoder:
    """Open an encoder folder.

    Args:
        folder: As ``save_pretrained`` writes it.
        query_tokens: Queries are cut to so many tokens; 0 if there will be none.
        document_tokens: Documents are cut to so many tokens.
        device: Where it computes.

    Raises:
        ResourceError: If the folder cannot be read, has pickled weights or wants code of its own, or
            sentence-transformers is missing.
        ProblemError: If the model cannot read so many tokens or fills queries up to more, or there is no such
            device.
    """
    _check_folder(folder)
    _check_library()
    _check_device(device)
    with reading_model(folder):
        model = _late_model(folder, device)
    _set_lengths(model, query_tokens, document_tokens, folder)
    return TokenEncoder(model.eval(), query_tokens, document_tokens, folder, identity(folder))


def identity(folder: Path) -> str:
    """SHA-256 over names and contents of the files that decide what an encoder gives."""
    total = hashlib.sha256()
    files = (path for path in folder.rglob("*") if path.suffix in _READ and path.stem != "late_interaction")
    for path in sorted(files, key=lambda path: path.relative_to(folder).as_posix()):
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()} {found}\n".encode())
    return total.hexdigest()


def _late_model(folder: Path, device: str) -> Any:
    from sentence_transformers import MultiVectorEncoder, SentenceTransformer
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

    safe, name = {"use_safetensors": True}, str(folder)
    if _keeps_tokens(folder):
        return MultiVectorEncoder(
            name, device=device, model_kwargs=safe, trust_remote_code=False, local_files_only=True
        )
    if (folder / "modules.json").exists():
        body = SentenceTransformer(
            name, device="cpu", model_kwargs=safe, trust_remote_code=False, local_files_only=True
        )[0]
    else:
        local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        body = Transformer(name, model_kwargs={**local, **safe}, processor_kwargs=local, config_kwargs=local)
    # As MultiVectorEncoder itself would open it, but without a random projection to 128 dimensions.
    modules = [body, MultiVectorMask(), Normalize(module_input_name="token_embeddings")]
    return MultiVectorEncoder(modules=modules, device=device)


def _keeps_tokens(folder: Path) -> bool:
    """Whether the folder is a late-interaction model: none of its modules pools tokens."""
    listed, config = folder / "modules.json", folder / "config.json"
    if listed.exists():
        return not any("Pooling" in module["type"].rpartition(".")[2] for module in _json(listed))
    architectures = _json(config).get("architectures") if config.exists() else None
    return "HF_ColBERT" in (architectures or [])


def _check_folder(folder: Path) -> None:
    def refuse(message: str, fix: str) -> None:
        raise ResourceError(message, where=str(folder), fix=fix)

    if not folder.is_dir():
        refuse("There is no such folder", "Give the folder of an encoder, as save_pretrained() writes it.")
    if not any(folder.rglob("*.safetensors")):
        refuse(
            "The folder holds no safetensors weights",
            "Save the model with save_pretrained(); pickled weights are not read.",
        )
    for path in folder.rglob("*.bin"):
        if path.name in _PICKLED and not list(path.parent.glob("*.safetensors")):
            refuse(f"{path.relative_to(folder)} is pickled, and not read", "Save the model as safetensors.")
    if not any((folder / name).exists() for name in ("modules.json", "config.json")):
        refuse(
            "The folder has neither modules.json nor config.json", "Save the model with save_pretrained()."
        )


def _check_library() -> None:
    try:
        from sentence_transformers import MultiVectorEncoder  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise ResourceError(
            "Encoders are read by sentence-transformers 6, which is not installed",
            where="corroborate lite",
            fix="pip install 'corroborate[rerank]'",
        ) from error


def _check_device(device: str) -> None:
    import torch

    kind = device.partition(":")[0]
    if kind not in {"cpu", "cuda"} or (kind == "cuda" and not torch.cuda.is_available()):
        raise ProblemError(
            "There is no such device, or PyTorch does not see it",
            where=f"device {device}",
            fix="Take cpu; or install a PyTorch that was built for your GPU.",
        )


def _set_lengths(model: Any, query_tokens: int, document_tokens: int, folder: Path) -> None:
    body = model[0]
    room = min(
        int(model.tokenizer.model_max_length),
        int(getattr(body.config, "max_position_embeddings", None) or 2**31),
    )
    if max(query_tokens, document_tokens) > room:
        raise ProblemError(
            f"The model reads {room} tokens at most, not {max(query_tokens, document_tokens)}",
            where=str(folder),
            fix="Cut queries and documents to fewer tokens.",
        )
    filled = body.query_expansion
    if query_tokens and filled is not None and filled["length"] > query_tokens:
        raise ProblemError(
            f"The model fills queries up to {filled['length']} tokens, not to {query_tokens}",
            where=str(folder),
            fix=f"Ask for {filled['length']} query tokens.",
        )
    if query_tokens and filled is None:
        body.query_length = query_tokens
    body.document_length = document_tokens


def _vectors(encode: Any, texts: Sequence[str]) -> list[NDArray[np.float32]]:
    found = encode(list(texts), convert_to_numpy=True, normalize_embeddings=True, show_progress_bar=False)
    return [np.asarray(vectors, dtype=np.float32) for vectors in found]


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResourceError(f"The file cannot be read: {error}", where=str(path)) from error
