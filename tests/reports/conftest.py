from __future__ import annotations

import pytest

from harness.store.memory import MemoryRun
from harness.store.records import VerdictsRecord
from reports.build import build
from reports.document import Document
from tests.reports import demo


@pytest.fixture(scope="session")
def view() -> MemoryRun:
    return demo.run()


@pytest.fixture(scope="session")
def verdicts(view: MemoryRun) -> VerdictsRecord:
    return demo.verdicts(view)


@pytest.fixture(scope="session")
def document(view: MemoryRun, verdicts: VerdictsRecord) -> Document:
    return build(demo.SUITE, demo.SCALE, view, verdicts)
