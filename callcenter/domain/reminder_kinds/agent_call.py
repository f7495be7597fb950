"""Click-to-call: the agent's own phone rings, then the resident's; the two talk, and it is recorded as every call."""

from callcenter.domain.reminder_kind import ReminderKind

KIND = ReminderKind(
    name="agent_call",
    label_zh="客服拨打",
    label_en="Called by an agent",
    text="您好，这里是{company}客服中心，正在为您接通客服人员。为了保证服务质量，本次通话将被录音。",
    key_prompt="",
    fields=frozenset(),
    keys={},
    goes_to_a_person=False,
    ordered_by_agent=True,
)
