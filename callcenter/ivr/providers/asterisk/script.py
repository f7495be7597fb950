"""A call of ours that goes by the call flow's steps: what is said and asked, and what is decided by the answer."""

from collections.abc import Sequence

from callcenter.ivr.our_events import events_of_steps
from callcenter.ivr.progress import with_what_is_known
from callcenter.ivr.provider import (
    ArrivalPressed,
    AskArrival,
    AskResident,
    AskTicketNumber,
    HangUp,
    Menu,
    MenuEnded,
    OnCallPressed,
    Question,
    ResidentPressed,
    Say,
    Step,
    TicketNumberGiven,
)
from callcenter.ivr.providers.asterisk.live_call import LiveCall
from callcenter.ivr.providers.asterisk.names import NAME, phone_number
from callcenter.ports import ON_CALL

LONGEST_TICKET_NUMBER = 16


class ScriptedCall(LiveCall):
    """One person's side. Steps that need more than playing and asking are their subclasses' own."""

    @property
    def from_number(self) -> str | None:
        return phone_number(self.channel.number)

    async def converse(self, question: Question | None) -> None:
        """Until it is over: raises ResidentLeft, always."""
        while question is not None:
            question = await self.carry_out(await self.decided(question))
        await self.parts.ari.hang_up(self.id)
        while True:
            await self.next()

    async def decided(self, question: Question) -> tuple[Step, ...]:
        if self.parts.progress is not None:
            question = await self.parts.progress.filled_in(question)
        call = self.parts.callers.of(self.ledger.call_id, self.from_number)
        steps = self.parts.call_flow.next_steps(question, call)
        now = self.parts.clock.now()
        for event in events_of_steps(steps, provider=NAME, call_id=self.ledger.call_id, now=now):
            self.ledger.add(event)
        return with_what_is_known(question, steps)

    async def carry_out(self, steps: Sequence[Step]) -> Question | None:
        """What is to be decided next; None: the call is to end."""
        for step in steps:
            if isinstance(step, HangUp):
                return None
            question = await self.do(step)
            if question is not None:
                return question
        return None

    async def do(self, step: Step) -> Question | None:
        """None: the next step follows."""
        match step:
            case Say(text=text):
                await self.say(text)
            case Menu(prompt=prompt, seconds=seconds):
                digits = await self.ask(prompt, seconds=seconds, most=1)
                self.pressed("menu", digits)
                return MenuEnded(digits=digits, from_number=self.from_number)
            case AskArrival(prompt=prompt, seconds=seconds):
                if digits := await self.ask(prompt, seconds=seconds, most=1):
                    self.pressed("arrived", digits)
                    return ArrivalPressed(digits=digits)
            case AskTicketNumber(prompt=prompt, seconds=seconds, again=again):
                if digits := await self.ask(prompt, seconds=seconds, most=LONGEST_TICKET_NUMBER, end="#"):
                    self.pressed("ticket_number_again" if again else "ticket_number", digits)
                    return TicketNumberGiven(digits=digits, speech="", again=again)
            case AskResident():
                return await self._ask_resident(step)
        return None

    async def _ask_resident(self, step: AskResident) -> Question | None:
        digits = await self.ask(step.prompt, seconds=step.seconds, most=step.digits)
        if not digits:
            return None
        self.pressed(step.asked, digits)
        if step.purpose.startswith(ON_CALL):
            return OnCallPressed(digits=digits)
        return ResidentPressed(digits=digits, purpose=step.purpose, kind=step.kind, asked=step.asked)
