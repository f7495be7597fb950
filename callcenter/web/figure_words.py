"""The figures as a page says them: the standard name, the formula, the value, what it was before, its calls."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from callcenter.config import AnsweringSettings
from callcenter.domain.figures import Band
from callcenter.domain.rings import Disposition
from callcenter.reports.answering import Answering, Summary
from callcenter.web.asked import BEFORE, Asked
from callcenter.web.language import N_
from callcenter.web.visit import Visit

FORMULAS: dict[str, tuple[str, str]] = {
    "share": (
        N_("三声内接听率"),
        N_(
            "三声内 ÷（三声内＋超时＋响完未接＋拒听＋语音信箱＋满一声后挂断）。一声是一个完整的振铃周期；"
            "几部话机的振铃取并集；时钟误差内的来电待定，使比率成为区间"
        ),
    ),
    "asa": (N_("平均应答 ASA"), N_("从菜单结束（开始呼叫客服）到接听，含排队和振铃，已接来电的平均")),
    "p95": (N_("应答 P95"), N_("已接来电应答的第 95 百分位，中位为第 50；按最近秩，精确到 0.1 秒")),
    "longest": (N_("最长等待"), N_("从菜单结束到接听、转语音信箱或挂断最久的一通来电，未接的也在内")),
    "connection": (
        N_("接通率"),
        N_("已接 ÷ 全部来电，含振铃前和短时挂断；GB/T 33358：24 小时不低于九成五"),
    ),
    "service_level": (
        N_("服务水平，含放弃"),
        N_("菜单结束后限时内接听 ÷（已接＋未接），短时和振铃前挂断另计；GB/T 33358：15 秒内接听"),
    ),
    "service_level_answered": (N_("服务水平，不含放弃"), N_("菜单结束后限时内接听 ÷ 已接")),
    "counted": (N_("计入来电"), N_("三声内接听率的分母，待定的来电也在内")),
    "missed": (N_("未接"), N_("响完未接、拒听、语音信箱、满一声后挂断")),
    "abandonment": (
        N_("放弃率"),
        N_("满一声后挂断 ÷（已接＋未接）；不满一声就挂断、还没有振铃就挂断的另计"),
    ),
    "flow_out": (
        N_("流出"),
        N_("没有客服接听、由备用号码接听的来电 ÷ 已接来电；这些来电也计入接通率，按振铃判定是否三声内"),
    ),
    "legs": (N_("拒听·响完未接"), N_("按话机计；只有信令证明的才算拒听")),
    "talk": (N_("平均通话"), N_("从接听到通话结束，含保持，已接来电的平均")),
    "hold": (N_("平均保持"), N_("通话中让住户等待的时间，报告保持的线路上已接来电的平均，没有保持过的按 0 计")),
    "wrap_up": (N_("平均话后处理"), N_("从通话结束到客服报告话后完成，有报告的来电的平均")),
    "handling": (
        N_("平均处理 AHT"),
        N_("平均通话（含保持）＋平均话后处理；没有话后报告时，按设置中填写的测量值计"),
    ),
    "first_contact": (
        N_("一次解决率"),
        N_("来电新开的工单中，7 天内没有为同一件事再来电的比例；不满 7 天的待定；无事可办和已合并的不计"),
    ),
    "repeats": (N_("重复来电占比"), N_("为已有的事再来电 ÷ 有工单的来电")),
    "call_backs": (N_("回电兑现率"), N_("答应的时间前已回电 ÷ 这期间到期的回电承诺，已取消的不计")),
    "transfer": (N_("转接率"), N_("转到另一部话机的来电 ÷ 已接来电，只算报告转接的线路；没有这样的线路就不显示数字")),
    "occupancy": (
        N_("占用率"),
        N_("（通话＋话后处理）÷ 在岗时间。在岗是客服自己说“就绪”或“整理”的时间，从第一次说起；忙别的和离开不算"),
    ),
}
"""Name and formula of every figure; the order is that of the list of formulas."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FigureLine:
    """One figure, and `earlier`, what it was in the period before.

    `href` leads to the calls that it counts; `note` stands small beneath it.
    """

    key: str
    value: str
    earlier: str
    unit: str = ""
    note: str = ""
    href: str | None = None

    @property
    def name(self) -> str:
        return FORMULAS[self.key][0]

    @property
    def formula(self) -> str:
        return FORMULAS[self.key][1]


def figure_lines(
    found: Answering, before: Summary, asked: Asked, visit: Visit, settings: AnsweringSettings
) -> list[FigureLine]:
    """The figures beside the share, each with what it was in the period before."""
    page = _Lines(found=found, before=before, asked=asked, visit=visit, settings=settings)
    return [*page.speeds(), *page.levels(), *page.misses(), *page.talking(), *page.contacts(), *page.unknown()]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Lines:
    found: Answering
    before: Summary
    asked: Asked
    visit: Visit
    settings: AnsweringSettings

    def _line(
        self, key: str, now: str, then: str, *, unit: str = "", note: str = "", href: str | None = None
    ) -> FigureLine:
        say = self.visit.catalog.gettext
        earlier = say("%(period)s %(value)s", period=say(BEFORE[self.asked.period.kind]), value=then)
        return FigureLine(key=key, value=now, earlier=earlier, unit=unit, note=note, href=href)

    def _band(self, band: Band | None) -> str:
        return self.visit.formats.band(band.low, band.high) if band else "–"

    def _part(self, share: float | None) -> str:
        return "–" if share is None else f"{self.visit.formats.percent(share)}%"

    def speeds(self) -> Iterator[FigureLine]:
        now, then, f = self.found.figures.speed, self.before.figures.speed, self.visit.formats
        say, answered = self.visit.catalog.gettext, self.asked.calls("connected")
        unit = say("秒") if now else ""
        yield self._line(
            "asa",
            f.seconds(now.mean_ms if now else None),
            f.seconds(then.mean_ms if then else None),
            unit=unit,
            href=answered,
        )
        yield self._line(
            "p95",
            f.seconds(now.p95_ms if now else None),
            f.seconds(then.p95_ms if then else None),
            unit=unit,
            note=say("中位 %(seconds)s", seconds=f.seconds(now.median_ms)) if now else "",
            href=answered,
        )
        longest = self.found.longest
        yield self._line(
            "longest",
            f.seconds(self.found.longest_wait_ms),
            f.seconds(self.before.longest_wait_ms),
            unit=say("秒") if longest else "",
            note=f.when(longest.started_at) if longest else "",
            href=f"/calls/{longest.id}" if longest else None,
        )

    def levels(self) -> Iterator[FigureLine]:
        now, then, say = self.found.figures, self.before.figures, self.visit.catalog.gettext
        yield self._line(
            "connection",
            self._part(now.connection_rate),
            self._part(then.connection_rate),
            note=say("%(connected)s ÷ %(offered)s", connected=now.connected, offered=now.offered),
            href=self.asked.calls("not_connected"),
        )
        limit = say("%(seconds)s 秒内", seconds=f"{self.settings.in_time_seconds:g}")
        slow = self.asked.calls("slow")
        for key, band, earlier in (
            ("service_level", now.service_level, then.service_level),
            ("service_level_answered", now.service_level_of_answered, then.service_level_of_answered),
        ):
            yield self._line(key, self._band(band), self._band(earlier), note=limit, href=slow)
        number = self.visit.formats.number
        yield self._line(
            "counted", number(now.share.counted), number(then.share.counted), href=self.asked.calls("counted")
        )

    def misses(self) -> Iterator[FigureLine]:
        now, then = self.found.figures, self.before.figures
        number, say = self.visit.formats.number, self.visit.catalog.gettext
        left = now.of(Disposition.ABANDONED) - now.share.undecided_abandoned
        yield self._line(
            "missed",
            number(now.share.missed),
            number(then.share.missed),
            note=say("挂断 %(left)s，信箱 %(mail)s", left=left, mail=now.of(Disposition.VOICE_MAIL)),
            href=self.asked.calls("missed"),
        )
        short, before_ringing = now.of(Disposition.SHORT_ABANDONED), now.of(Disposition.LEFT_BEFORE_RINGING)
        yield self._line(
            "abandonment",
            self._band(now.abandonment),
            self._band(then.abandonment),
            note=say("短时 %(short)s、振铃前 %(left)s 另计", short=short, left=before_ringing),
            href=self.asked.calls("abandoned"),
        )
        yield self._line(
            "flow_out",
            self._part(self.found.flow_out_rate),
            self._part(self.before.flow_out_rate),
            note=say("%(calls)s 通", calls=self.found.flow_out),
            href=self.asked.calls("flow_out"),
        )
        yield self._line(
            "legs",
            f"{self.found.refused_legs} · {self.found.rang_out_legs}",
            f"{self.before.refused_legs} · {self.before.rang_out_legs}",
            href=self.asked.calls("leg_faults"),
        )

    def talking(self) -> Iterator[FigureLine]:
        now, then = self.found.figures.times, self.before.figures.times
        f, say = self.visit.formats, self.visit.catalog.gettext
        yield self._line(
            "talk",
            f.call_length(now.mean_talk_ms),
            f.call_length(then.mean_talk_ms),
            note=say("共 %(length)s", length=f.length(timedelta(milliseconds=now.talk_ms))) if now.talks else "",
            href=self.asked.calls("connected"),
        )
        after = self.settings.after_call_seconds
        after_ms = None if after is None else round(after * 1000)
        if now.wraps:
            measured = ""
        else:
            unknown = say("话后处理没有记录")
            measured = unknown if after is None else say("话后按 %(seconds)s 秒计", seconds=f"{after:g}")
        handling, earlier = now.mean_handling_ms(after_ms), then.mean_handling_ms(after_ms)
        yield self._line("handling", f.call_length(handling), f.call_length(earlier), note=measured)
        for key, mean_ms, earlier_ms, calls in (
            ("hold", now.mean_hold_ms, then.mean_hold_ms, now.holds),
            ("wrap_up", now.mean_wrap_ms, then.mean_wrap_ms, now.wraps),
        ):
            told = "" if calls else say("没有报告")
            yield self._line(key, f.call_length(mean_ms), f.call_length(earlier_ms), note=told)

    def contacts(self) -> Iterator[FigureLine]:
        now, then, say = self.found.contacts, self.before.contacts, self.visit.catalog.gettext
        yield self._line(
            "first_contact",
            self._band(now.first_contact_resolution),
            self._band(then.first_contact_resolution),
            note=say("%(matters)s 件，待定 %(open)s", matters=now.matters, open=now.open_matters),
            href=self.asked.calls("linked"),
        )
        yield self._line(
            "repeats",
            self._part(now.repeat_share),
            self._part(then.repeat_share),
            href=self.asked.calls("repeats"),
        )
        yield self._line(
            "call_backs",
            self._part(now.call_backs_kept),
            self._part(then.call_backs_kept),
            note=say("%(kept)s ÷ %(promised)s", kept=now.kept, promised=now.promised),
            href="/reminders",
        )

    def unknown(self) -> Iterator[FigureLine]:
        """What nothing records has no figure, and says so."""
        now, then, say = self.found.figures.times, self.before.figures.times, self.visit.catalog.gettext
        yield self._line(
            "transfer",
            self._part(now.transfer_rate),
            self._part(then.transfer_rate),
            note="" if now.transfers_told else say("线路不报告转接"),
            href=self.asked.calls("transferred"),
        )
        duty = self.found.all_duty
        on_duty = say("在岗共 %(time)s", time=self.visit.formats.call_length(duty.on_duty_ms))
        yield self._line(
            "occupancy",
            self._part(duty.occupancy),
            self._part(self.before.all_duty.occupancy),
            note=on_duty if duty.on_duty_ms else say("没有人说过何时在岗"),
        )
