"""``corroborate noise``: how far a suite's quantities move between environments that should agree."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from harness.claims import Claim, Profile
from harness.cli.endpoints import add_endpoints
from harness.cli.noise_runs import request_of, run_apart, run_here
from harness.cli.noise_table import as_json, lines, noise_rows
from harness.cli.noise_variants import Variant, variants
from harness.cli.options import add_limits, add_profile, add_resources, add_runs, profile_named
from harness.cli.outputs import require_file
from harness.cli.runs import tell
from harness.cli.suites import load_suite
from harness.errors import ExitCode, NothingComparableError, UsageError, unknown_name
from harness.plan.selection import cells_of
from harness.provenance import now
from harness.store import RunReader, open_run
from harness.store.noise import (
    BASELINE,
    NOISE_FILE,
    ClaimNoise,
    NoiseMeasurement,
    read_noise,
    write_noise,
)
from harness.suite import Scale, Suite

EPILOG = """\
The suite is run as it is and once for each variant, on the same few seeds: with two CPU threads a trial
(threads), with the kernels of an older instruction set (instructions), with the other type of model
weights (dtype), with the batch sizes that --set names (batch), on a GPU (gpu). What cannot be had here is
left out, with the reason. The noise floor of θ is its standard deviation between these environments:
verdicts believe no smaller one, and no margin may be below twice the floor of the mean. Times are left out,
since their blocks are such noise. Exact claims have to hold in every variant: exit code 1 if one does not.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("suite", help="name of the suite: 'corroborate list' shows them")
    add_profile(parser)
    parser.add_argument(
        "--claim", metavar="ID", action="append", default=[], help="only this claim; may be repeated"
    )
    parser.add_argument("--seeds", metavar="N|LIST", default="3", help="as for 'run' (default: 3)")
    parser.add_argument(
        "--variant", metavar="NAME", action="append", default=[], help="only this variant; may be repeated"
    )
    parser.add_argument(
        "--set",
        metavar="METHOD.PARAMETER=VALUE",
        action="append",
        default=[],
        help="another batch size for the variant 'batch': of a parameter that changes no algorithm",
    )
    parser.add_argument(
        "--write", action="store_true", help=f"keep what is found in the suite's {NOISE_FILE}"
    )
    parser.add_argument("--json", action="store_true", help="print what is found as JSON")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="of the baseline (default: as for 'run')")
    parser.add_argument("--engine", choices=("pool", "inline"), default="pool", help="inline: for debugging")
    parser.add_argument("--workers", metavar="N", type=int, default=2, help="CPU threads to give out")
    parser.add_argument(
        "--only",
        metavar="NAME",
        help="run 'baseline' or this variant now, print its folder and measure nothing: "
        "the command without it takes the finished trials",
    )
    add_limits(parser)
    add_resources(parser)
    add_endpoints(parser)
    add_runs(parser)


def main(args: argparse.Namespace) -> ExitCode:
    """Run, measure, print and write."""
    from harness.evidence.noise import noise_of

    if args.workers < 1:
        raise UsageError("At least one worker is needed", where=f"--workers {args.workers}")
    suite, scale = load_suite(args.suite), Scale(profile=profile_named(args.profile))
    claims = chosen_claims(suite, scale, args.claim)
    args.claim = [claim.id for claim in claims]
    known = variants(request_of(args))
    if args.only is not None:
        _refuse_beside_only(args)
        _refuse_unknown([args.only], [BASELINE, *known], "--only")
        return run_here(args, args.only)
    _refuse_unknown(args.variant, list(known), "--variant")
    if args.set and args.variant and "batch" not in args.variant:
        fix = "Add --variant batch, or leave it out."
        raise UsageError("Only the variant 'batch' has settings", where=f"--set {args.set[0]}", fix=fix)
    if args.write:
        _refuse_unwritable(suite)
    asked = {name: variant for name, variant in known.items() if name in args.variant or not args.variant}
    runs = _runs(args, asked)
    found = noise_of(suite, scale, runs, claims)
    measurement = _measurement(runs, found.claims, args.seeds, asked)
    rows = list(noise_rows(suite, scale, found))
    print(as_json(measurement, found, rows) if args.json else "\n".join(lines(measurement, found, rows)))
    if not found.claims:
        raise NothingComparableError("No claim's noise could be measured", where=f"suite {suite.slug}")
    if args.write:
        _write(suite, scale.profile, measurement)
    return ExitCode.LOST if found.broken else ExitCode.OK


def _refuse_beside_only(args: argparse.Namespace) -> None:
    for name in ("write", "json", "variant"):
        if getattr(args, name):
            raise UsageError(
                f"--only runs one variant and measures nothing: not with --{name}",
                where=f"--only {args.only}",
                fix="Leave one of the two out; the command without --only takes the finished trials.",
            )


def _refuse_unwritable(suite: Suite) -> None:
    """Stop before anything is measured that could not be kept."""
    require_file(suite.folder / NOISE_FILE, "--write")
    _ = read_noise(suite.folder, suite.slug)


def _write(suite: Suite, profile: Profile, measurement: NoiseMeasurement) -> None:
    known = read_noise(suite.folder, suite.slug)
    path = write_noise(suite.folder, known.with_measurement(profile.value, measurement))
    tell([f"written to {path}"])


def chosen_claims(suite: Suite, scale: Scale, names: Sequence[str]) -> list[Claim]:
    """The claims that noise is measured for: statistical ones that are not about times, and exact ones.

    Args:
        suite: The suite.
        scale: Profile and width.
        names: Ids of claims, or of compound ones, to look at alone.

    Raises:
        UsageError: If a name is unknown, or none of the claims has noise.
    """
    ids = {claim.id for claim in suite.claims} | {claim.parent for claim in suite.claims if claim.parent}
    _refuse_unknown(names, sorted(ids), "--claim", "claim")
    timed = {experiment.id for experiment in suite.experiments(scale) if experiment.timed}
    known = [claim for claim in suite.claims if _has_noise(claim, scale.profile, timed)]
    chosen = [claim for claim in known if not names or {claim.id, claim.parent} & set(names)]
    if not any(claim.forms[scale.profile].statistical for claim in chosen):
        able = [claim.id for claim in known if claim.forms[scale.profile].statistical]
        raise UsageError(
            "None of the claims rests on a statistic that could be noisy",
            where=f"{suite.slug}, profile {scale.profile}{''.join(f', claim {name}' for name in names)}",
            fix=f"Those that do: {', '.join(able)}." if able else "Name another profile.",
        )
    return chosen


def _has_noise(claim: Claim, profile: Profile, timed: set[str]) -> bool:
    form = claim.forms.get(profile)
    if form is None or any(form.faults()) or timed & {cell.experiment for cell in cells_of(form)}:
        return False
    return form.at_any_scale or (form.statistical and profile is not Profile.SMOKE)


def _refuse_unknown(names: Sequence[str], known: list[str], option: str, kind: str = "variant") -> None:
    for name in names:
        if name not in known:
            raise unknown_name(kind, name, known, where=option)


def _runs(args: argparse.Namespace, asked: Mapping[str, Variant]) -> dict[str, RunReader]:
    """The baseline and every variant that can be had, executed."""
    able = [name for name, variant in asked.items() if not variant.missing]
    if not able:
        reasons = "; ".join(f"{name}: {variant.missing}" for name, variant in asked.items())
        raise UsageError("No variant can be run here", where=args.suite, fix=reasons)
    return {name: open_run(run_apart(args, name)) for name in (BASELINE, *able)}


def _measurement(
    runs: Mapping[str, RunReader], claims: Mapping[str, ClaimNoise], seeds: str, asked: Mapping[str, Variant]
) -> NoiseMeasurement:
    """What was measured, and of what."""
    return NoiseMeasurement(
        created=now(),
        commit=runs[BASELINE].record.provenance.code(),
        seeds=seeds,
        environments={name: _environments(run) for name, run in runs.items()},
        skipped={name: variant.missing for name, variant in asked.items() if variant.missing},
        claims=dict(claims),
    )


def _environments(run: RunReader) -> list[str]:
    found = {record.environment for record in run.trials.values() if record.kind == "trial"}
    return sorted(f"{environment}; weights in {run.record.dtype}" for environment in found)
