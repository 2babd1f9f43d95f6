"""What is said of GPUs and drivers, with pretended drivers compiled for the test."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from harness import cuda, provenance
from harness.cuda import Driver, Gpu, TorchBuild
from harness.errors import DeviceError

COMPILER = shutil.which("cc") or shutil.which("gcc")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="a C compiler makes the pretended driver")

DRIVER = r"""
#include <stdlib.h>
#include <string.h>
static const char *names[] = {"NVIDIA A100-SXM4-40GB MIG 2g.10gb", "NVIDIA T4"};
static int shown(void) {
    const char *given = getenv("CUDA_VISIBLE_DEVICES");
    if (given == NULL) return 2;
    return strlen(given) ? 1 : 0;
}
int cuInit(unsigned flags) { if (getenv("CRASH")) abort(); return shown() ? 0 : 100; }
int cuDriverGetVersion(int *version) { *version = 12050; return 0; }
int cuDeviceGetCount(int *count) { *count = shown(); return 0; }
int cuDeviceGet(int *device, int index) { *device = index; return 0; }
int cuDeviceGetName(char *name, int size, int device) { strncpy(name, names[device], size); return 0; }
int cuDeviceTotalMem_v2(size_t *size, int device) { *size = (size_t)(device ? 15 : 9) << 30; return 0; }
int cuGetErrorString(int code, const char **text) { *text = "no CUDA-capable device is detected"; return 0; }
"""
MANAGEMENT = r"""
#include <string.h>
int nvmlInit_v2(void) { return 0; }
int nvmlSystemGetDriverVersion(char *text, unsigned size) { strncpy(text, "555.42.02", size); return 0; }
"""


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    cuda._driver.cache_clear()
    cuda.torch_build.cache_clear()


@pytest.fixture
def pretended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the libraries of a driver, where a new process looks first."""
    for name, text in {"libcuda.so.1": DRIVER, "libnvidia-ml.so.1": MANAGEMENT}.items():
        source = tmp_path / f"{name}.c"
        source.write_text(text)
        command = [str(COMPILER), "-shared", "-fPIC", "-w", "-o", str(tmp_path / name), str(source)]
        subprocess.run(command, check=True)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    return tmp_path


def build(monkeypatch: pytest.MonkeyPatch, version: str, built_for: str) -> None:
    monkeypatch.setattr(cuda, "torch_build", lambda: TorchBuild(version, built_for))


@needs_compiler
def test_the_driver_is_asked_without_its_tools(pretended: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(pretended))
    found = cuda.driver()
    slice_, card = Gpu("NVIDIA A100-SXM4-40GB MIG 2g.10gb", 9.0), Gpu("NVIDIA T4", 15.0)
    assert found == Driver((slice_, card), "555.42.02", "12.5")
    build(monkeypatch, "2.13.0+cu124", "12.4")
    assert cuda.choose(None).device == cuda.choose("cuda").device == "cuda"
    assert "MIG 2g.10gb with 9 GiB, the first of 2; driver 555.42.02" in cuda.choose(None).reason
    key = provenance.environment_key("cuda", 2)
    assert key.endswith("threads 2; cuda NVIDIA A100-SXM4-40GB MIG 2g.10gb; CUDA 12.4")
    made = provenance.collect([])
    assert (made.gpu, made.driver) == ("NVIDIA A100-SXM4-40GB MIG 2g.10gb", "555.42.02")


@needs_compiler
@pytest.mark.usefixtures("pretended")
def test_hidden_gpus_are_not_there_and_the_reason_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    build(monkeypatch, "2.13.0+cu124", "12.4")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert len(cuda.driver().gpus) == 1
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert cuda.driver().gpus == ()
    with pytest.raises(DeviceError, match=r"no CUDA-capable device.*CUDA_VISIBLE_DEVICES is ''"):
        cuda.choose("cuda")


@needs_compiler
@pytest.mark.usefixtures("pretended")
def test_a_driver_that_crashes_takes_nothing_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRASH", "1")
    assert "ends what asks it" in cuda.driver().missing
    assert cuda.choose(None).device == "cpu"


GPU = Driver((Gpu("Some GPU", 80.0),), "550.1", "12.4")
NONE = Driver(missing="There is no NVIDIA driver here (not found)")


@pytest.mark.parametrize(
    ("here", "torch", "said"),
    [
        (NONE, TorchBuild("2.13.0+cu128", "12.8"), ["no NVIDIA driver"]),
        (NONE, TorchBuild("2.13.0+cpu"), ["no NVIDIA driver", "2.13.0+cpu is built without CUDA"]),
        (GPU, TorchBuild("2.13.0+cpu"), ["built without CUDA, though there is a GPU (Some GPU)"]),
        (GPU, TorchBuild("2.13.0", "13.0"), ["driver 550.1 runs CUDA 12.4 at most", "built for CUDA 13.0"]),
        (GPU, TorchBuild(), ["PyTorch is not installed"]),
        (GPU, TorchBuild("2.13.0", "12.8"), []),
    ],
)
def test_what_is_missing_is_told_apart(
    here: Driver, torch: TorchBuild, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuda, "driver", lambda: here)
    monkeypatch.setattr(cuda, "torch_build", lambda: torch)
    assert cuda.choose("cpu").device == "cpu"
    chosen = cuda.choose(None)
    assert chosen.device == ("cpu" if said else "cuda")
    assert all(part in chosen.reason for part in said)
    if not said:
        return
    with pytest.raises(DeviceError) as caught:
        cuda.choose("cuda")
    assert all(part in str(caught.value) for part in said)
    # Nothing is blamed that is in order.
    assert ("driver" in str(caught.value).partition("(--device")[0]) == (here is NONE or torch.cuda == "13.0")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("__version__ = '2.13.0+cpu'\ncuda: Optional[str] = None\nhip: Optional[str] = None\n", ""),
        ("__version__ = '2.13.0+cpu'\ncuda: Optional[str] = '12.8'\nhip: Optional[str] = None\n", "12.8"),
        ("__version__ = '2.13.0+cpu'\ncuda = None\nhip = '6.3'\n", ""),
    ],
)
def test_pytorchs_build_is_read_without_importing_it(
    text: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch/__init__.py").write_text("raise ImportError('must not be imported')")
    (tmp_path / "torch/version.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "torch", raising=False)
    assert cuda.torch_build() == TorchBuild("2.13.0+cpu", expected)


def test_the_key_of_the_cpu_names_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "driver", lambda: GPU)
    assert "GPU" not in provenance.environment_key("cpu")
    assert "CUDA" not in provenance.environment_key("cpu")


def test_a_container_may_use_less_memory_than_its_machine_has(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(provenance, "_GROUPS", tmp_path)
    monkeypatch.setattr(provenance, "_OWN_GROUPS", tmp_path / "cgroup")
    whole = provenance.usable_memory_gb()
    limit.write_text("1073741824\n")
    assert provenance.usable_memory_gb() == 1.0
    limit.write_text("max\n")
    assert provenance.usable_memory_gb() == whole


@pytest.mark.parametrize(
    ("line", "file"),
    [
        ("0::/system/job_7/step_0", "system/job_7/memory.max"),
        ("4:memory:/slurm/job_7/step_0", "memory/slurm/job_7/memory.limit_in_bytes"),
    ],
)
def test_the_job_of_a_scheduler_may_use_less_memory_than_its_machine_has(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str, file: str
) -> None:
    (tmp_path / "cgroup").write_text(f"9:name=systemd:/\n{line}\n")
    monkeypatch.setattr(provenance, "_GROUPS", tmp_path)
    monkeypatch.setattr(provenance, "_OWN_GROUPS", tmp_path / "cgroup")
    limit = tmp_path / file
    limit.parent.mkdir(parents=True)
    limit.write_text("1073741824\n")
    assert provenance.usable_memory_gb() == 1.0
