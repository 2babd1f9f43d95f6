"""Models that a user names: a folder of weights, or a server that was named with ``--endpoint``.

A suite's declaration names :func:`probed`; tasks, methods and artifacts open what they were given with
:func:`open_served` and :func:`open_named`, which tell the trial's record of the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.method import SERVER_FILE, Context, Probed, ProblemError, ResourceError, parsed_json

if TYPE_CHECKING:
    from methods.common.language_model import LanguageModel
    from methods.common.language_model.served import EndpointModel

PROBE = "methods.common.servers:probed"
"""For :attr:`harness.suite.Served.probe`."""


def probed(
    address: str, model: str, *, key_variable: str, needs: Mapping[str, Sequence[str]], **given: Any
) -> Probed:
    """Ask a server what it can do, and settle how it is asked.

    Args:
        address: Its base address.
        model: The name that it gives the model.
        key_variable: Environment variable that holds its key.
        needs: What is asked of it, by experiment: names of
            :data:`~methods.common.language_model.capabilities.Need`; ``next-token:20`` is of so many listed.
        given: Attributes of :class:`~methods.common.language_model.endpoint.Server` that are not left to the
            probe.

    Raises:
        ProblemError: If the address is none, or no single way of asking meets all needs that can be met.
        ResourceError: If the server cannot be reached, or the package ``openai`` is missing.
    """
    given = {"key_variable": key_variable, **given}
    # An address that is none, or nobody answering there, is no lack of an experiment.
    found = _connected(address, model, (), given)
    lacking: dict[str, str] = {}
    met: list[str] = []
    for experiment, wanted in needs.items():
        try:
            found = _connected(address, model, wanted, given)
        except ProblemError as error:
            lacking[experiment] = error.what
        else:
            met += wanted
    if met:
        found = _connected(address, model, tuple(dict.fromkeys(met)), given)
    told = found.described()
    return Probed(
        server=asdict(found.server),
        capabilities=told["capabilities"] or {},
        lacking=lacking,
        notes=tuple(f"{name} will not run: {words}" for name, words in lacking.items()),
    )


def _connected(address: str, model: str, needs: Sequence[str], given: Mapping[str, Any]) -> EndpointModel:
    """A model that meets all needs; by chat, where that lists more.

    Raises:
        ProblemError: If it lacks one.
    """
    from methods.common.language_model.capabilities import RULES_OUT
    from methods.common.language_model.served import connect

    plain: Any = tuple(dict.fromkeys(need.partition(":")[0] for need in needs))
    most = max((int(need.partition(":")[2] or 0) for need in needs), default=0)
    found = connect(address, model, needs=plain, **given)
    if found.server.listed < most and "protocol" not in given:
        with suppress(ProblemError, ResourceError):  # It has no chat, or not all that is needed.
            chat = connect(address, model, needs=plain, **given, protocol="chat")
            found = chat if chat.server.listed >= most else found
    if found.server.listed < most:
        raise ProblemError(
            f"The server lists {found.server.listed} next tokens, and {most} are needed. "
            f"That rules out {RULES_OUT['next-token']}.",
            where=address,
            fix="Use another server, or start it so that it lists more.",
        )
    return found


def is_served(folder: Path) -> bool:
    """Whether a folder describes a server instead of holding weights."""
    return (folder / SERVER_FILE).is_file()


def open_served(folder: Path, ctx: Context) -> LanguageModel:
    """The model behind the server that a folder describes; answers to this trial are kept.

    Raises:
        ResourceError: If the description cannot be read, or the package ``openai`` is missing.
    """
    from methods.common.language_model.answers import Answers
    from methods.common.language_model.capabilities import Capabilities
    from methods.common.language_model.endpoint import Server
    from methods.common.language_model.served import open_endpoint

    path = folder / SERVER_FILE
    try:
        content = parsed_json(path.read_bytes())
        server, told = Server(**content["server"]), content.get("capabilities")
        found = open_endpoint(server, capabilities=Capabilities.from_dict(told) if told else None)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ResourceError(
            f"The server's description cannot be read: {error}",
            where=str(path),
            fix="Name the server once more: --endpoint URL --model NAME.",
        ) from error
    found.answers = Answers(ctx.answers) if ctx.answers else None
    ctx.asks(found)
    return found


def open_named(folder: Path, ctx: Context, *, rows: int, dtype: str = "", name: str = "") -> LanguageModel:
    """A model that a user has named, whose calls a killed trial does not make again.

    Args:
        folder: With safetensors weights of a causal language model, or of a server.
        ctx: Of the trial.
        rows: Texts that local weights read at once.
        dtype: Type of local weights; empty takes the run's.
        name: Of local weights, for reports; empty takes the folder's.

    Raises:
        ResourceError: If there are no weights, or a server's description cannot be read.
    """
    if is_served(folder):
        return open_served(folder, ctx)
    from methods.common.causal_lm import load_checkpoint
    from methods.common.language_model.kept import kept
    from methods.common.language_model.local import LocalModel, weights_identity

    checkpoint = load_checkpoint(folder)
    weights = checkpoint.model(ctx.device, dtype or ctx.dtype)
    model = LocalModel(
        name or folder.name, weights_identity(folder), weights, checkpoint.tokenizer, batch=rows
    )
    ctx.asks(model)
    return kept(model, ctx.checkpoints)
