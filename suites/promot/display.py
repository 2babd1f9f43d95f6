"""Tables and figures of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.claims import Cell, Contrast, Profile
from harness.suite import PaperFigure, PaperTable, ReportedRef, Scale, Series, TableRow
from suites.promot import arms, texts
from suites.promot.cells import (
    LEVELS,
    MODEL_LEVELS,
    TRANSLATION_LEVELS,
    cosine_after,
    drift,
    held_out,
    held_out_after,
    matched,
    one_task,
    related,
    share,
    share_after,
    target,
    target_after,
)

_MODELS = (Profile.SMALL, Profile.GPU, Profile.PAPER)
_LONG = (Profile.SMALL, Profile.PAPER)
Entry = Cell | Contrast | ReportedRef

CORE = {
    "pretrained": "pretrained",
    "fine-tuning": "fine-tuning",
    "prompt-tuning": "prompt tuning",
    "promot": "ProMoT",
}
ABLATIONS = {
    "joint": "prompt and model jointly",
    "random-prompt": "random prompt",
    "fine-tuning-1shot": "fine-tuning + 1-shot",
    "promot-1shot": "ProMoT + 1-shot",
}
EXTRAS = {
    "zero-prompt": "zero prompt",
    "lora-first-2": "LoRA r = 2 as stage 1",
    "lora-first-4": "LoRA r = 4 as stage 1",
    "lora": "LoRA r = 4 alone",
    "fine-tuning-slow": "fine-tuning at a fifth of the smallest rate",
    "fine-tuning-long": "fine-tuning, as many steps as both stages",
    "replay": "fine-tuning, a tenth of it pretraining episodes",
    "l2-sp": "fine-tuning, L2-SP",
    "wise-ft": "fine-tuning, WiSE-FT",
}
SEVERAL = {
    "pretrained": "pretrained",
    "fine-tuning": "multi-task fine-tuning",
    "promot": "multi-task ProMoT",
    "promot-sequential": "ProMoT, one task after the other",
}
REPORTED = {"pretrained": "pretrained", "fine-tuning": "ft", "prompt-tuning": "pt", "promot": "promot"}


def held_out_tasks(profile: Profile, experiment: str) -> Mapping[str, str]:
    """Held-out tasks by name, with their headers."""
    if profile in (Profile.SMOKE, Profile.SMALL):
        from methods.promot import world

        return {name: name for name in world.HELD_OUT}
    entailment, translation = texts.worlds(profile)
    chosen = entailment if experiment == "entailment" else translation
    return {source.name: source.name for source in chosen.held_out}


def _core(scale: Scale) -> Mapping[str, str]:
    """The methods that are tuned on translation."""
    brief = scale.profile is Profile.GPU
    return {name: label for name, label in CORE.items() if not (brief and name == "prompt-tuning")}


def _row(method: str, label: str, experiment: str, level: float | None) -> TableRow:
    entries: dict[str, Entry] = {
        "target": target(method, experiment),
        "one": held_out(method, experiment),
        "four": held_out(method, experiment, 4),
        "share": share(method, experiment),
        "drift": drift(method, experiment),
    }
    if level is not None and method not in ("pretrained", "prompt-tuning"):
        entries["matched"] = matched(method, level, experiment)
    return TableRow(label=label, entries=entries)


def _with_paper(row: TableRow, method: str, target_task: str) -> TableRow:
    name = REPORTED.get(method)
    if name is None:
        return row
    extra: dict[str, Entry] = {"paper-target": ReportedRef(id=f"{target_task}-target-{name}")}
    if name != "pt":
        extra["paper-one"] = ReportedRef(id=f"{target_task}-avg1-{name}")
    return TableRow(label=row.label, entries={**row.entries, **extra}, group=row.group)


def _entailment_rows(scale: Scale) -> Sequence[TableRow]:
    level = LEVELS[scale.profile]
    names = CORE if scale.profile is Profile.GPU else {**CORE, **ABLATIONS}
    return [_with_paper(_row(m, label, "entailment", level), m, "rte") for m, label in names.items()]


def _translation_rows(scale: Scale) -> Sequence[TableRow]:
    level = TRANSLATION_LEVELS[scale.profile]
    return [
        _with_paper(_row(m, label, "translation", level), m, "en-fr") for m, label in _core(scale).items()
    ]


def _several_rows(scale: Scale) -> Sequence[TableRow]:
    known = arms.several(arms.size_of(scale), wide=scale.full or scale.profile is not Profile.SMALL)
    rows = []
    for method, label in SEVERAL.items():
        if method not in known:
            continue
        entries: dict[str, Entry] = {
            "target": target(method, "several"),
            "one": held_out(method, "several"),
            "share": share(method, "several"),
        }
        if method in REPORTED:
            entries["paper-one"] = ReportedRef(id=f"multi-avg1-{REPORTED[method]}")
        rows.append(TableRow(label=label, entries=entries))
    return rows


def _extra_rows(scale: Scale) -> Sequence[TableRow]:
    small = scale.profile is Profile.SMALL
    known = arms.extras(arms.size_of(scale), wide=scale.full or not small, replay=small)
    return [_row(method, label, "extras", None) for method, label in EXTRAS.items() if method in known]


def _model_rows(scale: Scale) -> Sequence[TableRow]:
    rows = []
    levels = dict(MODEL_LEVELS[scale.profile])
    if scale.full and scale.profile is Profile.SMALL:
        levels["other-decoder"] = LEVELS[scale.profile]
    for task, level in levels.items():
        for method in ("pretrained", "fine-tuning", "promot"):
            entries: dict[str, Entry] = {
                "target": target(method, "models", task),
                "one": held_out(method, "models", task=task),
            }
            if method != "pretrained":
                entries["matched"] = matched(method, level, "models", task)
            rows.append(TableRow(label=CORE[method], entries=entries, group=task))
    return rows


def _task_rows(scale: Scale) -> Sequence[TableRow]:
    tasks = held_out_tasks(scale.profile, "entailment")
    return [
        TableRow(
            label=header,
            entries={method: one_task(method, task) for method in ("pretrained", "fine-tuning", "promot")},
        )
        for task, header in tasks.items()
    ]


def _related_rows(scale: Scale) -> Sequence[TableRow]:
    return [
        TableRow(label=label, entries={"one": related(method), "four": related(method, shots=4)})
        for method, label in _core(scale).items()
    ]


_COLUMNS = {
    "target": "target",
    "one": "Norm. Avg., 1-shot",
    "four": "4-shot",
    "matched": "1-shot at matched target",
    "share": "in the target's format (%)",
    "drift": "distance from start",
}
_PAPER = {"paper-target": "target, paper", "paper-one": "1-shot, paper"}

TABLES = (
    PaperTable(
        id="entailment",
        title="Tuned on the true-or-false task",
        columns={**_COLUMNS, **_PAPER},
        rows=_entailment_rows,
        source="Tables 2, 3 and 6",
        bold=("one", "four", "matched"),
        profiles=_MODELS,
    ),
    PaperTable(
        id="translation",
        title="Tuned on translation",
        columns={**_COLUMNS, **_PAPER},
        rows=_translation_rows,
        source="Tables 2 and 4",
        bold=("one", "four", "matched"),
        profiles=_MODELS,
    ),
    PaperTable(
        id="tasks",
        title="Held-out tasks one by one, 1-shot, after tuning on the true-or-false task",
        columns={"pretrained": "pretrained", "fine-tuning": "fine-tuning", "promot": "ProMoT"},
        rows=_task_rows,
        source="Table 3",
        profiles=_MODELS,
    ),
    PaperTable(
        id="related",
        title="Held-out tasks with the meaning of the translation target, in another format",
        columns={"one": "1-shot", "four": "4-shot"},
        rows=_related_rows,
        source="Table 4",
        profiles=_MODELS,
    ),
    PaperTable(
        id="several",
        title="Tuned on both targets",
        columns={
            "target": "mean of the targets",
            "one": "Norm. Avg., 1-shot",
            "share": "in a target's format (%)",
            "paper-one": "1-shot, paper",
        },
        rows=_several_rows,
        source="Table 5",
        profiles=_LONG,
    ),
    PaperTable(
        id="models",
        title="Other models and targets",
        columns={"target": "target", "one": "Norm. Avg., 1-shot", "matched": "1-shot at matched target"},
        rows=_model_rows,
        source="Tables 10 and 12 to 14",
        profiles=_LONG,
    ),
    PaperTable(
        id="extras",
        title="LoRA in the prompt's place, and other remedies against forgetting",
        columns={name: header for name, header in _COLUMNS.items() if name != "matched"},
        rows=_extra_rows,
        source="Table 15",
        profiles=_LONG,
    ),
)


def _steps(scale: Scale) -> Sequence[int]:
    model = arms.size_of(scale).model
    return range(0, model.get("steps", 1000) + 1, model.get("every", 100))


def _drawn(scale: Scale, *methods: str) -> Sequence[str]:
    """Those of some methods that run under a scale."""
    return [name for name in methods if name in CORE or scale.profile is not Profile.GPU]


def _curves(scale: Scale) -> Sequence[Series]:
    return [
        Series(
            label={**CORE, **ABLATIONS}[method],
            points=tuple((target_after(method, s), held_out_after(method, s)) for s in _steps(scale)),
        )
        for method in _drawn(scale, "fine-tuning", "promot", "joint", "random-prompt", "promot-1shot")
    ]


def _translation_curves(scale: Scale) -> Sequence[Series]:
    return [
        Series(
            label=CORE[method],
            points=tuple(
                (target_after(method, s, "translation"), held_out_after(method, s, "translation"))
                for s in _steps(scale)
            ),
        )
        for method in ("fine-tuning", "promot")
    ]


def _shares(scale: Scale) -> Sequence[Series]:
    return [
        Series(
            label={**CORE, **ABLATIONS}[method],
            points=tuple((float(s), share_after(method, s)) for s in _steps(scale)),
        )
        for method in _drawn(scale, "fine-tuning", "promot", "joint", "random-prompt")
    ]


def _cosines(scale: Scale) -> Sequence[Series]:
    return [
        Series(
            label=block,
            points=tuple((float(s), cosine_after("fine-tuning", s, block)) for s in _steps(scale)),
            reported=tuple((float(s), ReportedRef(id=f"cosine-{block}-{s}")) for s in (0, 300, 400)),
        )
        for block in ("mlp", "query", "key", "value")
    ]


FIGURES = (
    PaperFigure(
        id="trade-off",
        title="Held-out score against target score over training, true-or-false target",
        x="target score",
        y="Norm. Avg., 1-shot",
        series=_curves,
        source="Figures 5 and 6",
        profiles=_MODELS,
    ),
    PaperFigure(
        id="trade-off-translation",
        title="The same for the translation target",
        x="target score",
        y="Norm. Avg., 1-shot",
        series=_translation_curves,
        source="Figures 5 and 6",
        profiles=_MODELS,
    ),
    PaperFigure(
        id="shares",
        title="Held-out outputs in the target's format over training",
        x="updates of the model",
        y="share (%)",
        series=_shares,
        source="Figure 2",
        profiles=_MODELS,
    ),
    PaperFigure(
        id="cosines",
        title="Cosine of the gradient and the gradient of permuted answers, last layer",
        x="updates of the model",
        y="cosine",
        series=_cosines,
        source="Figures 3 and 7",
        profiles=_MODELS,
    ),
)
