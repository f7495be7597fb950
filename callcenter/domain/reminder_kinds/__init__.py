"""The kinds of reminders: each module of this package holds one `KIND`. A new kind is one new file."""

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from callcenter.domain.reminder_kind import ReminderKind


@cache
def reminder_kinds() -> Mapping[str, ReminderKind]:
    """All kinds by name."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        kind: ReminderKind = import_module(f"{__name__}.{module.name}").KIND
        if kind.name != module.name:
            raise ValueError(f"{module.name}.py calls its kind {kind.name!r}; name both alike")
        found[kind.name] = kind
    return found


@cache
def kinds_served_by_another_call() -> tuple[str, ...]:
    """Once the resident was spoken to about the ticket, a waiting call of these kinds is no longer needed."""
    return tuple(kind.name for kind in reminder_kinds().values() if kind.served_by_another_call)
