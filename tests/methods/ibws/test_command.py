"""``corroborate bws``, as a user runs it: from items over rounds of answers to scores."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from harness.cli.main import main
from harness.errors import ExitCode
from methods.ibws.sheets import read_answers

WORDS = [f"word {number:02}" for number in range(24)]


@pytest.fixture
def items(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "items.txt"
    path.write_text("\n".join(WORDS), encoding="utf-8")
    return path


def answer(design: Path, out: Path, raters: int = 1, noise: float = 0.0) -> None:
    """Fill in a design; the word with the larger number is better, give or take the noise."""
    rng = np.random.default_rng(len(out.name))
    with (
        design.open(encoding="utf-8", newline="") as given,
        out.open("w", encoding="utf-8", newline="") as to,
    ):
        rows = csv.DictReader(given)
        written = csv.DictWriter(to, [*(rows.fieldnames or []), "worker"])
        written.writeheader()
        for row in rows:
            shown = [row[name] for name in row if name.startswith("Item") and row[name]]
            for rater in range(raters):
                heard = {name: int(name[5:]) + noise * rng.normal() for name in shown}
                chosen = {"BestItem": max(heard, key=heard.get), "WorstItem": min(heard, key=heard.get)}  # type: ignore[arg-type]
                written.writerow({**row, **chosen, "worker": f"w{rater}"})


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_design_answers_scores_reliability(items: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = items.parent
    assert main(["bws", "design", "items.txt", "--appearances", "6", "--out", "design.csv"]) == ExitCode.OK
    shown = [
        name for row in rows_of(folder / "design.csv") for key, name in row.items() if "Item" in key and name
    ]
    assert {shown.count(word) for word in WORDS} == {6}
    answer(folder / "design.csv", folder / "answers.csv", raters=2, noise=2)
    assert main(["bws", "score", "answers.csv", "--draws", "60", "--out", "scores.csv"]) == ExitCode.OK
    rows = rows_of(folder / "scores.csv")
    assert [row["item"] for row in rows[:2]] == ["word 23", "word 22"]
    assert all(float(row["low"]) <= float(row["score"]) <= float(row["high"]) for row in rows)
    capsys.readouterr()
    assert (
        main(["bws", "reliability", "answers.csv", "--by", "plackett-luce", "--splits", "5"]) == ExitCode.OK
    )
    out = capsys.readouterr()
    assert float(out.out.split("Spearman's rho")[1].split()[0]) > 0.7
    assert "36 questions divided" in out.err
    assert main(["bws", "workers", "answers.csv"]) == ExitCode.OK
    assert capsys.readouterr().out.splitlines()[0] == "worker,answers,agreement,chance"
    assert main(["bws", "pairs", "answers.csv"]) == ExitCode.OK
    assert len(capsys.readouterr().out.splitlines()) == 1 + 5 * 72


def test_rounds_to_the_end(items: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = items.parent
    answers: list[str] = []
    for number in range(1, 10):
        design, filled = f"round{number}.csv", f"answers{number}.csv"
        assert (
            main(["bws", "next", "items.txt", *answers, "--appearances", "3", "--out", design]) == ExitCode.OK
        )
        if not (folder / design).exists():
            break
        answer(folder / design, folder / filled)
        answers.append(filled)
    assert "nothing is left to ask" in capsys.readouterr().err
    assert len(answers) > 2
    position = ["bws", "score", *answers, "--by", "position", "--items", "items.txt", "--out", "ranking.csv"]
    assert main(position) == ExitCode.OK
    found = [int(row["item"][5:]) for row in rows_of(folder / "ranking.csv")]
    assert np.corrcoef(found, np.arange(24)[::-1])[0, 1] > 0.9


def test_a_file_that_exists_is_kept(items: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("design.csv").write_text("answers of a week", encoding="utf-8")
    command = ["bws", "design", "items.txt", "--out", "design.csv"]
    assert main(command) == ExitCode.USAGE
    assert "exists already" in capsys.readouterr().err
    assert Path("design.csv").read_text(encoding="utf-8") == "answers of a week"
    assert main([*command, "--force"]) == ExitCode.OK
    assert [path.name for path in Path().iterdir() if path.name.startswith(".")] == []


def test_tuples_without_a_header_for_tools_of_kiritchenko_and_mohammad(items: Path) -> None:
    assert main(["bws", "design", "items.txt", "--out", "items.txt.tuples"]) == ExitCode.OK
    lines = Path("items.txt.tuples").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 48
    assert all(len(set(line.split("\t")) & set(WORDS)) == 4 for line in lines)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["design", "nothing.txt"], "No such file"),
        (["design", "items.txt", "--tuple-size", "30"], "cannot fill a tuple"),
        (["design", "items.txt", "--out", "no/where.csv"], "cannot be written"),
        (["score", "items.txt"], "no columns of best-worst answers"),
    ],
)
def test_bad_input_says_what_and_where(
    items: Path, command: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bws", *command]) == ExitCode.USAGE
    assert told in capsys.readouterr().err


def test_a_ranking_of_rounds_needs_its_items(items: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bws", "next", "items.txt", "--out", "one.csv"]) == ExitCode.OK
    answer(Path("one.csv"), Path("answers.csv"))
    assert main(["bws", "score", "answers.csv", "--by", "position"]) == ExitCode.USAGE
    assert "--items" in capsys.readouterr().err
    assert len(read_answers([Path("answers.csv")]).tuples) == 12
