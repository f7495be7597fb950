"""What hears calls while they go on: recognisers, board, tickets; built only where `speech.live` is on."""

import os
from dataclasses import asdict, dataclass
from typing import Any

from callcenter.app.parts import call_reader, engine_settings, engines_of_numbers
from callcenter.asr.live import LiveRecognisers, LiveSettings
from callcenter.config import Settings
from callcenter.db.engine import Database
from callcenter.ports import Clock
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.hear_live import HearLive
from callcenter.services.live_board import LiveBoard
from callcenter.services.live_tickets import LiveTickets


@dataclass(frozen=True, kw_only=True)
class LiveParts:
    recognisers: LiveRecognisers
    board: LiveBoard
    listener: HearLive

    def health(self) -> dict[str, Any]:
        """For /healthz: how many processes are ready, how far behind they are, what is shed and what was."""
        recognisers = self.recognisers
        return {
            "ready_processes": recognisers.ready_processes,
            "sides": recognisers.open_sides,
            "behind_ms": recognisers.behind_ms,
            "shed": recognisers.shed.value,
            **asdict(recognisers.counts),
        }


def live_tickets(settings: Settings, database: Database, *, clock: Clock, rules: FollowUpRules) -> LiveTickets:
    return LiveTickets(database=database, clock=clock, rules=rules, reader=call_reader(settings))


def live_parts(settings: Settings, database: Database, *, clock: Clock, rules: FollowUpRules) -> LiveParts:
    speech = settings.speech
    live = LiveSettings(
        processes=speech.live_processes or os.cpu_count() or 1, calls_per_process=speech.live_calls_per_process
    )
    recognisers, board = LiveRecognisers(engine_settings(settings), live), LiveBoard()
    tickets = live_tickets(settings, database, clock=clock, rules=rules)
    listener = HearLive(
        database=database,
        recognisers=recognisers,
        board=board,
        tickets=tickets,
        clock=clock,
        other_numbers=frozenset(engines_of_numbers(settings)),
    )
    return LiveParts(recognisers=recognisers, board=board, listener=listener)
