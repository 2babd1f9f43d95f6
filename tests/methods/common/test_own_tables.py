"""Tables as people write them: what is kept of their cells."""

from __future__ import annotations

from pathlib import Path

from methods.common.own_tables import read_table


def test_prompts_keep_their_spaces_and_other_cells_lose_theirs(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text(' prompt ,who\n"Rating: ", a \n"\nRating:\n",b\n" ", \n" "\n')
    assert read_table(table, verbatim="prompt") == (
        ["prompt", "who"],
        [(2, ["Rating: ", "a"]), (5, ["\nRating:\n", "b"])],
    )
    assert [row for _, row in read_table(table)[1]] == [["Rating:", "a"], ["Rating:", "b"]]


def test_a_cell_may_be_a_long_document(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text(f"id,text\nlong,{'word ' * 40_000}end\n")
    ((_, (_, text)),) = read_table(table)[1]
    assert len(text) == 200_003
