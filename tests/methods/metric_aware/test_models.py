"""Language models behind references."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.method import ResourceError
from methods.common import tiny_lm
from methods.common.language_model.endpoint import EndpointModel
from methods.common.language_model.prefix import PrefixModel
from methods.metric_aware.models import expect, language_model
from tests.methods.common import models
from tests.methods.metric_aware.data import Scripted, tiny_checkpoint


def test_folders_and_checkpoints_are_the_same_model(tmp_path: Path) -> None:
    checkpoint = tiny_checkpoint(tmp_path)
    found = [
        language_model(source, dtype="float32", batch=2, device="cpu") for source in (tmp_path, checkpoint)
    ]
    assert found[0].identity == found[1].identity
    assert found[0].next_token(["Stars:"], most=3) == found[1].next_token(["Stars:"], most=3)
    expect(found[0], "Review")
    assert isinstance(found[0], PrefixModel)
    assert found[0].prefix == "Review"


def test_encoder_decoder_models_are_asked_too(tmp_path: Path) -> None:
    tokenizer = tiny_lm.train_tokenizer(["1 2 3 4 5"], 257)
    model = models.t5()
    model.resize_token_embeddings(len(tokenizer))
    tiny_lm.save(model, tokenizer, tmp_path)
    found = language_model(tmp_path, dtype="float32", batch=2, device="cpu")
    expect(found, "Stars")
    (law,) = found.next_token(["Stars: 4"], most=5)
    assert len(law.log_probabilities) == 5


def test_a_folder_may_describe_a_server(tmp_path: Path) -> None:
    pytest.importorskip("openai")
    description = {"address": "http://127.0.0.1:9/v1", "model": "some"}
    (tmp_path / "server.json").write_text(json.dumps(description))
    found = language_model(tmp_path, dtype="float32", batch=2, device="cpu")
    assert isinstance(found, EndpointModel)
    expect(found, "nothing happens")
    (tmp_path / "server.json").write_text('{"url": 1}')
    with pytest.raises(ResourceError, match="cannot be read"):
        language_model(tmp_path, dtype="float32", batch=2, device="cpu")


def test_a_language_model_is_taken_as_it_is() -> None:
    model = Scripted()
    assert language_model(model, dtype="float32", batch=1, device="cpu") is model
