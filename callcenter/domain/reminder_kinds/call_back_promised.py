"""The agent promised a call: whatever the progress, the resident hears from us by then."""

from callcenter.domain.reminder_kind import TOLD, ReminderKind

KIND = ReminderKind(
    name="call_back_promised",
    label_zh="承诺回电",
    label_en="Promised call-back",
    text=(
        "您好，{greeting}，这里是{company}客服中心，按照约定给您回电。{reported}{place}{ticket}，我们已经安排人员跟进处理，"
        "有新的进展会第一时间告诉您。已了解请按1；需要人工客服请按2；以后不希望再接到这类电话请按9。感谢您的支持，再见。"
    ),
    key_prompt="已了解请按1，需要人工客服请按2，以后不希望再接到这类电话请按9。",
    keys=TOLD,
    may_go_outside_decent_hours=True,
    served_by_another_call=True,
)
