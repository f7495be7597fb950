"""The dialplan sets what the hang-up log holds a moment after it was asked."""

from typing import Any, cast

from callcenter.ivr.providers.asterisk.ari import AriClient
from callcenter.ivr.providers.asterisk.hangup_log import HangupLog


class SlowDialplan:
    """An Asterisk whose channel has no such variable yet when it is asked first."""

    def __init__(self, answers: list[str]) -> None:
        self.answers = answers
        self.settings = type("Settings", (), {"app": "callcenter", "name": "main"})()
        self.hung_up: list[str] = []

    async def originate(self, *_: Any, **__: Any) -> None:
        return

    async def variable(self, _channel: str, _name: str) -> str:
        return self.answers.pop(0)

    async def hang_up(self, channel: str) -> None:
        self.hung_up.append(channel)


async def test_a_count_that_is_not_set_yet_is_waited_for() -> None:
    asterisk = SlowDialplan(["", "", "0"])
    assert await HangupLog(cast(AriClient, asterisk)).entries() == []
    assert (asterisk.answers, len(asterisk.hung_up)) == ([], 1)
