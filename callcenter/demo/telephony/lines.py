"""Who stands where on loopback in a demonstration by telephone: the trunk, the agents' phones, the on-call people."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from callcenter.demo.environment import AGENTS, HOTLINE, ON_CALL, TICK_SECONDS, Environment, written_settings
from callcenter.demo.telephony.exchange import Exchange

RING_SECONDS = 20
CALL_BACK_MINUTES = 1
"""And at any hour: the demonstration does not wait for the morning."""
VOICE_MAIL_SECONDS = 60
NOTICE = "您好，翠湖物业客服热线，为了保证服务质量，本次通话将被录音。"
VOICE_MAIL_PROMPT = "对不起，客服现在都在忙。请在提示音后说明您的房号和需要。"
ENDPOINT = """
[{name}]
type = endpoint
transport = transport-udp
context = {context}
disallow = all
allow = alaw
direct_media = no
dtmf_mode = auto_info
{more}
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lines:
    """The addresses of one demonstration. Several may run on one machine, so the run is part of each.

    `residents`: the numbers of those who may be called back.
    """

    run: int
    residents: tuple[str, ...] = ()

    @classmethod
    def of_this_process(cls, *, residents: Iterable[str]) -> "Lines":
        return cls(run=os.getpid() % 250, residents=tuple(residents))

    @property
    def trunk(self) -> str:
        """Where residents' calls come from."""
        return self._at(2)

    @property
    def phones(self) -> Mapping[str, str]:
        """The address of every phone: of an agent by id, of an on-call person by name, of a resident by number."""
        people = [*(agent["id"] for agent in AGENTS), *(person["name"] for person in ON_CALL), *self.residents]
        return {who: self._at(place) for place, who in enumerate(people, start=10)}

    def _at(self, place: int) -> str:
        return f"127.230.{self.run}.{place}"

    def pjsip(self) -> str:
        """In the place of the template's trunk and phones."""
        out = ENDPOINT.format(name="trunk", context="callcenter-in", more="")
        out += f"[trunk]\ntype = identify\nendpoint = trunk\nmatch = {self.trunk}\n"
        for agent in AGENTS:
            out += self._phone(endpoint_of(agent["phone"]), self.phones[agent["id"]])
        for person in ON_CALL:
            out += self._phone(endpoint_of(person["phone"]), self.phones[person["name"]])
        for number in self.residents:
            out += self._phone(number, self.phones[number])
        return out

    def _phone(self, name: str, address: str) -> str:
        contact = f"[{name}]\ntype = aor\ncontact = sip:phone@{address}:5060\n"
        return ENDPOINT.format(name=name, context="callcenter-phones", more=f"aors = {name}") + contact


def endpoint_of(phone: str) -> str:
    """`sip:hewen@pbx` rings the endpoint hewen, an outside number the endpoint of that name."""
    return phone.removeprefix("sip:").partition("@")[0]


def exchange_of(environment: Environment, lines: Lines) -> Exchange:
    agents = [agent["id"] for agent in AGENTS if agent["phone"].startswith("sip:")]
    return Exchange(environment.data_dir / "exchange", "main", pjsip=lines.pjsip(), agents=agents, rtp_from=23000)


def write_telephone_settings(environment: Environment, exchange: Exchange, *, password_file: Path) -> None:
    """The product's own settings file, as an operator with an Asterisk would write it."""
    server = exchange.settings("callcenter")
    password_file.write_text(server.secret(), encoding="utf-8")
    password_file.chmod(0o600)
    written_settings(
        environment,
        {
            "server": {"host": "127.0.0.1", "port": environment.port, "data_dir": str(environment.data_dir)},
            "database": {"url": environment.database_url},
            "rings": {"cycle_seconds": 5.0, "rings": 3},
            "follow_up": {
                "tick_seconds": TICK_SECONDS,
                "missed_call_minutes": CALL_BACK_MINUTES,
                "decent_hours": [{"start": "00:00", "end": "23:59:59"}],
            },
            "call_flow": {
                "notice": NOTICE,
                "voice_mail_prompt": VOICE_MAIL_PROMPT,
                "voice_mail_seconds": VOICE_MAIL_SECONDS,
                "ring_seconds": RING_SECONDS,
            },
            "speech": {"live": environment.hears_live},
        },
        asterisk=(
            {
                "name": server.name,
                "url": server.url,
                "password_file": str(password_file),
                "app": server.app,
                "trunk_endpoint": server.trunk_endpoint,
                "from_number": HOTLINE,
                "prompts_dir": str(exchange.prompts),
            },
        ),
    )
