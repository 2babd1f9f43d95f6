"""Entry point of ``corroborate``: finds the command, imports only its module, maps errors to exit codes."""

from __future__ import annotations

import argparse
import errno
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Protocol, cast

from harness.cli.extensions import extension, extension_help, extension_names
from harness.cli.homeless import settle
from harness.cli.ownership import require_ours
from harness.cli.signals import Terminated, obeyed
from harness.cli.streams import lasting_streams
from harness.errors import CorroborateError, ExitCode, is_storage_error, unknown_name

INTERRUPTED = 130
"""What shells expect of a program that Ctrl-C has ended."""


class CommandModule(Protocol):
    """What the module of a command offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's options."""

    def main(self, args: argparse.Namespace) -> ExitCode:
        """Carry the command out."""


@dataclass(frozen=True)
class Command:
    """A command: its module and its line of help."""

    module: str
    help: str


_NO_NAMES = {errno.ENAMETOOLONG, errno.ELOOP}
"""What systems say of a path that cannot be one, wherever the user has given it."""

_KEPT = {
    "run": " Finished trials are kept; 'run --resume' goes on from there.",
    "run-trial": " What it has kept stays; the same command goes on from there.",
    "noise": " Finished trials are kept; the same command goes on from there.",
}
"""What an interrupted command leaves, for those that leave something."""

COMMANDS = {
    "list": Command("harness.cli.list", "the suites, or what one suite declares"),
    "plan": Command("harness.cli.plan", "what a run would do and could show, in what time"),
    "run": Command("harness.cli.run", "run a suite, judge its claims and write the report"),
    "run-trial": Command("harness.cli.run_trial", "run one trial of a plan by itself, for schedulers"),
    "rehearse": Command("harness.cli.rehearse", "try every experiment of a large profile on tiny stand-ins"),
    "why": Command("harness.cli.why", "why a trial was, or was not, reused"),
    "report": Command("harness.cli.report", "write a run's report again, or an index of all runs"),
    "table": Command("harness.cli.table", "print one table of a run, ready for a paper"),
    "verdicts": Command("harness.cli.verdicts", "print the verdicts on a run's claims, from its records"),
    "controls": Command("harness.cli.controls", "what negative controls did to a run's claims"),
    "query": Command("harness.cli.query", "SQL over the tables of a run: trials, unit rows, verdicts"),
    "compare": Command("harness.cli.compare", "compare two runs: comparability first, then effects"),
    "regress": Command("harness.cli.regress", "check a run against a baseline, for CI"),
    "bundle": Command("harness.cli.bundle", "a run in one archive for others to verify and rerun; open one"),
    "noise": Command("harness.cli.noise", "how far claims' quantities move between environments"),
    "verify": Command("harness.cli.verify", "derive verdicts and numbers again, and run trials again"),
    "reference": Command("harness.cli.reference", "keep a run as a suite's committed results"),
    "new-suite": Command("harness.cli.new_suite", "write the first files of a new suite, complete and green"),
    "check-method": Command("harness.cli.check_method", "put a method through the contract's checks"),
    "doctor": Command("harness.cli.doctor", "what is installed, and what each suite would need"),
    "mirror": Command("harness.cli.mirror", "build a folder of data sets for work offline"),
    "convert": Command("harness.cli.convert", "make safetensors of a model's weights as .bin, once"),
    "cache": Command("harness.cli.cache", "show or prune the cache"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: The arguments, without the program's name.

    Returns:
        The exit code, one of :class:`ExitCode`.

    Raises:
        SystemExit: Of the parser's: for help, the version, and options that it does not know.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    with lasting_streams() as out:
        code = _code(arguments)
        out.flush()
        # A reader who has gone (``| head -1``) has what it wanted; the command itself went on to its end.
        if out.lost is None or isinstance(out.lost, BrokenPipeError):
            return code
        print(f"error: What was printed could not be written: {out.lost.strerror}", file=sys.stderr)
        return code or int(ExitCode.INFRASTRUCTURE)


def _code(arguments: list[str]) -> int:
    """The exit code of a command, in whatever way it ends."""
    running, name = False, ""
    try:
        # Pydantic would read the entry points of all packages for plug-ins, and stop at a broken one.
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
        settle()
        require_ours()
        command = _chosen(arguments)
        if command is None:
            return int(ExitCode.USAGE)
        name, args = command
        running = True
        with obeyed():
            return int(_module(name).main(args))
    except CorroborateError as error:
        print(f"error: {error}", file=sys.stderr)
        return int(error.exit_code)
    except KeyboardInterrupt as stop:
        print(f"\nInterrupted.{_KEPT.get(name, '')}", file=sys.stderr)
        return stop.exit_code if isinstance(stop, Terminated) else INTERRUPTED
    except SystemExit as ended:
        if not running:
            raise  # The parser's, after help or a wrong option; whatever else ends the program is at fault.
        print(f"error: The command was ended from inside, with sys.exit({ended.code!r}).", file=sys.stderr)
        return int(ExitCode.INFRASTRUCTURE)
    except OSError as error:
        if not (told := _surroundings(error)):
            return _fault()
        print(f"error: {told}.\n  What had finished by then is kept.", file=sys.stderr)
        return int(ExitCode.INFRASTRUCTURE)
    except BaseException:  # noqa: BLE001 - whatever it is, CI must not take it for a lost claim
        return _fault()


def _surroundings(error: OSError) -> str:
    """What is wrong around us, in a sentence; empty if the error may be our own."""
    if is_storage_error(error) or error.errno in _NO_NAMES:
        return f"{error.strerror} ({error.filename})" if error.filename else str(error.strerror)
    # Python's own word on folders for temporary files; it has no class of its own.
    return f"{error.strerror} (TMPDIR)" if "usable temporary directory" in str(error.strerror) else ""


def _fault() -> int:
    traceback.print_exc()
    print("error: This is a fault of corroborate itself; please report it.", file=sys.stderr)
    return int(ExitCode.INFRASTRUCTURE)


def _chosen(arguments: list[str]) -> tuple[str, argparse.Namespace] | None:
    """The command and its options; ``None`` if there is no command, with the help printed."""
    name = next((argument for argument in arguments if not argument.startswith("-")), "")
    if name and name not in COMMANDS and name not in (added := extension_names()):
        raise unknown_name("command", name, [*COMMANDS, *added], where="corroborate --help lists them")
    parser = _parser(name)
    args = parser.parse_args(arguments)
    if not name:
        parser.print_help()
        return None
    return name, args


def _module(name: str) -> CommandModule:
    if name in COMMANDS:
        return cast("CommandModule", import_module(COMMANDS[name].module))
    return extension(name)


def _parser(chosen: str) -> argparse.ArgumentParser:
    """The whole parser, with the options of the chosen command only."""
    parser = argparse.ArgumentParser(
        prog="corroborate",
        description="Run the experiments of machine-learning papers again and judge each of their claims.",
        epilog="Exit codes: 0 fine; 1 a claim or baseline was lost; 2 usage; 3 nothing comparable; "
        "4 infrastructure; 5 what is stored is not what the records give.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=version("corroborate"))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    helps = {name: command.help for name, command in COMMANDS.items()}
    if chosen not in COMMANDS:
        # What packages declare is looked for only where it is asked for.
        helps |= {name: extension_help(name) for name in extension_names() if name not in COMMANDS}
    for name, line in helps.items():
        # A script that writes "--prof" would break with the first option that begins so, too.
        sub = commands.add_parser(
            name, help=line, description=line[:1].upper() + line[1:] + ".", allow_abbrev=False
        )
        if name == chosen:
            _module(name).add_arguments(sub)
    return parser


if __name__ == "__main__":
    sys.exit(main())
