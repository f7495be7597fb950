"""Overdue fees: the first contact names the amount and the items and agrees a time to pay; never a threat."""

from callcenter.domain.calendar import OFFICE_HOURS
from callcenter.domain.decent_times import Days
from callcenter.domain.reminder_kind import PERSON, STOP, STOP_KEY, Key, KeyAction, ReminderKind

AGREES = Key(
    action=KeyAction.AGREED,
    reply="谢谢您。",
    then_asks="请输入您方便缴费的日期，两位数字，例如五号请按05，十五号请按15。",
    then_digits=2,
    then_reply="好的，已经为您记录，谢谢您的支持，再见。",
)

KIND = ReminderKind(
    name="overdue_fee",
    label_zh="缴费提醒",
    label_en="Overdue fee",
    text=(
        "{name}您好，{greeting}，这里是{company}客服中心。向您核对一下费用{place}，{items}，共{amount}，"
        "原定{due}前缴纳，目前还没有查到缴费记录。如果已经缴纳，请忽略本次来电。"
        "可以约定缴费日期请按1；有疑问、需要人工客服请按2；以后不希望再接到这类电话请按9。谢谢您的支持，再见。"
    ),
    key_prompt="可以约定缴费日期请按1，需要人工客服请按2。",
    fields=frozenset({"name", "place", "items", "amount", "due"}),
    required=frozenset({"amount", "items"}),
    forbidden_words=(
        *("起诉", "法院", "律师", "诉讼", "法律", "征信", "失信", "黑名单", "滞纳金", "违约金", "罚款", "公示"),
        *("停水", "停电", "断水", "断电", "门禁", "后果", "强制", "否则", "必须", "最后通知", "上门催"),
    ),
    keys={"1": AGREES, "2": PERSON, STOP_KEY: STOP},
    hours=OFFICE_HOURS,
    days=Days.WORKING_DAYS,
    not_during_a_complaint=True,
)
