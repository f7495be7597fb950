"""The demonstration's other processes, each in a process group of its own that is always ended again."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

STOP_SECONDS = 10.0


class ProcessFailed(Exception):
    """One of the demonstration's processes ended by itself; the message shows the end of its log."""


class Child:
    """A running process and the file that its output goes to."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log_file: Path) -> None:
        self.name = name
        self.process = process
        self.log_file = log_file

    @property
    def failure(self) -> ProcessFailed:
        code = self.process.returncode
        return ProcessFailed(f"the {self.name} ended by itself (exit code {code}); the end of its log:\n{self._tail()}")

    async def ended(self) -> None:
        """Returns never; raises ProcessFailed once the process is gone."""
        await self.process.wait()
        raise self.failure

    async def first_line(self) -> str:
        """The first line of standard output. Raises ProcessFailed where the process ends without one."""
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        if not line:
            await self.process.wait()
            raise self.failure
        return line.decode()

    async def stop(self) -> None:
        if self.process.returncode is None:
            self._signal(signal.SIGTERM)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
        self._signal(signal.SIGKILL)
        await self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def _tail(self, lines: int = 15) -> str:
        text = self.log_file.read_text(encoding="utf-8", errors="replace")
        return "\n".join(f"  {line}" for line in text.splitlines()[-lines:])


@asynccontextmanager
async def python_process(
    name: str, arguments: Sequence[str], *, log_file: Path, speaks: bool = False
) -> AsyncIterator[Child]:
    """`python ARGUMENTS` while the context is open. Settings in the environment do not reach it.

    Output goes to `log_file`; with `speaks`, standard output can be read instead.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CALLCENTER_")}
    with log_file.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE if speaks else log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
    child = Child(name, process, log_file)
    try:
        yield child
    finally:
        await child.stop()
