"""What the resident demands, in the resident's own clauses."""

import re

from callcenter.domain.tickets import Found
from callcenter.domain.understanding.text import Line

MOST = 5

_CLAUSE = re.compile(r"[^，。,；;！!？?]+")
_ACT = (
    r"(?:派|安排|叫)(?:个|一个)?(?:人|师傅|电工|保安|维修)|来(?:人|修|看|处理|查|清|管)|上门|修好|维修|处理|解决|退(?:钱|费|款|还|给)?|赔|换|道歉"
    r"|清理|清走|打扫|疏通|检查|查(?:清|一下)|通知|制止|拆|撤|挪|装上|停(?:掉|止|下)|关掉|管(?:管|一下|起来)|整改|恢复|回复|答复|解释|说明"
)
_DEMAND = re.compile(
    r"(?:我|我们|业主)?要求|(?:我|我们)?(?:强烈)?希望(?:你们|物业|能|可以|尽快|马上)|必须(?:给|要|把|马上|今天|立刻)?"
    rf"|(?:请|麻烦|赶紧|马上|尽快|立刻|抓紧|务必|能不能|可不可以|给我|你们(?:得|要|应该)|今天(?:就|一定)?(?:要|得))[^，。,]{{0,10}}(?:{_ACT})"
    r"|(?:退|赔)(?:我|给我|偿|钱|款|费)|(?:向|给|跟)我(?:赔礼)?道歉|给(?:我|我们|业主)?(?:一?个)?(?:说法|交代|交待|答复|解释|方案)"
    r"|(?:快|赶紧|马上)[^，。,]{0,3}(?:派人|来人)"
)
_NOT_MEANT = re.compile(
    r"(?:不|没|没有|别|无)(?:用|必|需要?|要|想)?(?:要求|麻烦|着急|急着)|要求我|不(?:用|必|需要?)[^，。,]{0,6}$"
)
_LONGEST = 60


def find_demands(lines: tuple[Line, ...]) -> tuple[Found[str], ...]:
    """The clauses in their order, each once."""
    found: dict[str, Found[str]] = {}
    for line in lines:
        if line.by_agent:
            continue
        for clause in _CLAUSE.finditer(line.written):
            words = clause.group().strip()
            match = _DEMAND.search(words)
            if match is None or len(words) > _LONGEST or _NOT_MEANT.search(words[: match.end()]):
                continue
            evidence = line.evidence(clause.start(), clause.end())
            found.setdefault(words, Found(value=words, confidence=0.7, evidence=(evidence,)))
    return tuple(found.values())[:MOST]
