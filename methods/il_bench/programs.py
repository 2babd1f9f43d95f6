"""LLM-symbolic programs: trees of instructions whose edges are predicted labels (card §3.2).

    α ::= x | switch({α == yᵢ : αᵢ}) | LLM(x, s)

A node asks a language model for a label; where it has a child under that label, the child decides
about the same input, else the label stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.method import ProblemError

Predict = Callable[[str, Sequence[str]], Sequence[str | None]]
"""From an instruction and input texts to labels; None where the answer names none."""
Path = tuple[str, ...]
"""Labels on the way from the root to a node."""

_INDENT = "    "


@dataclass(frozen=True)
class Node:
    """One LLM module, LLM(x, s), with the branches behind it.

    Attributes:
        instruction: s.
        fallback: The label where the answer names none: the most frequent of the node's data.
        children: By predicted label.
    """

    instruction: str
    fallback: str
    children: Mapping[str, Node] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of modules."""
        return 1 + sum(child.size for child in self.children.values())

    @property
    def depth(self) -> int:
        """Modules on the longest path."""
        return 1 + max((child.depth for child in self.children.values()), default=0)

    def modules(self, path: Path = ()) -> Iterator[tuple[Path, Node]]:
        """All nodes with their paths, parents first."""
        yield path, self
        for label, child in self.children.items():
            yield from child.modules((*path, label))


def attach(root: Node, path: Path, label: str, child: Node) -> Node:
    """The program with ``child`` behind ``label`` of the node at ``path``.

    Raises:
        ProblemError: If there is no such node.
    """
    if not path:
        return replace(root, children={**root.children, label: child})
    if path[0] not in root.children:
        raise ProblemError(
            f"The program has no branch {path[0]!r} there", where="path", fix="Use a path of `modules()`."
        )
    below = attach(root.children[path[0]], path[1:], label, child)
    return replace(root, children={**root.children, path[0]: below})


@dataclass(frozen=True)
class Leaf:
    """Inputs whose decision is the same label of the same node.

    Attributes:
        path: Where the node is.
        label: What it says.
        members: Places of the inputs.
    """

    path: Path
    label: str
    members: tuple[int, ...]


def route(root: Node, texts: Sequence[str], predict: Predict) -> list[Leaf]:
    """Where each input ends; leaves are disjoint and cover all inputs, parents' before children's."""
    return _route(root, (), tuple(range(len(texts))), texts, predict)


def _route(
    node: Node, path: Path, members: tuple[int, ...], texts: Sequence[str], predict: Predict
) -> list[Leaf]:
    if not members:
        return []
    said = predict(node.instruction, [texts[i] for i in members])
    groups: dict[str, list[int]] = {}
    for i, label in zip(members, said, strict=True):
        groups.setdefault(node.fallback if label is None else label, []).append(i)
    leaves = [
        Leaf(path, label, tuple(group)) for label, group in groups.items() if label not in node.children
    ]
    for label, child in node.children.items():
        leaves += _route(child, (*path, label), tuple(groups.get(label, ())), texts, predict)
    return leaves


def run(root: Node, texts: Sequence[str], predict: Predict) -> list[str]:
    """The label of each input."""
    found = [""] * len(texts)
    for leaf in route(root, texts, predict):
        for i in leaf.members:
            found[i] = leaf.label
    return found


def calls(root: Node, texts: Sequence[str], predict: Predict) -> list[int]:
    """Modules that each input passes: what one prediction costs in calls."""
    found = [0] * len(texts)
    for leaf in route(root, texts, predict):
        for i in leaf.members:
            found[i] = len(leaf.path) + 1
    return found


def print_program(root: Node) -> str:
    """A program as text that people can follow and :func:`parse_program` reads."""
    return "\n".join(_lines(root, 0)) + "\n"


def _lines(node: Node, level: int) -> Iterator[str]:
    indent = _INDENT * level
    yield f"{indent}ask (if unreadable: {node.fallback})"
    for line in node.instruction.split("\n"):
        yield f"{indent}{_INDENT}| {line}"
    for label, child in node.children.items():
        yield f"{indent}{_INDENT}when {label}:"
        yield from _lines(child, level + 2)


def parse_program(text: str) -> Node:
    """The inverse of :func:`print_program`.

    Raises:
        ProblemError: If the text is not a program; the line is named.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    node, end = _parse(lines, 0, 0)
    if end != len(lines):
        raise _unreadable(lines, end, "nothing more")
    return node


def _parse(lines: list[str], at: int, level: int) -> tuple[Node, int]:
    head, inner = f"{_INDENT * level}ask (if unreadable: ", _INDENT * (level + 1)
    if at >= len(lines) or not lines[at].startswith(head) or not lines[at].endswith(")"):
        raise _unreadable(lines, at, f"{head.strip()} …)")
    fallback = lines[at][len(head) : -1]
    at += 1
    instruction = []
    while at < len(lines) and lines[at].startswith(f"{inner}|"):
        instruction.append(lines[at][len(inner) + 2 :])
        at += 1
    children: dict[str, Node] = {}
    while at < len(lines) and lines[at].startswith(f"{inner}when ") and lines[at].endswith(":"):
        label = lines[at][len(inner) + len("when ") : -1]
        children[label], at = _parse(lines, at + 1, level + 2)
    return Node("\n".join(instruction), fallback, children), at


def _unreadable(lines: list[str], at: int, expected: str) -> ProblemError:
    found = lines[at] if at < len(lines) else "the end"
    return ProblemError(
        f"Line {at + 1} of the program is {found!r} where {expected!r} should stand",
        where="program",
        fix="Use the text that print_program writes.",
    )
