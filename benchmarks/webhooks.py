"""Signed status callbacks a second against the running server, beside a bare handler with the same HMAC and commit.

    .venv/bin/python benchmarks/webhooks.py [--quick]

SQLite always; PostgreSQL too where CALLCENTER_TEST_POSTGRES (or a server on loopback) can be reached. Product and
bare handler run in turn, in pairs; the load comes from a process of its own over keep-alive connections. Then 200
requests a second, evenly spaced, for the p99 of the answer time. Exit code 0 only where both measures hold.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import psutil
from sqlalchemy.engine import make_url

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.databases import POSTGRES, administer, kinds  # noqa: E402
from benchmarks.served import Connection, exchange, free_port, product, running, signed_request  # noqa: E402

REQUIRED_SHARE = 0.7
REQUIRED_P99_MS = 50.0
LEAST_SHARE, MOST_P99_MS = 0.5, 150.0
"""What must hold even where a measure is known to be missed (--known-miss)."""
STEADY_RATE = 200
CONNECTIONS = 64
STATUSES = ("initiated", "ringing", "in-progress", "completed")


def request_bytes(number: int, run: str, port: int) -> bytes:
    """The callbacks of calls with one agent leg each, in their order, signed."""
    call, status = divmod(number, len(STATUSES))
    path = f"/ivr/twilio/leg?call=CA{run}{call}&agent=hewen"
    pairs = [
        ("AccountSid", "AC1"),
        ("CallSid", f"CL{run}{call}"),
        ("ParentCallSid", f"CA{run}{call}"),
        ("CallStatus", STATUSES[status]),
        ("From", "+8613812346207"),
        ("To", "sip:hewen@pbx.example"),
        ("Timestamp", f"Tue, 24 Nov 2026 02:00:{status * 4:02d} +0000"),
        ("SequenceNumber", str(status)),
        ("ApiVersion", "2010-04-01"),
    ]
    return signed_request(path, pairs, port)


async def _flood(port: int, requests: list[bytes]) -> float:
    waiting = iter(requests)

    async def one() -> None:
        connection = await asyncio.open_connection("127.0.0.1", port)
        for request in waiting:
            await exchange(connection, request)
        connection[1].close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return time.perf_counter() - began


async def _steady(port: int, requests: list[bytes]) -> list[float]:
    idle: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        idle.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    began = time.perf_counter()

    async def one(number: int, request: bytes) -> float:
        due = began + number / STEADY_RATE
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        connection = await idle.get()
        await exchange(connection, request)
        idle.put_nowait(connection)
        return (time.perf_counter() - due) * 1000

    return list(await asyncio.gather(*(one(number, request) for number, request in enumerate(requests))))


def flood(port: int, count: int) -> float:
    """Requests a second, from a process of its own; the requests are signed before the clock starts."""
    run = uuid.uuid4().hex[:8]
    requests = [request_bytes(number, run, port) for number in range(count)]
    return count / asyncio.run(_flood(port, requests))


def steady(port: int, count: int) -> list[float]:
    """Answer times in ms, from the moment a request was due."""
    run = uuid.uuid4().hex[:8]
    return asyncio.run(_steady(port, [request_bytes(number, run, port) for number in range(count)]))


def bare(url: str) -> tuple[list[str], int]:
    port = free_port()
    return [sys.executable, "benchmarks/bare_webhooks.py", url, str(port)], port


@contextmanager
def databases(kind: str, folder: Path) -> Iterator[tuple[str, str]]:
    """One for the product, one for the bare handler."""
    names = [f"bench_{uuid.uuid4().hex[:8]}" for _ in range(2)]
    if kind == "SQLite":
        yield f"sqlite+aiosqlite:///{folder}/{names[0]}.sqlite", f"sqlite+aiosqlite:///{folder}/{names[1]}.sqlite"
        return
    for name in names:
        asyncio.run(administer(f"CREATE DATABASE {name}"))
    try:
        urls = [make_url(POSTGRES).set(database=name).render_as_string(hide_password=False) for name in names]
        yield urls[0], urls[1]
    finally:
        for name in names:
            asyncio.run(administer(f"DROP DATABASE {name} WITH (FORCE)"))


def one_flood(load: ProcessPoolExecutor, port: int, server: psutil.Process, requests: int) -> tuple[float, float]:
    """Requests a second, and the server's CPU time a request in µs."""
    before = sum(server.cpu_times()[:2])
    rate = load.submit(flood, port, requests).result()
    return rate, (sum(server.cpu_times()[:2]) - before) / requests * 1e6


def measure(kind: str, *, pairs: int, requests: int, steady_seconds: int) -> tuple[float, float]:
    """The share of the bare handler, and the p99 in ms."""
    with (
        tempfile.TemporaryDirectory() as name,
        databases(kind, Path(name)) as (product_url, bare_url),
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as load,
    ):
        (ours, our_port), (yardstick, bare_port) = product(product_url, Path(name)), bare(bare_url)
        with running(ours, our_port) as server, running(yardstick, bare_port) as bare_server:
            both = ((our_port, server), (bare_port, bare_server))
            for port, _ in both:
                load.submit(flood, port, requests // 4).result()
            shares = []
            for pair in range(pairs):
                # Each goes first as often as the other, so that what drifts meanwhile is nobody's advantage.
                order = both if pair % 2 else both[::-1]
                floods = {port: one_flood(load, port, process, requests) for port, process in order}
                (mine, our_cpu), (theirs, bare_cpu) = floods[our_port], floods[bare_port]
                shares.append(mine / theirs)
                print(
                    f"{kind}: product {mine:,.0f}/s ({our_cpu:.0f} µs of CPU each), "
                    f"bare {theirs:,.0f}/s ({bare_cpu:.0f} µs), ratio {mine / theirs:.2f}"
                )
            time.sleep(2)
            times = sorted(load.submit(steady, our_port, STEADY_RATE * steady_seconds).result())
    share = statistics.median(shares)
    p99 = times[int(len(times) * 0.99)]
    print(
        f"{kind}: median ratio {share:.2f}; at {STEADY_RATE}/s p50 {statistics.median(times):.1f} ms, p99 {p99:.1f} ms"
    )
    return share, p99


def main() -> int:
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--quick", action="store_true")
    cli.add_argument(
        "--known-miss",
        action="store_true",
        help=f"only a share below {LEAST_SHARE} or a p99 of {MOST_P99_MS:.0f} ms fails the run, the verdict stays",
    )
    options = cli.parse_args()
    quick = options.quick
    load = (
        {"pairs": 9, "requests": 2000, "steady_seconds": 4}
        if quick
        else {"pairs": 7, "requests": 8000, "steady_seconds": 20}
    )
    measured = [measure(kind, **load) for kind in asyncio.run(kinds())]
    least, most = min(share for share, _ in measured), max(p99 for _, p99 in measured)
    shares, p99s = least >= REQUIRED_SHARE, most < REQUIRED_P99_MS
    words = {True: "holds", False: "DOES NOT HOLD (known)" if options.known_miss else "DOES NOT HOLD"}
    print(
        f"verdict: at least {REQUIRED_SHARE} of the bare handler {words[shares]}; "
        f"p99 below {REQUIRED_P99_MS:.0f} ms {words[p99s]}"
    )
    if options.known_miss:
        return 0 if least >= LEAST_SHARE and most < MOST_P99_MS else 1
    return 0 if shares and p99s else 1


if __name__ == "__main__":
    sys.exit(main())
