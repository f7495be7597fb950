"""Which settings are changed in which room of the administration, in the words of whoever runs a hotline."""

from collections.abc import Mapping

from callcenter.web.admin.call_rooms import FLOW, HOURS, PHONES
from callcenter.web.admin.follow_up_rooms import DEADLINES, TEXTS
from callcenter.web.admin.settings import Group, Kind, Room, Rows, Setting
from callcenter.web.language import N_

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
RETENTION = Room(
    name="retention",
    title=N_("保存期"),
    about=N_("到期就删，删了找不回来；工单和经过一直留着。"),
    groups=(
        Group(
            title=N_("留多久"),
            settings=(
                Setting(
                    key="retention.recording_days",
                    label=N_("录音"),
                    hint=N_("天，文字还留着；0 是一直留"),
                    kind=Kind.NUMBER,
                ),
                Setting(
                    key="retention.audit_days",
                    label=N_("审计记录"),
                    hint=N_("天；0 是一直留"),
                    kind=Kind.NUMBER,
                ),
            ),
        ),
    ),
)

ROOMS: Mapping[str, Room] = {
    room.name: room for room in (COMPANY, PROVIDER, PHONES, HOURS, FLOW, DEADLINES, TEXTS, MODEL, RETENTION)
}
"""In the order in which a hotline is set up."""


def setting_of(key: str) -> Setting | Rows | None:
    every = (one for room in ROOMS.values() for group in room.groups for one in group.settings)
    return next((one for one in every if one.key == key), None)
