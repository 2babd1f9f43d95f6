"""Whatever a reader is given, it reads it or ends with an error of ours that says where or what to do.

``FUZZ_EXAMPLES=100000 pytest -m slow tests/security/test_fuzz.py -k bundle`` tries one reader for long.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from harness.errors import CorroborateError
from tests.security.option_readers import OPTION_READERS
from tests.security.readers import READERS, Reader

FEW = 60
MANY = int(os.environ.get("FUZZ_EXAMPLES", "3000"))
ALL: Mapping[str, Reader] = {**READERS, **OPTION_READERS}
every_reader = pytest.mark.parametrize("name", ALL)
# Python's own writer of archives warns of names that are there twice.
pytestmark = pytest.mark.filterwarnings("ignore:Duplicate name")


def ends_well(reader: Reader, folder: Path, count: int) -> int:
    """Read many inputs; anything but a result or an error of ours fails. Gives how many were refused."""
    refused: list[CorroborateError] = []

    @settings(max_examples=count, suppress_health_check=list(HealthCheck), database=None)
    @given(st.integers(0, 2**64 - 1))
    def attempt(seed: int) -> None:
        data = reader.inputs(Random(seed))  # noqa: S311 - no secret
        note(f"input: {data!r:.2000}")
        try:
            reader.read(data, folder)
        except CorroborateError as error:
            refused.append(error)

    attempt()
    assert all(error.what and (error.where or error.fix) for error in refused)
    return len(refused)


@every_reader
def test_only_errors_of_ours_come_out(name: str, tmp_path: Path) -> None:
    assert ends_well(ALL[name], tmp_path, FEW) > 0 or name in ("value of a parameter", "command line")


@pytest.mark.slow
@every_reader
def test_only_errors_of_ours_come_out_in_the_long_run(name: str, tmp_path: Path) -> None:
    ends_well(ALL[name], tmp_path, MANY)


def test_another_error_would_be_noticed(tmp_path: Path) -> None:
    def read(data: bytes, folder: Path) -> None:
        raise KeyError(data)

    with pytest.raises(KeyError):
        ends_well(Reader(lambda rng: rng.randbytes(3), read), tmp_path, 1)
