"""What becomes of a call: whom it rings, what the caller hears, when work is done."""

from callcenter.web.admin.settings import Group, Kind, Room, Rows, Setting
from callcenter.web.language import N_

PHONES = Room(
    name="phones",
    title=N_("客服与话机"),
    about=N_("来电按这里的先后振铃；外线手机要按 1 才算接听。"),
    groups=(
        Group(
            title=N_("客服"),
            settings=(
                Rows(
                    key="agents",
                    label=N_("客服"),
                    hint=N_("代号用小写字母、数字，定了不要再改；话机写 sip:名字@主机，或带国家码的号码 +8613…"),
                    columns=(
                        Setting(key="id", label=N_("代号")),
                        Setting(key="name", label=N_("姓名")),
                        Setting(key="phone", label=N_("话机")),
                    ),
                ),
            ),
        ),
        Group(
            title=N_("谁都不接时"),
            settings=(
                Setting(
                    key="call_flow.fallback_number",
                    label=N_("兜底号码"),
                    hint=N_("系统出错时转到这里，带国家码 +86…；空着就转语音信箱"),
                ),
                Setting(
                    key="call_flow.wrap_up_seconds",
                    label=N_("话后处理"),
                    hint=N_("挂机后这么多秒不再振铃，0 到 1800"),
                    kind=Kind.NUMBER,
                ),
            ),
        ),
    ),
)
FLOW = Room(
    name="flow",
    title=N_("来电流程与提示音"),
    about=N_("住户打进来先听到什么，再响谁的电话，没人接怎么办。"),
    groups=(
        Group(
            title=N_("振铃"),
            settings=(
                Setting(
                    key="call_flow.strategy",
                    label=N_("怎么响"),
                    kind=Kind.CHOICE,
                    choices=(("in_order", N_("一个一个响")), ("all_at_once", N_("一起响"))),
                ),
                Setting(
                    key="call_flow.ring_seconds",
                    label=N_("每人响多久"),
                    hint=N_("秒，5 到 120"),
                    kind=Kind.NUMBER,
                ),
                Setting(
                    key="answering.in_time_seconds",
                    label=N_("及时应答"),
                    hint=N_("秒，报表里“及时”按它算，大于 0"),
                    kind=Kind.NUMBER,
                ),
            ),
        ),
        Group(
            title=N_("提示音"),
            settings=(
                Setting(
                    key="call_flow.notice",
                    label=N_("开头告知"),
                    hint=N_("必须告诉来电人会录音"),
                    kind=Kind.LONG,
                    spoken=True,
                ),
                Setting(
                    key="call_flow.menu.enabled",
                    label=N_("按键菜单"),
                    kind=Kind.YES,
                ),
                Setting(key="call_flow.menu.prompt", label=N_("菜单说什么"), kind=Kind.LONG, spoken=True),
                Setting(
                    key="call_flow.menu.seconds",
                    label=N_("等按键"),
                    hint=N_("秒，1 到 60"),
                    kind=Kind.NUMBER,
                ),
                Setting(key="call_flow.voice_mail_prompt", label=N_("请留言"), kind=Kind.LONG, spoken=True),
                Setting(
                    key="call_flow.voice_mail_seconds",
                    label=N_("留言最长"),
                    hint=N_("秒，10 到 600"),
                    kind=Kind.NUMBER,
                ),
                Setting(key="call_flow.voice_mail_thanks", label=N_("留言之后"), kind=Kind.LONG, spoken=True),
                Setting(
                    key="call_flow.confirm_prompt",
                    label=N_("外线手机听到"),
                    hint=N_("请对方按 1 接听"),
                    kind=Kind.LONG,
                    spoken=True,
                ),
                Setting(
                    key="call_flow.confirm_seconds",
                    label=N_("等按 1"),
                    hint=N_("秒，2 到 30"),
                    kind=Kind.NUMBER,
                ),
            ),
        ),
    ),
)
HOURS = Room(
    name="hours",
    title=N_("班次与假日"),
    about=N_("期限按工作时间算；给住户的电话只在合适的时间打。"),
    groups=(
        Group(
            title=N_("工作时间"),
            settings=(
                Setting(
                    key="calendar.office_hours",
                    label=N_("办公时间"),
                    hint=N_("写 09:00-12:00 14:00-18:00"),
                    kind=Kind.HOURS,
                ),
                Setting(
                    key="calendar.holidays",
                    label=N_("另放的假"),
                    hint=N_("日期写 2027-01-01，用空格分开；法定假日已经知道"),
                    kind=Kind.DATES,
                ),
                Setting(
                    key="calendar.working_days",
                    label=N_("另上的班"),
                    hint=N_("日期写 2027-01-01，用空格分开"),
                    kind=Kind.DATES,
                ),
            ),
        ),
        Group(
            title=N_("外呼与值班"),
            settings=(
                Setting(
                    key="follow_up.decent_hours",
                    label=N_("外呼时间"),
                    hint=N_("写 09:00-12:00 14:00-20:00"),
                    kind=Kind.HOURS,
                ),
                Setting(
                    key="emergency.answer_seconds",
                    label=N_("紧急没人应"),
                    hint=N_("秒，20 到 600，之后打给下一位"),
                    kind=Kind.NUMBER,
                ),
                Rows(
                    key="on_call",
                    label=N_("紧急值班"),
                    hint=N_("按先后打，按 1 确认；号码带国家码 +86…"),
                    columns=(
                        Setting(key="name", label=N_("姓名")),
                        Setting(key="phone", label=N_("电话")),
                    ),
                ),
            ),
        ),
    ),
)
