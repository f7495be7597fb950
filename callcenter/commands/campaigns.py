"""`callcenter campaign import|start|pause|cancel|status`."""

import argparse
import getpass
import sys
from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.table import Table

from callcenter.app.parts import rules_of
from callcenter.app.surroundings import clock_of, opened_database
from callcenter.config import Settings
from callcenter.db.campaigns import CampaignRow
from callcenter.db.engine import Database
from callcenter.domain.call_text import SpokenMatter
from callcenter.domain.heard_fields import UnreadableField, read_place
from callcenter.domain.reasons import reason_text
from callcenter.domain.recipients_file import Recipient, read_recipients
from callcenter.domain.table_file import TableRefused
from callcenter.services.call_speech import say
from callcenter.services.campaigns import (
    CampaignRefused,
    NewCampaign,
    Progress,
    campaigns,
    cancel_campaign,
    make_campaign,
    pause_campaign,
    progress_of,
    residents_at,
    start_campaign,
)


async def make(settings: Settings, options: argparse.Namespace) -> int:
    now = clock_of(settings).now()
    opens_at = _local(options.opens_at, settings) if options.opens_at else now
    new = NewCampaign(
        name=options.name,
        kind=options.kind,
        text=options.text,
        opens_at=opens_at,
        closes_at=_local(options.closes_at, settings),
        calls_a_minute=options.pace,
    )
    async with opened_database(settings) as database:
        try:
            recipients = await _recipients(database, options)
            count = await make_campaign(database, new, recipients, by=getpass.getuser(), now=now)
        except (CampaignRefused, OSError, UnreadableField) as error:
            return _refused(str(error))
        except TableRefused as error:
            return _refused("\n".join(f"{options.file}: {one}" for one in error.errors))
    matter = SpokenMatter(text=new.text, name=recipients[0].name)
    speech = say(new.kind, matter, now=max(now, opens_at), rules=rules_of(settings))
    print(f"{count} numbers. They will hear:\n{speech}")
    print(f"`callcenter campaign start {new.name}` begins")
    return 0


async def _recipients(database: Database, options: argparse.Namespace) -> tuple[Recipient, ...]:
    if (options.file is None) == (options.place is None):
        raise CampaignRefused("name the homes by one of FILE and --place")
    if options.file is not None:
        return read_recipients(options.file.read_bytes())
    return await residents_at(database, read_place(options.place))


async def move(settings: Settings, action: str, name: str) -> int:
    now = clock_of(settings).now()
    async with opened_database(settings) as database:
        try:
            if action == "start":
                print(f"{await start_campaign(database, name, now=now, rules=rules_of(settings))} calls will go out")
            elif action == "pause":
                print(f"{await pause_campaign(database, name)} calls are held; start goes on with them")
            else:
                print(f"{await cancel_campaign(database, name, now=now)} calls will not be made")
        except CampaignRefused as error:
            return _refused(str(error))
    return 0


async def status(settings: Settings, name: str | None) -> int:
    async with opened_database(settings) as database:
        if name is None:
            return _show_all(await campaigns(database), settings)
        try:
            found = await progress_of(database, name, now=clock_of(settings).now())
        except CampaignRefused as error:
            return _refused(str(error))
    _show(found, settings)
    return 0


def _show_all(found: Sequence[CampaignRow], settings: Settings) -> int:
    table = Table("name", "kind", "state", "from", "until", "calls a minute", box=None)
    for row in found:
        opens, closes = (_written(at, settings) for at in (row.opens_at, row.closes_at))
        table.add_row(row.name, row.kind, row.state, opens, closes, str(row.calls_a_minute))
    Console().print(table if table.rows else "there are no campaigns")
    return 0


def _show(found: Progress, settings: Settings) -> None:
    campaign = found.campaign
    opens, closes = (_written(at, settings) for at in (campaign.opens_at, campaign.closes_at))
    print(f"campaign {campaign.name}: {campaign.state}, {opens} to {closes}, {campaign.calls_a_minute} calls a minute")
    print(f"  {found.total} numbers, {found.attempts} calls made")
    for state, count in sorted(found.by_state.items()):
        print(f"  {state:12} {count}")
    for reason, count in sorted(found.by_reason.items()):
        print(f"    {count} {reason_text(reason, 'en')}")
    if found.done_by is not None:
        print(f"  the last waiting call leaves about {_written(found.done_by, settings)}")


def _local(at: datetime, settings: Settings) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=settings.zone)


def _written(at: datetime, settings: Settings) -> str:
    return f"{at.astimezone(settings.zone):%Y-%m-%d %H:%M}"


def _refused(message: str) -> int:
    for line in message.splitlines():
        print(f"callcenter: {line}", file=sys.stderr)
    return 1
