"""What may stand in a call.toml, and how a mistake in it is reported."""

from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

Number = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
Keys = Annotated[str, Field(pattern=r"^[0-9*#]*$")]
Seconds = Annotated[float, Field(ge=0, le=600)]


class ScriptError(Exception):
    """A call's folder cannot be played; the message names the file, the key and what is expected."""


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CallerTable(Table):
    """`presses`: the keys pressed at the menus, one a question. `lose_final`: the provider's last word never comes."""

    number: Number
    dials_at: time
    hangs_up: Literal["after_talk", "while_ringing"] = "after_talk"
    gives_up_after_seconds: Seconds | None = None
    presses: Keys = ""
    lose_final: bool = False

    @model_validator(mode="after")
    def _gives_up(self) -> "CallerTable":
        if (self.hangs_up == "while_ringing") != (self.gives_up_after_seconds is not None):
            raise ValueError('gives_up_after_seconds goes together with hangs_up = "while_ringing", and only with it')
        return self


class AgentTable(Table):
    """`ring_seconds`: until answered or refused. `confirms_after_seconds`: from picking up to the key press."""

    id: str
    does: Literal["answers", "rings_out", "refuses", "busy"]
    ring_seconds: Seconds | None = None
    confirms_after_seconds: Seconds | None = None

    @model_validator(mode="after")
    def _ring_time(self) -> "AgentTable":
        if (self.does in ("answers", "refuses")) != (self.ring_seconds is not None):
            raise ValueError("ring_seconds is given where the agent answers or refuses, and only there")
        return self


class TicketTable(Table):
    """What the call's ticket must say; what is left out is not checked."""

    type: str | None = None
    category: str | None = None
    urgency: str | None = None
    place: str | None = None
    phone: str | None = None
    contact: str | None = None
    joined_to: str | None = None
    must_listen: bool | None = None


class CallBackTable(Table):
    """A call that must reach the resident's phone by `by` (local time), and what the resident does then."""

    kind: Literal["call_back_promised", "missed_call"]
    by: time
    resident: Literal["answers", "busy", "no_answer"] = "answers"
    presses: Keys = ""


class OnCallTable(Table):
    """An on-call person whose phone must ring for this emergency and who must acknowledge by `by` (local time)."""

    person: str
    by: time


class ExpectTable(Table):
    """What must come out; what is left out is not checked. `ticket = true`: any ticket."""

    disposition: (
        Literal[
            "answered",
            "voice_mail",
            "rang_out",
            "refused",
            "abandoned",
            "short_abandoned",
            "left_before_ringing",
            "unknown",
        ]
        | None
    ) = None
    rings: Annotated[int, Field(ge=1)] | None = None
    within_three_rings: Literal["within", "late", "undecided"] | None = None
    answered_by: str | None = None
    ticket: TicketTable | None = None
    call_back: CallBackTable | None = None
    on_call: OnCallTable | None = None

    @field_validator("ticket", mode="before")
    @classmethod
    def _any_ticket(cls, value: Any) -> Any:
        if value is False:
            raise ValueError("expected true or a table; leave it out where no ticket is asked for")
        return {} if value is True else value


class CallTable(Table):
    title: Annotated[str, Field(min_length=1)]
    title_en: str = ""
    caller: CallerTable
    agents: tuple[AgentTable, ...] = ()
    expect: ExpectTable | None = None

    @model_validator(mode="after")
    def _agents_differ(self) -> "CallTable":
        ids = [agent.id for agent in self.agents]
        repeated = next((one for one in ids if ids.count(one) > 1), None)
        if repeated:
            raise ValueError(f"agents: the id {repeated!r} stands there twice; give each agent one table")
        return self


def check_table(values: dict[str, Any], file: Path) -> CallTable:
    """The checked contents of `file`. Raises ScriptError with a line for each wrong key."""
    try:
        return CallTable.model_validate(values)
    except ValidationError as error:
        raise ScriptError("\n".join(f"{file}: {_line(problem)}" for problem in error.errors())) from error


def _line(problem: Any) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return f"{key}: missing; it is needed"
    if problem["type"] == "extra_forbidden":
        return f"{key}: no such key; remove it or correct its name"
    message = str(problem["msg"]).removeprefix("Value error, ")
    shown = "" if isinstance(problem["input"], dict) else f" = {problem['input']!r}"
    return f"{key}{shown}: {message}" if key else message
