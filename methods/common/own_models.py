"""Language models of one's own: of a folder, or already in memory, for methods that ask any language model.

::

    model = local_model("my-model", device="cuda", dtype="bfloat16")
    model = local_model(model, tokenizer)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.method import ProblemError
from methods.common.language_model.interface import LanguageModel

_TOKENIZERS = ("tokenizer.json", "tokenizer_config.json", "*.model", "vocab.*")


def local_model(
    model: Any, tokenizer: Any = None, *, device: str = "cpu", dtype: str = "float32", batch: int = 32
) -> LanguageModel:
    """A causal or encoder-decoder model of ``transformers`` as a language model that methods ask.

    Args:
        model: A folder as ``save_pretrained()`` writes it, with safetensors weights and a tokenizer; or a
            model in memory.
        tokenizer: Of a model in memory, with a padding or an end token.
        device: Where a folder's weights run.
        dtype: Type of a folder's weights, such as ``bfloat16``.
        batch: Texts at once.

    Raises:
        ProblemError: If there is no model in the folder, or no tokenizer.
        ResourceError: If weights cannot be read.
    """
    from methods.common.language_model.local import LocalModel, weights_identity

    if isinstance(model, LanguageModel):
        return model
    if not isinstance(model, str | Path):
        if tokenizer is None:
            raise ProblemError(
                "A model in memory needs its tokenizer",
                where=type(model).__name__,
                fix="local_model(model, tokenizer).",
            )
        name = type(model).__name__
        return LocalModel(name, name, model.eval(), tokenizer, batch=batch)
    from methods.common.causal_lm import load_checkpoint

    folder = checked_folder(model)
    kept = load_checkpoint(folder)
    identity = f"{weights_identity(folder)}-{dtype}"
    return LocalModel(folder.name, identity, kept.model(device, dtype), kept.tokenizer, batch=batch)


def checked_folder(path: str | Path) -> Path:
    """The path, if a model and a tokenizer lie there.

    Raises:
        ProblemError: Otherwise.
    """
    folder = Path(path)
    if not (folder / "config.json").is_file():
        raise ProblemError(
            "There is no model in this folder: it has no config.json",
            where=str(folder),
            fix="Give a folder as save_pretrained() writes it; a model of the hub is downloaded first: "
            "hf download NAME --local-dir FOLDER.",
        )
    if not any(any(folder.glob(name)) for name in _TOKENIZERS):
        raise ProblemError(
            "The folder holds a model and no tokenizer",
            where=str(folder),
            fix="Save the tokenizer beside the model: tokenizer.save_pretrained(FOLDER).",
        )
    return folder


def checked_model(model: Any, where: str) -> LanguageModel:
    """The model, if it is a language model that can be asked.

    Args:
        model: What was given.
        where: Under which name.

    Raises:
        ProblemError: If it is something else, such as a model of ``transformers`` or a name.
    """
    if isinstance(model, LanguageModel):
        return model
    raise ProblemError(
        f"{type(model).__name__} is no language model that can be asked",
        where=where,
        fix="Open it: local_model(FOLDER) or local_model(model, tokenizer) of methods.common.own_models, or "
        "open_endpoint(Server(...)) of methods.common.language_model.endpoint.",
    )
