"""What the caller hears next: pure decisions on the settings and on what the provider asks."""

from collections.abc import Callable

from callcenter.config import AgentSettings, CallFlowSettings, RingStrategy
from callcenter.domain.agent_states import Available, next_round
from callcenter.domain.calls import FALLBACK_AGENT
from callcenter.domain.on_call import ACKNOWLEDGE_KEY, ARRIVED_KEY
from callcenter.domain.phone_numbers import dialable
from callcenter.domain.spoken import spoken_ticket_number
from callcenter.ivr.provider import (
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
)
from callcenter.ivr.resident_keys import after_key

CONFIRM_KEY = "1"
PROGRESS_KEY = "4"
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
    ) -> None:
        """`on_call`: the numbers of the on-call people, as they are dialled (+86...).

        `hears_live`: the provider is asked for the sound of calls while they go on. `available`: who may be rung at
        this moment; None: it is not known, so everybody is.
        """
        self._settings = settings
        self._on_call = on_call
        self._live = (HearLive(),) if hears_live else ()
        self._available = available
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

    def next_steps(self, question: Question) -> tuple[Step, ...]:
        match question:
            case Incoming(from_number=number) if dialable(number) in self._on_call:
                return AskArrival(prompt=ASK_ARRIVAL, seconds=ARRIVAL_SECONDS), *self._welcome()
            case Incoming():
                return self._welcome()
            case ArrivalPressed(digits=digits):
                return (Say(text=ARRIVED), HangUp()) if digits == ACKNOWLEDGE_KEY else self._welcome()
            case OnCallPressed(digits=digits):
                return Say(text=ON_CALL_ANSWERS.get(digits, NOT_ACKNOWLEDGED)), HangUp()
            case MenuEnded(progress=str(progress)) | TicketNumberGiven(progress=str(progress)):
                return Say(text=progress), *self._ring(attempt=0)
            case MenuEnded(nothing_open=True):
                return self._ask_ticket_number(ASK_TICKET_NUMBER)
            case TicketNumberGiven():
                return self._after_ticket_number(question)
            case MenuEnded():
                return self._ring(attempt=0)
            case VoiceMailEnded():
                return Say(text=self._settings.voice_mail_thanks), HangUp()
            case DialEnded(answered=True):
                return (HangUp(),)
            case DialEnded(attempt=attempt):
                return self._ring(attempt=attempt + 1) if attempt < FALLBACK_ATTEMPT else self._voice_mail()
            case AgentPickedUp(agent=agent):
                return self._ask_to_confirm(agent)
            case AgentPressed(digits=digits):
                return (ConnectNow(),) if digits == CONFIRM_KEY else (HangUp(),)
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

    def _welcome(self) -> tuple[Step, ...]:
        notice = Say(text=self._settings.notice)
        if self._settings.menu.enabled:
            return notice, Menu(prompt=self._settings.menu.prompt, seconds=self._settings.menu.seconds)
        return notice, *self._ring(attempt=0)

    def _ask_ticket_number(self, prompt: str, *, again: bool = False) -> tuple[Step, ...]:
        ask = AskTicketNumber(prompt=prompt, seconds=TICKET_NUMBER_SECONDS, again=again)
        return ask, *self._ring(attempt=0)

    def _after_ticket_number(self, given: TicketNumberGiven) -> tuple[Step, ...]:
        """Not understood: asked once more. No such ticket is said. A slow or lost database: the agents at once."""
        if given.not_found and given.number is not None:
            said = NO_SUCH_TICKET.format(number=spoken_ticket_number(given.number))
            return Say(text=said), *self._ring(attempt=0)
        if given.number is not None or given.nothing_said:
            return self._ring(attempt=0)
        if given.again:
            return Say(text=NOT_A_TICKET_NUMBER), *self._ring(attempt=0)
        return self._ask_ticket_number(ASK_TICKET_NUMBER_AGAIN, again=True)

    def _ring(self, *, attempt: int) -> tuple[Step, ...]:
        """The agents who may be rung now, from place `attempt` of the settings on (domain `next_round`).

        The sound is asked for once a call: before the first round, or before voice mail where nobody can be rung.
        """
        live = self._live if attempt == 0 else ()
        available = self._available()
        at_once = MOST_AT_ONCE if self._settings.strategy is RingStrategy.ALL_AT_ONCE else 1
        following = next_round(tuple(self._targets), available, start=attempt, at_once=at_once)
        if following is None:
            nobody = attempt == 0 and available is not None and not available.ready
            return *live, *(self.fallback(must_confirm=True) if nobody and self._targets else self._voice_mail())
        targets = tuple(self._targets[agent] for agent in following.agents)
        return *live, RingAgents(targets=targets, ring_seconds=self._settings.ring_seconds, attempt=following.number)

    def _voice_mail(self) -> tuple[Step, ...]:
        return (
            TakeVoiceMail(prompt=self._settings.voice_mail_prompt, longest_seconds=self._settings.voice_mail_seconds),
        )

    def _ask_to_confirm(self, agent: str) -> tuple[Step, ...]:
        seconds = self._settings.confirm_seconds
        return AskAgentToConfirm(agent=agent, prompt=self._settings.confirm_prompt, seconds=seconds), HangUp()
