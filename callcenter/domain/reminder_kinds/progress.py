"""An agent said "call now": the resident hears at once how things stand."""

from callcenter.domain.reminder_kind import TOLD, ReminderKind

KIND = ReminderKind(
    name="progress",
    label_zh="立即回电",
    label_en="Call ordered by an agent",
    text=(
        "您好，{greeting}，这里是{company}客服中心，{agent}，给您回电说明进展。{reported}{place}{ticket}，正在为您跟进处理。"
        "已了解请按1；需要人工客服请按2；以后不希望再接到这类电话请按9。感谢您的支持，再见。"
    ),
    key_prompt="已了解请按1，需要人工客服请按2，以后不希望再接到这类电话请按9。",
    keys=TOLD,
)
