"""Hostile and broken inputs end with the words that they must end with; nothing outside changes or runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from harness.cli.again import _request
from harness.errors import CorroborateError, ExitCode, RecordError, ResourceError
from harness.resources.convert import convert_folder
from harness.store import reader
from methods.common.causal_lm import load_model, load_tokenizer
from methods.common.gemma import to_safetensors
from reports.document import Link
from reports.html import label, spans
from reports.latex_text import latex, latex_code
from tests.harness.cli import conftest
from tests.harness.cli.conftest import Shell
from tests.reports.latex_lint import problems
from tests.security import samples
from tests.security.hostile import LONG, Case, cases, payload

shell = conftest.shell
ALL = list(cases())


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for the input; afterwards what lies beside it must be as it was."""
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "secret").write_text("secret")
    monkeypatch.chdir(tmp_path)
    yield folder
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inside", "secret"]
    assert (tmp_path / "secret").read_text() == "secret"
    assert not [path for path in folder.rglob("*") if path.name in ("executed", "opened")]


@pytest.mark.parametrize("case", ALL, ids=[f"{case.kind}: {case.name}" for case in ALL])
def test_it_is_refused_in_words(case: Case, inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_BYTES", 10**6)
    with pytest.raises(CorroborateError) as caught:
        case.act(inside)
    assert case.said in str(caught.value)
    assert caught.value.where or caught.value.fix


def test_there_are_many_of_them_and_each_is_another() -> None:
    assert len({(case.kind, case.name) for case in ALL}) == len(ALL) >= 100


@pytest.mark.parametrize(
    ("said", "arguments"),
    [
        ("neither a seed nor a range", ("plan", "demo", "--seeds", "5-")),
        ("at most nine digits", ("plan", "demo", "--seeds", "1" * 5000)),
        ("At most 10000 seeds", ("plan", "demo", "--seeds", "0-99999")),
        ("A parameter needs its method", ("plan", "demo", "--set", "x=1")),
        ("not of the form", ("plan", "demo", "--set", "=")),
        ("Unknown method", ("plan", "demo", "--set", "../x.y=1")),
        ("not a folder", ("plan", "demo", "--bind", "numbers=/etc/passwd")),
        ("not a folder", ("plan", "demo", "--bind", f"numbers={LONG}")),
        ("Unknown binding", ("plan", "demo", "--bind", "../x=.")),
        ("above zero and finite", ("plan", "demo", "--memory", "nan")),
        ("above zero and finite", ("plan", "demo", "--minutes", "inf")),
        ("above zero and finite", ("bundle", "--open", "x.zip", "--out", "opened", "--limit-gb", "nan")),
        ("above zero and finite", ("check-method", "guest", "--minutes", "inf")),
        ("not a Method class", ("plan", "demo", "--method", "pathlib:Path")),
        ("cannot be imported", ("plan", "demo", "--method", "nowhere.at.all:Method")),
        ("cannot be imported", ("plan", "demo", "--method", "../x:Method")),
        ("Unknown profile", ("plan", "demo", "--profile", "../../x")),
        ("Unknown suite", ("plan", "../../x")),
        ("There is no run", ("verdicts", "../../etc")),
        ("There is no run", ("verdicts", LONG)),
        ("Unknown command", ("../x",)),
    ],
)
def test_an_option_is_refused_in_words(said: str, arguments: tuple[str, ...], shell: Shell) -> None:
    assert shell(*arguments) == ExitCode.USAGE
    assert said in shell.err
    assert "Traceback" not in shell.err


def test_one_hostile_run_hides_no_other(inside: Path, shell: Shell, tmp_path: Path) -> None:
    for name in ("good", "deep"):
        samples.write_run(inside / name)
    (inside / "deep" / "run.json").write_bytes(b'{"a":' * 9000)
    assert reader.RunReader(inside / "good").trials
    shell("report", "--index", "--runs", str(inside))
    assert "Traceback" not in shell.err
    assert "nested too deeply" in (inside / "index.html").read_text()
    assert "good" in (inside / "index.html").read_text()


@pytest.mark.parametrize("name", ["--runs=elsewhere", "--help", "-x"])
def test_a_record_gives_values_and_no_options(name: str, inside: Path) -> None:
    record = samples.run_record().model_copy(update={"suite": "demo", "selection": {"claims": [name]}})
    with pytest.raises(RecordError, match="options are none"):
        _request(record, inside, "pool")


def test_pickled_weights_run_nothing(inside: Path) -> None:
    (inside / "old").mkdir()
    (inside / "old" / "pytorch_model.bin").write_bytes(payload(inside / "executed"))
    with pytest.raises(ResourceError, match="something else than tensors, which was not run"):
        convert_folder(inside / "old", inside / "new")


@pytest.fixture
def coded(inside: Path) -> Path:
    """A model's folder that brings code, and asks for it to be run."""
    (inside / "modeling_own.py").write_text(
        "import pathlib\npathlib.Path(__file__).with_name('executed').touch()\n"
    )
    own = {"AutoConfig": "modeling_own.Config", "AutoModelForCausalLM": "modeling_own.Model"}
    (inside / "config.json").write_text(json.dumps({"model_type": "own", "auto_map": own}))
    tokens = {"auto_map": {"AutoTokenizer": ["modeling_own.Tokenizer", None]}, "tokenizer_class": "Own"}
    (inside / "tokenizer_config.json").write_text(json.dumps(tokens))
    (inside / "model.safetensors").write_bytes(samples.safetensors())
    return inside


def test_code_of_a_model_is_not_run(coded: Path) -> None:
    with pytest.raises(ResourceError, match="needs code of its own, which is never run"):
        load_model(coded, device="cpu", dtype="float32")
    with pytest.raises(ResourceError, match="needs code of its own"):
        load_tokenizer(coded)
    with pytest.raises(ResourceError, match="needs code of its own"):
        to_safetensors(coded, coded / "new")


def test_a_tokenizer_that_is_none_is_told(inside: Path) -> None:
    (inside / "config.json").write_text('{"model_type": "gemma3_text"}')
    (inside / "tokenizer.json").write_text('{"version": "1.0", "model": 3}')
    with pytest.raises(ResourceError, match="The model cannot be read"):
        load_tokenizer(inside)


def test_too_little_memory_is_no_fault_of_the_folder(inside: Path) -> None:
    from harness.method import reading_model

    for error in (MemoryError, torch.OutOfMemoryError, KeyboardInterrupt):
        with pytest.raises(error), reading_model(inside):
            raise error


LABELS = {
    "a script": "<script>alert(1)</script>",
    "an attribute": '"><img src=x onerror=alert(1)>',
    "a template": "{{ 7 * 7 }}{% include 'x' %}",
    "a file to read": r"\input{/etc/passwd}\openin0=x",
    "a program to run": r"\write18{touch executed}\immediate",
    "characters of other categories": r"^^5cinput{x}\catcode`\%=0 %",
    "an end of the document": r"}\end{document}",
    "directions": "a\u202eb\u2066c",
    "a terminal's commands": "\x1b]0;x\x07\x1b[2J",
}


@pytest.mark.parametrize("text", list(LABELS.values()), ids=list(LABELS))
def test_a_label_stays_text(text: str) -> None:
    html = str(label(text))
    assert not {"<", ">", '"'} & set(html.replace("<bdi>", "").replace("</bdi>", ""))
    assert "\x1b" not in html
    for written in (latex(text), rf"\texttt{{{latex_code(text)}}}"):
        assert not problems(written)
        for command in ("input", "write", "openin", "catcode", "immediate", "end"):
            assert f"\\{command}" not in written
        assert "^^" not in written


@pytest.mark.parametrize("target", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//x"])
def test_a_link_leads_to_a_page_or_nowhere(target: str) -> None:
    assert 'href="#"' in str(spans((Link("x", target),)))
