"""Files of best-worst scaling: the forms that annotation tools write, and what is refused in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.method import ProblemError
from methods.ibws.sheets import csv_text, design_rows, read_answers, read_items, tuples_text

KIRITCHENKO = """\
Item1,Item2,Item3,Item4,BestItem,WorstItem
good,bad,"so, so",fine,good,bad
fine,awful,good,bad,good,awful
"""
HOLLIS = "subject,best,worst,option1,option2,option3\n7,dog,ennui,justice,dog,ennui\n"
TURK = "HITId,WorkerId,Input.Item1,Input.Item2,Answer.BestItem,Answer.WorstItem\nh,A1,x,y,y,x\n"
SEMICOLONS = "round;Item1;Item2;Item3;BestItem;WorstItem\n2;a;b;;b;a\n2;a;c;b;c;b\n"


def written(folder: Path, text: str, name: str = "answers.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_form_of_kiritchenko_and_mohammad(tmp_path: Path) -> None:
    sheet = read_answers([written(tmp_path, "\ufeff" + KIRITCHENKO)])
    assert sheet.items == ("good", "bad", "so, so", "fine", "awful")
    assert sheet.tuples.tolist() == [[0, 1, 2, 3], [3, 4, 0, 1]]
    assert sheet.best.tolist() == [0, 0]
    assert sheet.worst.tolist() == [1, 4]
    assert sheet.workers == ("", "")


def test_the_form_of_hollis(tmp_path: Path) -> None:
    sheet = read_answers([written(tmp_path, HOLLIS)])
    assert sheet.items == ("justice", "dog", "ennui")
    assert (sheet.best.tolist(), sheet.worst.tolist()) == ([1], [2])


def test_the_form_of_mechanical_turk_names_workers(tmp_path: Path) -> None:
    sheet = read_answers([written(tmp_path, TURK)])
    assert sheet.workers == ("A1",)
    assert sheet.items == ("x", "y")


def test_tuples_of_several_sizes_and_semicolons(tmp_path: Path) -> None:
    sheet = read_answers([written(tmp_path, SEMICOLONS)], ["a", "b", "c"])
    assert sheet.rounds.tolist() == [2, 2]
    pair, triple = sheet.answers()
    assert pair.tuples.tolist() == [[0, 1]]
    assert triple.tuples.tolist() == [[0, 2, 1]]
    assert [part.best.tolist() for part in sheet.answers([1])] == [[2]]


def test_files_without_a_round_are_rounds_in_order(tmp_path: Path) -> None:
    paths = [written(tmp_path, HOLLIS, name) for name in ("one.csv", "two.csv")]
    assert read_answers(paths).rounds.tolist() == [1, 2]


def test_the_same_items_in_another_order_are_one_question(tmp_path: Path) -> None:
    rows = "Item1,Item2,Item3,BestItem,WorstItem\na,b,c,a,b\nc,a,b,a,b\na,b,d,a,b\n"
    first, second, third = read_answers([written(tmp_path, rows)]).questions()
    assert first == second != third


def test_rows_that_nobody_answered_are_counted(tmp_path: Path) -> None:
    rows = "Item1,Item2,BestItem,WorstItem\na,b,a,b\na,b,,\n\na,b\n"
    sheet = read_answers([written(tmp_path, rows)])
    assert (len(sheet.tuples), sheet.unanswered) == (1, 2)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("a,b,c,d,e,a", "the best item 'e' is not among those shown"),
        ("a,b,c,d,a,x", "the worst item 'x' is not among those shown"),
        ("a,b,c,d,a,a", "'a' is both best and worst"),
        ("a,b,a,d,a,b", "'a' is shown twice"),
        ("a,b,c,d,a,", "no worst item is given"),
        ("a,,,,a,b", "fewer than two items are shown"),
        ("a,b,c,z,a,b", "'z' is none of the items"),
    ],
)
def test_impossible_answers_are_refused_by_line(tmp_path: Path, row: str, told: str) -> None:
    text = f"Item1,Item2,Item3,Item4,BestItem,WorstItem\na,b,c,d,a,b\n{row}\n"
    with pytest.raises(ProblemError) as error:
        read_answers([written(tmp_path, text)], list("abcd"))
    assert f"answers.csv, line 3: {told}" in str(error.value)


def test_all_faults_are_counted_and_the_first_told(tmp_path: Path) -> None:
    text = "Item1,Item2,BestItem,WorstItem\n" + "a,b,a,a\n" * 9
    with pytest.raises(ProblemError, match="9 impossible answers") as error:
        read_answers([written(tmp_path, text)])
    assert "line 6" in str(error.value)
    assert "line 7" not in str(error.value)
    assert "and 4 more" in str(error.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("a,b\n1,2\n", "no columns of best-worst answers"),
        ("Item1,Item2,BestItem,WorstItem\n", "There is no answer"),
        ('Item1,Item2,BestItem,WorstItem\n"a,b,a,b\n', "cannot be read"),
        ("round,Item1,Item2,BestItem,WorstItem\n0,a,b,a,b\n", "'0' is no number of a round"),
    ],
)
def test_files_that_are_no_answers(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ProblemError, match=told):
        read_answers([written(tmp_path, text)])


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="No such file"):
        read_answers([tmp_path / "nothing.csv"])


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "items.txt"
    path.write_bytes("café".encode("latin-1"))
    with pytest.raises(ProblemError, match="not UTF-8"):
        read_items(path)


def test_items_of_a_text_file_and_of_tables(tmp_path: Path) -> None:
    assert read_items(written(tmp_path, "a, b\n\n c \n", "items.txt")) == ("a, b", "c")
    assert read_items(written(tmp_path, "number,text\n1,x\n2,y\n", "items.csv")) == ("x", "y")
    assert read_items(written(tmp_path, "name\nNA\nnull\n", "one.csv")) == ("NA", "null")
    assert read_items(written(tmp_path, "word\tname\np\tq\n", "t.tsv"), "name") == ("q",)


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        ("a\nb\na\n", "items.txt", "named twice.*lines 1 and 3"),
        ("\n", "items.txt", "names no item"),
        ("x,y\n1,2\n", "items.csv", "not clear"),
    ],
)
def test_items_that_are_refused(tmp_path: Path, text: str, name: str, told: str) -> None:
    with pytest.raises(ProblemError, match=told):
        read_items(written(tmp_path, text, name))


def test_a_column_of_items_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="no column 'z'"):
        read_items(written(tmp_path, "item,y\n1,2\n", "items.csv"), "z")


def test_a_design_comes_back_as_it_was(tmp_path: Path) -> None:
    items = ["plain", "a, b", 'say "x"', "=1+1"]
    tuples = [np.array([[0, 1, 2], [1, 2, 3]]), np.array([[3, 0]])]
    rows = list(design_rows(items, tuples, 3))
    for row in rows[1:]:
        row[4:] = row[1:3]
    sheet = read_answers([written(tmp_path, csv_text(rows))], items)
    assert sheet.rounds.tolist() == [3, 3, 3]
    np.testing.assert_array_equal(sheet.tuples, [[0, 1, 2], [1, 2, 3], [3, 0, -1]])


def test_tuples_as_kiritchenko_and_mohammad_write_them() -> None:
    assert tuples_text(["x", "y y", "z"], [np.array([[0, 1], [2, 0]])]) == "x\ty y\nz\tx\n"
    with pytest.raises(ProblemError, match="holds a tab"):
        tuples_text(["x\ty"], [np.array([[0, 0]])])


@pytest.mark.parametrize(("best", "worst"), [("1", "2"), ("Item2", "Item1"), ("option_1", "option_2")])
def test_places_in_place_of_items_are_told_as_such(tmp_path: Path, best: str, worst: str) -> None:
    head = "Item1,Item2,BestItem,WorstItem\n"
    with pytest.raises(ProblemError, match="2 impossible answers") as error:
        read_answers([written(tmp_path, head + f"x,y,{best},{worst}\ny,z,{best},{worst}\n")])
    assert "hold places of items" in str(error.value.fix)
    # One of them may be a slip.
    with pytest.raises(ProblemError, match="impossible") as error:
        read_answers([written(tmp_path, head + f"x,y,{best},{worst}\ny,z,y,q\n")])
    assert "Mend or delete these lines" in str(error.value.fix)


def test_a_file_in_another_encoding_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_bytes("Item1,Item2,BestItem,WorstItem\ncaf\u00e9,tea,tea,caf\u00e9\n".encode("latin-1"))
    with pytest.raises(ProblemError, match="not UTF-8") as error:
        read_answers([path])
    assert error.value.fix == "Save it as UTF-8."
