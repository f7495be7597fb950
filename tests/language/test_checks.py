"""What is found in the agent's words, and what is not: the domain's list, quotations, homophones, the measures."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.service_language import CheckContext, check_language, default_language_rules
from callcenter.domain.service_language.conversation import find_interruptions, find_silences, measures_of
from callcenter.domain.service_language.evaluation import evaluate_language, read_language_labels
from callcenter.domain.service_language.findings import LanguageCheck
from callcenter.domain.transcript import Segment, Side, Transcript
from callcenter.domain.understanding.draft import transcript_of_text
from callcenter.domain.understanding.labels import LabelError
from callcenter.domain.understanding.rules_files import default_rules

RULES = default_language_rules()
SETS = Path(__file__).parent
NEVER = {wording.key for wording in RULES.never}
CONTEXT = CheckContext(
    heard_at=datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai")), understanding=default_rules()
)

# The service standard's own list (服务忌语).
OPENINGS = ("喂", "讲话", "哪里", "找谁")
FORBIDDEN = (
    *(
        "不知道",
        "不清楚",
        "我不太清楚",
        "随便",
        "我们不管",
        "我不管",
        "跟我们没关系",
        "没办法解决",
        "该找谁找谁",
    ),
    *(
        "你问我我问谁",
        "有本事你去告",
        "急什么",
        "烦死人了",
        "你真烦",
        "你怎么这么麻烦",
        "喊什么",
    ),
    *(
        "快点说完了没有",
        "就这么说怎么样",
        "讲了半天你还没听懂",
        "我说不能办就不能办",
        "这个事儿我处理不了",
    ),
    *(
        "这个问题我不会处理",
        "我正在忙",
        "我现在很忙您下次再打来",
        "要下班了",
        "都下班了",
        "今天不办公",
    ),
    *(
        "有事明天再来",
        "改天再联系你",
        "你说话清楚点",
        "你看清楚再问",
        "墙上有你自己看",
        "没长眼睛",
    ),
    *(
        "你找谁没这个人",
        "哪个他不在",
        "这种问题连小孩子都会",
        "一分钱一分货",
        "绝对不可能有这种事",
    ),
    *(
        "我绝对没说过这种话",
        "我不懂我不会",
        "公司的规定就是这样的",
        "你看不懂中文吗",
        "你有没有上过学",
    ),
    *(
        "这么简单您自己不会解决吗",
        "我们公司不能给您解决",
        "这不是我们的事",
        "你自己都不知道我怎么知道",
    ),
)


def checked(text: str, *, is_complaint: bool = False) -> LanguageCheck:
    context = CheckContext(heard_at=CONTEXT.heard_at, understanding=CONTEXT.understanding, is_complaint=is_complaint)
    found = check_language(transcript_of_text(text), rules=RULES, context=context)
    assert found is not None
    return found


def forbidden(agent: str, *, resident: str = "我家漏水了。") -> list[str]:
    found = checked(f"客服：您好，物业。\n住户：{resident}\n客服：{agent}")
    return [one.words for one in found.findings if one.check in NEVER]


@pytest.mark.parametrize("words", FORBIDDEN)
def test_every_wording_of_the_standard_is_found_from_the_agent_and_never_from_the_resident(words: str) -> None:
    assert forbidden(f"{words}。"), words
    assert forbidden("好的，我记下来。", resident=f"{words}。") == []


@pytest.mark.parametrize("words", OPENINGS)
def test_a_bare_opening_is_found_at_the_beginning_only(words: str) -> None:
    first = checked(f"客服：{words}？\n住户：我家漏水了。")
    assert "bare_opening" in {one.check for one in first.findings}
    assert forbidden(f"您说的是{words}呢？") == []


@pytest.mark.parametrize(
    "agent",
    [
        "您说的是保安回答您不知道，这不应该。",
        "他讲有本事你去告，这种话绝对不应该。",
        "同事跟您说“我们不管”，我替他道歉。",
        '上回那句"该找谁找谁"，是我们不对。',
    ],
)
def test_a_quotation_is_none_of_the_agents_words(agent: str) -> None:
    assert forbidden(agent) == []


@pytest.mark.parametrize("heard", ["我不之道", "不青楚", "跟我们没观系", "没伴法解决", "有本是你去告", "要下搬了"])
def test_what_the_recogniser_wrote_by_its_sound_is_found_and_shown_as_written(heard: str) -> None:
    (found,) = forbidden(f"{heard}。")
    assert found in heard


def test_the_set_holds_precision_and_recall() -> None:
    for name in ("utterances.jsonl", "unseen.jsonl"):
        found = evaluate_language(read_language_labels((SETS / name).read_text("utf-8")), rules=RULES, context=CONTEXT)
        for tally in (found.never, found.all):
            assert tally.precision >= 0.97, tally.misses
            assert tally.recall >= 0.9, tally.misses


def test_after_the_recogniser_findings_stand_in_their_turn() -> None:
    calls = read_language_labels((SETS / "spoken.jsonl").read_text("utf-8"))
    found = evaluate_language(calls, rules=RULES, context=CONTEXT)
    assert found.never.right >= 14
    assert found.never.wrong <= 1
    for call in calls:
        again = check_language(call.transcript, rules=RULES, context=CONTEXT)
        for one in again.findings if again else ():
            assert 0 <= one.start_ms <= one.end_ms <= call.transcript.duration_ms


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("{", "line 1"),
        ('{"text": "x"}', "never"),
        ('{"text": "x", "expect": {"never": [1]}}', "line 1"),
        ("", "no rows"),
    ],
)
def test_a_set_that_cannot_be_read_names_its_line(row: str, named: str) -> None:
    with pytest.raises(LabelError, match=named):
        read_language_labels(row)


def said(side: Side, start: float, end: float, text: str) -> Segment:
    return Segment(side=side, start_ms=round(start * 1000), end_ms=round(end * 1000), text=text)


def spoken(*segments: Segment) -> Transcript:
    return Transcript.of(segments, duration_ms=max(one.end_ms for one in segments))


def test_talking_over_the_resident_is_an_interruption_and_agreeing_is_none() -> None:
    call = spoken(
        said(Side.RESIDENT, 0, 6, "我家漏水漏了三天了一直没有人来"),
        said(Side.AGENT, 2, 2.5, "嗯嗯"),
        said(Side.AGENT, 4, 7, "您先听我说这个要先登记"),
        said(Side.RESIDENT, 8, 12, "我已经登记过了你们自己查一下"),
        said(Side.AGENT, 12.1, 14, "好的我查一下记录"),
    )
    (one,) = find_interruptions(call, RULES.limits)
    assert (one.start_ms, one.amount) == (4000, 2000)


def test_silence_is_measured_and_excused_after_asking_to_wait() -> None:
    call = spoken(
        said(Side.RESIDENT, 0, 2, "帮我查一下物业费"),
        said(Side.AGENT, 12, 14, "请您稍等我查一下"),
        said(Side.AGENT, 40, 42, "查到了"),
        said(Side.RESIDENT, 43, 44, "多少"),
    )
    (one,) = find_silences(call, RULES.limits)
    assert (one.start_ms, one.end_ms, one.amount) == (2000, 12000, 10000)
    assert measures_of(call, RULES.limits).longest_silence_ms == 26000


def test_listening_is_judged_of_complaints_alone() -> None:
    call = spoken(
        said(Side.AGENT, 0, 3, "您好物业客服我姓何请问有什么可以帮您"),
        said(Side.RESIDENT, 4, 8, "我要投诉楼上太吵了"),
        said(Side.AGENT, 9, 30, "这个情况我跟您解释一下我们小区的规定是这样的"),
    )
    for is_complaint in (True, False):
        context = CheckContext(
            heard_at=CONTEXT.heard_at, understanding=CONTEXT.understanding, is_complaint=is_complaint
        )
        found = check_language(call, rules=RULES, context=context)
        assert found is not None
        assert [one.amount for one in found.findings if one.check == "listening"] == ([14] if is_complaint else [])
        assert ("listening" in found.judged) == is_complaint


def test_a_mixed_channel_is_not_checked() -> None:
    mixed = spoken(said(Side.UNKNOWN, 0, 2, "不知道"))
    assert check_language(mixed, rules=RULES, context=CONTEXT) is None
    alone = spoken(said(Side.RESIDENT, 0, 2, "有人吗"))
    assert check_language(alone, rules=RULES, context=CONTEXT) is None


@given(st.lists(st.tuples(st.sampled_from([Side.AGENT, Side.RESIDENT]), st.text(max_size=40)), max_size=6))
def test_any_words_are_checked_without_error_and_findings_lie_in_them(turns: list[tuple[Side, str]]) -> None:
    segments = [
        Segment(side=side, start_ms=number * 2000, end_ms=number * 2000 + 1500, text=text)
        for number, (side, text) in enumerate(turns)
    ]
    found = check_language(Transcript.of(segments, duration_ms=20_000), rules=RULES, context=CONTEXT)
    for one in found.findings if found else ():
        assert 0 <= one.start_ms <= one.end_ms <= 20_000
        assert one.check not in NEVER or any(one.words in segment.text for segment in segments) or "，" in one.words
