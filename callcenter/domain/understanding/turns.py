"""How one side answers the other: agreement, disagreement, and the questions that an answer belongs to."""

import re

from callcenter.domain.transcript import Side
from callcenter.domain.understanding.text import Line

_NO = re.compile(
    r"^(?:[呃嗯哦啊哎,，。\s]{0,4})(?:不对|不是|错了|说错|没有?对|不对不对|哎?不|搞错|记错)|不对[,，。]|说错了|听错了|记错了"
)
_YES = re.compile(
    r"^(?:[呃哦啊哎,，。\s]{0,4})(?:对|是的?(?!不)|没错|嗯|好|可以|行|正确|没问题|就是|OK|ok|谢谢|麻烦)|对的|是的|没错|对对|[,，。]对$"
)
_ASKS_PLACE = re.compile(
    r"房号|门牌|房间号|室号|几零几|哪一?户|哪一?栋|哪个?单元|几栋|几号楼|几单元|几室|几号|地址|住哪|住在哪|位置|在哪里|哪个小区|楼号|楼栋|具体"
)
_NAMES_A_ROOM = re.compile(r"(?<!\d)\d{3,4}(?!\d)")
_ONLY_A_NUMBER = re.compile(r"[是啊嗯呃,，]{0,3}\d{3,4}[的啊,，。！!]{0,2}")
_ASKS_PHONE = re.compile(r"电话|手机|号码|联系方式|怎么联系|回电|回复您")
_READS_BACK = re.compile(
    r"复述|重复一遍|核对|确认一下|跟您确认|您(?:说的)?是|您(?:的)?(?:电话|手机|号码|房号|地址|住)|对吗|对吧|是吗|是吧|没错吧|对不对|是不是|记下|记录|登记"
)
_CORRECTS = re.compile(
    r"(?:不对|说错了?|搞错了?|弄错了?|听错了?|记错了?|错了|更正(?:一下)?|应该是|而是|改成|我是说|不好意思)[,，。、\s是应该]{0,5}$|不是[^,，。;；]{1,16}[,，。;；]?(?:是|而是|应该是|我住|我是)?$|(?:^|[,，。])[哦啊呃哎]?(?:不是|不|没有)[,，、]{1,2}(?:是|我是|我住|应该是)?$"
)
_NEIGHBOUR = re.compile(r"(?:楼上|楼下|隔壁|对门|对面|邻居)(?:那[家户])?(?:好像|可能|应该|就|的?房号)?是?$")
_DENIES = re.compile(r"(?:不是|不在|并非|不叫)(?:说|在|打|住)?$")


def answer_to(lines: tuple[Line, ...], index: int, *, within: int = 2) -> bool | None:
    """What the other side said to line `index`: True agreed, False disagreed, None nothing of the kind."""
    for line in answers(lines, index, within=within):
        if _NO.search(line.written[:40]):
            return False
        if _YES.search(line.written[:40]):
            return True
    return None


def answers(lines: tuple[Line, ...], index: int, *, within: int = 2) -> tuple[Line, ...]:
    """What the other side said in the next few lines."""
    asker = lines[index].side
    return tuple(line for line in lines[index + 1 : index + 1 + within] if line.side is not asker)


def room_was_asked(lines: tuple[Line, ...], index: int) -> bool:
    """Asked for, or read back wrongly and now put right (不对,一零二二; or the bare number once more)."""
    answer = lines[index].written[:40]
    repeats = _NO.search(answer) is not None or _ONLY_A_NUMBER.fullmatch(answer) is not None
    return _was_asked(_ASKS_PLACE, lines, index) or (repeats and _was_asked(_NAMES_A_ROOM, lines, index))


def phone_was_asked(lines: tuple[Line, ...], index: int) -> bool:
    return _was_asked(_ASKS_PHONE, lines, index)


def reads_back(line: Line) -> bool:
    return line.by_agent and _READS_BACK.search(line.written) is not None


def is_corrected_at(text: str, at: int) -> bool:
    """Whether the words just before `at` put right what was said before: 说错了是…, 不是1003,是…"""
    return _CORRECTS.search(text[max(0, at - 24) : at]) is not None


def is_next_door(text: str, at: int) -> bool:
    """Whether what begins at `at` is said of another home: 楼上应该是701."""
    return _NEIGHBOUR.search(text[max(0, at - 10) : at]) is not None


def is_denied_at(text: str, at: int) -> bool:
    """Whether what begins at `at` is said not to be so: 不是1003."""
    return _DENIES.search(text[max(0, at - 6) : at]) is not None


def _was_asked(question: re.Pattern[str], lines: tuple[Line, ...], index: int) -> bool:
    """In the agent's last words before the line, with at most the resident's own beginning between them."""
    for line in reversed(lines[max(0, index - 2) : index]):
        if line.side is Side.AGENT:
            return question.search(line.written) is not None
    return False
