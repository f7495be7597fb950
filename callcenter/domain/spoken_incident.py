"""What a caller hears on arrival who lives where several homes have reported one thing: that it is worked on."""

from collections.abc import Sequence

from callcenter.domain.incidents import Reach, Thing

_MAINS = {"water_cut": "停水", "bad_water": "水质", "power_cut": "停电", "gas_cut": "停气"}
_CATEGORIES = {
    "plumbing": "给排水",
    "power": "供电照明",
    "lift": "电梯",
    "access": "门禁",
    "fire": "消防",
    "gas": "燃气",
    "heating": "供暖",
    "structure": "房屋",
    "odour": "异味",
    "public_facility": "公共设施",
    "cleaning": "保洁",
    "security": "秩序",
    "noise": "噪音",
}
_WHERE = {Reach.BUILDING: "您所在的楼栋", Reach.ESTATE: "您所在的小区"}


def spoken_incidents(things: Sequence[Thing]) -> str | None:
    """Names no home and no resident; None where there is nothing to tell. Each matter once, in the order given."""
    told = dict.fromkeys(f"{_WHERE[thing.reach]}有多户反映{_matter(thing)}问题" for thing in things)
    if not told:
        return None
    return f"{'，'.join(told)}，我们已经知道，正在处理，处理好后会给报修的住户逐户回电。其他事情请稍候。"


def _matter(thing: Thing) -> str:
    return _MAINS.get(thing.key) or _CATEGORIES.get(thing.category, "同样的")
