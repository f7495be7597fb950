"""Cases: what is taken out of a text, and the words by which it is found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.case_cleaning import cleaned
from callcenter.domain.case_words import asked_terms, terms_of, weights_of
from callcenter.domain.understanding.rules_files import default_rules

RULES = default_rules()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("王女士家3栋2单元501厨房漏水，电话13800016207", "某女士家某户厨房漏水，电话（号码）"),
        ("三栋二单元五零一，一三八零零零一六二零七", "某户，（号码）"),
        ("李师傅已上门，联系人张小明", "某师傅已上门，联系人某某"),
        ("601 卫生间角阀裂\n换角阀", "某户卫生间角阀裂\n换角阀"),
        ("何雯跟进，我叫欧阳明", "某某跟进，我叫某某"),
        ("浙A12345挡住门口，发到a.b@example.com", "（车牌）挡住门口，发到（邮箱）"),
        ("回拨 0571-8800 1234 转 203", "回拨（号码）"),
        ("电梯停在五楼不动，换了12个灯泡，费用120元，9点到", "电梯停在五楼不动，换了12个灯泡，费用120元，9点到"),
        ("老师傅说是阀门问题，保安经理来过", "老师傅说是阀门问题，保安经理来过"),
    ],
)
def test_particulars_are_taken_out_and_the_rest_stays(text: str, kept: str) -> None:
    found = cleaned(text, rules=RULES, names=["何雯"])
    assert found.replace(" ", "") == kept.replace(" ", "")


def test_the_ticket_s_own_room_is_taken_out_wherever_it_stands() -> None:
    assert (
        cleaned("到 1203 看过，1203室的阀坏了", rules=RULES, room="1203").replace(" ", "") == "到某户看过，某户的阀坏了"
    )


@given(st.integers(min_value=13_000_000_000, max_value=19_999_999_999), st.text(alphabet="漏水修好，。 ", max_size=12))
def test_no_mobile_number_is_left(number: int, around: str) -> None:
    written = str(number)
    for shape in (
        written,
        f"{written[:3]} {written[3:7]} {written[7:]}",
        f"{written[:3]}-{written[3:7]}-{written[7:]}",
    ):
        left = cleaned(f"{around}{shape}{around}", rules=RULES)
        assert not any(letter.isdigit() for letter in left)


def test_words_are_pairs_of_letters() -> None:
    assert terms_of("水管漏水 KTV2、灯") == ["水管", "管漏", "漏水", "ktv2", "灯"]
    assert terms_of("ＫＴＶ") == ["ktv"]
    assert asked_terms("漏水漏水") == ["漏水", "水漏"]
    assert weights_of(title="漏水", problem="漏水漏水", solution="换阀") == {"漏水": 6, "水漏": 2, "换阀": 1}
