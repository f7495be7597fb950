"""The words of the domain in both languages: one word a thing (design.md)."""

from collections.abc import Iterable, Mapping

from callcenter.domain.agent_states import Doing
from callcenter.domain.call_orders import OrderKind
from callcenter.domain.calls import EndReason, EventKind, LegOutcome, OutboundOutcome
from callcenter.domain.deadlines import OWN_LIMIT, UNSURE_EMERGENCY, DeadlineKind
from callcenter.domain.incidents import IncidentState
from callcenter.domain.moments import Clock
from callcenter.domain.reminder_kind import KeyAction
from callcenter.domain.rings import Disposition, Verdict
from callcenter.domain.ticket_life import TicketStatus
from callcenter.domain.tickets import PromiseKind, RequestType, Responsibility, Urgency
from callcenter.domain.transcript import Side
from callcenter.web.language import N_, Catalog

WORDS: Mapping[str, Mapping[str, str]] = {
    "status": {
        TicketStatus.OPEN: N_("待受理"),
        TicketStatus.ASSIGNED: N_("已派单"),
        TicketStatus.IN_PROGRESS: N_("处理中"),
        TicketStatus.WAITING: N_("等待中"),
        TicketStatus.SOLVED: N_("待回访"),
        TicketStatus.VERIFIED: N_("已回访"),
        TicketStatus.CLOSED: N_("已结"),
        TicketStatus.REOPENED: N_("重新打开"),
    },
    "request_type": {
        RequestType.REPAIR: N_("报修"),
        RequestType.COMPLAINT: N_("投诉"),
        RequestType.ENQUIRY: N_("咨询"),
        RequestType.SUGGESTION: N_("建议"),
        RequestType.PRAISE: N_("表扬"),
        RequestType.EMERGENCY: N_("突发"),
        RequestType.PROGRESS: N_("查询进度"),
        RequestType.OTHER: N_("其他"),
    },
    "urgency": {Urgency.EMERGENCY: N_("紧急"), Urgency.URGENT: N_("急"), Urgency.NORMAL: N_("一般")},
    "responsibility": {Responsibility.HOME: N_("自用部位"), Responsibility.SHARED: N_("共用部位")},
    "promise": {
        PromiseKind.CALL_BACK: N_("回电"),
        PromiseKind.VISIT: N_("上门"),
        PromiseKind.REPLY: N_("答复"),
        PromiseKind.OTHER: N_("其他承诺"),
    },
    "deadline": {
        DeadlineKind.ON_SITE: N_("到场"),
        DeadlineKind.FIRST_REPLY: N_("首次回复"),
        DeadlineKind.SETTLED: N_("办结"),
        DeadlineKind.PASSED_ON: N_("转部门办结"),
        DeadlineKind.FEEDBACK_REPLY: N_("答复反馈"),
        DeadlineKind.PROMISE: N_("兑现承诺"),
    },
    "basis": {
        "emergency": N_("紧急 3 分钟"),
        UNSURE_EMERGENCY: N_("疑似紧急 3 分钟"),
        OWN_LIMIT: N_("公司自定期限"),
        "complaint": N_("投诉 24 小时"),
        "complaint_same_day": N_("投诉当日"),
        "passed_on": N_("转部门 3 天"),
        "feedback": N_("半个工作日"),
        PromiseKind.CALL_BACK: N_("答应回电"),
        PromiseKind.VISIT: N_("答应上门"),
        PromiseKind.REPLY: N_("答应答复"),
        PromiseKind.OTHER: N_("答应的事"),
    },
    "supervision": {
        OrderKind.LISTEN: N_("监听"),
        OrderKind.WHISPER: N_("对客服耳语"),
        OrderKind.STEP_IN: N_("插话"),
        OrderKind.LEAVE: N_("退出监听"),
    },
    "side": {Side.RESIDENT: N_("住户"), Side.AGENT: N_("客服"), Side.UNKNOWN: N_("未分")},
    "disposition": {
        Disposition.IN_PROGRESS: N_("进行中"),
        Disposition.ANSWERED: N_("已接"),
        Disposition.VOICE_MAIL: N_("转语音信箱"),
        Disposition.RANG_OUT: N_("响完未接"),
        Disposition.REFUSED: N_("拒听"),
        Disposition.ABANDONED: N_("住户挂断"),
        Disposition.SHORT_ABANDONED: N_("短时挂断"),
        Disposition.LEFT_BEFORE_RINGING: N_("振铃前挂断"),
        Disposition.UNKNOWN: N_("结果不明"),
        Disposition.OUTBOUND: N_("外呼"),
    },
    "leg": {
        LegOutcome.RINGING: N_("振铃中"),
        LegOutcome.ANSWERED: N_("接听"),
        LegOutcome.REFUSED: N_("拒听"),
        LegOutcome.RANG_OUT: N_("响完未接"),
        LegOutcome.NOT_CONFIRMED: N_("未按键确认"),
        LegOutcome.BUSY: N_("忙"),
        LegOutcome.CANCELLED: N_("停止振铃"),
        LegOutcome.UNREACHABLE: N_("接不通"),
    },
    "outbound": {
        OutboundOutcome.UNDER_WAY: N_("进行中"),
        OutboundOutcome.REACHED: N_("已接通"),
        OutboundOutcome.MACHINE: N_("语音信箱"),
        OutboundOutcome.BUSY: N_("忙"),
        OutboundOutcome.NO_ANSWER: N_("无人接"),
        OutboundOutcome.REFUSED: N_("拒接"),
        OutboundOutcome.WRONG_NUMBER: N_("号码不对"),
        OutboundOutcome.FAILED: N_("没有拨通"),
        OutboundOutcome.UNKNOWN: N_("结果不明"),
        "refused_by_provider": N_("线路没有拨出"),
        "uncertain": N_("不知是否拨出"),
    },
    "answer": {
        KeyAction.HEARD: N_("已了解"),
        KeyAction.CONFIRMED: N_("确认"),
        KeyAction.WANTS_A_PERSON: N_("要人工回电"),
        KeyAction.RATED: N_("已评价"),
        KeyAction.STILL_BROKEN: N_("仍未修好"),
        KeyAction.AGREED: N_("约定缴费"),
        KeyAction.STOP: N_("不要再打"),
    },
    "verdict": {Verdict.WITHIN: N_("三声内"), Verdict.LATE: N_("超时"), Verdict.UNDECIDED: N_("待定")},
    "event": {
        EventKind.CALL_STARTED: N_("通话开始"),
        EventKind.CALL_RINGING: N_("对方振铃"),
        EventKind.CALL_ANSWERED: N_("接通"),
        EventKind.KEY_PRESSED: N_("按键"),
        EventKind.LEG_INITIATED: N_("呼叫客服"),
        EventKind.LEG_RINGING: N_("开始振铃"),
        EventKind.LEG_ANSWERED: N_("接听"),
        EventKind.LEG_CONFIRMED: N_("按键确认接听"),
        EventKind.LEG_ENDED: N_("话机挂断"),
        EventKind.CALL_HELD: N_("开始保持"),
        EventKind.CALL_RESUMED: N_("恢复通话"),
        EventKind.CALL_TRANSFERRED: N_("转接"),
        EventKind.VOICE_MAIL_STARTED: N_("转语音信箱"),
        EventKind.RECORDING_READY: N_("录音可取"),
        EventKind.RECORDING_FAILED: N_("录音失败"),
        EventKind.CALL_ENDED: N_("通话结束"),
        EventKind.CALL_CLOSED_UNKNOWN: N_("没有结束消息，按不明关闭"),
        EventKind.WRAP_UP_ENDED: N_("话后处理完成"),
        EventKind.CALL_JOINED: N_("三方通话"),
        EventKind.RECORDING_PAUSED: N_("录音暂停"),
        EventKind.RECORDING_RESUMED: N_("录音继续"),
        EventKind.SUPERVISED: N_("主管在听"),
        EventKind.CALL_QUEUED: N_("排队等候"),
    },
    "end_reason": {
        EndReason.COMPLETED: N_("正常结束"),
        EndReason.BUSY: N_("忙"),
        EndReason.NO_ANSWER: N_("无人接听"),
        EndReason.CANCELLED: N_("已取消"),
        EndReason.FAILED: N_("没有接通"),
    },
    "clock": {Clock.PROVIDER: N_("服务商"), Clock.OURS: N_("本机")},
    "relation": {"first": N_("首次来电"), "repeat": N_("再次来电"), "ours": N_("我们打出"), "shared": N_("同一通来电")},
    "direction": {"inbound": N_("来电"), "outbound": N_("打出")},
    "field": {
        "request_type": N_("诉求类型"),
        "category": N_("服务类别"),
        "urgency": N_("紧急程度"),
        "place": N_("地点"),
        "contact": N_("联系人"),
        "phone": N_("回拨号码"),
        "responsibility": N_("责任部位"),
        "wanted": N_("在家时间"),
        "summary": N_("事由"),
        "promise": N_("承诺"),
        "problem": N_("另一件事"),
        "demand": N_("要求"),
        "amount": N_("金额"),
        "consent": N_("征得同意"),
        "call": N_("通话结果"),
        "building": N_("楼栋"),
    },
    "incident": {
        IncidentState.SUGGESTED: N_("疑似同一事件"),
        IncidentState.OPEN: N_("处理中"),
        IncidentState.SOLVED: N_("已解决"),
        IncidentState.DISMISSED: N_("不是同一事件"),
    },
    "thing": {
        "water_cut": N_("停水"),
        "bad_water": N_("水质"),
        "power_cut": N_("停电"),
        "gas_cut": N_("停气"),
    },
    "doing": {
        Doing.TALKING: N_("通话"),
        Doing.RINGING: N_("振铃"),
        Doing.READY: N_("就绪"),
        Doing.BUSY: N_("忙"),
        Doing.WRAP_UP: N_("整理"),
        Doing.AWAY: N_("离开"),
    },
    "role": {"agent": N_("客服"), "supervisor": N_("主管"), "admin": N_("管理员")},
}


class Labels:
    """Looks words up in one language; an unknown key is shown as it is, never hidden."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._named: tuple[object, Mapping[str, Mapping[str, str]]] = (None, {})

    @property
    def _categories(self) -> Mapping[str, Mapping[str, str]]:
        """As the rules in force name them."""
        rules, (of_rules, names) = self._catalog.rules(), self._named
        if rules is not of_rules:
            names = {one.key: {"zh": one.zh, "en": one.en} for one in rules.categories}
            self._named = (rules, names)
        return names

    def __call__(self, kind: str, key: str | None) -> str:
        if not key:
            return ""
        if kind == "category":
            return self._categories.get(key, {}).get(self._catalog.language) or key
        words = WORDS[kind].get(key)
        return self._catalog.gettext(words) if words else key

    def fields(self, names: Iterable[str]) -> str:
        """The names of several fields in one line."""
        return self._catalog.gettext("、").join(self("field", name.split(".")[0]) for name in names)

    def choices(self, kind: str) -> list[tuple[str, str]]:
        """(key, word) of everything that can be chosen, for a form."""
        keys = self._categories if kind == "category" else WORDS[kind]
        return [(str(key), self(kind, key)) for key in keys]
