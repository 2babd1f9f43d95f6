"""``bundle``: a run and committed results, given away, opened elsewhere and read there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import ExitCode
from tests.harness.cli.conftest import Shell
from tests.reliability.committed import committed, finished, own_suite_folder, state


@pytest.fixture
def run(shell: Shell) -> Path:
    return finished(shell)


def test_another_lab_opens_a_bundle_and_reads_it_like_a_run(shell: Shell, run: Path) -> None:
    assert shell("verdicts", str(run), "--json") == ExitCode.OK
    here = json.loads(shell.out)
    assert shell("bundle", str(run), "--out", "given.zip") == ExitCode.OK, shell.err
    assert shell("bundle", "--open", "given.zip", "--out", "got") == ExitCode.OK, shell.err
    assert "each with the hash that was recorded" in shell.out
    before = state(Path("got"))
    assert shell("verdicts", "got", "--json") == ExitCode.OK
    assert json.loads(shell.out)["verdicts"] == here["verdicts"]
    assert shell("report", "got") == ExitCode.OK, shell.err
    assert shell("table", "demo", "t1", "--run", "got") == ExitCode.OK
    assert shell("compare", "got", str(run)) == ExitCode.OK
    assert "the unit rows are equal" in shell.out
    assert shell("regress", str(run), "--baseline", "got") == ExitCode.OK
    assert state(Path("got")) == before
    assert shell("bundle", "got", "--out", "again.zip") == ExitCode.OK
    assert Path("again.zip").read_bytes() == Path("given.zip").read_bytes()


@pytest.mark.parametrize("reference", [False, True], ids=["run", "committed results"])
def test_another_lab_proves_what_it_got(shell: Shell, run: Path, tmp_path: Path, *, reference: bool) -> None:
    given = committed(shell, run, tmp_path / "small") if reference else run
    assert shell("bundle", str(given), "--out", "given.zip") == ExitCode.OK, shell.err
    assert shell("bundle", "--open", "given.zip", "--out", "got") == ExitCode.OK, shell.err
    assert shell("verify", "got", "--json") == ExitCode.OK, shell.out
    files = json.loads(shell.out)["checks"][0]
    assert files["total"] == files["equal"] == sum(path.is_file() for path in Path("got").rglob("*")) - 1
    Path("got/README.md").write_text("Another one.")
    assert shell("verify", "got") == ExitCode.UNPROVED
    assert "README.md not as recorded" in shell.out


def test_bundling_changes_nothing_in_the_run_and_says_what_was_used(shell: Shell, run: Path) -> None:
    before = state(run)
    assert shell("bundle", str(run), "--licence", "cc0-1.0", "--out", "given.zip") == ExitCode.OK, shell.err
    assert state(run) == before
    assert shell("bundle", "--open", "given.zip", "--out", "got") == ExitCode.OK
    (numbers,) = json.loads(Path("got/licences.json").read_text())
    assert (numbers["name"], numbers["licence"], numbers["kind"]) == ("numbers", "CC0-1.0", "dataset")
    graph = json.loads(Path("got/ro-crate-metadata.json").read_text())["@graph"]
    (root,) = (entity for entity in graph if entity["@id"] == "./")
    assert root["license"] == {"@id": "https://spdx.org/licenses/CC0-1.0"}


def test_committed_results_are_bundled_as_they_are(
    shell: Shell, run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own_suite_folder(monkeypatch, tmp_path / "suite")
    results = committed(shell, run, tmp_path / "suite" / "reference" / "small", cut=True)
    before = state(results)
    assert shell("bundle", "demo", "--reference", "--out", "given.zip") == ExitCode.OK, shell.err
    assert "left out for their size" in shell.err
    assert state(results) == before
    assert shell("bundle", "--open", "given.zip", "--out", "got") == ExitCode.OK
    assert {name: (Path("got") / name).read_bytes() for name in before} == {
        n: c for n, (c, _) in before.items()
    }
    assert shell("verdicts", "got") == ExitCode.OK
    assert shell("regress", str(run), "--baseline", "got") == ExitCode.OK, shell.err
    assert shell("report", "got") == ExitCode.OK
    assert shell("bundle", "got", "--out", "again.zip") == ExitCode.OK
    assert Path("again.zip").read_bytes() == Path("given.zip").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Either a run is bundled or a bundle is opened"),
        (["demo", "--open", "given.zip"], "Either a run is bundled or a bundle is opened"),
        (["--open", "given.zip"], "--open needs a folder"),
        (["demo", "--licence", "mine"], "no SPDX identifier"),
        (["demo", "--out", "."], "This is a folder"),
        (["--open", "absent.zip", "--out", "got"], "no such file"),
    ],
)
def test_wrong_options_are_told(shell: Shell, run: Path, arguments: list[str], told: str) -> None:
    assert shell("bundle", *arguments) == ExitCode.USAGE
    assert told in shell.err


def test_a_bundle_that_was_changed_is_not_opened(shell: Shell, run: Path) -> None:
    assert shell("bundle", str(run), "--out", "given.zip") == ExitCode.OK
    data = bytearray(Path("given.zip").read_bytes())
    data[len(data) // 2] ^= 0xFF
    Path("given.zip").write_bytes(data)
    assert shell("bundle", "--open", "given.zip", "--out", "got") == ExitCode.INFRASTRUCTURE
    assert not Path("got").exists()
