"""Who is on the line: whose open ticket they have, of which estate they are; and so who is rung before whom.

The order is made once a call, so that no agent is rung twice or left out because somebody hung up meanwhile.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from callcenter.config import AgentSettings
from callcenter.domain.agent_states import Serves, ring_order
from callcenter.ports import KnownCaller, KnownCallers

MOST_CALLS = 5000


@dataclass(frozen=True, kw_only=True, slots=True)
class OnTheLine:
    """One call. `order` holds every agent's id; `owner` is rung alone where they are free."""

    call_id: str
    order: tuple[str, ...]
    owner: str | None = None


class CallersOnTheLine:
    """`talked_until`: when each agent's last conversation ended, where longest idle are to be rung first."""

    def __init__(
        self,
        agents: Sequence[AgentSettings],
        *,
        known: KnownCallers | None = None,
        talked_until: Callable[[], Mapping[str, datetime]] | None = None,
    ) -> None:
        self._agents = tuple(Serves(agent=one.id, estates=frozenset(one.estates)) for one in agents)
        self._known = known
        self._talked_until = talked_until
        self._calls: OrderedDict[str, OnTheLine] = OrderedDict()

    def of(self, call_id: str, from_number: str | None) -> OnTheLine:
        """Never waits. The number counts when the call is first asked about."""
        found = self._calls.get(call_id)
        if found is None:
            caller = self._known.of(from_number) if self._known is not None else None
            found = self._calls[call_id] = self._made(call_id, caller)
            while len(self._calls) > MOST_CALLS:
                self._calls.popitem(last=False)
        return found

    def _made(self, call_id: str, caller: KnownCaller | None) -> OnTheLine:
        talked = self._talked_until() if self._talked_until is not None else None
        owner, estate = (caller.owner, caller.estate) if caller is not None else (None, None)
        order = ring_order(self._agents, owner=owner, estate=estate, talked_until=talked)
        return OnTheLine(call_id=call_id, order=order, owner=owner if owner in order else None)
