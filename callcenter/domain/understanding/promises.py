"""What the agent promised (承诺) and by when. The resident's words make demands, never promises."""

import re
from collections.abc import Iterator
from datetime import datetime

from callcenter.domain.tickets import Found, Promise, PromiseKind
from callcenter.domain.understanding.text import Line
from callcenter.domain.understanding.times import times_in

_CALL_BACK = re.compile(
    r"回电|给您回(?:过去|过来|拨)|回(?:个|一个|您)?电话|回拨|回访(?:您)?|(?:再)?(?:给|跟|和|与|向)您(?:再)?(?:打|去|来|拨|通)(?:个|一个)?电话|打(?:电话)?给您|致电|电话(?:再)?(?:联系|通知|告知|给)您?"
    r"|(?:跟|和|与|向)?您(?:电话)?联系|联系您|通知您"
)
_VISIT = re.compile(
    r"上门|(?:师傅|维修|工程|电工|水工|人员|同事|保安|保洁|管家|工人|水电工|主管|经理|人|安排)[^，。,；;？?]{0,8}(?:过去|过来|来修|到现场|去看|去处理|去现场|来处理|查看|检查|维修|来看|到场|赶过去|去修|去一趟|处理)"
    r"|(?:师傅|维修|人员|电工|保安|同事)[^，。,；;？?]{0,16}(?:到$|到(?:达|您|场|现场|家))|(?:派人|安排人)|今天[^，。,；;]{0,4}来修|(?:会|能|就)(?:来|去)(?:修|看|处理)"
)
_REPLY = re.compile(
    r"回复|答复|反馈(?:给)?您?|给(?:到)?您(?:一个)?(?:说法|结果|消息|交代|解决)|有(?:了)?(?:结果|消息)[^，。,]{0,4}(?:告诉|通知)"
)
_OTHER = re.compile(
    r"(?:我|我们|这边)[^，。,；;]{0,6}(?:会|马上|立刻|尽快|帮您)[^，。,；;]{0,6}(?:处理|跟进|核实|转达|转告|反映|安排|通知|落实|解决|催|了解|上报|协调|告诉)"
)
_KINDS = (
    (PromiseKind.CALL_BACK, _CALL_BACK),
    (PromiseKind.VISIT, _VISIT),
    (PromiseKind.REPLY, _REPLY),
    (PromiseKind.OTHER, _OTHER),
)
_NOT_PROMISED = re.compile(
    r"吗|？|\?|请您|您可以|麻烦您|需要您|(?<![给跟和与向])您(?:先|再)?(?:打|拨)|没(?:有)?办法|不能|无法|不会|没法|已经(?:派|安排|通知|上门|联系|回)|是什么时候|上次|昨天|刚才|(?:^|我们?|您)之前|请问|如果|(?<![给跟和与向])您(?:再)?联系|您(?:要|想)(?:反|投)"
)
_CLAUSE = re.compile(r"[^，。,；;！!？?]+[？?]?")
_KNOWN_CALL = re.compile(r"感谢您的?来电|来电")


def find_promises(lines: tuple[Line, ...], heard_at: datetime) -> tuple[Found[Promise], ...]:
    """The agent's promises in the order they were made; the same one said twice counts once, with its time."""
    found: list[Found[Promise]] = []
    for line in lines:
        if line.by_agent:
            found += _promises_in(line, heard_at)
    return _merged(found)


def promises_in_words(text: str) -> Iterator[tuple[int, int]]:
    """Where `text`, the agent's words, promises something: the clauses, (start, end)."""
    for clause in _CLAUSE.finditer(text):
        words = clause.group()
        if len(words) <= 120 and not _NOT_PROMISED.search(words) and _kinds_of(words):
            yield clause.span()


def _promises_in(line: Line, heard_at: datetime) -> Iterator[Found[Promise]]:
    dues = times_in(line.written, heard_at)
    for clause in _CLAUSE.finditer(line.written):
        words = clause.group()
        if _NOT_PROMISED.search(words) or len(words) > 120:
            continue
        for kind in _kinds_of(words):
            due = _due(clause, [(span.at, span.end or span.start) for span in dues])
            sure = 0.9 if due else (0.75 if kind is not PromiseKind.OTHER else 0.6)
            promise = Promise(kind=kind, text=words.strip(), due=due)
            yield Found(value=promise, confidence=sure, evidence=(line.evidence(clause.start(), clause.end()),))


def _kinds_of(words: str) -> list[PromiseKind]:
    kinds = [kind for kind, pattern in _KINDS if pattern.search(words)]
    if len(kinds) > 1 and PromiseKind.OTHER in kinds:
        kinds.remove(PromiseKind.OTHER)
    if PromiseKind.CALL_BACK in kinds and PromiseKind.REPLY in kinds:
        kinds.remove(PromiseKind.REPLY)
    return kinds


def _due(clause: re.Match[str], dues: list[tuple[int, datetime | None]]) -> datetime | None:
    """The time said in the clause, or right before it (半小时内,我们给您回电)."""
    inside = [due for at, due in dues if clause.start() <= at < clause.end()]
    before = [due for at, due in dues if clause.start() - 8 <= at < clause.start()]
    return next(iter([*inside, *before]), None)


def _merged(found: list[Found[Promise]]) -> tuple[Found[Promise], ...]:
    kept: list[Found[Promise]] = []
    for one in found:
        twin = next((other for other in kept if other.value.kind is one.value.kind), None)
        if twin is None:
            kept.append(one)
        elif one.value.due is not None and twin.value.due is None:
            kept[kept.index(twin)] = one
        elif one.value.due is not None and one.value.due != twin.value.due:
            kept.append(one)
    return tuple(kept[:8])
