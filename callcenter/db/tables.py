"""All tables in one place, for the migrations and for tests that look at the whole schema."""

from callcenter.db import (
    agents,
    calls,
    campaigns,
    cases,
    day_sums,
    escalations,
    events,
    fees,
    incidents,
    language,
    live,
    on_call,
    recordings,
    register,
    reminders,
    tickets,
    users,
    wishes,
)
from callcenter.db.base import Base

metadata = Base.metadata
modules = (
    agents,
    calls,
    campaigns,
    cases,
    day_sums,
    escalations,
    events,
    fees,
    incidents,
    language,
    live,
    on_call,
    recordings,
    register,
    reminders,
    tickets,
    users,
    wishes,
)
