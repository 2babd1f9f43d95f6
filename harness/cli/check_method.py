"""``corroborate check-method``: put a method through the contract's checks."""

from __future__ import annotations

import argparse

from harness.checks import CHECKS, bench, prepared, run_battery
from harness.cli.options import check_limit, parse_parameters
from harness.cli.suites import method_class, usable_suites
from harness.errors import ExitCode
from harness.resources import Resolver
from harness.text import visible

MINUTES = 10.0
_MARKS = {"passed": "+", "failed": "-", "excepted": "~"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("method", help="package.module:Class, or the name of an installed method")
    parser.add_argument(
        "--suite", metavar="NAME", help="take the problem from this suite (default: the first that fits)"
    )
    parser.add_argument(
        "--set", metavar="PARAMETER=VALUE", action="append", default=[], help="check it with another value"
    )
    parser.add_argument(
        "--accept-licence", metavar="KEY", action="append", default=[], help="accept these terms"
    )
    parser.add_argument(
        "--minutes",
        metavar="M",
        type=float,
        default=MINUTES,
        help=f"limit of each check (default: {MINUTES:g})",
    )


def main(args: argparse.Namespace) -> ExitCode:
    """Run the battery; fails if the method breaks a promise without declaring it."""
    check_limit("--minutes", args.minutes)
    kind = method_class(args.method, "check-method")
    suites = usable_suites([args.suite] if args.suite else [])
    resolver = Resolver.from_environment(accept=args.accept_licence)
    promises = {check.name: check.promise for check in CHECKS}
    failed = 0
    values = parse_parameters(args.set, kind)
    with bench(args.minutes) as call, prepared(kind, suites, resolver, values, call) as subject:
        print(f"{kind.__module__}:{kind.__qualname__} on {subject.where}", flush=True)
        for outcome in run_battery(subject, call):
            failed += outcome.status == "failed"
            promise = promises.get(outcome.check, "")
            print(f" {_MARKS[outcome.status]} {outcome.check:28} {outcome.status:9} {promise}", flush=True)
            for line in filter(None, outcome.detail.strip().split("\n")):
                print(f"     {visible(line)}".rstrip())
    print(f"{failed} failed")
    return ExitCode.LOST if failed else ExitCode.OK
