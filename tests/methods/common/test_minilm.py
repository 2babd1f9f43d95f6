"""Embeddings as an artifact, and what an encoder may be loaded from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.method import Resource, ResourceError
from methods.common import minilm
from methods.common.minilm import MINILM, Encoder, RatedTextEmbeddings, load_encoder, unpack_package
from methods.common.ratings import RatingSet


class _Tokens:
    pad_token_id = 32

    def __call__(self, texts: list[str], **_: Any) -> dict[str, list[list[int]]]:
        return {"input_ids": [[ord(c) for c in text] for text in texts]}


class _Model:
    config = type("Config", (), {"hidden_size": 2})

    def __call__(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
        hidden = torch.stack([input_ids.float(), torch.ones_like(input_ids).float()], dim=-1)
        return type("Out", (), {"last_hidden_state": hidden})


@dataclass
class _Context:
    objects: dict[Resource, Any]

    def load(self, ref: Resource) -> Any:
        return self.objects[ref]


def test_artifact_holds_one_vector_a_text_in_order(tmp_path: Path) -> None:
    data = Resource(name="fake", kind="dataset", licence="MIT", version="1", sources=())
    texts = ("abc", "z", "mnopq")
    rated = RatingSet("x", texts, texts, (np.array([0]),) * 3, np.zeros(3, dtype=bool))
    artifact = RatedTextEmbeddings(encoder=MINILM, data=data, domain="x")
    artifact.build(tmp_path, _Context({data: {"x": rated}, MINILM: Encoder(_Tokens(), _Model(), tmp_path)}))  # type: ignore[arg-type]
    means = [np.mean([ord(c) for c in text]) for text in texts]
    expected = np.array([[m, 1] for m in means]) / np.hypot(means, 1)[:, None]
    np.testing.assert_allclose(artifact.load(tmp_path), expected, rtol=1e-5)


def test_folders_without_safetensors_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"no")
    with pytest.raises(ResourceError, match="safetensors"):
        load_encoder(tmp_path)


def test_the_package_is_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Package:
        @staticmethod
        def export_model(folder: Path) -> None:
            (folder / "model.safetensors").write_bytes(b"weights")

    monkeypatch.setattr(minilm, "import_module", lambda name: Package)
    unpack_package(tmp_path)
    assert (tmp_path / "model.safetensors").exists()
