"""Servers that are named on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.claims import Profile
from harness.cli.endpoints import Named, add_endpoints, named_servers, put_servers
from harness.cli.needs import resources_of
from harness.errors import ResourceError, UsageError
from harness.evidence.compare import differences
from harness.method import Probed
from harness.resources import Resolver
from harness.store.asked import asked_of
from harness.store.memory import MemoryRun
from harness.store.model_records import EndpointRecord
from harness.store.records import Provenance, RunRecord
from harness.suite import Scale, Served, Suite
from tests.harness.asking import PUPIL, TEACHER, suite

SCALE = Scale(profile=Profile.SMALL)
URL = "http://localhost:8000/v1"
NEVER_TOLD = "sk-0123456789-never-told"


def named(*options: str, scale: Scale = SCALE, of: Suite | None = None) -> list[Named]:
    parser = argparse.ArgumentParser()
    add_endpoints(parser)
    asking = of or suite()
    return named_servers(parser.parse_args(options), asking, scale, resources_of(asking, scale))


def pairs(servers: Sequence[Named]) -> dict[str, tuple[str, str]]:
    return {one.role: (one.address, one.model) for one in servers}


def test_each_role_has_its_server_and_its_model() -> None:
    found = named(
        *("--endpoint", "teacher=http://a/v1", "--endpoint", "pupil-model=https://b:8/v1/"),
        *("--model", "teacher=big", "--model", "pupil=org/small:free"),
        *("--key-variable", "pupil=SMALL_KEY"),
    )
    assert pairs(found) == {"teacher": ("http://a/v1", "big"), "pupil": ("https://b:8/v1", "org/small:free")}
    assert [one.resource for one in found] == [TEACHER.name, PUPIL.name]
    assert [one.key_variable for one in found] == ["OPENAI_API_KEY", "SMALL_KEY"]
    assert named() == []


def test_one_server_may_have_a_model_for_each_role_or_for_all_or_for_one() -> None:
    both = named("--endpoint", URL, "--model", "teacher=big", "--model", "pupil=small")
    assert pairs(both) == {"teacher": (URL, "big"), "pupil": (URL, "small")}
    every = named("--endpoint", URL, "--model", "all=big")
    assert pairs(every) == {"teacher": (URL, "big"), "pupil": (URL, "big")}
    one = named("--endpoint", URL, "--model", "pupil=small")
    assert pairs(one) == {"pupil": (URL, "small")}


def test_a_single_role_needs_no_name() -> None:
    asking = suite()
    only = replace(asking, served=Served(roles={"teacher": asking.served.roles["teacher"]}))
    assert pairs(named("--endpoint", URL, "--model", "big", of=only)) == {"teacher": (URL, "big")}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--endpoint", URL, "--model", "big"], "2 models may be served here .*the paper's teacher"),
        (
            ["--endpoint", URL, "--model", "tutor=big"],
            "Unknown role 'tutor'(.|\n)*all, pupil, teacher",
        ),
        (["--endpoint", "tutor=http://a", "--model", "all=big"], "Unknown role 'tutor'"),
        (["--endpoint", URL], "No model is named"),
        (["--model", "teacher=big"], "No server is named"),
        (["--endpoint", "teacher=http://a/v1", "--model", "pupil=small"], "This server has no model"),
        (["--endpoint", "teacher=http://a/v1", "--model", "all=small"], "This model has no server"),
        (
            ["--endpoint", URL, "--endpoint", "pupil=http://a/v1", "--model", "teacher=big"],
            "This server has no model",
        ),
        (["--endpoint", URL, "--model", "teacher="], "A value is missing"),
        (["--endpoint", URL, "--model", "all=a", "--model", "all=b"], "given twice"),
        (["--endpoint", "localhost:8000", "--model", "all=a"], "no address of a server"),
        (["--endpoint", "ftp://localhost", "--model", "all=a"], "no address of a server"),
        (["--endpoint", "http://[::1", "--model", "all=a"], "no address of a server"),
        (["--endpoint", "http://a:99999/v1", "--model", "all=a"], "no address of a server"),
        (["--endpoint", "http://a/v1\n", "--model", "all=a"], "no address of a server"),
    ],
)
def test_what_is_not_clear_is_refused_by_name(options: list[str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        named(*options)


@pytest.mark.parametrize(
    "options",
    [
        ["--endpoint", f"http://user:{NEVER_TOLD}@a/v1", "--model", "all=a"],
        ["--endpoint", f"teacher=http://{NEVER_TOLD}@a/v1", "--model", "all=a"],
        ["--endpoint", f"http://a/v1?key={NEVER_TOLD}", "--model", "all=a"],
        ["--endpoint", URL, "--model", "all=a", "--key-variable", NEVER_TOLD],
        ["--endpoint", URL, "--model", "all=a", "--key-variable", f"teacher={NEVER_TOLD}"],
    ],
)
def test_keys_on_the_command_line_are_refused_and_not_repeated(options: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        named(*options)
    assert NEVER_TOLD not in str(caught.value)
    assert "variable" in str(caught.value)


def test_a_profile_without_served_models_says_where_there_are_some() -> None:
    with pytest.raises(UsageError, match=r"under profile smoke(.|\n)*teacher, pupil"):
        named("--endpoint", URL, "--model", "all=a", scale=Scale(profile=Profile.SMOKE))


def some(address: str, model: str, *, key_variable: str, needs: Mapping[str, Sequence[str]]) -> Probed:
    """A probe of servers that can only write."""
    server = {"address": address, "model": model, "protocol": "chat", "key_variable": key_variable}
    lacking = {name: "It lists no tokens" for name, wanted in needs.items() if "next-token" in wanted}
    return Probed(server=server, capabilities={"n": "no"}, lacking=lacking, notes=["n is asked one by one"])


def none(address: str, model: str, *, key_variable: str, needs: Mapping[str, Sequence[str]]) -> Probed:
    found = some(address, model, key_variable=key_variable, needs=needs)
    return replace(found, lacking=dict.fromkeys(needs, "It says nothing"))


def served_by(probe: str) -> Suite:
    asking = suite()
    return replace(asking, served=replace(asking.served, probe=f"{__name__}:{probe}"))


def resolver(folder: Path) -> Resolver:
    return Resolver({}, frozenset(), folder, None)


def test_servers_are_asked_first_and_stand_for_their_resources(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, asking = resolver(tmp_path), served_by("some")
    lacking = put_servers(named("--endpoint", URL, "--model", "all=m"), asking, SCALE, found)
    # The pupil is asked in one experiment only, which the server can do.
    assert lacking == {TEACHER.name: {"f": "It lists no tokens"}, PUPIL.name: {}}
    assert found.identity(TEACHER) == f"served:m at {URL} (chat)"
    assert found.status(TEACHER).state == "present"
    assert "n is asked one by one" in capsys.readouterr().err
    plan_before = found.path(TEACHER)
    again = resolver(tmp_path)
    put_servers(named("--endpoint", URL, "--model", "all=m"), served_by("none"), SCALE, again, asks=False)
    assert again.path(TEACHER) == plan_before


def test_a_server_that_can_do_nothing_ends_it_before_anything_is_planned(tmp_path: Path) -> None:
    servers = named("--endpoint", URL, "--model", "teacher=m")
    with pytest.raises(ResourceError, match=r"nothing that 'teacher' is needed for(.|\n)*It says nothing"):
        put_servers(servers, served_by("none"), SCALE, resolver(tmp_path))


def test_a_model_is_bound_or_served_but_not_both(tmp_path: Path) -> None:
    bound = Resolver({TEACHER.name: tmp_path}, frozenset(), tmp_path, None)
    with pytest.raises(UsageError, match="both bound to a folder and served"):
        put_servers(named("--endpoint", URL, "--model", "teacher=m"), served_by("some"), SCALE, bound)


def record(*servers: Named) -> RunRecord:
    return RunRecord(
        run="r",
        suite="toy",
        profile="small",
        claims_sha256="c",
        endpoints={
            one.resource: EndpointRecord(
                address=one.address, model=one.model, protocol="chat", key_variable=one.key_variable
            )
            for one in servers
        },
        provenance=Provenance(created="2026-01-01", command=[], corroborate="0"),
    )


def test_a_record_stands_for_the_options_that_name_its_servers() -> None:
    servers = named(
        *("--endpoint", "teacher=http://a/v1", "--endpoint", "pupil=http://b/v1"),
        *("--model", "all=m", "--key-variable", "pupil=SMALL_KEY"),
    )
    told = list(asked_of(record(*servers)))
    assert told[:2] == ["--profile", "small"]
    assert named(*told[2:]) == servers


def test_runs_with_other_models_are_not_compared_and_other_servers_are_told() -> None:
    teacher = named("--endpoint", URL, "--model", "teacher=big")
    elsewhere = named("--endpoint", "http://b/v1", "--model", "teacher=big")
    larger = named("--endpoint", URL, "--model", "teacher=bigger")

    def weights(one: Sequence[Named], other: Sequence[Named]) -> dict[str, str]:
        found = differences(MemoryRun(record(*one)), MemoryRun(record(*other)))
        return {item.field.partition(" ")[0]: item.weight for item in found}

    assert weights(teacher, teacher) == {}
    assert weights(teacher, elsewhere) == {"server": "warning"}
    assert weights(teacher, larger)["served"] == "blocks"
