"""A resident gave up waiting in line and keeps their place: phoned when it is their turn, and connected to an agent."""

from callcenter.domain.reminder_kind import PERSON, STOP, STOP_KEY, Key, KeyAction, ReminderKind

CONNECT_KEY = "1"

KIND = ReminderKind(
    name="queue_call_back",
    label_zh="排队回电",
    label_en="Call-back from the queue",
    text=(
        "您好，{greeting}，这里是{company}客服中心。您刚才排队等候时预约了回电，现在轮到您了。"
        "马上接通人工客服请按1；改为稍后由工作人员回电请按2；以后不希望再接到这类电话请按9。"
    ),
    key_prompt="马上接通人工客服请按1，稍后回电请按2。",
    fields=frozenset(),
    keys={
        CONNECT_KEY: Key(action=KeyAction.HEARD, reply="好的，正在为您接通，请稍候。"),
        "2": PERSON,
        STOP_KEY: STOP,
    },
    may_go_outside_decent_hours=True,
    connects_agents=True,
)
