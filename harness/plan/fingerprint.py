"""Fingerprints: what a result depends on, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.method.contract import CONTRACT_VERSION
from harness.method.references import Artifact, Reference, Resource
from harness.plan.canonical import canonical_text, class_name, digest
from harness.plan.closure import code_closure
from harness.plan.references import direct_references, inputs_of

FINGERPRINT_VERSION = 1
"""Raised when fingerprints are computed in another way: no old trial is then reused."""

READABLE = 600
"""Longest parameter text (characters) that is kept as it is, for ``why`` to show."""

Fields = dict[str, str]


class Identities(Protocol):
    """What the fingerprint needs to know of resources."""

    def identity(self, resource: Resource) -> str:
        """A text that changes whenever the content of the resource does."""


@dataclass
class Fingerprinter:
    """Computes fingerprints under one device kind, type and set of resources."""

    identities: Identities
    device: str
    dtype: str
    tf32: bool = False
    """Whether products of float32 may be computed in TF32; named only where they may."""
    _artifacts: dict[Artifact, str] = field(default_factory=dict)
    _code: dict[str, Fields] = field(default_factory=dict)
    _texts: dict[int, tuple[Any, str]] = field(default_factory=dict)

    def trial(
        self, *, task: Any, methods: Mapping[str, Any], seed: int, stage: str, profile: str, timed: str
    ) -> Fields:
        """The fields of a trial; ``methods`` has one entry, or all arms of a timed trial."""
        result: Fields = self._common()
        result |= {"seed": str(seed), "stage": stage, "profile": profile, "timed": timed}
        result |= self._object("task", task)
        for name, method in sorted(methods.items()):
            result |= self._object("method" if len(methods) == 1 else f"method {name}", method)
        return result

    def artifact(self, artifact: Artifact) -> str:
        """The fingerprint of an artifact: its code, its fields and its inputs."""
        if artifact not in self._artifacts:
            self._artifacts[artifact] = combine(self._common() | self._object("artifact", artifact))
        return self._artifacts[artifact]

    def _common(self) -> Fields:
        common = {
            "fingerprint version": str(FINGERPRINT_VERSION),
            "contract version": str(CONTRACT_VERSION),
            "device": self.device,
            "dtype": self.dtype,
        }
        return common | ({"float32 products": "tf32"} if self.tf32 else {})

    def _object(self, role: str, value: Any) -> Fields:
        # Timed trials have no field for which arm runs: ids of arms are part of the roles.
        result = {f"{role} parameters": self._text(value), f"{role} class": class_name(type(value))}
        for module, code in self._closure(type(value).__module__).items():
            result[f"{role} code {module}"] = code
        references = inputs_of(value) if isinstance(value, Artifact) else direct_references(value)
        for ref in references:
            result[f"{role} input {_title(ref)}"] = self._reference(ref)
        return result

    def _text(self, value: Any) -> str:
        # The same task object occurs in hundreds of trials; its text is made once.
        known = self._texts.get(id(value))
        if known is None or known[0] is not value:
            text = canonical_text(value)
            known = (value, text if len(text) <= READABLE else digest(text))
            self._texts[id(value)] = known
        return known[1]

    def _closure(self, module: str) -> Fields:
        if module not in self._code:
            self._code[module] = code_closure(module)
        return self._code[module]

    def _reference(self, ref: Reference) -> str:
        if isinstance(ref, Artifact):
            return self.artifact(ref)
        if isinstance(ref, Resource):
            return self.identities.identity(ref)
        return digest(canonical_text(ref))


def _title(ref: Reference) -> str:
    if isinstance(ref, Resource):
        return ref.name
    return f"{type(ref).__name__} {digest(canonical_text(ref))[:8]}"


def combine(fields: Fields) -> str:
    """The fingerprint of a set of fields."""
    return digest(canonical_text(fields))


def differences(before: Fields, after: Fields) -> dict[str, tuple[str, str]]:
    """The fields in which two fingerprints differ, with both values (empty if absent)."""
    names = sorted(before.keys() | after.keys())
    return {
        name: (before.get(name, ""), after.get(name, ""))
        for name in names
        if before.get(name) != after.get(name)
    }
