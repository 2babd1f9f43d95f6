"""Generation 0, trained once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.methods.rest_react.small import TEACHER, context


@pytest.fixture(scope="session")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("teacher")
    TEACHER.build(folder, context())
    return folder
