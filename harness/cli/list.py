"""``corroborate list``: the suites; with a name, what that suite declares."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from harness.cli.options import add_profile, profile_named
from harness.cli.problems_table import problems_text
from harness.cli.resources_table import as_markdown, as_text, listed
from harness.cli.suites import (
    broken_suites,
    load_suite,
    paper_heading,
    suite_names,
    usable_suites,
)
from harness.errors import ExitCode, SuiteError, UsageError
from harness.hub import installed_facts
from harness.plan.displayed import made_for, shown
from harness.suite import Experiment, Scale, Suite
from harness.text import plural


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("suite", nargs="?", help="show this suite's experiments, methods, claims and tables")
    add_profile(parser)
    parser.add_argument("--full", action="store_true", help="the profile's wider form")
    parser.add_argument(
        "--resources", action="store_true", help="every model and data set, of all suites or the named one"
    )
    parser.add_argument(
        "--problems", action="store_true", help="what the suite's methods are given, and what they give back"
    )
    parser.add_argument(
        "--format", choices=("text", "markdown"), default="text", help="with --resources: how to print it"
    )


def main(args: argparse.Namespace) -> ExitCode:
    """Print the list."""
    profile = profile_named(args.profile)
    if args.resources:
        _resources(args.suite, markdown=args.format == "markdown")
        return ExitCode.OK
    if args.problems and not args.suite:
        raise UsageError(
            "--problems needs a suite", where="list", fix="Give one: corroborate list SUITE --problems."
        )
    if args.suite:
        suite, scale = load_suite(args.suite), Scale(profile=profile, full=args.full)
        if args.problems:
            print(problems_text(suite.experiments(scale)))
        else:
            _show(suite, scale)
        return ExitCode.OK
    names = suite_names()
    if not names:
        print("No suites are installed.")
    for name in names:
        print(f"{name:14} {_heading(name)}")
    for name, why in broken_suites().items():
        print(f"not usable: {name}: {why}")
    return ExitCode.OK


def _heading(name: str) -> str:
    try:
        heading = paper_heading(name)
    except SuiteError as error:
        return f"not usable: {' '.join(str(error).split())}"
    return f"{heading.get('title', '')}  (arXiv:{heading.get('arxiv', '?')})"


def _resources(suite: str | None, *, markdown: bool) -> None:
    items = listed((found.slug, found) for found in usable_suites([suite] if suite else []))
    print((as_markdown if markdown else as_text)(items, installed_facts()), end="" if markdown else "\n")


def _show(suite: Suite, scale: Scale) -> None:
    paper = suite.paper
    print(f"{paper.title}\n{', '.join(paper.authors)}. {paper.venue} {paper.year}. arXiv:{paper.arxiv}")
    print(f"\nExperiments under '{scale.profile}':")
    for experiment in suite.experiments(scale):
        print(f"  {experiment.id:20} {experiment.title}\n{_indent(_sizes(experiment))}")
        print(_indent("methods: " + ", ".join(experiment.methods)))
    print("\nClaims:")
    wholes = {claim.parent for claim in suite.claims if claim.parent}
    for claim in suite.claims:
        form = claim.forms.get(scale.profile)
        kind = form.kind if form else "compound" if claim.id in wholes else "not run"
        print(f"  {claim.id:6} {kind:16} {claim.statement}")
    experiments = {item.id: item for item in suite.experiments(scale)}
    _ids("Tables", (item.id for item in shown(suite.tables, scale, experiments)))
    _ids("Figures", (item.id for item in shown(suite.figures, scale, experiments)))
    _ids("Single results", (item.id for item in made_for(suite.sample_views, scale.profile)))
    _ids("Names for --bind", suite.bindings)


def _sizes(experiment: Experiment) -> str:
    counts = {"task": experiment.tasks, "method": experiment.methods, "seed": experiment.seeds}
    sizes = ", ".join(plural(len(items), noun) for noun, items in counts.items())
    return sizes + (", timed" if experiment.timed else "")


def _ids(title: str, names: Iterable[str]) -> None:
    if listed := ", ".join(names):
        print(f"\n{title}: {listed}")


def _indent(text: str) -> str:
    return f"    {text}"
