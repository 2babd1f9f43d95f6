"""PyTorch's random numbers are drawn in one place, from generators of the CPU."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HELPER = "methods/common/draws.py"

FUNCTIONS = {
    *("rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like", "normal"),
    *("bernoulli", "multinomial", "poisson", "binomial", "Generator", "seed", "fork_rng", "dropout"),
    *("dropout1d", "dropout2d", "alpha_dropout", "feature_dropout", "native_dropout", "rrelu"),
}
"""Of ``torch`` and its modules; NumPy and ``random`` have some of these names, too."""
ANYWHERE = {
    *("normal_", "uniform_", "bernoulli_", "random_", "exponential_", "geometric_", "cauchy_"),
    *("log_normal_", "trunc_normal_", "xavier_normal_", "xavier_uniform_", "kaiming_normal_"),
    *("kaiming_uniform_", "orthogonal_", "sparse_", "manual_seed", "manual_seed_all", "gumbel_softmax"),
    *("Dropout", "Dropout1d", "Dropout2d", "AlphaDropout", "RReLU", "DataLoader", "random_split"),
    *("set_default_device", "WeightedRandomSampler", "RandomSampler"),
}
"""Calls that only PyTorch has."""
LAYERS = {"Linear", "Embedding", "LayerNorm", "MultiheadAttention", "TransformerEncoderLayer", "Conv2d"}
"""Made on a device, they draw their first weights there."""

ALLOWED = {
    ("harness/engine/context.py", "Generator"): "the trial's own stream: this is where generators come from",
    ("harness/engine/context.py", "manual_seed"): "seeds that stream, and what libraries draw from",
    ("harness/engine/aspects_numeric.py", "set_default_device"): "puts back what a trial has left changed",
    ("methods/common/sharded/rank.py", "manual_seed"): "each process has a stream of its own for dropout",
    ("methods/spectr/huggingface.py", "do_sample"): "its caller wraps it in LibraryDraws",
}


def draws(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """What draws in a module, or could: name and line."""
    torch_names = {"torch"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            torch_names |= {a.asname for a in node.names if a.asname and a.name.startswith("torch")}
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "torch":
            torch_names |= {alias.asname or alias.name for alias in node.names}
            for alias in node.names:
                if alias.name in FUNCTIONS | ANYWHERE or "distributions" in f"{node.module}.{alias.name}":
                    yield alias.name, node.lineno
        if isinstance(node, ast.With):
            for item in node.items:
                if isinstance(item.context_expr, ast.Call) and _name(item.context_expr.func) == "device":
                    yield "device", node.lineno
        if isinstance(node, ast.Call):
            yield from _called(node, torch_names)


def _called(node: ast.Call, torch_names: set[str]) -> Iterator[tuple[str, int]]:
    name, root = _name(node.func), _root(node.func)
    # A method of what an expression gives is a tensor's or a generator's, and NumPy's are called rng.
    of_torch = root in torch_names
    of_tensor = (
        isinstance(node.func, ast.Attribute) and name in {"multinomial", "bernoulli"} and root != "rng"
    )
    if name in ANYWHERE or (name in FUNCTIONS and of_torch) or of_tensor:
        yield name, node.lineno
    for keyword in node.keywords:
        if keyword.arg == "do_sample" and not _is_false(keyword.value):
            yield "do_sample", node.lineno
        if keyword.arg == "device" and name in LAYERS:
            yield name, node.lineno


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def _name(func: ast.expr) -> str:
    if isinstance(func, ast.Attribute):
        return func.attr
    return func.id if isinstance(func, ast.Name) else ""


def _root(func: ast.expr) -> str:
    while isinstance(func, ast.Attribute):
        func = func.value
    return func.id if isinstance(func, ast.Name) else ""


def found() -> list[tuple[str, str, int]]:
    return [
        (path.relative_to(ROOT).as_posix(), name, line)
        for package in ("harness", "methods", "suites")
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.relative_to(ROOT).as_posix() != HELPER
        for name, line in draws(ast.parse(path.read_text(encoding="utf-8")))
    ]


def test_nothing_draws_elsewhere() -> None:
    elsewhere = [f"{path}:{line}: {name}" for path, name, line in found() if (path, name) not in ALLOWED]
    assert elsewhere == [], f"draw with {HELPER}, so that every device sees the same numbers"


def test_every_exception_is_needed() -> None:
    assert {(path, name) for path, name, _ in found()} >= set(ALLOWED)


@pytest.mark.parametrize(
    "planted",
    [
        "import torch\ntorch.rand(3)",
        "import torch\ntorch.randint(3, (2,), generator=rng, device=ctx.device)",
        "import torch as t\nt.randperm(3)",
        "from torch import randn\nrandn(3)",
        "import torch\ntorch.normal(mean, std)",
        "import torch\ntorch.Generator('cuda')",
        "import torch\ntorch.Generator().manual_seed(0)",
        "import torch\ntorch.cuda.manual_seed_all(0)",
        "import torch\nwith torch.random.fork_rng(devices=[]):\n    pass",
        "weight.normal_(0.0, 1.0, generator=rng)",
        "layer.weight.data.uniform_()",
        "x.bernoulli_(0.5)",
        "x.random_(3)",
        "x.exponential_()",
        "probabilities.multinomial(1)",
        "law.softmax(-1).multinomial(1)",
        "from torch import nn\nnn.init.kaiming_uniform_(w)",
        "from torch import nn\nnn.Dropout(0.1)",
        "from torch.nn import functional\nfunctional.dropout(x)",
        "from torch.nn.functional import dropout",
        "from torch import nn\nnn.Linear(2, 3, device=ctx.device)",
        "import torch\nwith torch.device(ctx.device):\n    pass",
        "from torch.utils.data import DataLoader\nDataLoader(rows, shuffle=True)",
        "from torch.distributions import Normal",
        "model.generate(ids, do_sample=True)",
        "GenerationConfig(do_sample=sampling)",
        "import torch\ndef f():\n    return [torch.multinomial(p, 1) for p in laws]",
    ],
)
def test_planted_draws_are_found(planted: str) -> None:
    assert list(draws(ast.parse(planted)))


@pytest.mark.parametrize(
    "innocent",
    [
        "import torch\ndef f(rng: torch.Generator) -> torch.Tensor: ...",
        "import torch\nisinstance(value, torch.Generator)",
        "rng.normal(size=3); rng.multinomial(3, p); rng.permutation(3)",
        "np.random.default_rng(0).normal()",
        "draws.uniform((3,), rng); normal((3,), rng)",
        "from torch import nn\nnn.init.zeros_(w); nn.Linear(2, 3).to(device)",
        "import torch\ntorch.zeros(3, device=device)",
        "GenerationConfig(do_sample=False)",
    ],
)
def test_innocent_code_is_left_alone(innocent: str) -> None:
    assert not list(draws(ast.parse(innocent)))
