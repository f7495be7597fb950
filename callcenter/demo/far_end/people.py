"""What the people at the two ends do: agents' phones, and residents whom the server phones."""

from dataclasses import dataclass

from callcenter.demo.call_script import CallScript
from callcenter.demo.call_toml import AgentTable


@dataclass(frozen=True, kw_only=True)
class Phones:
    """Who is behind an address, and what residents do when they are phoned (by the last digits of their number)."""

    agents: dict[str, str]
    residents: dict[str, "ResidentPhone"]

    def agent_of(self, address: str) -> str | None:
        """The id of the agent behind an address as Dial gives it."""
        return self.agents.get(address)

    def resident(self, number: str) -> "ResidentPhone":
        return self.residents.get(last_digits(number), ResidentPhone())


@dataclass(frozen=True, kw_only=True)
class ResidentPhone:
    does: str = "answers"
    presses: str = ""


@dataclass(frozen=True, kw_only=True)
class Hand:
    """What somebody presses when asked: one key a question, each after a while."""

    keys: str = ""
    seconds: float = 1.5

    def answer(self, question: int, digits: int | None) -> str:
        """The keys pressed at the given question (0 is the first); empty: none."""
        if digits is not None and digits > 1:
            return self.keys if question == 0 else ""
        return self.keys[question : question + 1]


def agents_hand(agent: AgentTable) -> Hand:
    """An agent presses 1 where asked to confirm, unless the script has no time for it (a mobile's own voice mail)."""
    if agent.confirms_after_seconds is None:
        return Hand()
    return Hand(keys="1", seconds=agent.confirms_after_seconds)


def phones_of(scripts: tuple[CallScript, ...], agents: dict[str, str], on_call: dict[str, str] | None = None) -> Phones:
    """`agents`: address -> id. `on_call`: number -> the keys that this on-call person presses."""
    residents = {last_digits(number): ResidentPhone(presses=keys) for number, keys in (on_call or {}).items()}
    for script in scripts:
        if script.call_back is None or script.expect is None:
            continue
        phone = ResidentPhone(does=script.call_back.resident, presses=script.call_back.presses)
        spoken = script.expect.ticket.phone if script.expect.ticket else None
        for number in (script.number, spoken):
            if number:
                residents[last_digits(number)] = phone
    return Phones(agents=agents, residents=residents)


def last_digits(number: str) -> str:
    """A number without its country code, so that +86139... and 139... are the same phone."""
    return "".join(letter for letter in number if letter.isdigit())[-11:]
