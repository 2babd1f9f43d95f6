"""Fingerprints: what a result depends on, field by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from harness.method.contract import CONTRACT_VERSION
from harness.method.references import Artifact, Reference, Resource
from harness.plan.canonical import canonical_text, class_name, digest
from harness.plan.closed import UNKNOWN, closed_over
from harness.plan.closure import Stamp, closure_of
from harness.plan.libraries import Versions, versions_key, versions_of
from harness.plan.reads import declared_reads, hashes_of_reads
from harness.plan.references import direct_references, inputs_of, modules_of

FINGERPRINT_VERSION = 1
"""Raised when fingerprints are computed in another way: no old trial is then reused."""

READABLE = 600
"""Longest parameter text (characters) that is kept as it is, for ``why`` to show."""

Fields = dict[str, str]

_NO_CODE = frozenset({"builtins", "abc", "typing"})


class Identities(Protocol):
    """What the fingerprint needs to know of resources."""

    def identity(self, resource: Resource) -> str:
        """A text that changes whenever the content of the resource does."""


@dataclass(frozen=True)
class Code:
    """The code behind a class, with all that it imports.

    Attributes:
        fields: What it adds to a fingerprint, without the role.
        files: The sources, each as it was when it was hashed.
        libraries: The distributions that it imports.
        reads: Files and folders that it says it reads.
    """

    fields: Fields = field(default_factory=dict)
    files: Mapping[str, Stamp] = field(default_factory=dict)
    libraries: frozenset[str] = frozenset()
    reads: tuple[str, ...] = ()

    @property
    def versions(self) -> Versions:
        """Versions of the distributions, and of what they require."""
        return versions_of(self.libraries)

    @cached_property
    def versions_key(self) -> str:
        """Changes with any of these versions."""
        return versions_key(self.versions)

    @cached_property
    def unknown(self) -> str:
        """What cannot be known of it, so that equal fingerprints do not mean equal results."""
        texts = [text.removeprefix(UNKNOWN) for text in self.fields.values() if text.startswith(UNKNOWN)]
        return "; ".join(dict.fromkeys(text.strip() for text in texts))


def together(codes: Iterable[Code]) -> Code:
    """The code behind several objects."""
    codes = list(codes)
    return Code(
        fields={name: text for one in codes for name, text in one.fields.items()},
        files={path: stamp for one in codes for path, stamp in one.files.items()},
        libraries=frozenset(name for one in codes for name in one.libraries),
        reads=tuple(dict.fromkeys(path for one in codes for path in one.reads)),
    )


@dataclass
class Fingerprinter:
    """Computes fingerprints under one device kind, type and set of resources."""

    identities: Identities
    device: str
    dtype: str
    tf32: bool = False
    """Whether products of float32 may be computed in TF32; named only where they may."""
    _artifacts: dict[Artifact, str] = field(default_factory=dict)
    _code: dict[tuple[type, tuple[str, ...]], Code] = field(default_factory=dict)
    _together: dict[tuple[int, ...], Code] = field(default_factory=dict)
    _texts: dict[int, tuple[Any, str]] = field(default_factory=dict)

    def trial(
        self,
        *,
        task: Any,
        methods: Mapping[str, Any],
        seed: int,
        stage: str,
        profile: str,
        timed: str,
        gpus: int = 0,
    ) -> Fields:
        """The fields of a trial; ``methods`` has one entry, or all arms of a timed trial.

        ``gpus`` is named only where a trial has several: their sums round differently.
        """
        result: Fields = self._common()
        result |= {"seed": str(seed), "stage": stage, "profile": profile, "timed": timed}
        result |= {"gpus": str(gpus)} if gpus else {}
        result |= self._object("task", task)
        for name, method in sorted(methods.items()):
            result |= self._object("method" if len(methods) == 1 else f"method {name}", method)
        return result

    def code(self, values: Sequence[Any]) -> Code:
        """The code behind all of some tasks, methods and artifacts."""
        codes = [self.code_of(value) for value in values]
        key = tuple(map(id, codes))
        if key not in self._together:
            self._together[key] = together(codes)
        return self._together[key]

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
        for name, text in self.code_of(value).fields.items():
            result[f"{role} {name}"] = text
        references = inputs_of(value) if isinstance(value, Artifact) else direct_references(value)
        for ref in references:
            result[f"{role} input {_title(ref)}"] = self._reference(ref)
        return result

    def _text(self, value: Any) -> str:
        # The same task object occurs in hundreds of trials; its text is made once.
        known = self._texts.get(id(value))
        if known is None or known[0] is not value:
            known = (value, _shown(canonical_text(value)))
            self._texts[id(value)] = known
        return known[1]

    def code_of(self, value: Any) -> Code:
        """The code behind a task, method or artifact."""
        kind = type(value)
        key = (kind, tuple(modules_of(value)))
        if key not in self._code:
            self._code[key] = _code(*key)
        return self._code[key]

    def _reference(self, ref: Reference) -> str:
        if isinstance(ref, Artifact):
            return self.artifact(ref)
        if isinstance(ref, Resource):
            return self.identities.identity(ref)
        return digest(canonical_text(ref))


def _code(kind: type, modules: Iterable[str]) -> Code:
    closures = {name: closure_of(name) for name in modules if name not in _NO_CODE}
    code = {module: text for one in closures.values() for module, text in one.code.items()}
    result = {f"code {module}": text for module, text in sorted(code.items())}
    for module in sorted({name for one in closures.values() for name in one.unknown}):
        result[f"code {module}"] = f"{UNKNOWN}the source of module '{module}' cannot be found"
    result |= {f"closes over {name}": _shown(text) for name, text in closed_over(kind).items()}
    result |= {f"reads {name}": text for name, text in hashes_of_reads(kind).items()}
    return Code(
        fields=result,
        files={path: stamp for one in closures.values() for path, stamp in one.files.items()},
        libraries=frozenset(name for one in closures.values() for name in one.libraries),
        reads=tuple(map(str, declared_reads(kind).values())),
    )


def _shown(text: str) -> str:
    return text if len(text) <= READABLE else digest(text)


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
