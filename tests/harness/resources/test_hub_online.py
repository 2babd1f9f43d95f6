"""What ``doctor --online`` finds at a hub in memory; no file is downloaded whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from harness.errors import ResourceError
from harness.hub import HubFact, HubFacts
from harness.method import HubSource, Reading
from harness.resources.hub_lock import HubLock
from harness.resources.hub_online import Finding, check_online
from tests.harness.resources.fake_hub import FakeHub, Fault, Repository, lines, parquet

ROWS = [{"question": f"q{n}", "answer": f"a{n}"} for n in range(10)]
DATA = HubFact(
    repo="someone/questions",
    kind="dataset",
    revision="a" * 40,
    licence="MIT",
    gated="",
    size_mb=1,
    confirmed="here",
    looked_up=date(2026, 11, 28),
    columns=("question", "answer"),
    reading=Reading((("train", ("data/*.parquet",)),), ("question", "answer")),
)
MODEL = replace(DATA, repo="someone/model", kind="model", columns=(), reading=None)


def check(fact: HubFact, home: Path) -> Finding:
    facts = HubFacts({(fact.repo, fact.kind, fact.config): fact})
    source = facts.pinned(HubSource(fact.repo, repo_type=fact.kind, config=fact.config))
    assert isinstance(source, HubSource)
    return check_online("letters", source, facts.at(source), HubLock(home))


def put(hub: FakeHub, fact: HubFact, files: dict[str, bytes], **changes: Any) -> None:
    hub.repositories[f"{fact.kind}s/{fact.repo}"] = Repository(files, **changes)


def test_what_is_right_has_no_problems_and_is_not_downloaded(hub: FakeHub, tmp_path: Path) -> None:
    wide = [row | {"image": f"{number}" * 1_000_000} for number, row in enumerate(ROWS)]
    content = parquet(wide)
    put(hub, DATA, {"data/train-0.parquet": content})
    finding = check(replace(DATA, size_mb=round(len(content) / 1e6)), tmp_path)
    assert (finding.problems, finding.notes, finding.commit) == ([], [], "a" * 40)
    assert hub.sent < len(content) / 4
    put(hub, MODEL, {"config.json": b"{}", "model.safetensors": b"w" * 100})
    assert check(MODEL, tmp_path).problems == []
    assert not any(asked.endswith("safetensors") for asked in hub.asked)


def test_a_column_that_is_gone_is_found_without_downloading(hub: FakeHub, tmp_path: Path) -> None:
    put(hub, DATA, {"data/train-0.parquet": parquet([{"question": "q", "solution": "a"}])})
    (problem,) = check(DATA, tmp_path).problems
    assert "answer" in problem
    assert "solution" in problem
    text = replace(DATA, reading=Reading((("train", ("train.jsonl",)),)), columns=("question", "label"))
    put(hub, text, {"train.jsonl": lines(ROWS)})
    (problem,) = check(text, tmp_path).problems
    assert "label" in problem


def test_files_that_match_nothing_are_found(hub: FakeHub, tmp_path: Path) -> None:
    put(hub, DATA, {"old/train.parquet": parquet(ROWS)})
    (problem,) = check(DATA, tmp_path).problems
    assert "data/*.parquet" in problem
    raw = replace(DATA, reading=None, files=("images/*.parquet",))
    assert "images/*.parquet" in check(raw, tmp_path).problems[0]


def test_weights_that_may_run_code_name_the_conversion(hub: FakeHub, tmp_path: Path) -> None:
    put(hub, MODEL, {"config.json": b"{}", "pytorch_model.bin": b"w"})
    (problem,) = check(MODEL, tmp_path).problems
    assert "corroborate convert letters" in problem
    put(hub, MODEL, {"config.json": b"{}"})
    (problem,) = check(MODEL, tmp_path).problems
    assert "no weights" in problem


def test_an_unpinned_source_prints_the_commit_to_pin(hub: FakeHub, tmp_path: Path) -> None:
    loose = replace(DATA, revision="")
    put(hub, loose, {"data/train-0.parquet": parquet(ROWS)}, commit="b" * 40)
    finding = check(loose, tmp_path)
    assert finding.problems == []
    assert any(f'revision = "{"b" * 40}"' in note for note in finding.notes)
    HubLock(tmp_path).record(HubSource(loose.repo, "main", "dataset"), "c" * 40)
    assert any("moved" in note and "c" * 40 in note for note in check(loose, tmp_path).notes)


@pytest.mark.parametrize(("token", "said"), [("", "no token"), ("hf_x", "no access")])
def test_a_gate_names_the_page_and_the_login(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str, said: str
) -> None:
    monkeypatch.setattr("huggingface_hub.get_token", lambda: token or None)
    gated = replace(MODEL, gated="manual")
    put(hub, gated, {"model.safetensors": b"w"}, gated="manual", fault="gated")
    (problem,) = check(gated, tmp_path).problems
    assert said in problem
    assert "https://huggingface.co/someone/model" in problem
    assert ("hf auth login" in problem) is (not token)
    put(hub, gated, {"model.safetensors": b"w"}, gated="manual")
    assert bool(check(gated, tmp_path).problems) is (not token)


def test_what_differs_from_the_record_is_noted(hub: FakeHub, tmp_path: Path) -> None:
    put(hub, MODEL, {"model.safetensors": b"w" * 30_000_000}, licence="gpl-3.0")
    notes = " ".join(check(replace(MODEL, gated="auto"), tmp_path).notes)
    assert "open, though" in notes
    assert "30 MB" in notes
    assert "gpl-3.0" in notes


@pytest.mark.parametrize(
    ("fault", "said"), [("absent", "no dataset"), ("busy", "429"), ("broken", "fault of its own")]
)
def test_a_refusal_is_explained(hub: FakeHub, tmp_path: Path, fault: Fault, said: str) -> None:
    put(hub, DATA, {}, fault=fault)
    (problem,) = check(DATA, tmp_path).problems
    assert said in problem


def test_a_commit_that_is_gone_is_a_problem(hub: FakeHub, tmp_path: Path) -> None:
    put(hub, DATA, {"data/train-0.parquet": parquet(ROWS)}, commit="b" * 40)
    (problem,) = check(DATA, tmp_path).problems
    assert "no revision" in problem


def test_without_a_network_nothing_is_asked_twice(hub: FakeHub, tmp_path: Path) -> None:
    put(hub, DATA, {}, fault="down")
    with pytest.raises(ResourceError, match="online"):
        check(DATA, tmp_path)
