"""What re-ranking 1,000 documents of a query costs from stored token vectors.

Run it from the repository's root::

    OMP_NUM_THREADS=1 python benchmarks/lite_rerank.py [DOCUMENTS]

LITE on 200 stored vectors, LITE on 50 and MaxSim on 200 take turns in blocks, beside the public
MaxSim of sentence-transformers, and of PyLate where it is installed (``pip install --no-deps
pylate`` is enough), on the same vectors: float16 files mapped into memory, read within the time that
is measured, 32 query tokens, 384 dimensions. LITE's scorers have the paper's widths, twelve times
the axis lengths, and are not trained: time does not depend on weights. The scores of both MaxSims
must be the same.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from methods.lite.reduction import block_mean, bytes_per_document
from methods.lite.scorers import MaxSim, Scorer, SeparableLite

QUERY, WIDTH = 32, 384
"""Query tokens; dimensions of a token vector."""
STORED = {"LITE-200": 200, "LITE-50": 50, "MaxSim-200": 200}
"""Stored vectors of a document."""
AT_ONCE = 100
"""Documents read and scored at once: what is best for the public MaxSim on a CPU's cache."""
BLOCKS = 12
Rank = Callable[[Tensor, "Store"], Tensor]


@dataclass(frozen=True)
class Store:
    """Document vectors on disk.

    Attributes:
        path: A file of float16 in the order (documents, tokens, d).
        shape: That shape.
        device: Where they are scored.
    """

    path: Path
    shape: tuple[int, int, int]
    device: str

    def parts(self) -> Iterator[Tensor]:
        """The vectors in float32, some documents at once, read from the file each time."""
        vectors = np.memmap(self.path, dtype=np.float16, mode="r", shape=self.shape)
        for start in range(0, len(vectors), AT_ONCE):
            part = torch.from_numpy(np.array(vectors[start : start + AT_ONCE]))
            yield part.to(self.device).float()


def write_stores(folder: Path, documents: int, device: str) -> dict[int, Store]:
    """Random unit vectors, and their means over blocks of four neighbours, by number of tokens."""
    rng = torch.Generator().manual_seed(0)
    shapes = {tokens: (documents, tokens, WIDTH) for tokens in sorted(set(STORED.values()))}
    stores = {n: Store(folder / f"{n}.f16", shape, device) for n, shape in shapes.items()}
    with stores[200].path.open("wb") as long, stores[50].path.open("wb") as short:
        for start in range(0, documents, AT_ONCE):
            size = min(AT_ONCE, documents - start)
            whole = normalize(torch.randn(size, 200, WIDTH, generator=rng), dim=-1)
            means, _ = block_mean(whole, torch.ones(whole.shape[:2]), 50)
            long.write(whole.half().numpy().tobytes())
            short.write(normalize(means, dim=-1).half().numpy().tobytes())
    return stores


def ours(scorer: Scorer, q: Tensor, store: Store) -> Tensor:
    """Scores by one of our scorers."""
    found = []
    ones = torch.ones(1, QUERY, device=q.device)
    for d in store.parts():
        mask = torch.ones(1, *d.shape[:2], device=q.device)
        found.append(scorer.candidates(q[None], d[None], ones, mask)[0])
    return torch.cat(found)


def public(function: Callable[[Tensor, Tensor], Tensor], q: Tensor, store: Store) -> Tensor:
    """Scores by a public MaxSim."""
    return torch.cat([function(q[None], d)[0] for d in store.parts()])


def rankers(device: str) -> dict[str, tuple[int, Rank]]:
    """What is timed, by name, with the number of stored vectors that it reads."""
    from sentence_transformers.util import maxsim

    torch.manual_seed(0)
    found: dict[str, tuple[int, Rank]] = {}
    for name, tokens in STORED.items():
        lite = name.startswith("LITE")
        scorer = SeparableLite(QUERY, tokens, 12 * QUERY, 12 * tokens) if lite else MaxSim()
        found[name] = (tokens, partial(ours, scorer.eval().to(device)))
    found["MaxSim-200, sentence-transformers"] = (200, partial(public, maxsim))
    try:
        from pylate.scores import colbert_scores
    except ImportError:
        print("PyLate is not installed: sentence-transformers alone is the public MaxSim")
    else:
        found["MaxSim-200, PyLate"] = (200, partial(public, colbert_scores))
    return found


@contextmanager
def stored(documents: int, device: str) -> Iterator[dict[int, Store]]:
    """The vectors, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        yield write_stores(Path(folder), documents, device)


def measure(documents: int, device: str) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Seconds of each ranker by block, after a warm-up, and largest differences to our MaxSim."""
    q = normalize(torch.randn(QUERY, WIDTH, generator=torch.Generator().manual_seed(1)), dim=-1).to(device)
    seconds: dict[str, list[float]] = {}
    scores: dict[str, Tensor] = {}
    with stored(documents, device) as stores, torch.inference_mode():
        arms = rankers(device)
        for block in range(BLOCKS + 1):
            for name in sorted(arms, key=lambda name: (hash_of(block, name), name)):
                tokens, rank = arms[name]
                start = time.perf_counter()
                scores[name] = rank(q, stores[tokens]).cpu()  # Copying back waits for a GPU.
                if block:
                    seconds.setdefault(name, []).append(time.perf_counter() - start)
    mine = scores["MaxSim-200"]
    others = [name for name in scores if name.startswith("MaxSim-200,")]
    return seconds, {name: float((scores[name] - mine).abs().max()) for name in others}


def hash_of(block: int, name: str) -> int:
    """A number that gives each block another order."""
    return int(np.random.default_rng([block, *name.encode()]).integers(2**31))


def main() -> None:
    """Print the table for each device."""
    documents = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
        print(f"{documents} documents on {device}, {torch.get_num_threads()} thread(s), {BLOCKS} blocks")
        seconds, differences = measure(documents, device)
        base = np.array(seconds["MaxSim-200"])
        for name, values in seconds.items():
            ratio = np.median(np.array(values) / base)
            size = bytes_per_document(STORED.get(name, 200), WIDTH)
            print(f"{name:36} {1e3 * np.median(values):8.1f} ms  {ratio:5.2f} of MaxSim-200  {size:7,} bytes")
        for name, difference in differences.items():
            print(f"largest difference of scores to {name}: {difference:.1e}")


if __name__ == "__main__":
    main()
