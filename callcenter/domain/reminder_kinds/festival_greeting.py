"""A greeting on a festival, only to residents who agreed to greetings; sent out as a campaign."""

from datetime import time

from callcenter.domain.calendar import TimeRange
from callcenter.domain.reminder_kind import ReminderKind

GREETING_HOURS = (TimeRange(start=time(9), end=time(12)), TimeRange(start=time(14), end=time(19)))

KIND = ReminderKind(
    name="festival_greeting",
    label_zh="节日问候",
    label_en="Festival greeting",
    text="{name}您好，{greeting}，这里是{company}客服中心。{text}。以后不希望再接到这类电话请按9。再见。",
    key_prompt="以后不希望再接到这类电话请按9。",
    fields=frozenset({"name", "text"}),
    required=frozenset({"text"}),
    hours=GREETING_HOURS,
    goes_to_a_person=False,
    needs_consent=True,
)
