import pytest

from callcenter.domain.transcript import Side
from callcenter.domain.understanding import draft_to_json, understand, understand_text
from callcenter.domain.understanding.phones import valid_number
from tests.understanding.calls import CONTEXT, call, context_with, recognised


@pytest.mark.parametrize(
    ("digits", "number"),
    [
        ("13800138000", "13800138000"),
        ("+8613800138000", "13800138000"),
        ("008613800138000", "13800138000"),
        ("013800138000", "13800138000"),
        ("02164567890", "02164567890"),
        ("64567890", "02164567890"),
        ("057788334422", "057788334422"),
        ("05778833442", "05778833442"),
        ("4008208820", "4008208820"),
        ("138000138000", None),
        ("1380013800", None),
        ("11800138000", None),
        ("0216456789", None),
        ("12345678901", None),
        ("123456", None),
    ],
)
def test_lengths_and_prefixes(digits: str, number: str | None) -> None:
    assert valid_number(digits, area_code="021") == number


def test_spoken_number_wins_over_the_caller_id() -> None:
    draft = understand_text("回我幺三九幺二三四四四七幺", context=context_with(caller_number="+8613812346207"))
    assert draft_to_json(draft)["phone"] == "13912344471"


def test_the_caller_id_alone_is_not_a_spoken_number() -> None:
    assert understand_text("家里漏水", context=context_with(caller_number="+8613812346207")).phone is None


def test_a_number_in_pieces_with_the_agent_between() -> None:
    draft = understand(
        call(
            recognised("您 电话 多少", side=Side.AGENT),
            recognised("幺 三 九", start_ms=2000),
            recognised("嗯", side=Side.AGENT, start_ms=3000),
            recognised("幺 二 三 四", start_ms=4000),
            recognised("四 四 七 幺", start_ms=6000),
        ),
        context=CONTEXT,
    )
    assert draft_to_json(draft)["phone"] == "13912344471"


def test_another_reading_repairs_a_number_with_a_digit_lost() -> None:
    segment = recognised(
        "电话 是 幺 三 九 幺 二 三 四 四 七 幺",
        alternatives=("电话是幺三九幺二三四四七幺", "电话是幺三九幺二三四四四七幺"),
    )
    draft = understand(call(segment), context=CONTEXT)
    assert draft_to_json(draft)["phone"] == "13912344471"


def test_two_recognitions_that_differ_are_not_asserted() -> None:
    draft = understand(
        call(
            recognised("电话 幺 三 九 幺 二 三 四 四 四 七 幺"),
            recognised("幺 三 九 幺 二 三 四 四 四 七 七 对 吧", side=Side.AGENT, start_ms=5000),
            recognised("对", start_ms=9000),
        ),
        context=CONTEXT,
    )
    assert draft.phone is not None
    assert draft_to_json(draft)["phone"] is None


def test_the_reading_that_both_sides_share_settles_a_difference() -> None:
    draft = understand(
        call(
            recognised("电话 幺 三 九 幺 二 三 四 四 四 七 幺"),
            recognised(
                "幺 三 九 幺 二 三 四 四 四 七 七 对 吧",
                side=Side.AGENT,
                start_ms=5000,
                alternatives=("幺三九幺二三四四四七幺对吧",),
            ),
        ),
        context=CONTEXT,
    )
    assert draft_to_json(draft)["phone"] == "13912344471"


def test_a_room_and_a_number_run_together() -> None:
    draft = draft_to_json(
        understand(call(recognised("三 栋 五 零 一 幺 三 八 零 零 幺 三 八 零 零 零")), context=CONTEXT)
    )
    assert (draft["place"]["room"], draft["phone"]) == ("501", "13800138000")


def test_evidence_of_a_number_is_what_was_spoken() -> None:
    draft = understand(call(recognised("我 电话 / 幺 三 八 零 零 幺 三 八 零 零 零")), context=CONTEXT)
    assert draft.phone is not None
    (evidence,) = draft.phone.evidence
    assert evidence.words == "幺三八零零幺三八零零零"
    assert (evidence.start_ms, evidence.end_ms) == (1000, 3200)


def test_words_behind_a_number_say_that_it_is_one_to_call() -> None:
    def phone_in(text: str) -> str | None:
        number: str | None = draft_to_json(understand_text(text, context=CONTEXT))["phone"]
        return number

    assert phone_in("四零零八二零八八二零这个电话，你打过来") == "4008208820"
    assert phone_in("六四三二一零零零是我家座机") == "02164321000"
    assert phone_in("四零零八二零八八二零问问厂家") is None


def test_a_landline_of_a_wrong_length_is_found_among_the_other_readings() -> None:
    """From a recording: 座机八七… was heard as 国七八七…"""
    words = "国 七 八 七 六 五 四 三 二 一 转 六 零 八"
    segment = recognised(words, alternatives=("国七八七六五四三二一管六零八", "国机八七六五四三二一转六零八"))
    draft = understand(call(segment), context=CONTEXT)
    assert draft.phone is not None
    assert draft.phone.value == "02187654321转608"
