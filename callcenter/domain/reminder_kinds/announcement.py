"""An announcement to affected homes (the water is cut off at 14:00), sent out as a campaign."""

from callcenter.domain.reminder_kind import HEARD, PERSON, STOP, STOP_KEY, ReminderKind

KIND = ReminderKind(
    name="announcement",
    label_zh="通知",
    label_en="Announcement",
    text=(
        "您好，{greeting}，这里是{company}客服中心，有一个通知：{text}。给您带来不便，敬请谅解。"
        "已了解请按1；有疑问、需要人工客服请按2；以后不希望再接到这类电话请按9。谢谢，再见。"
    ),
    key_prompt="已了解请按1，需要人工客服请按2，以后不希望再接到这类电话请按9。",
    fields=frozenset({"name", "text"}),
    required=frozenset({"text"}),
    keys={"1": HEARD, "2": PERSON, STOP_KEY: STOP},
)
