"""docs/reliability.md names every module of these tests, and no other."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"


def test_every_promise_has_tests_and_every_module_a_promise() -> None:
    text = PAGE.read_text(encoding="utf-8")
    named = re.findall(r"\]\(\.\./tests/reliability/(test_\d\d_\w+\.py)\)", text)
    assert sorted(named) == sorted(path.name for path in Path(__file__).parent.glob("test_[0-9]*.py"))
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert [section.partition(".")[0] for section in sections] == [
        str(n) for n in range(1, len(sections) + 1)
    ]
    assert all("\nTests: " in section for section in sections)
