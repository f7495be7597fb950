"""Listening: in pieces as a player asks, written down once, never a file outside the recordings."""

from pathlib import Path

import pytest
from sqlalchemy import select, update

from callcenter.config import Settings
from callcenter.db.engine import Database
from callcenter.db.recordings import RecordingRow
from callcenter.db.users import AuditRow
from callcenter.web.pages.recordings import stored_file
from tests.conftest import SetClock
from tests.web.conftest import SignIn
from tests.web.factory import Ring, Story, call_rows, recording_rows, save

AUDIO = "/recordings/rec-CA-leak/audio"


async def listened(database: Database) -> list[str]:
    async with database.read() as session:
        return list((await session.scalars(select(AuditRow.login).where(AuditRow.action == "listened"))).all())


async def test_a_player_may_ask_for_a_piece(sign_in: SignIn, settings: Settings) -> None:
    client = await sign_in("lijia")
    stored = (settings.recordings_dir / "CA-leak.wav").read_bytes()
    whole = await client.get(AUDIO)
    assert await whole.read() == stored
    assert whole.headers["Content-Type"] == "audio/wav"
    piece = await client.get(AUDIO, headers={"Range": "bytes=100-199"})
    assert piece.status == 206
    assert await piece.read() == stored[100:200]


async def test_one_listening_is_written_down_once(sign_in: SignIn, database: Database, clock: SetClock) -> None:
    client = await sign_in("lijia")
    for start in (0, 5000, 90):
        await client.get(AUDIO, headers={"Range": f"bytes={start}-"})
    assert await listened(database) == ["lijia"]
    clock.advance(hours=1)
    await client.get(AUDIO)
    await (await sign_in("hewen")).get(AUDIO)
    assert await listened(database) == ["lijia", "lijia", "hewen"]


async def test_a_call_without_a_ticket_is_heard_by_who_took_it_and_by_supervisors(
    sign_in: SignIn, database: Database, clock: SetClock, settings: Settings
) -> None:
    story = Story(
        call_id="CA-own",
        at=clock.now(),
        rings=(Ring(agent="zhao", start=1, seconds=2),),
        said=(("agent", 0.0, 1.0, "您好"),),
    )
    await save(database, *call_rows(story), *recording_rows(story, settings.recordings_dir))
    path = "/recordings/rec-CA-own/audio"
    assert (await (await sign_in("lijia")).get(path)).status == 403
    assert (await (await sign_in("zhaoqiang")).get(path)).status == 200
    assert (await (await sign_in("hewen")).get(path)).status == 200
    assert await listened(database) == ["zhaoqiang", "hewen"]


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "gone.wav", "", None])
async def test_a_file_that_is_not_there_or_not_ours_is_not_served(
    sign_in: SignIn, database: Database, path: str | None
) -> None:
    async with database.write() as session:
        await session.execute(update(RecordingRow).where(RecordingRow.id == "rec-CA-leak").values(path=path))
    assert (await (await sign_in("hewen")).get(AUDIO)).status == 404
    assert (await (await sign_in("hewen")).get("/recordings/none/audio")).status == 404
    assert await listened(database) == []


def test_a_link_that_leads_outside_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    folder = tmp_path / "recordings"
    folder.mkdir()
    (folder / "link.wav").symlink_to(tmp_path / "secret")
    assert stored_file(folder, "link.wav") is None


async def test_a_failed_transcription_still_plays(sign_in: SignIn, database: Database) -> None:
    async with database.write() as session:
        await session.execute(update(RecordingRow).where(RecordingRow.id == "rec-CA-silent").values(state="failed"))
    page = await (await (await sign_in("lijia")).get("/tickets/GD-1124-0003")).text()
    assert "转写失败，录音可听。" in page
    assert 'src="/recordings/rec-CA-silent/audio"' in page
