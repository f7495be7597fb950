"""The running server as a process of its own, and callbacks signed as the provider signs them."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import psutil

from benchmarks.bare_webhooks import PUBLIC_URL, ROOT, TOKEN, signature

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def signed_request(path: str, pairs: Sequence[tuple[str, str]], port: int) -> bytes:
    """A whole HTTP request."""
    body = urlencode(pairs).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"X-Twilio-Signature: {signature(PUBLIC_URL + path, list(pairs))}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def exchange(connection: Connection, request: bytes) -> None:
    """Sends it and waits for the whole answer; RuntimeError where that is not 200."""
    reader, writer = connection
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"unexpected answer: {head[:200]!r}")
    length = int(next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))[15:])
    await reader.readexactly(length)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], port: int) -> Iterator[psutil.Process]:
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
                    break
            except OSError:
                if process.poll() is not None:
                    sys.exit(f"the server ended with {process.returncode}: {' '.join(command)}")
                time.sleep(0.1)
        yield psutil.Process(process.pid)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def product(url: str, folder: Path, *, more: str = "") -> tuple[list[str], int]:
    """The command that serves a migrated database, and its port. `more`: settings beside the usual ones."""
    port = free_port()
    config = folder / f"{uuid.uuid4().hex[:8]}.toml"
    config.write_text(
        f"""worker_embedded = false
[server]
port = {port}
public_url = "{PUBLIC_URL}"
data_dir = "{folder}"
[database]
url = "{url}"
[twilio]
account_sid = "AC1"
auth_token = "{TOKEN.decode()}"
[log]
level = "error"
{more}
""",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "callcenter", "--config", str(config)]
    subprocess.run([*command, "migrate"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return [*command, "serve"], port
