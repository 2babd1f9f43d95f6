"""An index of documents of one's own: their token vectors in half precision, in a folder.

``vectors.f16`` holds the vectors of all documents one after the other (little-endian, shape (tokens, P)) and
is mapped, not read; ``offsets.npy`` says where each document's begin; ``ids.json`` has the ids, and
``index.json`` which encoder gave the vectors, how, and the hashes. The folder appears when it is complete.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness.method import ProblemError
from methods.lite.own_encoder import TokenEncoder
from methods.lite.own_folders import new_folder
from methods.lite.ranker import Reduction
from methods.lite.reduction import block_mean, cluster, truncate
from methods.lite.tokens import fixed_length, slices, unit_tokens

AT_ONCE = 512
"""Documents that are encoded and written at once."""
_HALF = np.dtype("<f2")
HEAD = "index.json"
_FILES = ("vectors.f16", "offsets.npy", "ids.json")


@dataclass(frozen=True, kw_only=True)
class Made:
    """How an index was made.

    Attributes:
        encoder: Identity of the encoder.
        folder: Where the encoder was.
        dim: Dimension of a vector, P.
        document_tokens: Tokens that documents were cut to.
        vectors: Vectors that were kept of a document, at most; 0 keeps all.
        reduction: How they became fewer.
    """

    encoder: str
    folder: str
    dim: int
    document_tokens: int
    vectors: int = 0
    reduction: Reduction = "none"

    @property
    def longest(self) -> int:
        """Vectors of the longest document that there can be, L2."""
        return self.vectors or self.document_tokens


class Index:
    """Token vectors of n documents, or of queries.

    Args:
        made: How.
        ids: n ids.
        offsets: Where each document's vectors begin, and the last one's end, shape (n + 1,).
        vectors: In half precision, shape (tokens, P); may be mapped.
    """

    def __init__(
        self, made: Made, ids: Sequence[str], offsets: NDArray[np.int64], vectors: NDArray[np.float16]
    ) -> None:
        self.made = made
        self.ids = tuple(ids)
        self.rows = {name: row for row, name in enumerate(self.ids)}
        self._offsets = offsets
        self._vectors = vectors

    def __len__(self) -> int:
        return len(self.ids)

    def dense(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors and masks of documents, padded with zeros to the longest that there can be.

        Args:
            rows: Rows of documents, any shape (...).

        Returns:
            Shapes (..., L2, P) and (..., L2), float32, on the CPU.
        """
        flat = rows.reshape(-1).numpy()
        begins, ends = self._offsets[flat], self._offsets[flat + 1]
        longest = self.made.longest
        places = begins[:, None] + np.arange(longest)
        shown = places < ends[:, None]
        vectors = np.zeros((len(flat), longest, self.made.dim), dtype=np.float32)
        vectors[shown] = self._vectors[places[shown]]
        shape = (*rows.shape, longest)
        return torch.from_numpy(vectors).reshape(*shape, -1), torch.from_numpy(shown).float().reshape(shape)

    @property
    def mask(self) -> Tensor:
        """Which vectors of a padded document are there, shape (n, L2)."""
        lengths = torch.from_numpy(np.diff(self._offsets))
        return (torch.arange(self.made.longest) < lengths.unsqueeze(1)).float()


def build_index(
    encoder: TokenEncoder,
    ids: Sequence[str],
    texts: Sequence[str],
    folder: Path,
    *,
    vectors: int = 0,
    reduction: Reduction = "none",
    queries: bool = False,
    force: bool = False,
    progress: Callable[[int], None] = lambda _done: None,
) -> None:
    """Encode texts and write their index; texts beyond the encoder's lengths are cut.

    Args:
        encoder: Whose vectors.
        ids: Of the texts.
        texts: The documents.
        folder: The index to be; the folder that it lies in must exist.
        vectors: Vectors that are kept of a document; 0 keeps all.
        reduction: How they become fewer; not by ``linear``, which is learnt with a scorer.
        queries: The texts are queries.
        force: Put it in the place of an index that is there.
        progress: Called with the number of texts done.

    Raises:
        ProblemError: If something is there already, the index cannot be written, or the reduction is none.
    """
    if (reduction == "none") != (vectors == 0) or reduction == "linear":
        raise ProblemError(
            f"The reduction '{reduction}' does not give {vectors or 'all'} vectors of a document",
            where="index",
            fix="Choose truncate, block-mean or k-means together with a number of vectors.",
        )
    length = encoder.query_tokens if queries else encoder.document_tokens
    made = Made(
        encoder=encoder.identity,
        folder=str(encoder.folder.resolve()),
        dim=encoder.dim,
        document_tokens=length,
        vectors=vectors,
        reduction=reduction,
    )
    encode = encoder.queries if queries else encoder.documents

    def parts() -> Iterator[NDArray[np.float32]]:
        for part in slices(len(texts), AT_ONCE):
            yield from _reduced(encode(texts[part]), made)
            progress(part.stop)

    with new_folder(folder, mark=HEAD, force=force) as place:
        _write(place, made, ids, parts())


def open_index(folder: Path, *, check: bool = True) -> Index:
    """Open an index; its vectors are mapped.

    Args:
        folder: The index.
        check: Read everything once and compare with the hashes.

    Raises:
        ProblemError: If the folder holds no index, one of another format, or was changed.
    """
    try:
        head = json.loads((folder / HEAD).read_text(encoding="utf-8"))
        if head["format"] != 1:
            raise ProblemError("The index's format is not known", where=str(folder), fix="Build it again.")
        made = Made(**head["made"])
        if check:
            _check_hashes(folder, head["sha256"])
        ids = json.loads((folder / "ids.json").read_text(encoding="utf-8"))
        offsets = np.load(folder / "offsets.npy", allow_pickle=False)
        tokens = int(offsets[-1])
        vectors = np.memmap(folder / "vectors.f16", dtype=_HALF, mode="r").reshape(tokens, made.dim)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise ProblemError(
            f"The folder holds no index that can be read: {error}",
            where=str(folder),
            fix="Build one with `corroborate lite index`.",
        ) from error
    if len(offsets) != len(ids) + 1:
        raise ProblemError("The index has other numbers of ids than of documents", where=str(folder))
    return Index(made, ids, offsets, vectors)


def _reduced(matrices: Sequence[NDArray[np.float32]], made: Made) -> Iterator[NDArray[np.float32]]:
    found = [torch.from_numpy(matrix) for matrix in matrices]
    if made.reduction == "none":
        for matrix in found:
            yield matrix[: made.longest].numpy()
        return
    d, mask, _ = fixed_length(found, made.document_tokens, width=made.dim)
    way = {"truncate": truncate, "block-mean": block_mean, "k-means": cluster}[made.reduction]
    fewer, kept = way(d, mask, made.vectors)
    for vectors, shown in zip(unit_tokens(fewer, kept), kept, strict=True):
        yield vectors[shown > 0].numpy()


def _write(place: Path, made: Made, ids: Sequence[str], matrices: Iterator[NDArray[np.float32]]) -> None:
    ends = [0]
    with (place / "vectors.f16").open("wb") as file:
        for matrix in matrices:
            if not np.isfinite(matrix).all():
                raise ProblemError(
                    "The encoder gave a vector that is not finite", where=f"document '{ids[len(ends) - 1]}'"
                )
            file.write(np.ascontiguousarray(matrix, dtype=_HALF).tobytes())
            ends.append(ends[-1] + len(matrix))
    np.save(place / "offsets.npy", np.array(ends, dtype=np.int64), allow_pickle=False)
    (place / "ids.json").write_text(json.dumps(list(ids), ensure_ascii=False), encoding="utf-8")
    hashes = {name: _sha256(place / name) for name in _FILES}
    head: dict[str, Any] = {"format": 1, "made": asdict(made), "documents": len(ids), "sha256": hashes}
    (place / HEAD).write_text(json.dumps(head, indent=2) + "\n", encoding="utf-8")


def _check_hashes(folder: Path, hashes: dict[str, str]) -> None:
    changed = [name for name in _FILES if _sha256(folder / name) != hashes[name]]
    if changed:
        raise ProblemError(
            "The index was changed after it was built",
            where=", ".join(str(folder / name) for name in changed),
            fix="Build it again.",
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
