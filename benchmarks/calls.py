"""Bridged calls with recording on a real Asterisk, with our application and without, on the same cores.

    .venv/bin/python benchmarks/calls.py [--quick]

Needs root, Asterisk (ASTERISK_ROOT, or installed) and SIPp, which plays residents and agents and takes its part of the
cores. The whole run adds calls until audio breaks: more than 1 % of the frames missing, or a correlation with what was
spoken below 0.99. The quick one holds 60 calls, whose sound must be whole, and goes by the processor time that a
bridged call takes of Asterisk and callcenter, over what callcenter takes without a call. Both then phone on beside 60
calls and see when each event stands in the database (SQLite, looked at from outside). Transcription is a worker's,
which may run elsewhere: it is off. Exit code 0 only where all measures hold.
"""

import argparse
import asyncio
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.calls_beside import Arm, Beside, EventTimes  # noqa: E402
from benchmarks.crowd import MORE, OURS, PLAIN, clip, recordings  # noqa: E402
from benchmarks.whole_sound import LEAST_CORRELATION, MOST_MISSING, Window, most_whole, windows  # noqa: E402
from callcenter.demo.telephony.exchange import asterisk_command  # noqa: E402

REQUIRED_SHARE = 0.85
REQUIRED_P99_MS = 50.0
STEADY_CALLS = 60
PLAIN_RATE, OUR_RATE = 15, 6
"""Calls that are begun a second. Sixty agents who talk two minutes each have one every two seconds."""
TALKING_SECONDS = 2.0
"""From a call's first message to the conversation: notice, ringing."""
FEWEST_EVENTS = 60
"""Fewer say nothing of a p99."""


async def quick(folder: Path) -> bool:
    async with Beside(folder, calls=STEADY_CALLS + 40) as beside:
        serving = asyncio.create_task(beside.serve())
        plain = await steady(beside)
        await serving
        _, beside.idle_cores = await beside.taken(OURS, seconds=1.5)
        ours, times = await steady_with_more(beside)
    share = ours.fits / plain.fits
    print(
        f"calls that two cores suffice for by their processor time: plain {plain.fits:.0f}, ours {ours.fits:.0f}"
        f" ({beside.idle_cores:.3f} cores without a call): {share:.2f} (required {REQUIRED_SHARE})"
    )
    whole = plain.sound_is_whole(STEADY_CALLS) & ours.sound_is_whole(STEADY_CALLS)
    return (share >= REQUIRED_SHARE) & whole & stored_in_time(times)


async def steady(beside: Beside) -> Arm:
    """60 calls of plain Asterisk's for some seconds, and what they take."""
    residents = await beside.crowd.residents(PLAIN, calls=STEADY_CALLS, rate=PLAIN_RATE, hold_seconds=9)
    arm = await beside.hold(PLAIN, until_talking=STEADY_CALLS / PLAIN_RATE + TALKING_SECONDS, seconds=3)
    beside.crowd.must_have_phoned(await residents.wait())
    return await beside.heard(arm)


async def steady_with_more(beside: Beside) -> tuple[Arm, list[float]]:
    """60 calls of ours, then further ones come and go beside them: when each of their events is stored."""
    residents = await beside.crowd.residents(OURS, calls=STEADY_CALLS, rate=OUR_RATE, hold_seconds=24)
    arm = await beside.hold(OURS, until_talking=STEADY_CALLS / OUR_RATE + TALKING_SECONDS, seconds=3)
    with EventTimes(beside.database) as times:
        more = await beside.crowd.residents(MORE, calls=18, rate=2, hold_seconds=1.5)
        beside.crowd.must_have_phoned(await more.wait())
    beside.crowd.must_have_phoned(await residents.wait())
    return await beside.heard(arm), times.milliseconds


async def whole(folder: Path, *, most: int, rate: float, rounds: int) -> bool:
    async with Beside(folder, calls=most) as beside:
        reached: dict[str, list[int]] = {PLAIN: [], OURS: []}
        for _ in range(rounds):
            for name in (PLAIN, OURS):
                if name == OURS:
                    await beside.serve()
                reached[name].append(await until_it_breaks(beside, name, most=most, rate=rate))
                await beside.stop_serving()
        await beside.serve()
        _, times = await steady_with_more(beside)
    plain, ours = (statistics.median(reached[name]) for name in (PLAIN, OURS))
    share = ours / plain
    print(f"calls at once with whole sound: plain {reached[PLAIN]}, ours {reached[OURS]}: {share:.2f} (required 0.85)")
    if plain == most:
        print(f"plain Asterisk did not break at {most} calls: give more with --most")
    return (share >= REQUIRED_SHARE) & stored_in_time(times)


async def until_it_breaks(beside: Beside, name: str, *, most: int, rate: float) -> int:
    seconds = most / rate
    residents = await beside.crowd.residents(name, calls=most, rate=rate, hold_seconds=seconds + 4)
    await asyncio.sleep(seconds + 3)
    residents.kill()
    await residents.wait()
    await beside.all_hung_up()
    clips = {speaker: clip(speaker) for speaker in ("resident", "agent")}
    found = windows(list(recordings(beside.exchange.recordings)), clips)
    for window in found:
        print(f"  {name}: {describe(window)}")
    await beside.forget()
    return most_whole(found)


def describe(window: Window) -> str:
    return (
        f"{window.calls:4d} calls: {window.missing:.2%} of the frames missing, {window.put_in:.2%} put in,"
        f" correlation {window.correlation:.4f}{'' if window.whole else '  BROKEN'}"
    )


def stored_in_time(milliseconds: list[float]) -> bool:
    if len(milliseconds) < FEWEST_EVENTS:
        print(f"only {len(milliseconds)} events were seen in the database, {FEWEST_EVENTS} are needed")
        return False
    found = statistics.quantiles(milliseconds, n=100)
    print(
        f"event of Asterisk to stored event beside {STEADY_CALLS} calls: median {found[49]:.1f} ms,"
        f" p99 {found[98]:.1f} ms over {len(milliseconds)} events (required {REQUIRED_P99_MS:.0f} ms)"
    )
    return found[98] < REQUIRED_P99_MS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="60 calls each and their processor time, about 40 s")
    parser.add_argument("--most", type=int, default=240, help="calls that are begun at most (default: 240)")
    parser.add_argument("--rate", type=float, default=6, help="calls that are begun a second (default: 6)")
    parser.add_argument("--rounds", type=int, default=2, help="how often each is measured (default: 2)")
    options = parser.parse_args()
    missing = [name for name, found in (("Asterisk", asterisk_command()), ("sipp", shutil.which("sipp"))) if not found]
    if missing:
        print(f"{' and '.join(missing)} not installed: tests/asterisk/get-asterisk.sh FOLDER and ASTERISK_ROOT=FOLDER,")
        print("Debian's package sip-tester")
        return 1
    print(f"audio is whole with at most {MOST_MISSING:.0%} of its frames missing and {LEAST_CORRELATION} correlation")
    began = time.monotonic()
    if os.geteuid() == 0:  # the clock that looks at the database is as prompt as what it looks at
        os.setpriority(os.PRIO_PROCESS, 0, -15)
    with tempfile.TemporaryDirectory(prefix="callcenter-calls-") as name:
        folder = Path(name)
        held = asyncio.run(
            quick(folder)
            if options.quick
            else whole(folder, most=options.most, rate=options.rate, rounds=options.rounds)
        )
    print(f"{'every measure holds' if held else 'MISSED'}; {time.monotonic() - began:.0f} s")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
