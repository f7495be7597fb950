"""A stream that begins: known calls once, and no error where the recogniser or the database is not there."""

from collections.abc import Callable, Iterable

import pytest

from callcenter.asr.live import Heard
from callcenter.db.engine import Database
from callcenter.db.live import LiveCallRow
from callcenter.domain.transcript import Side
from callcenter.ports import LiveAudio, LiveRefused, StreamReport
from callcenter.services.hear_live import HearLive
from callcenter.services.live_board import LiveBoard
from callcenter.services.live_tickets import LiveTickets
from tests.conftest import SetClock
from tests.live.conftest import CALL, Happen, going_on, rows_of, said


class Recogniser:
    """Hears what a test lets it hear."""

    def __init__(self) -> None:
        self.is_lost = False
        self.dropped = 0
        self.busy = False
        self.take: Callable[[Heard], None] = print

    def open(self, sides: Iterable[Side], take: Callable[[Heard], None]) -> "Recogniser":
        if self.busy:
            raise LiveRefused("busy")
        self.take = take
        return self

    def hear(self, audio: LiveAudio) -> None: ...

    async def finish(self) -> bool:
        return True

    def drop(self) -> None:
        self.dropped += 1


@pytest.fixture
def recogniser() -> Recogniser:
    return Recogniser()


@pytest.fixture
def listener(database: Database, clock: SetClock, tickets: LiveTickets, recogniser: Recogniser) -> HearLive:
    return HearLive(database=database, recognisers=recogniser, board=LiveBoard(), tickets=tickets, clock=clock)


async def refused(listener: HearLive, call: str = CALL) -> str:
    with pytest.raises(LiveRefused) as error:
        await listener.begin(call, provider="twilio", stream_id="MZ2")
    return str(error.value)


async def test_words_of_a_call_are_written_and_make_its_ticket(
    listener: HearLive, recogniser: Recogniser, happen: Happen, database: Database
) -> None:
    await happen(going_on())
    ear = await listener.begin(CALL, provider="twilio", stream_id="MZ1")
    for segment in said("住户：你好，三栋五零一厨房漏水", "客服：好的"):
        recogniser.take(segment)
    await ear.end(StreamReport(whole=True))
    (live,) = await rows_of(database, LiveCallRow)
    assert (live.state, live.settled_at is not None) == ("ended", True)
    talk = listener.board.talk(CALL)
    assert talk is not None
    assert [line.text for line in talk.lines] == ["你好，三栋五零一厨房漏水", "好的"]


async def test_a_call_nobody_knows_and_a_second_stream_are_refused(
    listener: HearLive, recogniser: Recogniser, happen: Happen
) -> None:
    assert await refused(listener) == "unknown_call"
    await happen(going_on())
    await listener.begin(CALL, provider="twilio", stream_id="MZ1")
    assert await refused(listener) == "second_stream"
    assert recogniser.dropped == 1
    talk = listener.board.talk(CALL)
    assert talk is not None
    assert talk.state == "running", "the first stream goes on"


async def test_a_line_of_another_language_waits_for_its_recording(
    listener: HearLive, happen: Happen, database: Database
) -> None:
    await happen(going_on())
    listener.other_numbers = frozenset({"+862112345678"})
    assert await refused(listener) == "other_language"
    (live,) = await rows_of(database, LiveCallRow)
    assert (live.state, live.reason) == ("refused", "other_language")


async def test_a_busy_recogniser_refuses_and_the_page_says_so(
    listener: HearLive, recogniser: Recogniser, happen: Happen, database: Database
) -> None:
    await happen(going_on())
    recogniser.busy = True
    assert await refused(listener) == "busy"
    (live,) = await rows_of(database, LiveCallRow)
    assert (live.state, live.reason) == ("refused", "busy")


async def test_without_the_database_a_stream_is_refused_and_nothing_breaks(
    clock: SetClock, tickets: LiveTickets, recogniser: Recogniser
) -> None:
    away = Database("sqlite+aiosqlite:////dev/null/none.sqlite")
    listener = HearLive(database=away, recognisers=recogniser, board=LiveBoard(), tickets=tickets, clock=clock)
    try:
        assert await refused(listener) == "database_away"
    finally:
        await away.close()
