"""A visit to the home is confirmed by phone beforehand: the company, one's name, what was reported, the time."""

from callcenter.domain.reminder_kind import OF_A_TICKET, PERSON, STOP, STOP_KEY, Key, KeyAction, ReminderKind

KIND = ReminderKind(
    name="appointment",
    label_zh="上门预约确认",
    label_en="Appointment confirmation",
    text=(
        "您好，{greeting}，这里是{company}客服中心，{agent}。{reported}{place}，我们约定{promised}上门处理，届时请您家中留人。"
        "时间没有问题请按1；需要改时间请按2，工作人员会给您回电；以后不希望再接到这类电话请按9。谢谢，再见。"
    ),
    key_prompt="时间没有问题请按1，需要改时间请按2。",
    fields=OF_A_TICKET,
    required=frozenset({"company", "agent", "reported", "promised"}),
    keys={
        "1": Key(action=KeyAction.CONFIRMED, reply="好的，我们会准时上门。谢谢您，再见。"),
        "2": PERSON,
        STOP_KEY: STOP,
    },
)
