"""What the caller hears next: pure decisions on the settings and on what the provider asks."""

from collections.abc import Callable

from callcenter.config import AgentSettings, CallFlowSettings, RingStrategy
from callcenter.domain.agent_states import CYCLE, Available, next_round
from callcenter.domain.calls import FALLBACK_AGENT
from callcenter.domain.on_call import ACKNOWLEDGE_KEY, ARRIVED_KEY
from callcenter.domain.phone_numbers import dialable
from callcenter.domain.reminder_kinds.queue_call_back import CONNECT_KEY
from callcenter.domain.reminder_kinds.queue_call_back import KIND as QUEUE_CALL_BACK
from callcenter.domain.spoken import spoken_ticket_number
from callcenter.ivr.callers import OnTheLine
from callcenter.ivr.provider import (
    KEEP_PLACE_KEY,
    AgentPickedUp,
    AgentPressed,
    ArrivalPressed,
    AskAgentToConfirm,
    AskArrival,
    AskTicketNumber,
    ConnectNow,
    DialEnded,
    DialTarget,
    HangUp,
    HearLive,
    Incoming,
    Menu,
    MenuEnded,
    OnCallPressed,
    Question,
    ResidentPressed,
    RingAgents,
    Say,
    Step,
    TakeVoiceMail,
    TicketNumberGiven,
    Trouble,
    VoiceMailEnded,
    Wait,
    WaitEnded,
)
from callcenter.ivr.resident_keys import after_key
from callcenter.ivr.waiting_line import WaitingLine

CONFIRM_KEY = "1"
PROGRESS_KEY = "4"
MOST_CYCLES = 100
MOST_AT_ONCE = 10
"""The provider rings no more phones at once; further agents make a further round."""
FALLBACK_ATTEMPT = 999
"""A round after all others: when nobody answers there, voice mail follows."""
TICKET_NUMBER_SECONDS = 6
"""Without a key or a word for so long the agents are rung."""
ASK_TICKET_NUMBER = "没有查到用这个号码登记的未办结工单。请按键输入工单号的八位数字并按井号键，或者直接说出工单号。"
ASK_TICKET_NUMBER_AGAIN = "没有听清。请再按键输入工单号的八位数字并按井号键，或者再说一遍工单号。"
NO_SUCH_TICKET = "没有查到工单号{number}，正在为您转接人工客服，请稍候。"
NOT_A_TICKET_NUMBER = "没有听清工单号，正在为您转接人工客服，请稍候。"
ARRIVAL_SECONDS = 4
ASK_ARRIVAL = "值班人员您好，已到达现场请按1，其他事请稍候。"
ARRIVED = "已收到您的到场报到，谢谢。"
NOT_ACKNOWLEDGED = "没有收到确认，将通知下一位值班人员。"
ON_CALL_ANSWERS = {
    ACKNOWLEDGE_KEY: "已确认，请立即赶往现场。到达后请拨打客服热线，按1报到。",
    ARRIVED_KEY: "已记录您在现场，谢谢。",
}


class CallFlow:
    """Notice, then the menu where one is switched on, then the agents, then voice mail with a promise to call back."""

    def __init__(
        self,
        settings: CallFlowSettings,
        agents: tuple[AgentSettings, ...],
        *,
        on_call: frozenset[str] = frozenset(),
        hears_live: bool = False,
        available: Callable[[], Available | None] = lambda: None,
        line: WaitingLine | None = None,
    ) -> None:
        """`on_call`: the numbers of the on-call people, as they are dialled (+86...).

        `hears_live`: the provider is asked for the sound of calls while they go on. `available`: who may be rung at
        this moment; None: it is not known, so everybody is. `line`: who waits.
        """
        self._settings = settings
        self._on_call = on_call
        self._live = (HearLive(),) if hears_live else ()
        self._available = available
        self._line = line or WaitingLine()
        self._targets = {
            agent.id: DialTarget(agent=agent.id, phone=agent.phone, must_confirm=agent.is_outside) for agent in agents
        }

    @property
    def ring_seconds(self) -> int:
        return self._settings.ring_seconds

    @property
    def standing_texts(self) -> tuple[str, ...]:
        """What callers hear time and again: worth being spoken before the first of them phones."""
        settings = self._settings
        menu = (settings.menu.prompt,) if settings.menu.enabled else ()
        mail = (settings.voice_mail_prompt, settings.voice_mail_thanks)
        return (settings.notice, *menu, *mail, settings.confirm_prompt)

    @property
    def recording_key(self) -> str:
        return self._settings.recording_key

    def next_steps(self, question: Question, call: OnTheLine | None = None) -> tuple[Step, ...]:
        """`call` says who is rung before whom; without it the settings do, and nobody waits in line."""
        match question:
            case Incoming(from_number=number) if dialable(number) in self._on_call:
                return AskArrival(prompt=ASK_ARRIVAL, seconds=ARRIVAL_SECONDS), *self._welcome(call)
            case Incoming():
                return self._welcome(call)
            case ArrivalPressed(digits=digits):
                return (Say(text=ARRIVED), HangUp()) if digits == ACKNOWLEDGE_KEY else self._welcome(call)
            case OnCallPressed(digits=digits):
                return Say(text=ON_CALL_ANSWERS.get(digits, NOT_ACKNOWLEDGED)), HangUp()
            case MenuEnded(progress=str(progress)) | TicketNumberGiven(progress=str(progress)):
                return Say(text=progress), *self._ring(attempt=0, call=call)
            case MenuEnded(nothing_open=True):
                return self._ask_ticket_number(ASK_TICKET_NUMBER, call)
            case TicketNumberGiven():
                return self._after_ticket_number(question, call)
            case MenuEnded():
                return self._ring(attempt=0, call=call)
            case WaitEnded():
                return self._after_wait(question, call)
            case VoiceMailEnded():
                return Say(text=self._settings.voice_mail_thanks), HangUp()
            case DialEnded(answered=True):
                return (HangUp(),)
            case DialEnded(attempt=attempt, passed_on=True):
                return self._ring(attempt=(attempt // CYCLE + 1) * CYCLE, call=call)
            case DialEnded(attempt=attempt):
                on = attempt % CYCLE < FALLBACK_ATTEMPT
                return self._ring(attempt=attempt + 1, call=call) if on else self._voice_mail()
            case AgentPickedUp(agent=agent):
                return self._ask_to_confirm(agent)
            case AgentPressed(digits=digits):
                return (ConnectNow(),) if digits == CONFIRM_KEY else (HangUp(),)
            case ResidentPressed(kind=QUEUE_CALL_BACK.name, digits=digits) if digits == CONNECT_KEY:
                self._line.call_back()
                return Say(text=QUEUE_CALL_BACK.keys[CONNECT_KEY].reply), *self._ring(attempt=0, call=call, waits=False)
            case ResidentPressed():
                return after_key(question)
            case Trouble():
                return self.fallback()

    def fallback(self, *, must_confirm: bool = False) -> tuple[Step, ...]:
        """What a caller gets when we cannot decide, or nobody is ready: the fallback number, else voice mail.

        When in trouble the number answers without a key press: what asks for one may be what is out of order.
        """
        number = self._settings.fallback_number
        if not number:
            return self._voice_mail()
        outside = not number.startswith(("sip:", "client:"))
        target = DialTarget(agent=FALLBACK_AGENT, phone=number, must_confirm=must_confirm and outside)
        return (RingAgents(targets=(target,), ring_seconds=self._settings.ring_seconds, attempt=FALLBACK_ATTEMPT),)

    def _welcome(self, call: OnTheLine | None) -> tuple[Step, ...]:
        notice = Say(text=self._settings.notice)
        if self._settings.menu.enabled:
            return notice, Menu(prompt=self._settings.menu.prompt, seconds=self._settings.menu.seconds)
        return notice, *self._ring(attempt=0, call=call)

    def _ask_ticket_number(self, prompt: str, call: OnTheLine | None, *, again: bool = False) -> tuple[Step, ...]:
        ask = AskTicketNumber(prompt=prompt, seconds=TICKET_NUMBER_SECONDS, again=again)
        return ask, *self._ring(attempt=0, call=call)

    def _after_ticket_number(self, given: TicketNumberGiven, call: OnTheLine | None) -> tuple[Step, ...]:
        """Not understood: asked once more. No such ticket is said. A slow or lost database: the agents at once."""
        if given.not_found and given.number is not None:
            said = NO_SUCH_TICKET.format(number=spoken_ticket_number(given.number))
            return Say(text=said), *self._ring(attempt=0, call=call)
        if given.number is not None or given.nothing_said:
            return self._ring(attempt=0, call=call)
        if given.again:
            return Say(text=NOT_A_TICKET_NUMBER), *self._ring(attempt=0, call=call)
        return self._ask_ticket_number(ASK_TICKET_NUMBER_AGAIN, call, again=True)

    def _ring(self, *, attempt: int, call: OnTheLine | None, waits: bool = True) -> tuple[Step, ...]:
        """The agents who may be rung now, from place `attempt` of the caller's order on (domain `next_round`).

        The sound is asked for once a call: before the first round, or before voice mail where nobody can be rung.
        """
        live = self._live if attempt == 0 else ()
        available = self._available()
        if waits and attempt % CYCLE == 0 and not self.turn_has_come(call, available):
            return *live, *self._wait(attempt // CYCLE, call)
        at_once = MOST_AT_ONCE if self._settings.strategy is RingStrategy.ALL_AT_ONCE else 1
        order = call.order if call is not None else tuple(self._targets)
        owner = call.owner if call is not None else None
        following = next_round(order, available, start=attempt, at_once=at_once, alone=owner)
        if following is None or attempt >= MOST_CYCLES * CYCLE:
            return *live, *self._nobody_left(attempt, available, call)
        targets = tuple(self._targets[agent] for agent in following.agents)
        seconds = self._settings.ring_seconds
        if call is not None:
            self._line.rings(call.call_id, seconds=seconds)
        return *live, RingAgents(targets=targets, ring_seconds=seconds, attempt=following.number)

    def _nobody_left(self, attempt: int, available: Available | None, call: OnTheLine | None) -> tuple[Step, ...]:
        """Who has waited in line waits on; else the fallback number where nobody is ready, else voice mail."""
        if call is not None and self._line.has(call.call_id):
            return self._wait(attempt // CYCLE + 1, call)
        nobody = attempt == 0 and available is not None and not available.ready
        return self.fallback(must_confirm=True) if nobody and self._targets else self._voice_mail()

    # Waiting in line

    def turn_has_come(self, call: OnTheLine | None, available: Available | None = None) -> bool:
        """Whether an agent is free for this caller, after those who came before them."""
        available = available or self._available()
        if call is None or not self._settings.queue.enabled or available is None or not available.ready:
            return True
        return len(available.free) > self._line.ahead(call.call_id)

    def _wait(self, waits: int, call: OnTheLine | None) -> tuple[Step, ...]:
        queue = self._settings.queue
        if call is None or waits * queue.say_every_seconds >= queue.longest_seconds:
            if call is not None:
                self._line.leave(call.call_id)
            return self._voice_mail()
        ahead = self._line.wait(call.call_id, seconds=queue.say_every_seconds)
        prompt = queue.prompt.format(ahead=ahead)
        return (Wait(prompt=prompt, seconds=queue.say_every_seconds, waits=waits, ahead=ahead),)

    def _after_wait(self, ended: WaitEnded, call: OnTheLine | None) -> tuple[Step, ...]:
        if ended.digits == KEEP_PLACE_KEY and call is not None:
            self._line.keep(call.call_id)
            return Say(text=self._settings.queue.kept), HangUp()
        return self._ring(attempt=(ended.waits + 1) * CYCLE, call=call)

    def gone(self, call_id: str) -> None:
        """The caller has left, or is being talked to; a place that is kept stays."""
        self._line.gone(call_id)

    def _voice_mail(self) -> tuple[Step, ...]:
        return (
            TakeVoiceMail(prompt=self._settings.voice_mail_prompt, longest_seconds=self._settings.voice_mail_seconds),
        )

    def _ask_to_confirm(self, agent: str) -> tuple[Step, ...]:
        seconds = self._settings.confirm_seconds
        return AskAgentToConfirm(agent=agent, prompt=self._settings.confirm_prompt, seconds=seconds), HangUp()
