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

FEW = 200
BATCH = 20
MANY = int(os.environ.get("FUZZ_EXAMPLES", "1000"))
ALL: Mapping[str, Reader] = {**READERS, **OPTION_READERS}
SELDOM_REFUSED = ("value of a parameter", "command line")
"""Of any other reader, inputs of which none is refused would try nothing."""
every_reader = pytest.mark.parametrize("name", ALL)
# Python's own writer of archives warns of names that are there twice.
pytestmark = pytest.mark.filterwarnings("ignore:Duplicate name")


def ends_well(reader: Reader, folder: Path, count: int) -> int:
    """Read many inputs; anything but a result or an error of ours fails. Gives how many were refused."""
    refused = 0

    # Hypothesis draws where a batch begins: drawing takes longer than most readers do.
    @settings(max_examples=-(-count // BATCH), suppress_health_check=list(HealthCheck), database=None)
    @given(st.integers(0, 2**64 - 1))
    def attempt(seed: int) -> None:
        nonlocal refused
        rng = Random(seed)  # noqa: S311 - no secret
        for _ in range(BATCH):
            data = reader.inputs(rng)
            try:
                reader.read(data, folder)
            except CorroborateError as error:
                refused += 1
                if error.what and (error.where or error.fix):
                    continue
                note(f"input: {data!r:.2000}")
                raise AssertionError(f"this tells too little: {error}") from error
            except BaseException:
                note(f"input: {data!r:.2000}")
                raise

    attempt()
    return refused


@every_reader
def test_only_errors_of_ours_come_out(name: str, tmp_path: Path) -> None:
    assert ends_well(ALL[name], tmp_path, FEW) > 0 or name in SELDOM_REFUSED


@pytest.mark.slow
@every_reader
def test_only_errors_of_ours_come_out_in_the_long_run(name: str, tmp_path: Path) -> None:
    assert ends_well(ALL[name], tmp_path, MANY) > 0 or name in SELDOM_REFUSED


def test_another_error_would_be_noticed(tmp_path: Path) -> None:
    def read(data: bytes, folder: Path) -> None:
        raise KeyError(data)

    with pytest.raises(KeyError):
        ends_well(Reader(lambda rng: rng.randbytes(3), read), tmp_path, 1)
