"""ProMoT's two stages for a model of one's own, through the soft prompts of ``peft`` and any trainer.

::

    model = first_stage(model, tokens=100)        # train: the prompt alone learns
    model = second_stage(model)                   # train: the model learns, with the prompt before its input
    save(model, folder)                           # the model, and the prompt beside it
    plain = without_prompt(model)                 # what is used for other tasks

What is trained is what is saved: the prompt as an adapter of ``peft``, the model in full.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from harness.method import ProblemError, parsed_json

if TYPE_CHECKING:
    from peft import PeftModel

MODEL, PROMPT = "model", "prompt"
"""Folders of what :func:`save` writes."""


def first_stage(model: Any, *, tokens: int = 100, text: str = "", tokenizer: Any = "") -> PeftModel:
    """A model with a soft prompt before its input; the prompt alone is trained.

    Args:
        model: Of ``transformers``, causal or encoder-decoder; or one that ``peft`` has given a soft prompt
            already, which is taken over.
        tokens: Virtual tokens of the prompt.
        text: What the prompt begins as; words of the model at random without it.
        tokenizer: For the text: the tokenizer, as it was loaded from its folder, or the folder.

    Raises:
        ProblemError: If ``peft`` is not installed, the model has adapters of another kind or generates no
            text, or a number or a text does not fit.
    """
    peft = _peft()
    if not hasattr(model, "prepare_inputs_for_generation"):
        raise ProblemError(
            f"{type(model).__name__} generates no text",
            where="first_stage",
            fix="Give a model of AutoModelForCausalLM or AutoModelForSeq2SeqLM, loaded.",
        )
    if isinstance(model, peft.PeftModel):
        taken: PeftModel = _prompted(model)
        _train(taken, prompt=True)
        return taken
    if _has_adapters(model):
        raise ProblemError(
            "The model has adapters of peft inside, which a prompt would be stacked upon",
            where=type(model).__name__,
            fix="Merge or unload them first: merge_and_unload().",
        )
    folder = str(getattr(tokenizer, "name_or_path", tokenizer) or "")
    if tokens < 1 or bool(text) != bool(folder):
        raise ProblemError(
            f"{tokens} tokens, text '{text}', tokenizer '{folder}'",
            where="first_stage",
            fix="Give at least one token, and a tokenizer with a text; one that was loaded from a folder.",
        )
    kind = "SEQ_2_SEQ_LM" if model.config.is_encoder_decoder else "CAUSAL_LM"
    beginning = {"prompt_tuning_init": "TEXT", "prompt_tuning_init_text": text} if text else {}
    config = peft.PromptTuningConfig(
        task_type=kind,
        num_virtual_tokens=tokens,
        tokenizer_name_or_path=folder or None,
        **(beginning or {"prompt_tuning_init": "RANDOM"}),
    )
    made: PeftModel = peft.get_peft_model(model, config)
    _train(made, prompt=True)
    return made


def second_stage(model: PeftModel) -> PeftModel:
    """The same model, with its prompt fixed and its own weights trained.

    Raises:
        ProblemError: If the model has no soft prompt, or other adapters.
    """
    taken: PeftModel = _prompted(model)
    _train(taken, prompt=False)
    return taken


def without_prompt(model: PeftModel) -> Any:
    """The model alone, as it is used for other tasks; it shares its weights with what was given.

    Raises:
        ProblemError: If the model has no soft prompt, or other adapters.
    """
    return _prompted(model).get_base_model()


def save(model: PeftModel, folder: Path | str) -> None:
    """Write the model's weights to ``folder/model`` and the prompt to ``folder/prompt``.

    ``peft`` alone would write the prompt and leave out the model, which the second stage has changed.

    Raises:
        ProblemError: If the model has no soft prompt, or the folder holds something.
    """
    taken, folder = _prompted(model), Path(folder)
    if folder.exists() and any(folder.iterdir()):
        raise ProblemError("The folder is not empty", where=str(folder), fix="Name a new one.")
    taken.get_base_model().save_pretrained(folder / MODEL)
    # Otherwise peft would look on the hub whether the vocabulary has grown.
    taken.save_pretrained(folder / PROMPT, save_embedding_layers=False)


def load(folder: Path | str, *, dtype: str = "float32") -> PeftModel:
    """The model with its prompt, as :func:`save` wrote it, for inference.

    Args:
        folder: What :func:`save` wrote.
        dtype: Type of the model's weights, such as ``bfloat16``.

    Raises:
        ProblemError: If the folder does not hold both.
        ResourceError: If weights are missing.
    """
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    from methods.common.causal_lm import load_model

    folder = Path(folder)
    if missing := [name for name in (MODEL, PROMPT) if not (folder / name).is_dir()]:
        raise ProblemError(
            f"The folder holds no '{missing[0]}'", where=str(folder), fix="Give what save() wrote."
        )
    # Read here and not by peft, which takes pickled adapters, too.
    weights = folder / PROMPT / "adapter_model.safetensors"
    if not weights.is_file():
        raise ProblemError("The prompt is not there as safetensors", where=str(weights))
    config = parsed_json((folder / PROMPT / "adapter_config.json").read_text(encoding="utf-8"))
    model = load_model(folder / MODEL, device="cpu", dtype=dtype)
    found = first_stage(model, tokens=int(config["num_virtual_tokens"]))
    set_peft_model_state_dict(found, load_file(weights))
    found.requires_grad_(requires_grad=False)
    found.eval()
    return found


def _prompted(model: Any) -> Any:
    """The model, if ``peft`` gave it one soft prompt and nothing else."""
    peft = _peft()
    if not isinstance(model, peft.PeftModel):
        raise ProblemError(
            f"{type(model).__name__} has no soft prompt", where="model", fix="Begin with first_stage()."
        )
    kinds = {name: str(config.peft_type.value) for name, config in model.peft_config.items()}
    if list(kinds.values()) != ["PROMPT_TUNING"]:
        raise ProblemError(
            f"The model has the adapters {kinds}, not one soft prompt",
            where=type(model).__name__,
            fix="Merge or delete them; ProMoT trains one prompt, then the model.",
        )
    return model


def _has_adapters(model: Any) -> bool:
    from peft.tuners.tuners_utils import BaseTunerLayer

    return any(isinstance(part, BaseTunerLayer) for part in model.modules())


def _train(model: Any, *, prompt: bool) -> None:
    """Let the prompt alone learn, or the model alone."""
    for parameter in model.get_base_model().parameters():
        parameter.requires_grad_(requires_grad=not prompt)
    for parameter in model.prompt_encoder.parameters():
        parameter.requires_grad_(requires_grad=prompt)
    with torch.no_grad():
        # What the last stage left behind is not to be taken for gradients of this one.
        model.zero_grad(set_to_none=True)


def _peft() -> Any:
    try:
        import peft
    except ImportError as error:
        raise ProblemError("peft is not installed", where="first_stage", fix="pip install peft") from error
    return peft
