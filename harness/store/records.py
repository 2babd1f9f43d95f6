"""The stored records: one model for each noun, versioned.

The order and the names of fields are a promise to readers of old runs. A change of meaning
raises :data:`SCHEMA_VERSION`; a record of another version is refused, never guessed at.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from harness.store.model_records import EndpointRecord, ModelRecord
from harness.store.record import Record
from harness.text import spelt_out, unfit_name

SCHEMA_VERSION = 1


def _inside(name: str) -> str:
    """The name of a file or folder, which becomes a part of a path: it may not lead out of its folder."""
    if name and (unfit_name(name) or spelt_out(name) != name):
        raise ValueError(f"{name[:80]!r} is no name inside its folder")
    return name


_Name = Annotated[str, AfterValidator(_inside)]


class Provenance(Record):
    """Where and with what a run was made."""

    created: str
    """UTC time, ISO 8601."""
    command: list[str]
    """The command line."""
    corroborate: str
    """Version of this package."""
    commit: str = ""
    """Commit of the repository, empty outside one or where git did not name it."""
    dirty: bool | None = False
    """Whether the work tree differed from the commit; ``null`` if git could not say."""
    lock_sha256: str = ""
    """Hash of ``constraints.txt``."""
    python: str = ""
    packages: dict[str, str] = Field(default_factory=dict)
    """Versions of the installed packages that can change results."""
    platform: str = ""
    cpu: str = ""
    cores: int = 0
    memory_gb: float = 0.0
    gpu: str = ""
    driver: str = ""

    def without_folders(self) -> Provenance:
        """The same without the folders of a machine in its command line, for results that are given away."""
        command = []
        for argument in self.command:
            name, sign, value = argument.rpartition("=")
            path = PurePath(value)
            command.append(f"{name}{sign}{path.name}" if path.is_absolute() else argument)
        return self.model_copy(update={"command": command})

    def code(self, digits: int = 40) -> str:
        """The commit and what is known of changes to it; empty where the code lay in no repository."""
        if self.dirty is None:
            return f"{self.commit[:digits]}, local changes unknown" if self.commit else "commit unknown"
        return f"{self.commit[:digits]}{' with local changes' if self.dirty else ''}" if self.commit else ""


class RehearsalRecord(Record):
    """What makes a run a rehearsal: it tries the code out, and its numbers mean nothing."""

    dtype: str
    """Type of model weights."""
    stand_ins: list[str] = Field(default_factory=list)
    """Resources, and addresses of servers, that tiny stand-ins took the place of."""
    reduced: dict[str, str] = Field(default_factory=dict)
    """Declared sizes that were cut down: "TextWorld.train": "100000 → 8"."""


class RunRecord(Record):
    """``run.json``: what was asked for. Written once, when the run starts."""

    schema_version: int = SCHEMA_VERSION
    run: _Name
    """Name of the run's folder."""
    suite: _Name
    profile: _Name
    full: bool = False
    claims_sha256: str
    """Hash of the claims as declared when the run started."""
    settings: dict[str, str] = Field(default_factory=dict)
    """What ``--set`` changed; each is a deviation."""
    bindings: dict[str, str] = Field(default_factory=dict)
    """What ``--bind`` put in place of a resource."""
    endpoints: dict[str, EndpointRecord] = Field(default_factory=dict)
    """Servers that ``--endpoint`` put in place of a resource; empty in older records."""
    selection: dict[str, list[str]] = Field(default_factory=dict)
    """What ``--claim``, ``--methods`` and ``--seeds`` restricted the run to."""
    device: Literal["", "cpu", "cuda"] = ""
    """The run's device kind; experiments may stay on the CPU of a run on ``cuda``. Empty in older records."""
    limits: dict[str, float] = Field(default_factory=dict)
    """What ``--memory`` (GB) and ``--minutes`` said instead of the declared limits."""
    provenance: Provenance
    planned: list[str] = Field(default_factory=list)
    """Ids of the planned main trials."""
    blocked: dict[str, str] = Field(default_factory=dict)
    """Experiments that could not be planned, with the reason (a licence, a missing resource)."""
    added: dict[str, str] = Field(default_factory=dict)
    """What ``--method`` added: ``module:Class`` by the id it has in this run."""
    dtype: str = ""
    """Type of model weights on the run's device; empty in older records."""
    continued: list[Provenance] = Field(default_factory=list)
    """Where and with what each continuation of the run (``--resume``) was made."""
    rehearsal: RehearsalRecord | None = None
    """Set if the run only tries the code out on stand-ins."""
    looks: list[float] = Field(default_factory=list)
    """Looks that a run until settled may take, as multiples of the declared seeds: their number multiplies
    its p-values. Empty for other runs, and in older records."""
    ended: str = ""
    """UTC time when its last trial had ended, ISO 8601; empty until then, and in older records."""
    nodes: dict[str, str] = Field(default_factory=dict)
    """Nodes of the cluster that the run's trials were given to, with their processor or GPU; empty for the
    driver's own machine, which the provenance describes."""
    follows: str = ""
    """UTC time just after that of the newest run beside it, ISO 8601, if the clock said less when it started:
    it is newer than that run. Empty where clocks went on, and in older records."""
    noise: dict[str, float] = Field(default_factory=dict)
    """The noise floor of each claim that the suite's ``noise.json`` had one for when the run started: θ's
    standard deviation between environments that should agree. What is measured later changes no verdict."""

    def without_folders(self) -> RunRecord:
        """The same without the folders of a machine in its command lines."""
        made = [one.without_folders() for one in (self.provenance, *self.continued)]
        return self.model_copy(update={"provenance": made[0], "continued": made[1:]})

    @property
    def order(self) -> str:
        """Runs in one folder began in the order of these texts, though a clock was set back between them."""
        return max(self.provenance.created, self.follows)

    @property
    def looks_paid(self) -> int:
        """By how many looks its p-values are multiplied."""
        return max(len(self.looks), 1)

    @property
    def hardware(self) -> str:
        """What computed: the GPU of a run on one, else the processor; empty if it is not recorded.

        A GPU that stood beside a run on the CPU is not named. Older records do not say which it was.
        Of a run on a cluster its nodes count, which are all of one kind.
        """
        if self.nodes:
            return next(iter(self.nodes.values()))
        return (self.provenance.gpu if self.device != "cpu" else "") or self.provenance.cpu


class Cost(Record):
    """What a trial used."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    gpu_s: float | None = None
    """Not measured unless a GPU ran it."""
    peak_memory_mb: float = 0.0
    peak_gpu_memory_mb: float | None = None
    """Most memory on the GPU in tensors at once; not measured unless a GPU ran it."""
    peak_gpu_reserved_mb: float | None = None
    """Most memory that PyTorch held on the GPU for it, unused blocks included."""

    @property
    def is_whole(self) -> bool:
        """Whether everything was measured: older records of reused artifacts have the wall time only."""
        return self.peak_memory_mb > 0 or self.cpu_s > 0


class TrialRecord(Record):
    """One line of ``trials.jsonl``: one finished trial or artifact."""

    schema_version: int = SCHEMA_VERSION
    trial: str
    """``experiment/task/method/seed``, with ``tune`` trials naming their grid point."""
    kind: Literal["trial", "artifact"] = "trial"
    status: Literal["ok", "failed", "timeout", "memory", "diverged"]
    experiment: str = ""
    task: str = ""
    method: str = ""
    """Id of the method; ``*`` for a timed trial, whose arms are in its rows."""
    seed: int = 0
    stage: Literal["tune", "main"] = "main"
    params: dict[str, Any] = Field(default_factory=dict)
    """The method's parameters as they ran, tuned ones included."""
    tuned: dict[str, Any] = Field(default_factory=dict)
    """Parameters that tuning chose, and ``edge`` if a winner lies at its grid's edge."""
    fingerprint: str
    environment: str
    """The environment key; trials are reused only under the same one."""
    libraries: str = ""
    """Hash of the versions of all distributions that its code imports; trials are reused only under the
    same one. ``fingerprints.json`` lists them. Empty in older records."""
    files: dict[str, str] = Field(default_factory=dict)
    """Files that it read without declaring them, with the hash of each; "absent" if there was none."""
    unsure: str = ""
    """Why it cannot stand for another trial, or empty."""
    parts: list[str] = Field(default_factory=list)
    """Evaluation sets in the units file."""
    units_sha256: str = ""
    """Hash of ``units/<file>`` as it was written."""
    units_file: _Name = ""
    """Its file in ``units/`` until the run is compacted; then its rows are in ``rows/``."""
    rows_sha256: dict[str, str] = Field(default_factory=dict)
    """Hash of the rows of each part by what they say, whatever file holds them. Empty in older records, whose
    rows are never moved to another file."""
    unit_ids_sha256: dict[str, str] = Field(default_factory=dict)
    """Hash of the column ``unit_id`` of each part that has text there and no steps: trials in which it is
    equal have answered the same. Empty in older records."""
    device: Literal["", "cpu", "cuda"] = ""
    """Device kind that computed it; empty in older records."""
    gpus: int = 0
    """GPUs (on the CPU: processes) that it had for itself; 0 for one device or its part, and in older
    records."""
    passes: int = 1
    """Parts that each pass over a batch was divided into: 2 if the GPU's memory did not suffice at first.
    What an update descends on is the same."""
    float32_products: Literal["", "tf32"] = ""
    """``tf32`` if products of float32 numbers may have been computed in TF32."""
    error: str = ""
    """Traceback of a failed trial."""
    left: list[str] = Field(default_factory=list)
    """State of the process that it left changed, in words; it was put back before anything else ran."""
    node: str = ""
    """The node of a cluster that executed it; empty for the driver's own machine."""
    cost: Cost = Field(default_factory=Cost)
    models: list[ModelRecord] = Field(default_factory=list)
    """Language models that it asked, and what; of an artifact, when it was built. Empty where none was, and
    in older records."""
    reused_from: str = ""
    """The run in which this trial was executed, if it was not this one; of an artifact "cache". Its cost is
    what it took there and then."""


class Interval(Record):
    """An estimate with its 95 % interval."""

    value: float
    low: float | None = None
    high: float | None = None


class RatioRecord(Record):
    """The ratio of two cells whose logarithm is measured: ``times`` · exp(θ)."""

    label: str
    """What it is, in words: "seconds: plain / fast"."""
    times: float = 1.0
    """Larger than one where θ has a factor taken off already, which belongs to the ratio."""


class TestRecord(Record):
    """One tested quantity of a claim (a claim of several parts or steps has several)."""

    label: str
    """What θ is, in words."""
    effect: Interval
    test: str
    """Name of the test: "paired t (4 df)"."""
    p_plus: float | None = None
    """One-sided p of θ ≤ 0."""
    p_minus: float | None = None
    """One-sided p of θ ≥ δ."""
    p_plus_adjusted: float | None = None
    """Corrected over the family, primary claims first; Holm where all count alike."""
    p_minus_adjusted: float | None = None
    p_sign_flip: float | None = None
    """The one-sided p in the claim's favour by sign-flip, as a check."""
    seeds: int = 0
    units: int = 0
    cells: list[Interval] = Field(default_factory=list)
    """The cells that enter θ, in order."""
    cell_labels: list[str] = Field(default_factory=list)
    replicates: list[float] = Field(default_factory=list)
    """θ of each seed or block, in order."""
    ratio: RatioRecord | None = None
    """Where θ is the logarithm of a ratio of two cells: that ratio, which is what readers are shown."""


class AssayRecord(Record):
    """A precondition and whether it held."""

    name: str
    passed: bool
    effect: Interval
    rule: str
    """"interval above .05"."""
    reason: str = ""
    ratio: RatioRecord | None = None
    """As of a test."""


class ControlRecord(Record):
    """One cell of the sabotage × claim matrix."""

    control: str
    claim: str
    predicted: Literal["kill", "keep"]
    outcome: Literal["kill", "keep", "undecided"]
    detail: str = ""


class VerdictRecord(Record):
    """The verdict on one claim, with its evidence."""

    claim: str
    parent: str = ""
    form: str
    """Name of the form: "Direction"."""
    verdict: Literal["reproduced", "not reproduced", "inconclusive", "not comparable", "not run"]
    reason: str
    """One sentence."""
    cause: Literal["", "power", "multiplicity", "assay", "no witness", "invalid", "reversed"] = ""
    scope: str
    """What the verdict speaks of: "small profile, Gemma-3-270M, this machine"."""
    delta: float | None = None
    delta_reason: str = ""
    replication: str = ""
    noise_floor: float = 0.0
    """Standard deviation of θ between environments that should agree, which stands for a smaller one between
    replicates; 0 where none is known."""
    tests: list[TestRecord] = Field(default_factory=list)
    assays: list[AssayRecord] = Field(default_factory=list)
    trials: list[str] = Field(default_factory=list)
    """Ids of the trials that the evidence comes from."""
    needed_seeds: dict[str, int | None] = Field(default_factory=dict)
    """Replicates that would settle an inconclusive claim, for a supposed θ that they could tell apart."""
    no_seeds: str = ""
    """Why no number of replicates would settle an inconclusive claim, where none is named."""
    exploratory: bool = False
    """The rule was changed after data were seen."""
    primary: bool = False
    """Whether the claim is among those to which half of the level is given beforehand."""


class VerdictsRecord(Record):
    """``verdicts.json``: all verdicts of a run."""

    schema_version: int = SCHEMA_VERSION
    run: str
    suite: str
    profile: str
    full: bool = False
    verdicts: list[VerdictRecord]
    wholes: list[VerdictRecord] = Field(default_factory=list)
    """Compound claims, put together from their parts."""
    controls: list[ControlRecord] = Field(default_factory=list)
    trials_sha256: str = ""
    """Hash of the trials that were judged (``trials_sha256`` of the view); reports refuse others."""
    manifest: bool = False
    """Whether ``manifest.json`` beside it lists the hashes of all files; not in older records."""

    def in_order(self) -> list[VerdictRecord]:
        """All verdicts in the order of the claims, each compound claim before its parts."""
        wholes = {whole.claim: whole for whole in self.wholes}
        ordered: list[VerdictRecord] = []
        for verdict in self.verdicts:
            ordered += [wholes.pop(name) for name in (verdict.parent, verdict.claim) if name in wholes]
            ordered.append(verdict)
        return ordered + list(wholes.values())

    def top_level(self) -> list[VerdictRecord]:
        """The verdicts on whole claims: compound ones once, and not their parts."""
        return [*self.wholes, *(verdict for verdict in self.verdicts if not verdict.parent)]
