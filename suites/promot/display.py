"""Tables and figures of the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from harness.claims import MEASURED, Place, Profile, at, by_profile
from harness.suite import (
    Arm,
    Entry,
    PaperFigure,
    PaperTable,
    ReportedRef,
    Scale,
    Series,
    TableRow,
    arms,
    by_arm,
    curves,
)
from methods.promot.metrics import COSINE, DRIFT, FORMAT_SHARE
from methods.promot.world import HELD_OUT
from suites.promot.arms import size_of
from suites.promot.cells import (
    ALIGNMENT,
    ENTAILMENT,
    EXTRAS,
    GEMMA,
    LEVELS,
    MODEL_LEVELS,
    MODELS,
    SEVERAL,
    TRANSLATION,
    TRANSLATION_LEVELS,
    held_out,
    held_out_after,
    matched,
    on_entailment,
    one_task,
    related,
    target_after,
)
from suites.promot.texts import worlds

_PRETRAINED = Arm("pretrained", "pretrained")
_TUNED = Arm("fine-tuning", "fine-tuning")
_PROMPT = Arm("prompt-tuning", "prompt tuning")
_PROMOT = Arm("promot", "ProMoT")
_JOINT = Arm("joint", "prompt and model jointly")
_RANDOM = Arm("random-prompt", "random prompt")
_PROMOT_1SHOT = Arm("promot-1shot", "ProMoT + 1-shot")

_COMPARED = (_PRETRAINED, _TUNED, _PROMOT)
_CORE = (_PRETRAINED, _TUNED, _PROMPT, _PROMOT)
_LONG_TUNED = Arm("fine-tuning-long", "fine-tuning, as many updates as both stages")
_ABLATIONS = (_LONG_TUNED, _JOINT, _RANDOM, Arm("fine-tuning-1shot", "fine-tuning + 1-shot"), _PROMOT_1SHOT)
_EXTRAS = arms(
    {
        "zero-prompt": "zero prompt",
        "lora-first-2": "LoRA r = 2 as stage 1",
        "lora-first-4": "LoRA r = 4 as stage 1",
        "lora": "LoRA r = 4 alone",
        "fine-tuning-slow": "fine-tuning at a fifth of the smallest rate",
        "replay": "fine-tuning, a tenth of it pretraining episodes",
        "l2-sp": "fine-tuning, L2-SP",
        "wise-ft": "fine-tuning, WiSE-FT",
    }
)
_SEVERAL = (
    _PRETRAINED,
    Arm("fine-tuning", "multi-task fine-tuning"),
    Arm("promot", "multi-task ProMoT"),
    Arm("promot-sequential", "ProMoT, one task after the other"),
)
_REPORTED = {"pretrained": "pretrained", "fine-tuning": "ft", "prompt-tuning": "pt", "promot": "promot"}
"""What ids of reported numbers call a method."""
_UNTRAINED = ("pretrained", "prompt-tuning", "fine-tuning-long")
"""Their model stays as it is, or is asked at the end only: there is no course of training to read."""


def _reported(method: str, prefix: str, *, but: str = "") -> ReportedRef | None:
    """A number of the paper, unless the paper has none for the method."""
    name = _REPORTED.get(method)
    return None if name is None or name == but else ReportedRef(f"{prefix}-{name}")


def _scores(where: Place, method: str) -> Mapping[str, Entry | None]:
    return {
        "target": where(method),
        "one": held_out(where, method),
        "four": held_out(where, method, shots=4),
        "share": held_out(where, method, FORMAT_SHARE),
        "drift": where(method, DRIFT, part="drift"),
    }


def _matched(where: Place, method: str, level: float) -> Entry | None:
    return None if method in _UNTRAINED else matched(where, method, level)


def _main_rows(
    where: Callable[[str], Place],
    paper: str,
    levels: Mapping[Profile, float],
    listed: Mapping[Profile, Sequence[Arm]],
) -> Mapping[Profile, Sequence[TableRow]]:
    """The main table of a target, with the level and the arms of each profile."""

    def entries(method: str, level: float) -> Mapping[str, Entry | None]:
        return {
            **_scores(where(method), method),
            "matched": _matched(where(method), method, level),
            "paper-target": _reported(method, f"{paper}-target"),
            "paper-one": _reported(method, f"{paper}-avg1", but="pt"),
        }

    return {
        profile: by_arm(listed[profile], partial(entries, level=level)) for profile, level in levels.items()
    }


def _task_rows(tasks: Sequence[str]) -> Sequence[TableRow]:
    methods = [arm.method for arm in _COMPARED]
    return [
        TableRow(label=task, entries={method: one_task(ENTAILMENT, method, task) for method in methods})
        for task in tasks
    ]


def _related(method: str) -> Mapping[str, Entry]:
    return {"one": related(TRANSLATION, method), "four": related(TRANSLATION, method, shots=4)}


def _several(method: str) -> Mapping[str, Entry | None]:
    return {
        "target": SEVERAL(method),
        "one": held_out(SEVERAL, method),
        "share": held_out(SEVERAL, method, FORMAT_SHARE),
        "paper-one": _reported(method, "multi-avg1"),
    }


def _model_rows(levels: Mapping[str, float]) -> Sequence[TableRow]:
    return [row for task, level in levels.items() for row in _model(task, level)]


def _model(task: str, level: float) -> Sequence[TableRow]:
    where = MODELS.on(task)
    return by_arm(
        [replace(arm, group=task) for arm in _COMPARED],
        lambda method: {
            "target": where(method),
            "one": held_out(where, method),
            "matched": _matched(where, method, level),
        },
    )


_HELD_OUT = {Profile.SMALL: tuple(HELD_OUT)} | {
    profile: tuple(source.name for source in worlds(profile)[0].held_out)
    for profile in (Profile.GPU, Profile.PAPER)
}
"""Held-out tasks of the true-or-false target."""
_ALL_MODEL_LEVELS = {
    **MODEL_LEVELS,
    Profile.SMALL: {**MODEL_LEVELS[Profile.SMALL], "other-decoder": LEVELS[Profile.SMALL]},
}
"""With the model that ``--full`` adds."""

_COLUMNS = {
    "target": "target",
    "one": "Norm. Avg., 1-shot",
    "four": "4-shot",
    "matched": "1-shot at matched target",
    "share": "in the target's format (%)",
    "drift": "distance from start",
}
_PAPER = {"paper-target": "target, paper", "paper-one": "1-shot, paper"}
_LONG = (Profile.SMALL, Profile.PAPER)

TABLES = (
    PaperTable(
        id="entailment",
        title="Tuned on the true-or-false task",
        columns={**_COLUMNS, **_PAPER},
        rows=_main_rows(
            on_entailment, "rte", LEVELS, at(MEASURED, (*_CORE, *_ABLATIONS)) | at(Profile.GPU, _CORE)
        ),
        source="Tables 2, 3 and 6",
        bold=("one", "four", "matched"),
    ),
    PaperTable(
        id="translation",
        title="Tuned on translation",
        columns={**_COLUMNS, **_PAPER},
        rows=_main_rows(
            lambda _: TRANSLATION,
            "en-fr",
            TRANSLATION_LEVELS,
            at(MEASURED, _CORE) | at(Profile.GPU, _COMPARED),
        ),
        source="Tables 2 and 4",
        bold=("one", "four", "matched"),
    ),
    PaperTable(
        id="tasks",
        title="Held-out tasks one by one, 1-shot, after tuning on the true-or-false task",
        columns={arm.method: arm.label for arm in _COMPARED},
        rows=by_profile(_HELD_OUT, _task_rows),
        source="Table 3",
    ),
    PaperTable(
        id="related",
        title="Held-out tasks with the meaning of the translation target, in another format",
        columns={"one": "1-shot", "four": "4-shot"},
        rows=by_arm(_CORE, _related),
        source="Table 4",
    ),
    PaperTable(
        id="several",
        title="Tuned on both targets (small: --full only)",
        columns={
            "target": "mean of the targets",
            "one": "Norm. Avg., 1-shot",
            "share": "in a target's format (%)",
            "paper-one": "1-shot, paper",
        },
        rows=by_arm(_SEVERAL, _several),
        source="Table 5",
        profiles=_LONG,
    ),
    PaperTable(
        id="models",
        title="Other models and targets",
        columns={name: _COLUMNS[name] for name in ("target", "one", "matched")},
        rows=by_profile(_ALL_MODEL_LEVELS, _model_rows),
        source="Tables 10 and 12 to 14",
    ),
    PaperTable(
        id="gemma",
        title="Gemma-3-270M tuned on true-or-false statements (small: --full only)",
        columns={name: header for name, header in _COLUMNS.items() if name not in {"four", "matched"}},
        rows=by_arm(_CORE, lambda method: {**_scores(GEMMA, method), "four": None}),
        profiles=(Profile.SMALL,),
    ),
    PaperTable(
        id="extras",
        title="LoRA in the prompt's place, and other remedies against forgetting (small: --full only)",
        columns={name: header for name, header in _COLUMNS.items() if name != "matched"},
        rows=by_arm(_EXTRAS, lambda method: _scores(EXTRAS, method)),
        source="Table 15",
        profiles=_LONG,
    ),
)


Drawn = Callable[[Sequence[Arm], Sequence[int]], Sequence[Series]]


def _over_steps(draw: Drawn, *ablations: Arm) -> Mapping[Scale, Sequence[Series]]:
    """What is drawn at every checkpoint: fine-tuning and ProMoT, and some ablations where they are run."""
    found = {}
    for scale in (Scale(profile=profile, full=full) for profile in MEASURED for full in (False, True)):
        model = size_of(scale).model
        steps = range(0, model.get("steps", 1000) + 1, model.get("every", 100))
        more = ablations if scale.profile in _LONG else ()
        found[scale] = draw((_TUNED, _PROMOT, *more), steps)
    return found


_ENDS = {
    "entailment": {
        "fine-tuning": ("rte-target-ft", "rte-avg1-ft"),
        "promot": ("rte-target-promot", "rte-avg1-promot"),
        "joint": ("ablation-rte-joint", "ablation-avg1-joint"),
        "random-prompt": ("ablation-rte-random", "ablation-avg1-random"),
        "promot-1shot": ("rte-target-promot-1shot", "rte-avg1-promot-1shot"),
    },
    "translation": {
        "fine-tuning": ("en-fr-target-ft", "en-fr-avg1-ft"),
        "promot": ("en-fr-target-promot", "en-fr-avg1-promot"),
    },
}
"""By target and method: where training ends in the paper, as target score and Norm. Avg."""


def _trade_off(where: Callable[[str], Place], ends: Mapping[str, tuple[str, str]]) -> Drawn:
    """Held-out score against target score; the paper's point is where its training ends."""

    def series(listed: Sequence[Arm], steps: Sequence[int]) -> Sequence[Series]:
        return [
            Series(
                label=arm.label,
                points=tuple(
                    (target_after(place, arm.method, step), held_out_after(place, arm.method, step))
                    for place in (where(arm.method),)
                    for step in steps
                ),
                reported=((ReportedRef(ends[arm.method][0]), ReportedRef(ends[arm.method][1])),),
            )
            for arm in listed
        ]

    return series


def _shares(listed: Sequence[Arm], steps: Sequence[int]) -> Sequence[Series]:
    return curves(
        listed, steps, lambda method, step: held_out_after(on_entailment(method), method, step, FORMAT_SHARE)
    )


def _cosines(_: Sequence[Arm], steps: Sequence[int]) -> Sequence[Series]:
    """Of fine-tuning alone, by block."""
    return [
        Series(
            label=block,
            points=tuple(
                (float(step), ALIGNMENT("fine-tuning", COSINE, step=step, unit_id=block)) for step in steps
            ),
            reported=tuple((float(step), ReportedRef(f"cosine-{block}-{step}")) for step in (0, 300, 400)),
        )
        for block in ("mlp", "query", "key", "value")
    ]


FIGURES = (
    PaperFigure(
        id="trade-off",
        title="Held-out score against target score over training, true-or-false target",
        x="target score",
        y="Norm. Avg., 1-shot",
        series=_over_steps(_trade_off(on_entailment, _ENDS["entailment"]), _JOINT, _RANDOM, _PROMOT_1SHOT),
        source="Figures 5 and 6, with the end points in Tables 3 and 6",
    ),
    PaperFigure(
        id="trade-off-translation",
        title="Held-out score against target score over training, translation target",
        x="target score",
        y="Norm. Avg., 1-shot",
        series=_over_steps(_trade_off(lambda _: TRANSLATION, _ENDS["translation"])),
        source="Figures 5 and 6, with the end points in Tables 2 and 4",
    ),
    PaperFigure(
        id="shares",
        title="Held-out outputs in the target's format over training",
        x="updates of the model",
        y="share (%)",
        series=_over_steps(_shares, _JOINT, _RANDOM),
        source="Figure 2",
    ),
    PaperFigure(
        id="cosines",
        title="Cosine of the gradient and the gradient of permuted answers, last layer",
        x="updates of the model",
        y="cosine",
        series=_over_steps(_cosines),
        source="Figures 3 and 7",
    ),
)
