"""The ticks that tell our own people: on-call phoning, escalation, notices."""

from contextlib import AsyncExitStack

from callcenter.config import Settings
from callcenter.db.engine import Database
from callcenter.jobs.scheduler import Scheduler
from callcenter.notify.apprise_notifier import AppriseNotifier
from callcenter.ports import Clock, Dialler
from callcenter.services.escalate import escalate
from callcenter.services.escalation_rules import colleagues, escalation_rules, on_call_rules
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.on_call import sound_alarms
from callcenter.services.send_notices import send_notices


async def add_alarm_ticks(
    stack: AsyncExitStack,
    scheduler: Scheduler,
    settings: Settings,
    *,
    database: Database,
    clock: Clock,
    dialler: Dialler,
    rules: FollowUpRules,
    claimer: str,
) -> None:
    """Each its own tick: a channel that hangs keeps no phone from ringing."""
    notifier = await stack.enter_async_context(AppriseNotifier({one.name: one.urls for one in settings.notify}))
    phoning = on_call_rules(settings.on_call, settings.emergency, rules.calendar)
    telling, people = escalation_rules(settings.escalation, rules.calendar), colleagues(settings.notify)
    public_url, company = settings.server.public_url, rules.company
    scheduler.add(
        "on-call", lambda: sound_alarms(database, clock=clock, dialler=dialler, rules=phoning, company=company)
    )
    scheduler.add(
        "escalation",
        lambda: escalate(database, now=clock.now(), rules=telling, people=people, public_url=public_url),
    )
    scheduler.add("notices", lambda: send_notices(database, clock=clock, notifier=notifier, claimer=claimer))
