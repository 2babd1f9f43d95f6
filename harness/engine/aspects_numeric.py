"""The state of the numerical libraries: what decides how a later trial computes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from harness.engine.aspects import Aspect

_SMALLEST = [sys.float_info.min]
"""In a list, so that what is computed from it is computed at run time."""
_HOOKS = (
    "_global_forward_hooks",
    "_global_forward_pre_hooks",
    "_global_backward_hooks",
    "_global_backward_pre_hooks",
    "_global_buffer_registration_hooks",
    "_global_module_registration_hooks",
    "_global_parameter_registration_hooks",
)
_DEVICES = ("cpu", "cuda")
_BACKENDS = ("cuda.matmul", "cudnn", "cudnn.conv", "cudnn.rnn", "mkldnn", "mkldnn.matmul")
_SWITCHES = {
    "cudnn.enabled": True,
    "cudnn.benchmark": False,
    "cudnn.deterministic": False,
    "cuda.matmul.allow_fp16_reduced_precision_reduction": True,
    "cuda.matmul.allow_bf16_reduced_precision_reduction": True,
    "mkldnn.enabled": True,
    "mkldnn.deterministic": False,
}
_KERNELS = ("flash", "mem_efficient", "math", "cudnn")


def _torch() -> Any:
    return sys.modules["torch"]


def _numpy() -> Any:
    return sys.modules["numpy"]


def _sklearn() -> Any:
    return sys.modules["sklearn"]


def _of(path: str) -> tuple[Any, str]:
    """The object in ``torch.backends`` that holds an attribute, and the attribute's name."""
    *owners, name = path.split(".")
    found = _torch().backends
    for owner in owners:
        found = getattr(found, owner)
    return found, name


def _switches() -> dict[str, Any]:
    found = {}
    for path in _SWITCHES:
        with suppress(AttributeError, RuntimeError):
            found[path] = getattr(*_of(path))
    for kernel in _KERNELS:
        with suppress(AttributeError):
            found[f"{kernel}_sdp"] = getattr(_torch().backends.cuda, f"{kernel}_sdp_enabled")()
    return found


def _set_switches(values: Mapping[str, Any]) -> None:
    for path, value in values.items():
        kernel, found, _ = path.partition("_sdp")
        if found:
            getattr(_torch().backends.cuda, f"enable_{kernel}_sdp")(value)
        elif getattr(*_of(path)) != value:
            setattr(*_of(path), value)


def _precisions() -> dict[str, Any]:
    """What products of float32 are computed in, one by one: PyTorch refuses to read mixtures."""
    found: dict[str, Any] = {}
    for path in ("fp32_precision", *(f"{backend}.fp32_precision" for backend in _BACKENDS)):
        with suppress(AttributeError, RuntimeError):
            found[path] = getattr(*_of(path))
    with suppress(RuntimeError):
        found["matmul"] = _torch().get_float32_matmul_precision()
    return found


def _set_precisions(values: Mapping[str, Any]) -> None:
    with suppress(AttributeError, RuntimeError):
        if "matmul" in values:
            _torch().set_float32_matmul_precision(values["matmul"])
    for path, value in values.items():
        if path != "matmul":
            with suppress(AttributeError, RuntimeError):
                setattr(*_of(path), value)


def _autocast() -> dict[str, Any]:
    torch = _torch()
    found: dict[str, Any] = {"cache": torch.is_autocast_cache_enabled()}
    for device in _DEVICES:
        found[device] = torch.is_autocast_enabled(device)
        found[f"{device} type"] = torch.get_autocast_dtype(device)
    return found


def _set_autocast(values: Mapping[str, Any]) -> None:
    torch = _torch()
    torch.set_autocast_cache_enabled(values["cache"])
    for device in _DEVICES:
        torch.set_autocast_enabled(device, values[device])
        torch.set_autocast_dtype(device, values[f"{device} type"])


def _default_type() -> str:
    return str(_torch().get_default_dtype()).removeprefix("torch.")


def _set_default_type(name: str) -> None:
    _torch().set_default_dtype(getattr(_torch(), name))


def _set_device(device: str) -> None:
    # None and not "cpu": naming a device lets PyTorch look at it in every call.
    _torch().set_default_device(None if device == "cpu" else device)


def _anomaly() -> tuple[bool, bool]:
    return _torch().is_anomaly_enabled(), _torch().is_anomaly_check_nan_enabled()


def _module_hooks() -> dict[str, Any]:
    module = sys.modules["torch.nn.modules.module"]
    return {name: tuple(getattr(module, name, {}).items()) for name in _HOOKS}


def _set_module_hooks(values: Mapping[str, Any]) -> None:
    module = sys.modules["torch.nn.modules.module"]
    for name, items in values.items():
        hooks = getattr(module, name, {})
        hooks.clear()
        hooks.update(items)


def _printing() -> dict[str, Any]:
    return dict(vars(sys.modules["torch._tensor_str"].PRINT_OPTS))


def _set_printing(values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(sys.modules["torch._tensor_str"].PRINT_OPTS, name, value)


def _keeps_denormals() -> bool:
    """Whether this thread computes with numbers below the smallest normal one."""
    return bool(_SMALLEST[0] / 4 > 0.0)


def _set_denormals(kept: bool) -> None:  # noqa: FBT001 - as it is read
    if "torch" in sys.modules:
        _torch().set_flush_denormal(not kept)


def _start_method() -> str:
    multiprocessing: Any = sys.modules["multiprocessing"]
    # Asking for the default makes it explicit, which changes nothing.
    found = multiprocessing.get_start_method(allow_none=True)
    return str(found or multiprocessing.get_all_start_methods()[0])


def _set_start_method(method: str) -> None:
    import multiprocessing

    multiprocessing.set_start_method(method, force=True)


class _Libraries:
    """The libraries of linear algebra in this process, looked up again when modules were imported."""

    modules = 0
    found: Mapping[str, Any] = {}


def _library_threads() -> dict[str, Any]:
    if _Libraries.modules != len(sys.modules):
        from threadpoolctl import ThreadpoolController

        found = ThreadpoolController().lib_controllers
        _Libraries.found = {library.filepath: library for library in found}
        _Libraries.modules = len(sys.modules)
    return {path: library.num_threads for path, library in _Libraries.found.items()}


def _set_library_threads(values: Mapping[str, Any]) -> None:
    for path, count in values.items():
        if path in _Libraries.found and _Libraries.found[path].num_threads != count:
            _Libraries.found[path].set_num_threads(count)


def _nothing(_value: object) -> None:
    """Where only a new process helps."""


def torch_aspect(name: str, read: Callable[[], Any], write: Callable[[Any], object], **more: Any) -> Aspect:
    """An aspect of PyTorch, whose values are plain."""
    return Aspect(f"{name} of torch", read, write, library="torch", fixed=True, shown=True, **more)


NUMERIC = (
    torch_aspect("default type", _default_type, _set_default_type, start="float32"),
    torch_aspect("default device", lambda: str(_torch().get_default_device()), _set_device, start="cpu"),
    torch_aspect(
        "grad mode", lambda: _torch().is_grad_enabled(), lambda v: _torch().set_grad_enabled(v), start=True
    ),
    torch_aspect("inference mode", lambda: _torch().is_inference_mode_enabled(), _nothing),
    torch_aspect(
        "threads", lambda: _torch().get_num_threads(), lambda v: _torch().set_num_threads(v), of_job=True
    ),
    torch_aspect(
        "deterministic mode",
        lambda: _torch().get_deterministic_debug_mode(),
        lambda v: _torch().set_deterministic_debug_mode(v),
        start=0,
    ),
    torch_aspect("float32 precision", _precisions, _set_precisions, of_job=True),
    torch_aspect("switch", _switches, _set_switches),
    torch_aspect("autocast", _autocast, _set_autocast),
    torch_aspect("anomaly detection", _anomaly, lambda v: _torch().autograd.set_detect_anomaly(*v)),
    torch_aspect("print options", _printing, _set_printing),
    Aspect("hook of every torch module", _module_hooks, _set_module_hooks, library="torch"),
    Aspect("denormal numbers kept", _keeps_denormals, _set_denormals, fixed=True, shown=True, start=True),
    Aspect(
        "threads of library", _library_threads, _set_library_threads, library="numpy", fixed=True, of_job=True
    ),
    Aspect(
        "error handling of numpy",
        lambda: _numpy().geterr(),
        lambda v: _numpy().seterr(**v),
        library="numpy",
        fixed=True,
        shown=True,
        start={"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"},
    ),
    Aspect(
        "error callback of numpy",
        lambda: _numpy().geterrcall(),
        lambda v: _numpy().seterrcall(v),
        library="numpy",
        fixed=True,
    ),
    Aspect(
        "print options of numpy",
        lambda: _numpy().get_printoptions(),
        lambda v: _numpy().set_printoptions(**v),
        library="numpy",
        fixed=True,
    ),
    Aspect(
        "configuration of sklearn",
        lambda: _sklearn().get_config(),
        lambda v: _sklearn().set_config(**v),
        library="sklearn._config",
        fixed=True,
    ),
    Aspect(
        "start method of multiprocessing",
        _start_method,
        _set_start_method,
        library="multiprocessing.context",
        fixed=True,
        shown=True,
    ),
)
"""What numpy, torch and their kin keep for the whole process."""
