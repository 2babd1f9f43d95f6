"""``corroborate lite``: an index, a scorer and rankings from files, and what is told."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import ir_measures
import numpy as np
import pytest
import torch

from harness.cli.main import main
from harness.errors import ExitCode
from methods.common.minilm import load_encoder
from methods.lite import own_encoder
from methods.lite.late import WEIGHTS, InBatch, LateInteraction, Pairs
from methods.lite.own_encoder import identity, open_encoder
from methods.lite.own_index import open_index
from methods.lite.own_ranker import LateRanker
from methods.lite.prepare import encode, token_ids
from tests.methods.lite.own_world import TEXTS, documents, encoder_folder, lines, training_rows
from tests.pretended_gpu import pretended_gpu


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lite")
    encoder_folder(folder / "encoder")
    documents(folder / "docs.jsonl")
    lines(folder / "queries.jsonl", [{"id": "q1", "text": "red hat"}, {"id": "q2", "text": "blue cat"}])
    training_rows(folder / "rows.jsonl")
    training_rows(folder / "scored.jsonl", scores=True)
    return folder


@pytest.fixture(autouse=True)
def _there(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)


def carried_out(*command: str) -> None:
    assert main(["lite", *" ".join(command).split()]) == ExitCode.OK


def test_vectors_of_the_index_are_those_of_the_suites_encoding(place: Path) -> None:
    encoder = open_encoder(place / "encoder", document_tokens=12)
    suite = load_encoder(place / "encoder")
    texts = token_ids(suite, TEXTS, 12)
    expected = encode(suite, texts).numpy()
    for row, vectors in enumerate(encoder.documents(TEXTS)):
        length = int(texts.mask[row].sum())
        np.testing.assert_allclose(vectors, expected[row, :length], atol=1e-6)
    assert len(encoder.too_long(TEXTS)) == texts.cut > 0


def test_cut_texts_are_found_some_at_a_time(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = open_encoder(place / "encoder", document_tokens=12)
    texts, expected = TEXTS * 3, encoder.too_long(TEXTS * 3)
    tokenizer = encoder.model.tokenizer
    sizes: list[int] = []

    class Counted:
        prompts: ClassVar[dict[str, str]] = {}

        def tokenizer(self, listed: list[str], **options: Any) -> Any:
            sizes.append(len(listed))
            return tokenizer(listed, **options)

    monkeypatch.setattr(own_encoder, "_AT_ONCE", 4)
    assert replace(encoder, model=Counted()).too_long(texts) == expected == [3, 9, 15]
    assert sizes == [4, 4, 4, 4, 2]


def test_what_a_killed_command_left_is_told_and_kept(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (".made-a1b2c3_4", ".made-vectors-a1b2c3d4", ".made-by-hand", ".made-2-a1b2c3d4"):
        (tmp_path / name).mkdir()
    carried_out(f"index encoder docs.jsonl --to {tmp_path / 'made'} --document-tokens 16")
    told = next(line for line in capsys.readouterr().err.splitlines() if "was killed" in line)
    assert told.endswith("if none does: .made-a1b2c3_4, .made-vectors-a1b2c3d4")
    assert len(list(tmp_path.iterdir())) == 5


def test_an_identity_is_of_the_content(place: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(place / "encoder", tmp_path / "copy")
    assert identity(copied) == identity(place / "encoder")
    (copied / "README.md").write_text("x")
    assert identity(copied) == identity(place / "encoder")
    config = copied / "config.json"
    config.write_text(config.read_text() + " ")
    assert identity(copied) != identity(place / "encoder")


def test_from_files_to_a_run(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    carried_out("index encoder docs.jsonl --to index --document-tokens 16")
    told = capsys.readouterr().err
    assert "empty documents: 1 of 6 (docs.jsonl, line 2)" in told
    assert "longer than 16 tokens, which are cut: 1 of 6 (docs.jsonl, line 4)" in told
    carried_out("rank index queries.jsonl --out run.txt")
    run = list(ir_measures.read_trec_run("run.txt"))
    assert {(one.query_id, one.doc_id) for one in run} == {
        (f"q{q}", f"d{d}") for q in (1, 2) for d in range(6)
    }
    best = {one.query_id: one.doc_id for one in reversed(run)}
    assert best == {"q1": "d0", "q2": "d4"}
    assert (place / "run.txt").read_text().startswith("q1 Q0 d0 1 ")
    carried_out("rank index queries.jsonl --candidates run.txt --top 2 --out run.csv")
    table = (place / "run.csv").read_text().splitlines()
    assert len(table) == 5
    assert table[1].startswith("q1,d0,1,")


@pytest.mark.parametrize(
    ("rows", "loss", "scorer"), [("rows", "one-hot", "lite"), ("scored", "margin-mse", "knrm")]
)
def test_a_scorer_is_trained_kept_and_ranks(
    capsys: pytest.CaptureFixture[str], rows: str, loss: str, scorer: str
) -> None:
    shape = "--document-tokens 16 --vectors 4 --reduction k-means"
    carried_out(
        f"train encoder {rows}.jsonl --to {rows} --scorer {scorer} --steps 3 --batch 4 --held-out .2 {shape}"
    )
    told = capsys.readouterr().err
    assert f"with {loss}, 2 negatives each" in told
    assert "MRR@10 of 5 held-out queries" in told
    late = LateInteraction.load(rows)
    assert (late.options.scorer, late.options.vectors, late.options.dim) == (scorer, 4, 16)
    carried_out(f"index encoder docs.jsonl --to index-{rows} {shape}")
    assert open_index(Path(f"index-{rows}")).made.longest == 4
    carried_out(f"rank index-{rows} queries.jsonl --scorer {rows}")
    assert len(capsys.readouterr().out.splitlines()) == 12
    assert not [path.name for path in Path().iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("index none docs.jsonl --to x", "There is no such folder"),
        ("index encoder none.jsonl --to x", "none.jsonl"),
        ("index encoder docs.jsonl --to x --vectors 5", "128 tokens do not become 5"),
        ("index encoder docs.jsonl --to x --reduction truncate", "needs a number of vectors"),
        ("index encoder docs.jsonl --to x --document-tokens 9999", "reads 512 tokens at most"),
        ("index encoder docs.jsonl --to x --device foo", "no such device"),
        ("train encoder rows.jsonl --to x --loss kl", "needs a teacher's scores"),
        ("train encoder rows.jsonl --to x --negatives 9 --steps 1", "9 others"),
        ("train encoder docs.jsonl --to x", "under 'query'; it has 'id', 'text' (docs.jsonl, line 1)"),
        ("rank none queries.jsonl", "holds no index"),
        ("rank encoder queries.jsonl", "holds no index"),
    ],
)
def test_what_cannot_be_is_told_and_leaves_nothing(
    place: Path, capsys: pytest.CaptureFixture[str], command: str, told: str
) -> None:
    before = sorted(place.iterdir())
    assert main(["lite", *command.split()]) != ExitCode.OK
    assert told in capsys.readouterr().err
    assert sorted(place.iterdir()) == before


def test_an_encoder_that_changed_since_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree("encoder", "moved")
    carried_out("index moved docs.jsonl --to of-moved")
    carried_out("rank of-moved queries.jsonl --encoder encoder --out same.txt")
    config = place / "moved" / "config.json"
    config.write_text(config.read_text() + "\n")
    assert main(["lite", "rank", "of-moved", "queries.jsonl"]) == ExitCode.USAGE
    assert "vectors of another encoder" in capsys.readouterr().err


def test_empty_queries_are_told_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    carried_out("index encoder docs.jsonl --to for-empty")
    lines(Path("empty.jsonl"), [{"id": "q", "text": "red"}, {"id": "p", "text": " "}])
    assert main(["lite", "rank", "for-empty", "empty.jsonl"]) == ExitCode.USAGE
    assert "empty.jsonl, line 2" in capsys.readouterr().err


def test_pickled_weights_are_not_read(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(place / "encoder", tmp_path / "encoder")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert main(["lite", "index", str(folder), "docs.jsonl", "--to", "pickled"]) != ExitCode.OK
    assert "safetensors" in capsys.readouterr().err


def test_a_gpu_gives_the_same_files(place: Path) -> None:
    made = []
    for device in ("cpu", "cuda"):
        shape = f"--document-tokens 16 --device {device}"
        with pretended_gpu():
            carried_out(f"index encoder docs.jsonl --to index-{device} {shape}")
            carried_out(f"train encoder rows.jsonl --to scorer-{device} --steps 2 --batch 4 {shape}")
            ranked = f"rank index-{device} queries.jsonl --scorer scorer-{device} --device {device}"
            carried_out(f"{ranked} --out {device}.txt")
            carried_out(f"{ranked} --out {device}-again.txt --candidates {device}.txt")
        files = (
            f"index-{device}/vectors.f16",
            f"scorer-{device}/{WEIGHTS}",
            f"{device}.txt",
            f"{device}-again.txt",
        )
        made.append([(place / name).read_bytes() for name in files])
    assert made[0] == made[1]


def test_a_ranker_is_on_the_gpu(place: Path) -> None:
    scores = []
    for device in ("cpu", "cuda"):
        with pretended_gpu():
            ranker = LateRanker.new(place / "encoder", query_tokens=6, document_tokens=12, device=device)
            scores.append(ranker.predict([("red hat", text) for text in TEXTS]))
            q = torch.ones(2, 3, 16, device=device)
            losses = [Pairs(ranker.late)(q, q), InBatch(ranker.late)(q, q.unsqueeze(1))]
            assert {one.device.type for one in losses} == {device}
    np.testing.assert_array_equal(scores[0], scores[1])
