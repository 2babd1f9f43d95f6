"""``corroborate plan``: what a run would do and could show, how long it takes, and what it could reuse."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from typing import TYPE_CHECKING

from harness.cli.costs import recorded_costs
from harness.cli.device_memory import GPUS, USUAL, arm_memory, gpu_size, memory_json, memory_lines
from harness.cli.options import add_workers, check_workers
from harness.cli.request import add_request, make_request
from harness.cli.runs import tell
from harness.cli.served_costs import add_price, prices_of
from harness.errors import ExitCode

if TYPE_CHECKING:
    from harness.cli.forecast import Forecast
    from harness.engine.run import RunRequest
    from harness.plan import Plan, PlannedTrial


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_request(parser)
    add_workers(parser)
    add_price(parser)
    parser.add_argument(
        "--gpu",
        metavar="NAME|GB",
        default=USUAL,
        help=f"tell how many GPUs of this size each model takes: {', '.join(GPUS)}, or GB (default: {USUAL})",
    )
    parser.add_argument("--trials", action="store_true", help="list every trial with its fingerprint")
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")


def main(args: argparse.Namespace) -> ExitCode:
    """Plan and print."""
    from harness.cli.claims_table import claims_table, table_json, table_lines
    from harness.cli.forecast import Forecast
    from harness.cli.served_costs import requests_json, requests_lines, requests_of
    from harness.declared import refuse_unjudgeable, unwise
    from harness.engine.run import stored_trials

    check_workers(args.workers)
    gpu_gb = gpu_size(args.gpu)
    prices = prices_of(args.price_per_million)
    request = make_request(args, workers=args.workers, executes=False)
    refuse_unjudgeable(request.suite, request.scale)
    plan = request.planner.plan(request.suite, request.scale, request.selection)
    beware = [str(found) for found in unwise(request.suite, request.scale, request.selection)]
    reuse = stored_trials(request)
    tell(reuse.passed_over)
    costs = recorded_costs(request.suite, request.scale, request.runs)
    forecast = Forecast(request, plan, reuse, costs)
    claims = claims_table(request, plan, forecast)
    memory = arm_memory(request)
    asked = requests_of(request, plan, forecast)
    if args.json:
        told = _as_json(plan) | {"cautions": beware} | table_json(claims) | memory_json(memory, gpu_gb)
        told |= requests_json(asked, prices)
        print(json.dumps(told, indent=1))
    else:
        print("\n".join(_lines(request, plan, forecast, each=args.trials)))
        print("".join(f"  caution: {text}\n" for text in beware), end="")
        print(
            "\n".join([*memory_lines(memory, gpu_gb), *requests_lines(asked, prices), *table_lines(claims)])
        )
        tell(_few_seeds(request))
    return ExitCode.OK


def _first(plan: Plan) -> list[PlannedTrial]:
    """The trials that are known before any has run."""
    return [*(point for group in plan.tunings for point in group.points), *plan.trials]


def _as_json(plan: Plan) -> dict[str, object]:
    return {
        "suite": plan.suite,
        "trials": [
            {"trial": t.id, "fingerprint": t.fingerprint, "stage": t.stage, "device": t.placement.device}
            | ({"gpus": t.gpus} if t.gpus else {})
            for t in _first(plan)
        ],
        "after_tuning": [name for name in plan.main_ids if name not in {t.id for t in plan.trials}],
        "artifacts": [type(artifact).__name__ for artifact in plan.artifacts],
        "blocked": dict(plan.blocked),
    }


def _lines(request: RunRequest, plan: Plan, forecast: Forecast, *, each: bool) -> list[str]:
    scale = request.scale
    lines = [f"{plan.suite}, profile {scale.profile}{', full' if scale.full else ''}, on {request.device}"]
    lines[0] += f" ({request.device_reason})"
    stored = {trial.id: forecast.is_stored(trial) for trial in _first(plan)}
    counts = Counter(trial.experiment.id for trial in _first(plan))
    reused = Counter(trial.experiment.id for trial in _first(plan) if stored[trial.id])
    waiting = Counter(group.experiment.id for group in plan.tunings for _ in group.seeds)
    titles = {t.experiment.id: t.experiment.title for t in _first(plan)}
    for name, count in counts.items():
        later = f", then {waiting[name]} with the values that won" if waiting[name] else ""
        many = sorted({trial.gpus for trial in _first(plan) if trial.experiment.id == name and trial.gpus})
        kind = "GPUs" if request.device == "cuda" else "processes"
        later += f", on {' or '.join(map(str, many))} {kind} each" if many else ""
        lines.append(f"  {name}: {count} trials ({reused[name]} reusable){later}: {titles[name]}")
        if each:
            for trial in _first(plan):
                if trial.experiment.id == name:
                    mark = "reuse" if stored[trial.id] else "run  "
                    lines.append(f"    {mark} {trial.fingerprint[:12]} {trial.id}")
    lines += [f"  added: {name} is {place}" for name, place in request.selection.places.items()]
    lines += [f"  never reused: {reason}" for reason in _unknown(plan)]
    artifacts = Counter(artifact.title or type(artifact).__name__ for artifact in plan.artifacts)
    lines += [f"  artifact: {name}{f', {n} of them' * (n > 1)}" for name, n in artifacts.items()]
    lines += [f"  not run: {name}: {reason}" for name, reason in plan.blocked.items()]
    lines.append(
        f"{len(plan.main_ids)} main trials, {sum(stored.values())} of the first {len(stored)} reusable"
    )
    return lines


def _unknown(plan: Plan) -> list[str]:
    """What cannot be known of the plan's code, so that its trials are executed each time."""
    return list(dict.fromkeys(trial.code.unknown for trial in _first(plan) if trial.code.unknown))


def _few_seeds(request: RunRequest) -> list[str]:
    """A note on gating claims with few seeds, at a scale that committed results are made at."""
    from harness.cli.runs import committed_folders
    from harness.declared.gating import few_note, few_planned

    suite, scale = request.suite, request.scale
    kept = {folder.name for folder in committed_folders(suite, scale)}
    restricted = request.selection.claims or request.selection.methods
    if restricted or not (scale.full or scale.profile.value in kept):
        return []
    note = few_note(few_planned(suite, scale, request.selection))
    return [f"as committed results, {note}"] if note else []
