"""``corroborate decide`` with a model behind a server."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.errors import ExitCode
from methods.common.stand_ins.server import listening
from tests.harness.asking import Canned

pytest.importorskip("openai")
NEVER_TOLD = "sk-0123456789-never-told"


def table(folder: Path, text: str = "id,prompt\na,Question one:\nb,Question two:\n") -> str:
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def decide(path: str, address: str, *more: str) -> int:
    named = ["--endpoint", address, "--model", "canned"]
    return main(["decide", path, "--metric", "mse", "--grid", "1,2", *named, *more])


def test_a_served_model_is_asked_for_each_prompt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server = Canned()
    with listening(server):
        prompts = table(tmp_path, 'id,prompt\na,Question one:\nb,"Question two: "\n')
        assert decide(prompts, server.address, "--how", "next-token") == ExitCode.OK
    printed = capsys.readouterr()
    # The server gives 1 three times the probability of 2.
    rows = list(csv.DictReader(StringIO(printed.out)))
    assert [float(row["decision"]) for row in rows] == pytest.approx([1.25, 1.25], rel=1e-6)
    assert sorted(server.prompts) == ["Question one:", "Question two: "]
    assert "requests to canned" in printed.err


def test_what_the_server_lacks_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server = Canned(lists=False)
    with listening(server):
        assert decide(table(tmp_path), server.address, "--how", "next-token") == ExitCode.USAGE
    assert "That rules out" in capsys.readouterr().err
    assert server.prompts == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--endpoint", "http://127.0.0.1:9/v1"], "No model is named"),
        (["--model", "m"], "No server is named"),
        (
            ["--endpoint", "http://127.0.0.1:9/v1", "--model", "m", "--key-variable", NEVER_TOLD],
            "no name of an environment variable",
        ),
        (["--endpoint", f"http://u:{NEVER_TOLD}@127.0.0.1:9/v1", "--model", "m"], "more than scheme"),
    ],
)
def test_servers_are_named_whole_and_without_keys(
    options: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["decide", table(tmp_path), "--metric", "mse", "--grid", "1,2", *options]
    assert main(command) == ExitCode.USAGE
    printed = capsys.readouterr().err
    assert told in printed
    assert NEVER_TOLD not in printed


def test_prompts_and_values_are_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert decide(table(tmp_path, "id\na\n"), "http://127.0.0.1:9/v1") == ExitCode.USAGE
    assert "no column 'prompt'" in capsys.readouterr().err
    named = ["--endpoint", "http://127.0.0.1:9/v1", "--model", "m"]
    assert main(["decide", table(tmp_path), "--metric", "mse", *named]) == ExitCode.USAGE
    assert "--grid" in capsys.readouterr().err
