"""Language models behind references."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.method import SERVER_FILE, ResourceError
from methods.common import tiny_lm
from methods.common.language_model.prefix import PrefixModel
from methods.common.language_model.served import EndpointModel
from methods.metric_aware.models import expect, language_model, model_of
from tests.methods.common import models
from tests.methods.context import FakeContext
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
    assert found[0].prefixes == ("Review",)


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
    server = {"address": "http://127.0.0.1:9/v1", "model": "some", "protocol": "chat", "scoring": "none"}
    (tmp_path / SERVER_FILE).write_text(json.dumps({"server": server}))
    ctx = FakeContext()
    found = model_of(tmp_path, ctx, dtype="float32", batch=2)
    assert isinstance(found, EndpointModel)
    assert ctx.asked == [found]
    expect(found, "nothing happens")
    for wrong in ('{"url": 1}', "nonsense", '{"server": {"address": "here"}}'):
        (tmp_path / SERVER_FILE).write_text(wrong)
        with pytest.raises(ResourceError, match="cannot be read"):
            model_of(tmp_path, ctx, dtype="float32", batch=2)


def test_models_in_memory_are_told_to_the_record_too(tmp_path: Path) -> None:
    ctx = FakeContext()
    found = model_of(tiny_checkpoint(tmp_path), ctx, dtype="float32", batch=2)
    found.next_token(["Stars:"], most=3)
    (asked,) = ctx.asked
    assert asked.described()["name"] == found.name
    assert asked.usage.as_dict()["calls"] == 1


def test_a_language_model_is_taken_as_it_is() -> None:
    model = Scripted()
    assert language_model(model, dtype="float32", batch=1, device="cpu") is model
