"""A hub in memory that answers as the real one is documented to, through its own client library."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote

import httpx2
import huggingface_hub
import pyarrow as pa
import pyarrow.parquet as pq

Fault = Literal["", "gated", "absent", "down", "busy", "broken"]


@dataclass
class Repository:
    """One repository: its files by name, its branches, and how it is closed."""

    files: dict[str, bytes]
    commit: str = "a" * 40
    refs: dict[str, str] = field(default_factory=dict)
    gated: str | bool = False
    fault: Fault = ""
    licence: str = "mit"

    def known(self, revision: str) -> str:
        """The commit that a revision is, or an empty text."""
        branches = {"main": self.commit} | self.refs
        return branches.get(revision, revision if revision in branches.values() else "")


@dataclass
class FakeHub:
    """Repositories by ``models/owner/name`` or ``datasets/owner/name``; keeps what was asked."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    sent: int = 0

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        """What the hub answers."""
        path = unquote(request.url.path)
        self.asked.append(f"{request.method} {path}")
        found = re.match(r"/api/(models|datasets)/([^/]+/[^/]+)(?:/(.*))?$", path)
        if found:
            return self._api(request, f"{found[1]}/{found[2]}", found[3] or "")
        found = re.match(r"/(datasets/)?([^/]+/[^/]+)/resolve/(refs/[^/]+/[^/]+|[^/]+)/(.*)$", path)
        if found:
            kind = "datasets" if found[1] else "models"
            return self._file(request, f"{kind}/{found[2]}", found[3], found[4])
        return httpx2.Response(404, request=request)

    def _api(self, request: httpx2.Request, name: str, rest: str) -> httpx2.Response:
        repository = self.repositories.get(name)
        if (refusal := self._refusal(request, repository, api=rest != "auth-check")) is not None:
            return refusal
        assert repository is not None
        action, _, where = rest.partition("/")
        revision = re.match(r"refs/[^/]+/[^/]+|[^/]*", where)
        commit = repository.known((revision[0] if revision else "") or "main")
        if not commit:
            return _error(request, 404, "RevisionNotFound")
        if action == "paths-info":
            asked = _paths(request)
            entries = [_entry(path, repository.files[path]) for path in asked if path in repository.files]
            return httpx2.Response(200, json=entries, request=request)
        if action == "tree":
            below = where.removeprefix(revision[0] if revision else "").strip("/")
            named = [item for item in repository.files.items() if item[0].startswith(below)]
            return httpx2.Response(200, json=[_entry(*item) for item in named], request=request)
        return httpx2.Response(200, json=_info(name, repository, commit), request=request)

    def _file(self, request: httpx2.Request, name: str, revision: str, path: str) -> httpx2.Response:
        repository = self.repositories.get(name)
        if (refusal := self._refusal(request, repository, api=False)) is not None:
            return refusal
        assert repository is not None
        if not repository.known(revision):
            return _error(request, 404, "RevisionNotFound")
        if path not in repository.files:
            return _error(request, 404, "EntryNotFound")
        content = repository.files[path]
        headers = {
            "X-Repo-Commit": repository.known(revision),
            "ETag": f'"{hashlib.sha1(content, usedforsecurity=False).hexdigest()}"',
            "Content-Length": str(len(content)),
            "Accept-Ranges": "bytes",
        }
        if request.method == "HEAD":
            return httpx2.Response(200, headers=headers, request=request)
        status, part = 200, content
        if wanted := re.match(r"bytes=(\d+)-(\d*)", request.headers.get("Range", "")):
            last = int(wanted[2]) if wanted[2] else len(content) - 1
            status, part = 206, content[int(wanted[1]) : last + 1]
            headers["Content-Range"] = f"bytes {wanted[1]}-{last}/{len(content)}"
        self.sent += len(part)
        return httpx2.Response(
            status, headers=headers | {"Content-Length": str(len(part))}, content=part, request=request
        )

    def _refusal(
        self, request: httpx2.Request, repository: Repository | None, *, api: bool
    ) -> httpx2.Response | None:
        fault = repository.fault if repository else "absent"
        if fault == "down":
            raise httpx2.ConnectError("Name or service not known", request=request)
        # What a gated repository holds can be seen by everybody; its files cannot be had.
        if fault == "gated" and not api:
            return _error(request, 403, "GatedRepo")
        status = {"absent": 404, "busy": 429, "broken": 503}.get(fault)
        return _error(request, status, "RepoNotFound" if status == 404 else "") if status else None


def _error(request: httpx2.Request, status: int, code: str) -> httpx2.Response:
    headers = {"X-Error-Code": code, "X-Error-Message": code or "no"} if code else {}
    return httpx2.Response(status, headers=headers, json={"error": code}, request=request)


def _info(name: str, repository: Repository, commit: str) -> dict[str, Any]:
    siblings = [{"rfilename": path, "size": len(content)} for path, content in repository.files.items()]
    return {
        "id": name.partition("/")[2],
        "author": name.split("/")[1],
        "sha": commit,
        "private": False,
        "gated": repository.gated,
        "disabled": False,
        "tags": [],
        "downloads": 0,
        "likes": 0,
        "cardData": {"license": repository.licence},
        "siblings": siblings,
    }


def _entry(path: str, content: bytes) -> dict[str, Any]:
    digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    return {"type": "file", "oid": digest, "size": len(content), "path": path}


def _paths(request: httpx2.Request) -> list[str]:
    text = request.content.decode()
    if request.headers.get("Content-Type", "").startswith("application/json"):
        return list(json.loads(text)["paths"])
    from urllib.parse import parse_qs

    return parse_qs(text).get("paths", [])


@contextmanager
def served(hub: FakeHub) -> Iterator[FakeHub]:
    """Let the hub's client library talk to ``hub`` instead of to the network."""
    transport = httpx2.MockTransport(hub.answer)
    huggingface_hub.set_client_factory(lambda: httpx2.Client(transport=transport, follow_redirects=True))
    try:
        yield hub
    finally:
        from huggingface_hub.utils._http import default_client_factory

        huggingface_hub.set_client_factory(default_client_factory)


def parquet(rows: list[dict[str, Any]]) -> bytes:
    """Rows as a Parquet file."""
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out, compression="none")
    return out.getvalue()


def lines(rows: list[dict[str, Any]]) -> bytes:
    """Rows as JSON lines."""
    return "\n".join(json.dumps(row) for row in rows).encode()
