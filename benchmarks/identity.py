"""Whether two builds declare, plan and report the same: run ``write`` in each, then ``compare``.

``python -m benchmarks.identity write FOLDER`` writes, for every suite of the working directory's build:
the hash of its claims, all trials of every profile with their fingerprints, its words, the cells of its
tables and figures under every scale, and every CSV of the report on its committed references.
``compare A B`` prints, for the suites that both have, each file that differs with the first lines that do,
and exits 1 if any does. Restructuring a suite must leave all of it as it is.
"""

from __future__ import annotations

import argparse
import difflib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PROFILES = ("smoke", "small", "gpu", "paper")
_SHOWN_LINES = 12


def main() -> int:
    """Write one build's declarations, or compare two builds'."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    write = commands.add_parser("write", help="write what this build declares, plans and reports")
    write.add_argument("folder", type=Path)
    write.add_argument("suites", nargs="*", help="only these (default: all)")
    compare = commands.add_parser("compare", help="compare what two builds wrote")
    compare.add_argument("before", type=Path)
    compare.add_argument("after", type=Path)
    args = parser.parse_args()
    if args.command == "compare":
        return compare_folders(args.before, args.after)
    for slug in args.suites or suite_slugs():
        write_suite(slug, args.folder / slug)
    return 0


def suite_slugs() -> list[str]:
    """Slugs of the suites in the working directory."""
    return sorted(path.parent.name.replace("_", "-") for path in Path("suites").glob("*/paper.toml"))


def write_suite(slug: str, folder: Path) -> None:
    """Write everything of one suite into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for profile in PROFILES:
        for full in (False, True):
            name = f"plan-{profile}{'-full' if full else ''}.txt"
            flags = ["--full"] if full else []
            text = _corroborate("plan", slug, "--profile", profile, *flags, "--json")
            (folder / name).write_text("\n".join(_trials(text)) + "\n", encoding="utf-8")
    (folder / "claims.txt").write_text(_claims_hash(slug) + "\n", encoding="utf-8")
    declared = _output([sys.executable, str(Path(__file__).with_name("identity_declared.py")), slug])
    (folder / "declared.txt").write_text(declared, encoding="utf-8")
    for reference in sorted((Path("suites") / slug.replace("-", "_") / "reference").iterdir()):
        out = folder / f"report-{reference.name}"
        _corroborate("report", str(reference), "--format", "csv", "--out", str(out))


def _trials(text: str) -> Iterator[str]:
    for trial in json.loads(text)["trials"]:
        yield f"{trial['trial']} {trial['stage']} {trial['fingerprint']}"


def _claims_hash(slug: str) -> str:
    """From a process of its own, so that the build asked is the one of the working directory."""
    program = (
        "import importlib, sys; sys.path.insert(0, '.'); from harness.suite import Scale\n"
        "try:\n    from harness.declared import claims_hash\n"
        "except ImportError:\n    from harness.evidence.declared import claims_hash\n"
        f"print(claims_hash(importlib.import_module('suites.{slug.replace('-', '_')}').SUITE))"
    )
    return _output([sys.executable, "-c", program]).strip()


def _corroborate(*arguments: str) -> str:
    return _output([sys.executable, "-m", "harness.cli.main", *arguments])


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout


def compare_folders(before: Path, after: Path) -> int:
    """Print the files that differ; 1 if any does."""
    suites = sorted(path.name for path in before.iterdir() if (after / path.name).is_dir())
    roots = [root / suite for root in (before, after) for suite in suites]
    names = sorted({path.relative_to(root.parent).as_posix() for root in roots for path in _files(root)})
    differing = [name for name in names if not _same(before / name, after / name, name)]
    print(f"{len(names)} files of {', '.join(suites) or 'no suite'}: {len(differing)} differ")
    return 1 if differing or not names else 0


def _files(root: Path) -> Iterator[Path]:
    return (path for path in root.rglob("*") if path.is_file() and path.suffix in (".txt", ".csv"))


def _same(before: Path, after: Path, name: str) -> bool:
    if not before.exists() or not after.exists():
        print(f"{name}: only in {'the second' if after.exists() else 'the first'}")
        return False
    left, right = before.read_text(encoding="utf-8"), after.read_text(encoding="utf-8")
    if left != right:
        lines = list(
            difflib.unified_diff(left.splitlines(), right.splitlines(), name, name, n=0, lineterm="")
        )
        print("\n".join(line[:300] for line in lines[:_SHOWN_LINES]))
        print(f"{name}: {len(lines)} lines of difference")
    return left == right


if __name__ == "__main__":
    raise SystemExit(main())
