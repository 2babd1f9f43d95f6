"""What can be said about LaTeX without LaTeX: balance, and no raw special characters."""

from __future__ import annotations

import re

_COMMANDS = re.compile(r"\\(?:[A-Za-z]+\*?|.)", re.DOTALL)
_MATHEMATICS = re.compile(r"\\ensuremath\{[^{}]*(\{[^{}]*\})?[^{}]*\}")
_DANGEROUS = (
    "write",
    "input",
    "include",
    "openout",
    "immediate",
    "csname",
    "catcode",
    "def",
    "read",
    "special",
)


def problems(source: str, *, allow: tuple[str, ...] = ()) -> list[str]:
    """Everything wrong with a piece of LaTeX; an empty list if nothing is."""
    found = [f"not ASCII: {char!r}" for char in sorted(set(source)) if ord(char) > 126]
    body = "\n".join(_without_comment(line) for line in source.splitlines())
    found += _environments(body)
    found += [f"command {name}" for name in _names(body) if name in _DANGEROUS and name not in allow]
    bare = _COMMANDS.sub(" ", body)
    depth = 0
    for char in bare:
        depth += {"{": 1, "}": -1}.get(char, 0)
        if depth < 0:
            found.append("a closing brace without its opening one")
            break
    if depth > 0:
        found.append(f"{depth} braces never closed")
    outside = _outside_mathematics(_MATHEMATICS.sub(" ", bare_with_commands(body)))
    found += [f"raw {char}" for char in "^_" if char in outside]
    # A table's preamble and a command's definition are the places for a number sign.
    found += ["raw #"] if "#" in bare and "newcommand" not in body and "newenvironment" not in body else []
    if bare.count("$") % 2:
        found.append("an odd number of dollar signs")
    return found


def bare_with_commands(body: str) -> str:
    """The body without its commands, apart from the one that opens mathematics."""
    return _COMMANDS.sub(lambda match: match[0] if match[0] == r"\ensuremath" else " ", body)


def _without_comment(line: str) -> str:
    return re.split(r"(?<!\\)%", line, maxsplit=1)[0]


def _names(body: str) -> list[str]:
    return [match[1:].rstrip("*") for match in _COMMANDS.findall(body)]


def _outside_mathematics(bare: str) -> str:
    return "".join(part for at, part in enumerate(bare.split("$")) if at % 2 == 0)


def _environments(body: str) -> list[str]:
    stack: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{([^}]*)\}", re.sub(r"\\newenvironment.*", "", body)):
        if kind == "begin":
            stack.append(name)
        elif not stack or stack.pop() != name:
            return [f"\\end{{{name}}} does not match"]
    return [f"\\begin{{{name}}} never ends" for name in stack]


def row_widths(source: str) -> list[int]:
    """Entries of each row of the tables in a source; rows over several columns left out."""
    rows = [
        line for line in source.splitlines() if line.rstrip().endswith(r"\\") and "multicolumn" not in line
    ]
    return [len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows]
