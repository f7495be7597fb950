"""The embedded worker is started again, whatever became of the last one."""

import asyncio
import errno
from typing import Any

import pytest

from callcenter.jobs import supervisor
from callcenter.jobs.supervisor import WorkerSupervisor


async def test_a_machine_that_cannot_start_a_process_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[object] = []
    start = asyncio.create_subprocess_exec

    async def scarce(*command: Any, **options: Any) -> asyncio.subprocess.Process:
        tries.append(command)
        if len(tries) < 3:
            raise OSError(errno.EAGAIN, "Resource temporarily unavailable")
        return await start("sleep", "60", **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", scarce)
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 0.01)
    async with WorkerSupervisor(None), asyncio.timeout(10):
        while len(tries) < 3:
            await asyncio.sleep(0.01)
    assert len(tries) == 3
