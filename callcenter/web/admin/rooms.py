"""Which settings are changed in which room of the administration, in the words of whoever runs a hotline."""

from collections.abc import Mapping
from dataclasses import dataclass

from callcenter.domain.reminder_kinds import reminder_kinds
from callcenter.domain.tickets import RequestType, Urgency
from callcenter.web.admin.settings import Group, Kind, Rows, Setting
from callcenter.web.labels import WORDS
from callcenter.web.language import N_


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    name: str
    title: str
    about: str
    groups: tuple[Group, ...]


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


def _choices(kind: str, of: type[RequestType] | type[Urgency]) -> tuple[tuple[str, str], ...]:
    return (("", N_("不限")), *((one.value, WORDS[kind][one]) for one in of))


DEADLINES = Room(
    name="deadlines",
    title=N_("期限与跟进"),
    about=N_("自己的期限写在第一张表里，先写的先用；没有写到的按服务标准。"),
    groups=(
        Group(
            title=N_("自己的期限"),
            settings=(
                Rows(
                    key="follow_up.limits",
                    label=N_("期限"),
                    hint=N_("类别写它的代号，见下面的表；小时大于 0"),
                    columns=(
                        Setting(
                            key="kind",
                            label=N_("什么"),
                            kind=Kind.CHOICE,
                            choices=(("settled", N_("办结")), ("first_reply", N_("首次回复"))),
                        ),
                        Setting(
                            key="request_type",
                            label=N_("类型"),
                            kind=Kind.CHOICE,
                            choices=_choices("request_type", RequestType),
                            optional=True,
                        ),
                        Setting(
                            key="urgency",
                            label=N_("紧急"),
                            kind=Kind.CHOICE,
                            choices=_choices("urgency", Urgency),
                            optional=True,
                        ),
                        Setting(key="category", label=N_("类别"), optional=True),
                        Setting(key="hours", label=N_("小时"), kind=Kind.NUMBER),
                        Setting(
                            key="counted",
                            label=N_("怎么算"),
                            kind=Kind.CHOICE,
                            choices=(("clock", N_("不停表")), ("working_time", N_("只算工作时间"))),
                        ),
                    ),
                ),
            ),
        ),
        Group(
            title=N_("回电与回访"),
            settings=(
                Setting(
                    key="follow_up.complaint_first_reply_hours",
                    label=N_("投诉首次回复"),
                    hint=N_("小时，至少 1"),
                    kind=Kind.NUMBER,
                ),
                Setting(
                    key="follow_up.missed_call_minutes",
                    label=N_("未接来电回电"),
                    hint=N_("分钟，至少 1"),
                    kind=Kind.NUMBER,
                ),
                Setting(
                    key="follow_up.attempts_per_topic",
                    label=N_("一件事最多打"),
                    hint=N_("次，至少 1"),
                    kind=Kind.NUMBER,
                ),
                Setting(
                    key="follow_up.attempts_per_number_a_day",
                    label=N_("一个号码一天最多打"),
                    hint=N_("次，至少 1"),
                    kind=Kind.NUMBER,
                ),
                Setting(
                    key="follow_up.satisfaction_minutes",
                    label=N_("修好后回访"),
                    hint=N_("分钟，至少 0"),
                    kind=Kind.NUMBER,
                ),
                Setting(
                    key="follow_up.appointment_hours",
                    label=N_("上门前确认"),
                    hint=N_("小时，1 到 48"),
                    kind=Kind.NUMBER,
                ),
            ),
        ),
    ),
)
TEXTS = Room(
    name="texts",
    title=N_("外呼话术"),
    about=N_("空着用自带的话术。大括号里的空由系统填，必须有的空和不许说的话见外呼话术页，那里也能试听。"),
    groups=(
        Group(
            title=N_("话术"),
            settings=tuple(
                Setting(
                    key=f"follow_up.call_texts.{name}",
                    label=name,
                    hint=N_("缺了必须有的空，或用了不许说的话，都存不进去"),
                    kind=Kind.LONG,
                    optional=True,
                )
                for name in reminder_kinds()
            ),
        ),
    ),
)
COMPANY = Room(
    name="company",
    title=N_("公司与登录"),
    about=N_("页面和提示里的公司名，登录多久过期。"),
    groups=(
        Group(
            title=N_("公司与登录"),
            settings=(
                Setting(key="console.company", label=N_("公司名")),
                Setting(
                    key="console.default_language",
                    label=N_("默认语言"),
                    kind=Kind.CHOICE,
                    choices=(("zh", N_("中文")), ("en", N_("英文"))),
                ),
                Setting(
                    key="console.session_hours",
                    label=N_("登录有效"),
                    hint=N_("小时，1 到 720"),
                    kind=Kind.NUMBER,
                ),
                Setting(
                    key="understanding.area_code",
                    label=N_("本地区号"),
                    hint=N_("住户报座机时补上，例如 021；空着不补"),
                ),
            ),
        ),
    ),
)
PROVIDER = Room(
    name="provider",
    title=N_("线路"),
    about=N_("电话从运营商进来。把下面的地址填到运营商的号码设置里，方法都选 POST。"),
    groups=(
        Group(
            title=N_("运营商"),
            settings=(
                Setting(
                    key="server.public_url",
                    label=N_("公开地址"),
                    hint=N_("运营商访问我们的地址，例如 https://hotline.example.com"),
                ),
                Setting(key="twilio.account_sid", label=N_("账号 SID")),
                Setting(
                    key="twilio.auth_token",
                    label=N_("令牌"),
                    hint=N_("存了就不再显示；空着不改"),
                    kind=Kind.SECRET,
                ),
                Setting(key="twilio.from_number", label=N_("热线号码"), hint=N_("带国家码 +86…")),
                Setting(key="twilio.api_url", label=N_("接口地址"), hint=N_("别家运营商给的 REST 地址")),
                Setting(
                    key="twilio.recording_hosts",
                    label=N_("录音主机"),
                    hint=N_("可以取录音的主机名，用空格分开"),
                    kind=Kind.WORDS,
                ),
            ),
        ),
    ),
)
MODEL = Room(
    name="model",
    title=N_("识别模型"),
    about=N_("录音在自己的机器上转成文字。换模型前先下载：callcenter models get 名字。"),
    groups=(
        Group(
            title=N_("识别"),
            settings=(
                Setting(
                    key="speech.model",
                    label=N_("模型"),
                    hint=N_("下面表里已安装的名字，或一个文件夹"),
                ),
                Setting(
                    key="speech.live",
                    label=N_("边说边转写"),
                    hint=N_("运营商按媒体流收费；要 https 公开地址"),
                    kind=Kind.YES,
                ),
            ),
        ),
    ),
)

ROOMS: Mapping[str, Room] = {
    room.name: room for room in (COMPANY, PROVIDER, PHONES, HOURS, FLOW, DEADLINES, TEXTS, MODEL)
}
"""In the order in which a hotline is set up."""


def setting_of(key: str) -> Setting | Rows | None:
    every = (one for room in ROOMS.values() for group in room.groups for one in group.settings)
    return next((one for one in every if one.key == key), None)
