"""The tables of a run as they are declared and documented; :mod:`harness.query.tables` fills them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Type = Literal["text", "integer", "real", "boolean"]


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: Its name.
        type: What its values are.
        meaning: What they mean, and when there are none.
        unit: Their unit, or empty.
    """

    name: str
    type: Type
    meaning: str
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """A table: what a row is, and its columns."""

    name: str
    row: str
    columns: tuple[Column, ...]

    def schema(self) -> pa.Schema:
        """The columns in Arrow's types."""
        import pyarrow as pa

        types = {"text": pa.string(), "integer": pa.int64(), "real": pa.float64(), "boolean": pa.bool_()}
        return pa.schema([(column.name, types[column.type]) for column in self.columns])


_CLAIM = Column("claim", "text", "id of the claim, or of the part of a compound claim")
_TEST = Column("test", "integer", "which of the claim's tested quantities, from 1")
_TRIAL = Column("trial", "text", "id of the trial: experiment/task/method/seed, or of the artifact")
_LOW = Column("low", "real", "lower end of the 95 % interval; none for a single replicate", "as value")
_HIGH = Column("high", "real", "upper end of the 95 % interval", "as value")

RUN = Table(
    "run",
    "the run, a single row",
    (
        Column("run", "text", "name of the run's folder"),
        Column("suite", "text", "the suite"),
        Column("profile", "text", "the profile: smoke, small, gpu or paper"),
        Column("full", "boolean", "whether it has the profile's wide form"),
        Column("device", "text", "cpu or cuda; empty in older records"),
        Column("dtype", "text", "type of model weights on the device"),
        Column("created", "text", "when it was started, ISO 8601", "UTC"),
        Column("ended", "text", "when its last trial had ended, ISO 8601; empty until then", "UTC"),
        Column("corroborate", "text", "version of this package"),
        Column("commit", "text", "commit of the repository; empty outside one"),
        Column("dirty", "boolean", "whether the code differed from the commit; none if git could not say"),
        Column("python", "text", "version of Python"),
        Column("platform", "text", "operating system"),
        Column("cpu", "text", "the processor"),
        Column("cores", "integer", "cores of the machine"),
        Column("memory_gb", "real", "memory of the machine", "GiB (2³⁰ bytes)"),
        Column("gpu", "text", "the GPU that stood in the machine, or empty"),
        Column("planned", "integer", "planned main trials"),
        Column("claims_sha256", "text", "hash of the claims as declared when it started"),
    ),
)

TRIALS = Table(
    "trials",
    "a finished trial or artifact, as it ended last",
    (
        _TRIAL,
        Column("kind", "text", "trial or artifact"),
        Column("status", "text", "ok, failed, timeout, memory or diverged"),
        Column("experiment", "text", "id of the experiment; empty for an artifact"),
        Column("task", "text", "id of the task"),
        Column("method", "text", "id of the method; * for a timed trial, whose arms are in its rows"),
        Column("seed", "integer", "the seed; verdicts are over seeds from 100"),
        Column("stage", "text", "tune or main"),
        Column("planned", "boolean", "whether it is one of the run's main trials, which verdicts are over"),
        Column("device", "text", "cpu or cuda; empty in older records"),
        Column("wall_s", "real", "time that it took, where it was executed", "s"),
        Column("cpu_s", "real", "CPU time, of all threads", "s"),
        Column("gpu_s", "real", "time on the GPU; none unless a GPU ran it", "s"),
        Column("peak_memory_mb", "real", "most memory at once", "MiB (2²⁰ bytes)"),
        Column("peak_gpu_memory_mb", "real", "most memory on the GPU in tensors", "MiB (2²⁰ bytes)"),
        Column("peak_gpu_reserved_mb", "real", "most memory that PyTorch held on the GPU", "MiB (2²⁰ bytes)"),
        Column("reused_from", "text", "the run that executed it, if not this one; empty otherwise"),
        Column("traceback", "text", "of a failed trial, or empty"),
        Column("fingerprint", "text", "hash of code, parameters, data and files"),
        Column("environment", "text", "key of the environment that it ran in"),
        Column("libraries", "text", "hash of the versions of imported distributions"),
        Column("units_sha256", "text", "hash of the file of its rows as it was written"),
    ),
)

MODELS = Table(
    "models",
    "a language model that a trial or an artifact asked",
    (
        _TRIAL,
        Column("model", "text", "its name, as it was served"),
        Column("address", "text", "of its server, or empty for a model in memory"),
        Column("protocol", "text", "completions or chat; empty for a model in memory"),
        Column("scoring", "text", "how probabilities of given texts are had: echo, listed or none"),
        Column("calls", "integer", "prompts: one for each scored option, sampled text and distribution"),
        Column("requests", "integer", "requests to the server, repeated ones included"),
        Column("retries", "integer", "requests that repeated one which had failed"),
        Column("failed", "integer", "requests that were given up"),
        Column("refused", "integer", "answers that the model or a filter refused"),
        Column("unfinished", "integer", "texts that ended at the limit of tokens"),
        Column("unread", "integer", "answers that were none to what was asked"),
        Column("prompt_tokens", "integer", "tokens read"),
        Column("completion_tokens", "integer", "tokens written"),
        Column("cached", "integer", "answers that were kept from before, and not asked for again"),
    ),
)

PARAMETERS = Table(
    "parameters",
    "a parameter of a trial's method, as it ran",
    (
        _TRIAL,
        Column("name", "text", "name of the parameter"),
        Column("value", "text", "its value as JSON"),
        Column("number", "real", "its value, if it is a number; none otherwise"),
        Column("tuned", "boolean", "whether tuning chose it"),
    ),
)

EVALUATION_SETS = Table(
    "evaluation_sets",
    "an evaluation set of a finished trial, whose rows are in units_PART",
    (
        _TRIAL,
        Column("part", "text", "name of the evaluation set"),
        Column("units", "text", "the table that has its rows"),
        Column("rows_sha256", "text", "hash of the rows by what they say; empty in older records"),
    ),
)

VERDICTS = Table(
    "verdicts",
    "the verdict on a claim; compound claims have a row beside those of their parts",
    (
        _CLAIM,
        Column("parent", "text", "the compound claim that it is a part of, or empty"),
        Column("whole", "boolean", "whether it is put together from parts"),
        Column("form", "text", "name of the form"),
        Column("verdict", "text", "reproduced, not reproduced, inconclusive, not comparable or not run"),
        Column("cause", "text", "why it is inconclusive, or reversed; empty otherwise"),
        Column("reason", "text", "one sentence"),
        Column("scope", "text", "what the verdict speaks of"),
        Column("delta", "real", "smallest effect that matters; none where the form has none", "as θ"),
        Column("replication", "text", "what is drawn again between replicates"),
        Column("noise_floor", "real", "θ's standard deviation between environments; 0 if unknown", "as θ"),
        Column("exploratory", "boolean", "whether the rule was changed after data were seen"),
    ),
)

TESTS = Table(
    "tests",
    "a tested quantity θ of a claim",
    (
        _CLAIM,
        _TEST,
        Column("label", "text", "what θ is, in words"),
        Column("value", "real", "the estimate of θ", "of its metric; see label"),
        _LOW,
        _HIGH,
        Column("method", "text", "how it was tested: paired t (4 df)"),
        Column("p_plus", "real", "one-sided p of θ ≤ 0"),
        Column("p_minus", "real", "one-sided p of θ ≥ δ"),
        Column(
            "p_plus_adjusted",
            "real",
            "p_plus corrected over the suite's claims, primary ones first (Holm where none is)",
        ),
        Column("p_minus_adjusted", "real", "p_minus after Holm"),
        Column("p_sign_flip", "real", "one-sided p by sign flips, as a check"),
        Column("seeds", "integer", "seeds behind it"),
        Column("units", "integer", "units of each replicate"),
    ),
)

CELLS = Table(
    "cells",
    "a cell that enters a tested quantity: a metric of one method",
    (
        _CLAIM,
        _TEST,
        Column("cell", "integer", "which of the quantity's cells, from 1"),
        Column("label", "text", "the cell, in words"),
        Column("value", "real", "the mean over replicates", "of its metric"),
        _LOW,
        _HIGH,
    ),
)

CONTROLS = Table(
    "controls",
    "what a negative control did to a claim",
    (
        Column("control", "text", "id of the control"),
        _CLAIM,
        Column("predicted", "text", "kill or keep, as declared"),
        Column("outcome", "text", "kill, keep or undecided"),
        Column("detail", "text", "what was seen"),
    ),
)

REPORTED = Table(
    "reported",
    "a number of the paper",
    (
        Column("id", "text", "id of the number in the suite"),
        Column("value", "real", "the number; none where the paper states it in words", "as unit says"),
        Column("unit", "text", "its unit, or empty"),
        Column("place", "text", "table, figure or section"),
        Column("row", "text", "row or cell in it"),
        Column("standing", "text", "how well it is established"),
        Column("note", "text", "source of a second-hand number, or the statement in words"),
    ),
)

TABLES = {
    table.name: table
    for table in (
        RUN,
        TRIALS,
        MODELS,
        PARAMETERS,
        EVALUATION_SETS,
        VERDICTS,
        TESTS,
        CELLS,
        CONTROLS,
        REPORTED,
    )
}
"""All tables but those of unit rows, whose columns are the suite's."""

UNITS = Table(
    "units_PART",
    "a unit (or one of its rows) of the evaluation set PART in one trial",
    (
        _TRIAL,
        Column("unit_id", "text", "what the row is about, the same for every method"),
    ),
)
"""What each table of unit rows begins with; the other columns are the task's."""


def page() -> str:
    """The documentation of all tables, in Markdown."""
    return "\n".join(_documented(table) for table in (*TABLES.values(), UNITS))


def _documented(table: Table) -> str:
    lines = [f"### `{table.name}`", "", f"A row: {table.row}.", ""]
    lines += ["| column | type | unit | meaning |", "|---|---|---|---|"]
    lines += [f"| `{c.name}` | {c.type} | {c.unit or '–'} | {c.meaning} |" for c in table.columns]
    return "\n".join(lines) + "\n"
