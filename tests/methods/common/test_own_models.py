"""Models of one's own as language models: of a folder, in memory, and what is told of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from harness.method import ProblemError
from methods.common.causal_lm import load_checkpoint
from methods.common.own_models import checked_folder, checked_model, local_model
from methods.common.stand_ins.models import TinyModel

PROMPTS, OPTIONS = ["a fine day\nRating:", "never again\nRating:"], [[" 1\n", " 2\n"]] * 2


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    TinyModel("qwen2").make(folder)
    return folder


def test_a_folder_and_a_model_in_memory_say_the_same(tiny: Path) -> None:
    kept = load_checkpoint(tiny)
    loaded = kept.model("cpu", "float32")
    expected = [[_log_probability(loaded, kept.tokenizer, p, o) for o in OPTIONS[0]] for p in PROMPTS]
    for model in (local_model(tiny), local_model(str(tiny)), local_model(loaded, kept.tokenizer)):
        found = model.score(PROMPTS, OPTIONS)
        assert torch.tensor(found).allclose(torch.tensor(expected), atol=1e-4)
        assert local_model(model) is model


def _log_probability(model: Any, tokenizer: Any, prompt: str, option: str) -> float:
    before = len(tokenizer(prompt, add_special_tokens=False).input_ids)
    ids = tokenizer(prompt + option, add_special_tokens=False).input_ids
    with torch.no_grad():
        laws = model(torch.tensor([ids])).logits[0].log_softmax(-1)
    return sum(float(laws[at - 1, ids[at]]) for at in range(before, len(ids)))


def test_the_type_of_weights_is_said_and_part_of_the_identity(tiny: Path) -> None:
    whole, half = local_model(tiny), local_model(tiny, dtype="bfloat16")
    assert half.model.dtype == torch.bfloat16  # type: ignore[attr-defined]
    assert whole.identity != half.identity


def test_what_lacks_a_model_or_a_tokenizer_is_told(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match=r"no config\.json") as error:
        local_model("google/a-model-of-the-hub")
    assert "hf download" in str(error.value.fix)
    kept = load_checkpoint(tiny)
    kept.model("cpu", "float32").save_pretrained(tmp_path / "bare")
    with pytest.raises(ProblemError, match="no tokenizer") as error:
        local_model(tmp_path / "bare")
    assert "tokenizer.save_pretrained" in str(error.value.fix)
    kept.tokenizer.save_pretrained(tmp_path / "bare")
    assert checked_folder(tmp_path / "bare") == tmp_path / "bare"
    with pytest.raises(ProblemError, match="needs its tokenizer"):
        local_model(kept.model("cpu", "float32"))


def test_only_language_models_can_be_asked(tiny: Path) -> None:
    model = local_model(tiny)
    assert checked_model(model, "here") is model
    for other in ("a-model", tiny, object()):
        with pytest.raises(ProblemError, match=r"no language model that can be asked \(here\)"):
            checked_model(other, "here")
