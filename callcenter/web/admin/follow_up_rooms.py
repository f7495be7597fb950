"""What is owed afterwards: time limits, calls to residents and what they say."""

from callcenter.domain.reminder_kinds import reminder_kinds
from callcenter.domain.tickets import RequestType, Urgency
from callcenter.web.admin.settings import Group, Kind, Room, Rows, Setting
from callcenter.web.labels import WORDS
from callcenter.web.language import N_


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
