"""What a server can do, found by about ten short requests before anything is paid for.

Servers pass over what they do not know (``transformers serve`` takes ``n`` and ``logprobs`` and does
nothing about them), so what counts is what an answer holds and not that there was one.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Literal

from harness.method import ResourceError
from methods.common.language_model.capabilities import Ability, Capabilities
from methods.common.language_model.endpoint import Server
from methods.common.language_model.faults import Fault, Garbled
from methods.common.language_model.interface import Completion
from methods.common.language_model.reading import read_completion, read_echo, read_next, understood
from methods.common.language_model.wire import Wire, same_model, wire_to

PROMPT = "Ten random letters, with a space between each two:"
"""Asked for in every request: draws of it differ, and its answer has several tokens."""
_TOKENS = 16
_LISTED = (20, 5, 1)
"""Numbers of listed tokens that are tried, the most first."""
_RETRIES = 2
"""Repeats of a request, at most: some servers fail, each time, over what they do not know."""
YES, NO = Ability("yes"), Ability("no")
_HOPELESS = ("connection", "key", "quota", "rate", "server", "time")
"""Faults that say nothing about what a server can do."""


def probe(server: Server) -> Capabilities:
    """Find out what a server can do.

    Args:
        server: Its protocol may be left open: completions are tried before chat.

    Raises:
        ResourceError: If the server cannot be reached, refuses the key, does not know the model, or speaks
            neither protocol.
    """
    return probed(wire_to(server))


def probed(wire: Wire) -> Capabilities:
    """As :func:`probe`, over a connection; the requests count in its usage."""
    if wire.server.protocol != "auto":
        return _Probe(wire, wire.server.protocol).run(alone=True)
    found = _Probe(wire, "completions").run(alone=False)
    if found.sample.can == "yes":
        return found
    try:
        return _Probe(wire, "chat").run(alone=True)
    except ResourceError as error:
        completions = found.sample.words.removeprefix("The server ")
        what = f"{error.what}; asked for completions, it {completions}" if completions else error.what
        raise ResourceError(what, where=error.where, fix=error.fix) from None


class _Probe:
    """The requests to one protocol."""

    def __init__(self, wire: Wire, protocol: Literal["completions", "chat"]) -> None:
        retries = min(_RETRIES, wire.server.retries)
        self.server = replace(wire.server, protocol=protocol, scoring="none", retries=retries)
        self.wire = replace(wire, server=self.server)
        self.protocol = protocol
        self.before = wire.usage.requests
        self.base: dict[str, Any] = {"max_tokens": _TOKENS, "temperature": 0.0}
        self.greedy = ""

    def run(self, *, alone: bool) -> Capabilities:
        """Everything, or only that there are no texts.

        Args:
            alone: Raise where there are no texts.
        """
        name, context = self._named()
        first = self._first()
        if isinstance(first, Fault):
            if alone or first.kind in _HOPELESS:
                raise first.error(self.server)
            return Capabilities(name, self.protocol, sample=Ability("no", first.what))
        self.wire.served = name = str(getattr(first, "model", "") or name)
        with_thought = self._read(first)
        self.greedy = with_thought.text
        takes_zero = "temperature" in self.base
        own, listed, most = self._listed()
        draws, seed = self._draws(takes_zero=takes_zero)
        return Capabilities(
            served=name,
            protocol=self.protocol,
            sample=YES,
            greedy=YES if takes_zero else Ability("no", self.refused, refused=True),
            draws=draws,
            several=self._several(),
            seed=seed,
            stop=self._stop(takes_zero=takes_zero),
            own=own,
            listed=listed,
            echo=Ability("no", "chat does not have it") if self.protocol == "chat" else self._echo(),
            thinks=YES if with_thought.thought else NO,
            most=most,
            limit="max_tokens" if "max_tokens" in self.base else "max_completion_tokens",
            context=context,
            requests=self.wire.usage.requests - self.before,
        )

    refused = ""
    """What the server said about a temperature of 0."""

    def _named(self) -> tuple[str, int]:
        """The model's name and context as the server lists them."""
        for one in self.wire.listed():
            if same_model(str(one.get("id")), self.server.model) or same_model(
                self.server.model, str(one.get("id"))
            ):
                meta = one.get("meta")
                context = one.get("max_model_len") or (meta.get("n_ctx") if isinstance(meta, dict) else 0)
                return str(one["id"]), context if isinstance(context, int) else 0
        return self.server.model, 0

    def _first(self) -> Any:
        """A greedy text; its parameters are changed until the server takes them."""
        for _ in range(3):
            found = self.wire.tried(PROMPT, **self.base)
            if not isinstance(found, Fault):
                return found
            if found.option == "max_tokens":
                self.base = {"max_completion_tokens": self.base.pop("max_tokens"), **self.base}
            elif found.option == "temperature":
                self.refused = found.what
                del self.base["temperature"]
            else:
                break
        return found

    def _read(self, answer: Any, *, place: int = 0, stop: tuple[str, ...] = ()) -> Completion:
        try:
            with understood():
                return read_completion(answer, answer.choices[place], stop=stop)
        except Garbled as error:
            raise Fault("protocol", str(error)).error(self.server) from None

    def _ask(self, **changed: Any) -> Any:
        """An answer, or the fault; what says nothing about abilities is raised."""
        found = self.wire.tried(PROMPT, any_count=True, **(self.base | changed))
        # A server may fail over what it does not know; one that is gone fails everything.
        if isinstance(found, Fault) and found.kind in _HOPELESS and found.kind != "server":
            raise found.error(self.server)
        return found

    def _listed(self) -> tuple[Ability, Ability, int]:
        """Log-probabilities of a text's own tokens and of listed ones, and how many are listed."""
        chat = self.protocol == "chat"
        refused: Fault | None = None
        for most in _LISTED:
            asked: dict[str, Any] = {"logprobs": True, "top_logprobs": most} if chat else {"logprobs": most}
            found = self._ask(**asked)
            if isinstance(found, Fault):
                refused = refused or found
                continue
            try:
                with understood():
                    law = read_next(found.choices[0], most)
            except Garbled as error:
                return NO, Ability("no", str(error)), 0
            own = NO if math.isnan(self._read(found).log_probability) else YES
            if law is None:
                passed = "it answers and leaves `logprobs` out"
                return (Ability("no", passed) if own == NO else own), Ability("no", passed), 0
            return own, Ability("yes", f"{len(law.log_probabilities)} tokens"), len(law.log_probabilities)
        return _without(refused), _without(refused), 0

    def _draws(self, *, takes_zero: bool) -> tuple[Ability, Ability]:
        """Whether draws differ, and whether equal seeds give equal ones."""
        texts: list[str] = []
        refused: Fault | None = None
        for seed in (1, 1, 2):
            asked = {"temperature": 1.0} if takes_zero else {}
            found = self._ask(**asked, **({} if refused else {"seed": seed}))
            if isinstance(found, Fault):
                refused = refused or found
                continue
            one = self._read(found)
            texts.append(one.thought + one.text)
        if refused:
            differ = len(set(texts)) > 1
            return (YES if differ else Ability()), _without(refused)
        if len(texts) < 3:
            return Ability(), Ability()
        if texts[0] != texts[1]:
            return YES, Ability("no", "equal seeds gave two texts")
        if texts[1] != texts[2]:
            return YES, YES
        if takes_zero and texts[0] == self.greedy and len(texts[0]) > 1:
            return Ability("no", "three draws gave the text of temperature 0"), Ability()
        return Ability("unknown", "three draws gave one text"), Ability()

    def _several(self) -> Ability:
        asked = {"temperature": 1.0} if "temperature" in self.base else {}
        found = self._ask(n=2, **asked)
        if isinstance(found, Fault):
            return _without(found)
        count = len(found.choices)
        return YES if count == 2 else Ability("no", f"{count} of 2 came")

    def _stop(self, *, takes_zero: bool) -> Ability:
        """Asks for the same text with one of its letters as the stop."""
        letters = [one for one in self.greedy[1:] if one.isalnum() and one not in self.greedy[:1]]
        if not takes_zero or not letters:
            return Ability("unknown", "no text to cut" if takes_zero else "texts differ each time")
        found = self._ask(stop=[letters[0]])
        if isinstance(found, Fault):
            return _without(found)
        text = self._read(found).text
        if letters[0] not in text:
            return YES
        if text.endswith(letters[0]) and text.count(letters[0]) == 1:
            return Ability("yes", "the stop stays in the text; it is cut off here")
        return Ability("no", "the text goes on behind it")

    def _echo(self) -> Ability:
        found = self._ask(max_tokens=1, echo=True, logprobs=1)
        if isinstance(found, Fault):
            return _without(found)
        try:
            with understood():
                value = read_echo(found.choices[0], len(PROMPT) // 2, len(PROMPT))
        except Garbled as error:
            return Ability("no", str(error))
        if value is None:
            return Ability("no", "it answers without the prompt's log-probabilities")
        return YES if math.isfinite(value) else Ability("no", "no token of the prompt has one")


def _without(fault: Fault | None) -> Ability:
    """What a fault says about an ability: one that may pass says nothing."""
    if fault is None:
        return Ability()
    return Ability("unknown" if fault.passing else "no", fault.what, refused=True)
