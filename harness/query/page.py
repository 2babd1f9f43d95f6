"""``python -m harness.query.page`` writes the tables of ``docs/records.md`` again, after a change of them."""

from __future__ import annotations

from pathlib import Path

from harness.query.declared import page

PAGE = Path(__file__).parent.parent.parent / "docs" / "records.md"
MARK = "<!-- tables: python -m harness.query.page -->\n"


def main() -> None:
    """Replace all that follows the mark."""
    before = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    PAGE.write_text(f"{before}{MARK}\n{page()}", encoding="utf-8")


if __name__ == "__main__":
    main()
