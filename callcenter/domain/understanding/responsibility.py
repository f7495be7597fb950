"""Whose part it is (责任部位): inside the home or shared; None where the words do not say."""

import re

from callcenter.domain.tickets import Evidence, Found, Responsibility
from callcenter.domain.understanding.text import Line

_SHARED = re.compile(
    r"楼道|过道|走廊|电梯|轿厢|大堂|大厅|单元门|楼下门|楼栋门|单元大门|大门|门口机|电子门|旋转门|道闸|闸机|车库|地库|地下室|停车场|路灯|井盖|绿化|草坪|花坛|花园里"
    r"|公共|公区|小区(?:里|内|门口|大门|的路|道路|东门|西门|南门|北门)|外墙|楼顶|屋顶|天台|屋面|消防(?:通道|栓|门|设施|设备)?|岗亭|门岗|楼梯|总管|主管道|主水管|围墙|围栏|健身|儿童乐园|游乐|喷泉"
    r"|滑梯|秋千|车棚|架空层|连廊|外面的?走廊|声控灯|感应灯|垃圾(?:房|桶|站|箱)|快递柜|监控|应急照明|整栋|全楼|整个单元|楼里的?灯|化粪池|窨井|雨水井|水箱|水泵房|配电房|凉亭|长椅|泳池|会所|信报箱|门禁系统|东门|西门|南门|北门"
)
_HOME = re.compile(
    r"家里|我家|屋里|屋内|室内|家中|我们家|厨房|卫生间|洗手间|厕所|浴室|客厅|卧室|主卧|次卧|阳台|书房|餐厅|马桶|花洒|洗菜池|热水器|入户门|房间里|飘窗|淋浴|家里的|我屋|主卫|次卫|衣帽间|地暖"
)
_HOME_DEVICE = re.compile(
    r"(?:家里|我家|屋里|室内|房间里?|厨房|卧室|客厅|阳台|卫生间|厕所|马桶|抽水|淋浴)的?[^，。,；;]{0,2}(?:门禁|对讲|可视|消防|烟感|监控|水箱|外墙|电子门|大门)"
)
_HOME_NEAR = re.compile(
    r"(?:我们?家|家里?|我们家)(?:的)?(?:门口|楼下|楼上|门外|旁边|外面|对面|窗外|前面|后面|那个单元|这个单元|这栋楼?|楼道)"
)
_SAID_ONLY = re.compile(
    r"(?:从|在|回|到|离|进)(?:我家|家里|家中|屋里)|(?:我|人)(?:一直|都)?在家(?:里)?|家里(?:的)?(?:有|老人|孩子|小孩|人|没人)|我家(?:孩子|老人|小孩|车|的车|宝宝|狗|猫)"
)


def find_responsibility(lines: tuple[Line, ...]) -> Found[Responsibility] | None:
    """From the resident's words first, from the agent's restating only where the resident's say nothing."""
    own = tuple(line for line in lines if not line.by_agent)
    return _of(own, 0.8) or _of(tuple(line for line in lines if line.by_agent), 0.6)


def _of(lines: tuple[Line, ...], confidence: float) -> Found[Responsibility] | None:
    home: list[Evidence] = []
    shared: list[Evidence] = []
    for line in lines:
        text, inside = _without_home_devices(line)
        home += inside
        shared += [line.evidence(match.start(), match.end()) for match in _SHARED.finditer(text)]
        bare = _blank(_SAID_ONLY, _blank(_HOME_NEAR, text))
        home += [line.evidence(match.start(), match.end()) for match in _HOME.finditer(bare)]
    if shared:
        sure = confidence if not home else confidence - 0.15
        return Found(value=Responsibility.SHARED, confidence=sure, evidence=tuple(shared))
    return Found(value=Responsibility.HOME, confidence=confidence, evidence=tuple(home)) if home else None


def _without_home_devices(line: Line) -> tuple[str, list[Evidence]]:
    """家里的门禁对讲 hangs inside the home, although a 门禁 is shared."""
    inside = [line.evidence(match.start(), match.end()) for match in _HOME_DEVICE.finditer(line.written)]
    return _blank(_HOME_DEVICE, line.written), inside


def _blank(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda match: "○" * len(match.group()), text)
