"""After the fix: is it really done, and how satisfied is the resident (回访)."""

from callcenter.domain.decent_times import Days
from callcenter.domain.reminder_kind import RATINGS, ReminderKind

KIND = ReminderKind(
    name="satisfaction",
    label_zh="满意度回访",
    label_en="Call after the fix",
    text=(
        "您好，{greeting}，这里是{company}客服中心。{reported}{place}{ticket}，已经处理完成，想听听您的意见。"
        "非常满意请按5，满意请按4，一般请按3，不满意请按2，很不满意请按1；如果问题还没有解决，请按0；"
        "以后不希望再接到这类电话请按9。感谢您的支持，再见。"
    ),
    key_prompt="满意度请按1到5，5是非常满意，1是很不满意；问题还没有解决请按0。",
    keys=RATINGS,
    days=Days.NOT_FESTIVALS,
)
