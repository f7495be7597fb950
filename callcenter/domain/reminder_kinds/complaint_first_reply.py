"""A complaint is answered within 24 hours, round the clock (24小时回复制)."""

from callcenter.domain.reminder_kind import TOLD, ReminderKind

KIND = ReminderKind(
    name="complaint_first_reply",
    label_zh="投诉首次回复",
    label_en="First reply to a complaint",
    text=(
        "您好，{greeting}，这里是{company}客服中心。谢谢您的批评指正，给您带来不便，我们非常抱歉。{reported}{place}{ticket}，"
        "已经有专人负责处理，处理结果会再告诉您。已了解请按1；需要人工客服请按2；以后不希望再接到这类电话请按9。感谢您的支持，再见。"
    ),
    key_prompt="已了解请按1，需要人工客服请按2，以后不希望再接到这类电话请按9。",
    keys=TOLD,
    served_by_another_call=True,
)
