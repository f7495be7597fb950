"""The number under which the resident of a ticket is phoned."""

from callcenter.db.tickets import TicketRow
from callcenter.domain.phone_numbers import dialable


def number_to_call(ticket: TicketRow) -> str | None:
    """The number spoken wins over the caller's; None where neither can be dialled."""
    return dialable(ticket.phone) or dialable(ticket.caller_number)
