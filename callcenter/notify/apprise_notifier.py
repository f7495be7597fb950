"""Tells people over apprise: WeCom, DingTalk, Feishu, e-mail, SMS and many more, one address a channel.

apprise blocks, so each message is sent in a thread of our own small pool: a far end that hangs holds up no webhook.
Addresses are secrets: they appear in no message and no log, and what apprise says about a failure is cleaned of them.
"""

import asyncio
import logging
import re
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import apprise
from pydantic import SecretStr

from callcenter.ports import Notice, NotTold

AT_ONCE = 4
PATIENCE_SECONDS = 60.0
SHORTEST_SECRET = 4
_APPRISE = logging.getLogger("apprise")


class AppriseNotifier:
    """An async context manager. `people` gives each person's addresses in the order of their channels."""

    def __init__(
        self, people: Mapping[str, Sequence[SecretStr]], *, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._people = people
        self._patience_seconds = patience_seconds
        self._threads = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="notify")

    async def __aenter__(self) -> Self:
        _APPRISE.propagate = False
        logging.getLogger("urllib3").setLevel(logging.INFO)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def tell(self, person: str, channel: int, notice: Notice) -> None:
        """Raises NotTold."""
        addresses = self._people.get(person, ())
        if channel >= len(addresses):
            raise NotTold("this person or channel is not in the settings any more")
        sending = asyncio.get_running_loop().run_in_executor(self._threads, _send, addresses[channel], notice)
        try:
            await asyncio.wait_for(sending, timeout=self._patience_seconds)
        except TimeoutError as error:
            raise NotTold(f"no answer within {self._patience_seconds:g} s") from error


def _send(address: SecretStr, notice: Notice) -> None:
    """In a thread. Raises NotTold with what apprise says about it."""
    secret = address.get_secret_value()
    kind = apprise.NotifyType.FAILURE if notice.urgent else apprise.NotifyType.WARNING
    heard = _Heard()
    _APPRISE.addHandler(heard)
    try:
        service = apprise.Apprise.instantiate(secret)
        if service is None:
            raise NotTold(f"{_scheme(secret)}: apprise cannot read this address")
        told = service.notify(title=notice.title, body=notice.body, notify_type=kind)
    finally:
        _APPRISE.removeHandler(heard)
    if not told:
        raise NotTold(f"{_scheme(secret)}: {_without(secret, heard.last) or 'not delivered'}")


class _Heard(logging.Handler):
    """The last warning that apprise gave in this thread."""

    def __init__(self) -> None:
        super().__init__(level=logging.WARNING)
        self._thread = threading.get_ident()
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.last = record.getMessage()


def _scheme(address: str) -> str:
    return address.partition("://")[0][:20]


def _without(secret: str, message: str) -> str:
    """The message with every part of the address struck out."""
    parts = {part for part in re.split(r"[/?&=:@#,;]", secret.partition("://")[2]) if len(part) >= SHORTEST_SECRET}
    for part in sorted({secret, *parts}, key=len, reverse=True):
        message = message.replace(part, "***")
    return " ".join(message.split())[:300]
