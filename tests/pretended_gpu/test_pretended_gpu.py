"""The pretended GPU refuses what CUDA refuses, and lets pass what CUDA lets pass."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from harness import cuda
from tests.pretended_gpu import MixedDevicesError, pretended_gpu
from tests.pretended_gpu.places import Memory

GPU = torch.device("cuda", 0)
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _gpu() -> Iterator[None]:
    with pretended_gpu():
        yield


def there(*shape: int) -> Tensor:
    return torch.ones(shape or (2, 3), device="cuda")


def here(*shape: int) -> Tensor:
    return torch.ones(shape or (2, 3))


def ids(device: str) -> Tensor:
    return torch.tensor([0, 1], device=device)


class Double(torch.autograd.Function):
    """A function whose backward pass makes a tensor."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return 2 * x

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return grads[0] * torch.full(grads[0].shape, 2.0, device=grads[0].device)


class HalfMade(Double):
    """A function whose backward pass forgets the device."""

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return grads[0] * torch.full(grads[0].shape, 2.0)


def set_item(target: Tensor, index: Any, value: Any) -> None:
    target[index] = value


def assigned_grad(grad: Tensor) -> None:
    nn.Parameter(there()).grad = grad


def stepped(wrong: Tensor) -> None:
    parameter = nn.Parameter(there())
    parameter.grad = there()
    optimizer = torch.optim.Adam([parameter])
    optimizer.step()
    optimizer.state[parameter]["exp_avg"] = wrong
    optimizer.step()


REFUSED: dict[str, Callable[[], Any]] = {
    "binary": lambda: there() + here(),
    "binary, reversed": lambda: here() * there(),
    "a number of the GPU for the CPU": lambda: here() + there(1)[0],
    "comparison": lambda: there() > here(),
    "in place": lambda: there().add_(here()),
    "in place on the CPU": lambda: here().mul_(there()),
    "in place into a CPU number": lambda: here(1)[0].add_(there(1)[0]),
    "out": lambda: torch.add(there(), there(), out=here()),
    "matmul": lambda: there(2, 3) @ here(3, 2),
    "addmm": lambda: functional.linear(there(), here()),
    "bias": lambda: functional.linear(there(), there(), here(2)),
    "einsum": lambda: torch.einsum("ij,kj->ik", there(), here()),
    "bmm": lambda: torch.bmm(there(1, 2, 3), here(1, 3, 2)),
    "index": lambda: here()[ids("cuda")],
    "mask": lambda: here()[there().bool()],
    "setitem, indices": lambda: set_item(here(), ids("cuda"), 1.0),
    "setitem, values": lambda: set_item(there(), ids("cuda"), here()),
    "index_select": lambda: there().index_select(0, ids("cpu")),
    "gather": lambda: there().gather(1, ids("cpu").view(2, 1)),
    "scatter": lambda: there().scatter_(1, ids("cpu").view(2, 1), 1.0),
    "index_add": lambda: there().index_add_(0, ids("cuda"), here()),
    "embedding": lambda: nn.Embedding(3, 4).to("cuda")(ids("cpu")),
    "embedding of the CPU": lambda: nn.Embedding(3, 4)(ids("cuda")),
    "cat": lambda: torch.cat([there(), here()]),
    "stack": lambda: torch.stack([there(), here()]),
    "stack of numbers": lambda: torch.stack([there().sum(), here().sum()]),
    "where": lambda: torch.where(there() > 0, there(), here()),
    "where, condition": lambda: torch.where(here() > 0, there(), there()),
    "masked_fill": lambda: there().masked_fill(here() > 0, 0.0),
    "equal": lambda: torch.equal(there(), here()),
    "layer norm": lambda: functional.layer_norm(there(), (3,), here(3)),
    "cross entropy": lambda: functional.cross_entropy(there(), ids("cpu")),
    "attention": lambda: functional.scaled_dot_product_attention(
        there(1, 1, 2, 4), there(1, 1, 2, 4), here(1, 1, 2, 4)
    ),
    "attention, mask": lambda: functional.scaled_dot_product_attention(
        there(1, 1, 2, 4), there(1, 1, 2, 4), there(1, 1, 2, 4), attn_mask=here(2, 2)
    ),
    "module of the CPU": lambda: nn.Linear(3, 2)(there()),
    "module of the GPU": lambda: nn.Linear(3, 2).to("cuda")(here()),
    "functional call": lambda: torch.func.functional_call(
        nn.Linear(3, 2), {"weight": there(2, 3), "bias": there(2)}, (here(),)
    ),
    "encoder": lambda: nn.TransformerEncoderLayer(4, 2, batch_first=True).to("cuda")(here(1, 2, 4)),
    "assigned gradient": lambda: assigned_grad(here()),
    "backward with the wrong device": lambda: HalfMade.apply(nn.Parameter(there())).sum().backward(),
    "optimizer state": lambda: stepped(here()),
    "new_zeros elsewhere": lambda: there().new_zeros(2, 3, device="cpu") + there(),
    "new_tensor": lambda: there().new_tensor([1.0, 2.0, 3.0]) + here(3),
    "zeros_like elsewhere": lambda: torch.zeros_like(there(), device="cpu") + there(),
    "a view": lambda: there().T[0] + here(2),
    "a detached copy": lambda: there().detach().clone() + here(),
    "a deep copy": lambda: copy.deepcopy(there()) + here(),
    "a moved model's copy": lambda: copy.deepcopy(nn.Linear(3, 2).to("cuda"))(here()),
    "a parameter": lambda: nn.Parameter(there()) + here(),
    "cumulative": lambda: there().cumsum(0) + here(),
    "one_hot": lambda: functional.one_hot(ids("cuda"), 2) + functional.one_hot(ids("cpu"), 2),
    "quantile": lambda: torch.quantile(there(), here(2) / 2),
    "a generator of the CPU": lambda: torch.rand(3, generator=torch.Generator(), device="cuda"),
    "a generator of the GPU": lambda: torch.rand(3, generator=torch.Generator("cuda")),
    "a generator for normal_": lambda: there().normal_(generator=torch.Generator()),
    "a generator for multinomial": lambda: torch.multinomial(there(), 1, generator=torch.Generator()),
    "a generator for randperm": lambda: torch.randperm(3, generator=torch.Generator("cuda")),
    "a generator for initial weights": lambda: nn.init.normal_(there(), generator=torch.Generator()),
}


@pytest.mark.parametrize("name", REFUSED)
def test_mixtures_are_refused(name: str) -> None:
    with pytest.raises(MixedDevicesError):
        REFUSED[name]()


CONVERTED: dict[str, Callable[[], Any]] = {
    "numpy": lambda: there().numpy(),
    "asarray": lambda: np.asarray(there()),
    "a list": lambda: np.array([there(), there()]),
    "a ufunc": lambda: np.exp(there()),
    "detached": lambda: nn.Parameter(there()).detach().numpy(),
}


@pytest.mark.parametrize("name", CONVERTED)
def test_numpy_gets_nothing_from_the_gpu(name: str) -> None:
    with pytest.raises(TypeError, match="can't convert cuda:0"):
        CONVERTED[name]()


def on_gpu(value: Tensor) -> bool:
    return value.device == GPU and value.is_cuda and not value.is_cpu and value.get_device() == 0


PASSES: dict[str, Callable[[], bool]] = {
    "CPU numbers": lambda: on_gpu(there() + here().sum()),
    "Python numbers": lambda: on_gpu(2 * there() + 1),
    "in place with a CPU number": lambda: on_gpu(there().mul_(here(1)[0])),
    "where with a CPU number": lambda: on_gpu(torch.where(there() > 0, there(), here().sum())),
    "CPU indices": lambda: on_gpu(there()[ids("cpu")]),
    "CPU mask": lambda: on_gpu(there()[here() > 0]),
    "setitem with CPU indices": lambda: set_item(there(), ids("cpu"), there()) is None,
    "setitem of a slice across devices": lambda: set_item(there(), 0, here(3)) is None,
    "setitem of a number": lambda: set_item(here(), ids("cpu"), there().sum()) is None,
    "fill": lambda: on_gpu(there().fill_(here().sum())),
    "copy_": lambda: on_gpu(there().copy_(here())) and here().copy_(there()).device == CPU,
    "item": lambda: there().sum().item() == 6.0 and float(there().mean()) == 1.0 and bool(there().all()),
    "tolist": lambda: there().tolist() == [[1.0] * 3] * 2,
    "cpu": lambda: there().cpu().device == CPU and there().to("cpu").numpy().sum() == 6.0,
    "cpu of the CPU": lambda: (x := here()).cpu() is x and x.to("cpu") is x,
    "cuda of the GPU": lambda: (x := there()).to("cuda") is x and x.cuda() is x,
    "to a type and device": lambda: on_gpu(here().to("cuda", torch.float64)),
    "to keywords": lambda: on_gpu(here().to(device=GPU, dtype=torch.float64, non_blocking=True)),
    "to another tensor": lambda: on_gpu(here().to(there())) and there().to(here()).device == CPU,
    "to a type": lambda: on_gpu(there().half()) and there().half().dtype == torch.float16,
    "likes": lambda: on_gpu(torch.zeros_like(there())) and on_gpu(there().new_ones(2)),
    "tensor": lambda: on_gpu(torch.tensor([1.0], device="cuda")) and on_gpu(torch.as_tensor(there())),
    "tensor of GPU numbers": lambda: torch.tensor([there().sum(), there().sum()]).device == CPU,
    "as_tensor moves": lambda: on_gpu(torch.as_tensor(np.ones(3), device="cuda")),
    "one_hot": lambda: on_gpu(functional.one_hot(ids("cuda"), 3)),
    "splits": lambda: all(on_gpu(part) for part in there().unbind(0)),
    "iteration": lambda: all(on_gpu(row) for row in there()),
    "topk": lambda: on_gpu(there().topk(2).indices),
    "device context": lambda: on_gpu(_made_in_context()),
    "generators": lambda: on_gpu(torch.rand(3, generator=torch.Generator("cuda"), device="cuda")),
    "meta": lambda: torch.zeros(3, device="meta").device.type == "meta",
    "attention": lambda: on_gpu(
        functional.scaled_dot_product_attention(there(1, 1, 2, 4), there(1, 1, 2, 4), there(1, 1, 2, 4))
    ),
}


def _made_in_context() -> Tensor:
    with torch.device("cuda"):
        return torch.zeros(3)


@pytest.mark.parametrize("name", PASSES)
def test_what_cuda_allows_passes(name: str) -> None:
    assert PASSES[name]()


def test_moves_copy() -> None:
    source = here()
    moved = source.to("cuda")
    source.zero_()
    assert moved.sum().item() == 6.0
    array = np.ones(3)
    made = torch.as_tensor(array, device="cuda")
    array[:] = 0
    assert made.sum().item() == 3.0


def test_gradients_travel_back_over_a_move() -> None:
    source = nn.Parameter(here())
    (source.to("cuda") * there()).sum().backward()
    assert source.grad is not None
    assert source.grad.device == CPU
    assert torch.equal(source.grad, here())


def model() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 8), nn.LayerNorm(8), nn.GELU(), nn.Dropout(0.5), nn.Linear(8, 2))


@pytest.mark.parametrize("foreach", [False, True])
def test_training_stays_on_the_gpu(foreach: bool) -> None:  # noqa: FBT001
    net = model().to("cuda")
    optimizer = torch.optim.AdamW(net.parameters(), foreach=foreach)
    for _ in range(2):
        optimizer.zero_grad()
        functional.cross_entropy(net(there()), ids("cuda")).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
    assert all(on_gpu(p) and p.grad is not None and on_gpu(p.grad) for p in net.parameters())
    assert all(on_gpu(value) for value in net.state_dict().values())
    states = [state for kept in optimizer.state.values() for name, state in kept.items() if name != "step"]
    assert states
    assert all(map(on_gpu, states))


def test_training_gives_the_numbers_of_the_cpu() -> None:
    results = []
    for device in ("cpu", "cuda"):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2)).to(device)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            functional.cross_entropy(net(torch.ones(2, 3, device=device)), ids(device)).backward()
            optimizer.step()
        results.append(torch.cat([p.detach().cpu().flatten() for p in net.parameters()]))
    assert torch.equal(*results)


def test_models_move_in_inference_mode() -> None:
    with torch.inference_mode():
        net = nn.Linear(3, 2).to("cuda")
        assert on_gpu(net(there()))


def test_backward_passes_see_the_gpu() -> None:
    parameter = nn.Parameter(there())
    Double.apply(parameter).sum().backward()
    assert parameter.grad is not None
    assert on_gpu(parameter.grad)
    seen: list[torch.device] = []
    hooked = nn.Parameter(there())
    hooked.register_hook(lambda grad: seen.append(grad.device))
    checkpoint(lambda x: (x * torch.ones(3, device=x.device)).sum(), hooked, use_reentrant=False).backward()
    assert seen == [GPU]


def test_checkpoints_and_state_dicts_know_their_device(tmp_path: Path) -> None:
    net = nn.Linear(3, 2).to("cuda")
    save_file(net.state_dict(), tmp_path / "weights.safetensors")
    assert load_file(tmp_path / "weights.safetensors")["weight"].device == CPU
    loaded = load_file(tmp_path / "weights.safetensors", device="cuda")
    assert on_gpu(loaded["weight"])
    torch.save(net.state_dict(), tmp_path / "weights.pt")
    assert on_gpu(torch.load(tmp_path / "weights.pt", map_location="cuda")["weight"])
    assert torch.load(tmp_path / "weights.pt", map_location="cpu")["weight"].device == CPU
    other = nn.Linear(3, 2)
    other.load_state_dict(net.state_dict())
    assert other.weight.device == CPU
    other.load_state_dict(loaded, assign=True)
    assert on_gpu(other.weight)


def test_models_of_transformers_run() -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=32, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2
    )
    net: Any = LlamaForCausalLM(config)
    net.to("cuda")
    tokens = torch.tensor([[1, 2, 3]], device="cuda")
    net(input_ids=tokens, labels=tokens).loss.backward()
    found = net.eval().generate(tokens, attention_mask=torch.ones_like(tokens), max_new_tokens=3)
    assert on_gpu(found)
    with pytest.raises(MixedDevicesError):
        net(input_ids=tokens.cpu())


def test_the_gpu_draws_other_numbers_from_generators_of_its_own() -> None:
    torch.manual_seed(3)
    first = torch.rand(4, device="cuda").cpu()
    plain = torch.rand(4)
    torch.manual_seed(3)
    torch.nn.functional.dropout(there(), 0.5)
    assert torch.equal(torch.rand(4), plain), "what the GPU draws is not taken from the CPU"
    torch.manual_seed(3)
    assert torch.equal(torch.rand(4, device="cuda").cpu(), first)
    assert not torch.equal(first, plain)
    own = torch.Generator("cuda").manual_seed(1)
    assert own.device == GPU
    assert isinstance(own, torch.Generator)
    assert own.initial_seed() == 1
    states = torch.cuda.get_rng_state_all()
    drawn = torch.rand(2, device="cuda")
    torch.cuda.set_rng_state_all(states)
    assert torch.equal(torch.rand(2, device="cuda"), drawn)


def test_memory_is_counted() -> None:
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    kept = there(1000)
    made = there(500)
    assert torch.cuda.memory_allocated() - before == 6000
    del made
    assert torch.cuda.memory_allocated() - before == 4000
    assert torch.cuda.max_memory_allocated() - before == 6000
    del kept
    assert Memory.used == before
    assert torch.cuda.mem_get_info()[0] == torch.cuda.get_device_properties(0).total_memory - before


def test_torch_cuda_answers() -> None:
    assert torch.cuda.is_available()
    assert torch.cuda.device_count() == 1
    assert torch.cuda.get_device_name() == "Pretended GPU"
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    end.record()
    torch.cuda.synchronize()
    assert start.elapsed_time(end) >= 0.0
    with torch.cuda.device(0), torch.autocast("cuda", dtype=torch.bfloat16):
        assert (there() @ there().T).dtype == torch.bfloat16


def test_threads_see_the_gpu() -> None:
    seen: list[bool] = []
    thread = threading.Thread(target=lambda: seen.append(on_gpu(torch.zeros(2, device="cuda"))))
    thread.start()
    thread.join()
    assert seen == [True]


def test_the_product_finds_the_gpu() -> None:
    assert cuda.problems() == []
    assert cuda.choose(None).device == "cuda"
    assert "Pretended GPU" in cuda.describe()
