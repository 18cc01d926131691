"""A small client for Pillarbox's REST API, of the standard library alone (Python 3.10 or later).

    PILLARBOX_URL=http://127.0.0.1:8080 PILLARBOX_KEY=... python3 pillarbox.py hello@inbox.example
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


class Problem(Exception):
    """What went wrong: `code` for programs, the text for people, `fix` for what to do next."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(body.get("detail", f"HTTP {status}"))
        self.status = status
        self.code: str = body.get("code", "")
        self.fix: str = body.get("fix", "")


@dataclass(frozen=True)
class Code:
    """A verification code; `code` is None where none came in time."""

    code: str | None
    confidence: float | None
    subject: str | None
    sender: str | None


@dataclass(frozen=True)
class Message:
    """A message as lists show it. Subject and preview were written by its sender."""

    id: str
    mailbox: str
    from_address: str
    subject: str
    preview: str
    received_at: int


class Pillarbox:
    def __init__(self, url: str, key: str) -> None:
        self._base = url.rstrip("/") + "/api/v1"
        self._key = key

    def create_mailbox(self, address: str | None = None) -> tuple[str, str]:
        """Makes a mailbox and answers with its address and password; without an address a readable one is drawn."""
        # Sent again after a broken connection, the request makes no second mailbox.
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        data = self._call("POST", "/mailboxes", body={"address": address} if address else {}, headers=headers)["data"]
        return data["mailbox"]["address"], data["password"]

    def code(self, mailbox: str, wait: int = 30, seconds: int = 600) -> Code:
        """The newest code of a mailbox that is not older than `seconds`; waits up to `wait` seconds (at most 55) for one."""
        query = {"mailbox": mailbox, "wait": wait, "seconds": seconds}
        data = self._call("GET", "/admin/verification-code", query=query, timeout=wait + 15)["data"]
        return Code(data["code"], data.get("confidence"), data.get("subject"), data.get("sender"))

    def messages(self, mailbox: str) -> Iterator[Message]:
        """All messages of a mailbox, newest first, a page at a time."""
        query: dict[str, Any] = {"limit": 100}
        while True:
            page = self._call("GET", f"/mailboxes/{urllib.parse.quote(mailbox)}/messages", query=query)
            for row in page["data"]:
                yield Message(*(row[field] for field in Message.__dataclass_fields__))
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]

    def _call(
        self,
        method: str,
        path: str,
        query: dict[str, Any] | None = None,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = 15,
    ) -> dict[str, Any]:
        url = self._base + path + ("?" + urllib.parse.urlencode(query) if query else "")
        request = urllib.request.Request(url, method=method, headers={"Authorization": f"Bearer {self._key}", **(headers or {})})
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Problem(error.code, json.load(error)) from None


if __name__ == "__main__":
    pillarbox = Pillarbox(os.environ["PILLARBOX_URL"], os.environ["PILLARBOX_KEY"])
    found = pillarbox.code(sys.argv[1])
    print(found.code)
    for message in pillarbox.messages(sys.argv[1]):
        print(message.received_at, message.from_address, message.subject, sep="\t")
