"""Nobody answered the resident: voice mail, or abandoned after a full ring."""

from callcenter.domain.reminder_kind import TOLD, ReminderKind

KIND = ReminderKind(
    name="missed_call",
    label_zh="未接来电回访",
    label_en="Missed call",
    text=(
        "您好，{greeting}，这里是{company}客服中心。刚才没有接到您的来电，非常抱歉。{reported}{place}{ticket}，我们会尽快为您处理。"
        "需要人工客服给您回电请按2；已了解请按1；以后不希望再接到这类电话请按9。感谢您的来电，再见。"
    ),
    key_prompt="已了解请按1，需要人工客服给您回电请按2，以后不希望再接到这类电话请按9。",
    keys=TOLD,
    served_by_another_call=True,
)
