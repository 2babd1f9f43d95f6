from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import processor, provenance

INTEL = """\
processor\t: 0
cpu family\t: 6
model\t\t: 143
model name\t: Intel(R) Xeon(R) Processor
flags\t\t: fpu sse4_1 avx fma avx2 avx512f avx512_vnni avx512_bf16 amx_bf16 amx_int8 avx512_fp16

processor\t: 1
cpu family\t: 7
"""
AMD = """\
processor\t: 0
cpu family\t: 25
model\t\t: 1
model name\t: AMD EPYC
flags\t\t: fpu sse4_1 avx fma avx2
"""
ARM = """\
processor\t: 0
Features\t: fp asimd asimdhp asimddp sve i8mm bf16
CPU implementer\t: 0x41
CPU part\t: 0xd40
"""


@pytest.mark.parametrize(
    ("text", "aten"), [(INTEL, "avx2"), (AMD, "default"), (ARM, None), ("flags\t: fpu sse4_1\n", None)]
)
def test_the_next_older_kernels_are_chosen_where_there_are_some(
    text: str, aten: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _ = told(text, monkeypatch, tmp_path)
    found = processor.older_kernels()
    assert found.get("ATEN_CPU_CAPABILITY") == aten
    assert found.keys() <= {*processor._CHOICES}, "stored trials are told apart by these variables"


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in processor._CHOICES:
        monkeypatch.delenv(name, raising=False)
    yield
    processor.cpu_model.cache_clear()
    processor.cpu_kernels.cache_clear()


def told(text: str | None, monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    """The environment key where the system says this of the processor."""
    place = folder / "cpuinfo"
    if text is not None:
        place.write_text(text)
    monkeypatch.setattr(processor, "_CPUINFO", place)
    processor.cpu_model.cache_clear()
    processor.cpu_kernels.cache_clear()
    return provenance.environment_key("cpu")


@pytest.mark.parametrize(
    ("text", "end"),
    [
        (INTEL, "Intel(R) Xeon(R) Processor; family 6 model 143: avx512_fp16 fma amx_bf16 amx_int8"),
        (AMD, "cpu AMD EPYC; family 25 model 1: avx2 fma"),
        (ARM, "; implementer 0x41 part 0xd40: sve asimdhp asimddp bf16 i8mm"),
    ],
)
def test_a_processor_is_known_by_its_kind_and_instruction_sets(
    text: str, end: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert told(text, monkeypatch, tmp_path).endswith(end)


def test_processors_of_one_name_are_told_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    base = told(AMD, monkeypatch, tmp_path)
    others = (AMD.replace("avx2", "avx2 avx512f"), AMD.replace("model\t\t: 1", "model\t\t: 17"))
    assert len({base, *(told(text, monkeypatch, tmp_path) for text in others)}) == 3


def test_a_system_that_says_nothing_is_known_by_its_architecture(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "m68k")
    monkeypatch.setattr("platform.processor", lambda: "")
    assert told(None, monkeypatch, tmp_path).endswith("cpu m68k; m68k")


def test_variables_that_choose_kernels_make_another_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    before = provenance.environment_key("cpu")
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    assert provenance.environment_key("cpu") == f"{before}; ATEN_CPU_CAPABILITY=avx2"
