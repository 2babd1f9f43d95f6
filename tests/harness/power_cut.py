"""A disk that loses whatever it was not told to keep.

It watches a folder while code writes there, and gives what a power cut may leave of it at any step. A file
has the bytes of its last ``fsync``; what was written since is missing, half there or zeros. A folder has the
names of its last ``fsync``, or those of the moment, each folder for itself: a name may be there before the
bytes that it names, and an old name may be gone before the new one is there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

Names = dict[str, int]
Tear = Callable[[bytes], bytes]
TEARS: dict[str, Tear] = {
    "missing": lambda _: b"",
    "half": lambda data: data[: len(data) // 2],
    "zeros": lambda data: bytes(len(data)),
}
"""What is left of bytes that were not synchronised."""


@dataclass
class State:
    """What is in a folder: the names in each folder and the bytes of each file, by inode."""

    names: dict[int, Names] = field(default_factory=dict)
    data: dict[int, bytes] = field(default_factory=dict)

    def copy(self) -> State:
        return State({key: dict(value) for key, value in self.names.items()}, dict(self.data))


@dataclass
class Cut:
    """A moment at which the power may go.

    Attributes:
        disk: What was synchronised by then.
        now: What was written by then.
        promised: What the writer had been told is stored.
    """

    disk: State
    now: State
    promised: Any

    def images(self, root: int) -> Iterator[dict[str, bytes]]:
        """Each state that the disk may be found in: the bytes of every file, by path."""
        folders = set(self.now.names)
        early = _all_one_or_others(folders)
        written = {node for node, data in self.now.data.items() if self.disk.data.get(node) != data}
        for tear in TEARS.values():
            for torn in _all_one_or_others(written):
                for chosen in early:
                    yield dict(self._files(root, "", chosen, dict.fromkeys(torn, tear)))

    def _files(
        self, folder: int, path: str, early: set[int], torn: dict[int, Tear]
    ) -> Iterator[tuple[str, bytes]]:
        names = (self.now if folder in early else self.disk).names.get(folder, {})
        for name, node in names.items():
            if node in self.now.names:
                yield from self._files(node, f"{path}{name}/", early, torn)
            else:
                yield f"{path}{name}", self._bytes(node, torn.get(node))

    def _bytes(self, node: int, tear: Tear | None) -> bytes:
        kept = self.disk.data.get(node, b"")
        written = self.now.data.get(node, b"")
        if tear is None or not written.startswith(kept):
            return written
        return kept + tear(written[len(kept) :])


def _all_one_or_others(items: set[int]) -> list[set[int]]:
    """No item, all, each by itself, and all but each."""
    ordered = sorted(items)
    return [set(), items, *({one} for one in ordered), *(items - {one} for one in ordered)]


class Disk:
    """Watches a folder, which is there already; use it inside ``with``."""

    def __init__(self, root: Path, promised: Callable[[], Any] = lambda: None) -> None:
        self.root = root
        self.cuts: list[Cut] = []
        self._promised = promised
        self._disk = State()
        self._seen: dict[int, bytes] = {}
        self._held: list[int] = []
        self._patch = pytest.MonkeyPatch()

    def __enter__(self) -> Self:
        self._disk = self._now()
        for owner, name in ((os, "ftruncate"), (Path, "replace"), (Path, "rename"), (Path, "unlink")):
            self._patch.setattr(owner, name, self._step(getattr(owner, name)))
        self._patch.setattr(os, "fsync", self._step(os.fsync, self._synced))
        return self

    def __exit__(self, *exc: object) -> None:
        self._patch.undo()
        self._cut()
        for held in self._held:
            os.close(held)

    def images(self) -> Iterator[tuple[dict[str, bytes], Any]]:
        """All that power cuts may leave, each once, with what was promised at the latest by then."""
        root = self.root.stat().st_ino
        seen: dict[str, int] = {}
        found: list[tuple[dict[str, bytes], Any]] = []
        for cut in self.cuts:
            for image in cut.images(root):
                key = repr(sorted(image.items()))
                if key in seen:
                    found[seen[key]] = (image, cut.promised)
                else:
                    seen[key] = len(found)
                    found.append((image, cut.promised))
        yield from found

    def _step(self, call: Callable[..., Any], after: Callable[[int], None] | None = None) -> Any:
        def wrapped(*args: Any, **named: Any) -> Any:
            self._cut()
            result = call(*args, **named)
            if after is not None:
                after(args[0])
            return result

        return wrapped

    def _cut(self) -> None:
        self.cuts.append(Cut(self._disk.copy(), self._now(), self._promised()))

    def _synced(self, opened: int) -> None:
        # The inode's number must not be given to another file while it is remembered.
        self._held.append(os.dup(opened))
        node = os.fstat(opened).st_ino
        now = self._now()
        if node in now.names:
            self._disk.names[node] = now.names[node]
        elif node in now.data:
            self._disk.data[node] = now.data[node]

    def _now(self) -> State:
        state = State()
        for base, folders, files in os.walk(self.root):
            place = Path(base)
            names = {name: (place / name).lstat().st_ino for name in (*folders, *files)}
            state.names[place.stat().st_ino] = names
            state.data |= {names[name]: (place / name).read_bytes() for name in files}
        # What a name on disk still leads to is there, though the name is gone by now.
        self._seen |= state.data
        state.data = {**self._seen, **state.data}
        return state


def put_down(image: dict[str, bytes], folder: Path) -> Path:
    """Write an image into a new folder."""
    folder.mkdir()
    for name, data in image.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder
