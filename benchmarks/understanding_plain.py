"""The plain way to understand a call, to compare with: cn2an, a regular expression a slot, and jionlp used directly.

Every slot is answered, as one would write it in an hour. jionlp (phones, times) is used where it is installed; with its
models it takes some 170 MB, more than everything that it would replace, and so is no requirement of the project.
"""

import contextlib
import importlib
import importlib.util
import io
import re
from datetime import datetime
from typing import Any

import cn2an

HAS_JIONLP = importlib.util.find_spec("jionlp") is not None
_PLAIN = {
    "building": re.compile(r"(\d+|[A-Z])(?:栋|幢|号楼|座)"),
    "unit": re.compile(r"(\d+)单元"),
    "room": re.compile(r"(?<!\d)(\d{3,4})(?!\d)"),
    "phone": re.compile(r"(?<!\d)(1[3-9]\d{9}|0\d{2,3}-?\d{7,8})(?!\d)"),
    "contact": re.compile(r"([一-龥](?:女士|先生|小姐|阿姨|老师))"),
    "lane": re.compile(r"(\d+)弄"),
    "floor": re.compile(r"(\d+)楼"),
    "estate": re.compile(r"([一-龥]{2,4}(?:花园|小区|苑|城))"),
    "phase": re.compile(r"([一二三四五六七八九十\d]+期)"),
}
_PLAIN_URGENCY = (
    ("emergency", re.compile("困|煤气味|燃气味|漏气|着火|冒烟|爆管|漏电|受伤|触电|起火")),
    ("urgent", re.compile("停电|停水|没电|没水|跳闸|淹|锁在|急")),
)
_PLAIN_TYPE = (
    ("complaint", "投诉"),
    ("praise", "表扬|感谢"),
    ("suggestion", "建议"),
    ("enquiry", "请问|咨询|怎么|多少"),
)
_CATEGORIES = (
    ("lift", "电梯"),
    ("plumbing", "漏水|堵|水管|停水|马桶|下水"),
    ("power", "停电|跳闸|灯|没电"),
    ("access", "门禁|对讲|刷卡|单元门"),
    ("fire", "消防|灭火器"),
    ("gas", "燃气|煤气"),
    ("heating", "暖气|空调"),
    ("noise", "噪音|吵"),
    ("parking", "停车|车位"),
    ("renovation", "装修"),
    ("cleaning", "垃圾|打扫|保洁"),
    ("greening", "树|草坪|绿化"),
    ("fees", "物业费|收费|账单"),
    ("security", "保安|小偷"),
    ("pets", "狗|猫"),
    ("odour", "臭|味道|油烟"),
    ("structure", "墙|窗|裂"),
)
_PROMISES = (("call_back", "回电|打给您|给您打"), ("visit", "上门|过去|过来"), ("reply", "回复|答复"))


class Plain:
    """Answers a text: slot to value. `now` is when it was said."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._jio = _jionlp() if HAS_JIONLP else None

    def __call__(self, text: str) -> dict[str, Any]:
        written = _by_cn2an(text)
        found: dict[str, Any] = {slot: _first(pattern, written) for slot, pattern in _PLAIN.items()}
        found["urgency"] = next((urgency for urgency, words in _PLAIN_URGENCY if words.search(written)), "normal")
        found["type"] = next((kind for kind, words in _PLAIN_TYPE if re.search(words, written)), "repair")
        found["category"] = next((key for key, words in _CATEGORIES if re.search(words, written)), None)
        found["responsibility"] = "home" if re.search("我家|厨房|卫生间|卧室", written) else "shared"
        found["promise"] = next((kind for kind, words in _PROMISES if re.search(words, written)), None)
        if self._jio is not None:
            found["phone"] = next(iter(self._jio.extract_phone_number(written)), None) or found["phone"]
            found["from"], found["to"] = self._times(written)
            found["due"] = found["to"] if found["promise"] else None
        return found

    def _times(self, text: str) -> tuple[str | None, str | None]:
        try:
            times = self._jio.ner.extract_time(text, time_base=self._now.timestamp())
        except (ValueError, TypeError, KeyError, IndexError):  # jionlp gives up on some sentences
            return None, None
        ends = next((one["detail"]["time"] for one in times if one["type"] in ("time_point", "time_span")), None)
        if not isinstance(ends, list) or len(ends) != 2:
            return None, None
        start, end = (self._iso(one) for one in ends)
        return start, end

    def _iso(self, written: str) -> str | None:
        try:
            return datetime.fromisoformat(written).replace(tzinfo=self._now.tzinfo).isoformat()
        except ValueError:
            return None


def _jionlp() -> Any:
    with contextlib.redirect_stdout(io.StringIO()):  # it advertises itself
        return importlib.import_module("jionlp")


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    match = pattern.search(text)
    return match[1] if match else None


def _by_cn2an(text: str) -> str:
    spoken = re.compile("[零〇一二三四五六七八九幺]{3,}|[一二三四五六七八九十百]+(?=栋|幢|号|单元|楼|弄)")
    digits = str.maketrans("零〇一二三四五六七八九幺", "001234567891")

    def figures(match: re.Match[str]) -> str:
        word = match.group()
        return word.translate(digits) if "十" not in word and "百" not in word else str(cn2an.cn2an(word, "smart"))

    return spoken.sub(figures, text)
