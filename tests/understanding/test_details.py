"""Amounts, demands, solved on the call, no more calls, leave to call, several problems."""

from decimal import Decimal

import pytest

from callcenter.domain.tickets import TicketDraft
from callcenter.domain.understanding import details_to_json, draft_to_json, understand_text
from tests.understanding.calls import CONTEXT


def _draft(text: str) -> TicketDraft:
    return understand_text(text, context=CONTEXT)


def _details(text: str) -> dict[str, object]:
    return details_to_json(_draft(text))


@pytest.mark.parametrize(
    ("text", "yuan"),
    [
        ("物业费三千二百五十块五", ["3250.5"]),
        ("一个月三百元，多收了一百二十块钱", ["300", "120"]),
        ("定金一点五万元", ["15000"]),
        ("三块玻璃碎了，一块瓷砖掉了", []),
        ("三栋五零一漏水", []),
    ],
)
def test_amounts(text: str, yuan: list[str]) -> None:
    assert [found.value.yuan for found in _draft(text).amounts] == [Decimal(one) for one in yuan]


def test_an_amount_that_the_other_side_repeats_is_read_back() -> None:
    found = _draft("客服：物业费一共八百元\n住户：八百元是吧").amounts
    assert [one.read_back for one in found] == [True]


@pytest.mark.parametrize(
    ("text", "demands"),
    [
        ("你们必须给我个说法，赔我的车", ["你们必须给我个说法", "赔我的车"]),
        ("水管漏水，麻烦你们派人来修", ["麻烦你们派人来修"]),
        ("不用麻烦你们派人来，我自己修好了", []),
        ("客服：我们马上派人来处理", []),
    ],
)
def test_demands_are_the_residents_own_clauses(text: str, demands: list[str]) -> None:
    assert _details(text)["demands"] == demands


@pytest.mark.parametrize(
    ("text", "solved"),
    [
        ("客服：您把空开推上去试试\n住户：诶来电了，谢谢", True),
        ("客服：推上去了吗\n住户：还是不行啊", False),
        ("客服：在前台交就可以\n住户：好的", None),
        ("住户：物业费在哪里交\n客服：在前台\n住户：哦知道了谢谢", True),
        ("修好了没有", None),
        ("昨天修好了今天又漏了", False),
        ("水管漏水", None),
    ],
)
def test_solved_on_the_call(text: str, solved: bool | None) -> None:
    assert _details(text)["solved_on_call"] is solved


@pytest.mark.parametrize(
    "text",
    [
        "以后别再给我打电话了",
        "你们不要老给我打骚扰电话",
        "把我的号码删掉",
        "今后不用再给我打电话了",
        "请停止拨打我的电话",
        "我不想再接到你们的推销电话",
        "你们别再打了，打电话打得烦死了",
    ],
)
def test_no_more_calls(text: str) -> None:
    assert _details(text)["do_not_call"] is True


@pytest.mark.parametrize(
    "text",
    [
        "晚上别打电话，孩子睡觉",
        "不用回电话了谢谢",
        "让楼上别再打孩子了",
        "你们不要不接电话",
        "别打我手机打我老公的幺三八零零幺三八零零零",
        "上班时间别打我电话",
        "我不想再打电话来催了",
        "不要让我再打电话来催",
        "别忘了给我打电话",
        "不要忘了回访",
        "别人老给我打电话说漏水",
        "你们要不要再打电话问一下",
        "你们一直拒绝联系我",
        "我再也不想给你们打电话了",
        "请不要挂电话",
        "特别感谢你们回访",
        "客服：以后别再打这个电话",
    ],
)
def test_calls_may_go_on(text: str) -> None:
    assert _details(text)["do_not_call"] is False


def test_the_number_that_shall_not_be_called_may_be_named() -> None:
    found = _draft("不要再打幺三八零零幺三八零零零了，我换号了").do_not_call
    assert found is not None
    assert found.value.number == "+8613800138000"


def test_leave_that_the_agent_asked_for() -> None:
    call = "住户：漏水\n客服：方便以后给您打回访电话吗\n住户：{}"
    assert [one.value.given for one in _draft(call.format("可以的")).consents] == [True]
    assert [one.value.given for one in _draft(call.format("不用了")).consents] == [False]
    assert _draft(call.format("水还在流")).consents == ()


def test_several_problems_in_one_call() -> None:
    draft = _draft("厨房水管漏水，还有楼道灯不亮，另外我的车位被占了")
    assert [problem.value.category for problem in draft.problems] == ["plumbing", "power", "parking"]
    assert draft_to_json(draft)["categories"][:1] == ["plumbing"]
    assert {"plumbing", "power", "parking"} <= set(draft_to_json(draft)["categories"])
    assert all(problem.value.text in draft.written for problem in draft.problems)


@pytest.mark.parametrize(
    "text",
    ["厨房水管漏水，把插座弄跳闸了", "水管漏水，还有就是水表那儿也漏水", "还有，我的电话是幺三八零零幺三八零零零"],
)
def test_one_problem_is_not_taken_for_several(text: str) -> None:
    assert _draft(text).problems == ()
