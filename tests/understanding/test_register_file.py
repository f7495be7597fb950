"""The estate register as a CSV file: read whole, or refused with every error named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.tickets import Place
from callcenter.domain.understanding import CallContext, draft_to_json, understand_text
from callcenter.domain.understanding.register_file import RegisterFileError, Resident, read_register
from tests.understanding.calls import TUESDAY_TEN

GOOD = """小区,期,弄,楼栋,单元,楼层,房号,姓名,电话,面积
枫桦景苑,二期,198,4号,,,1103室,王秀英,13812346207,90
枫桦景苑,二期,198,4号,,,1103室,王明,,90
翠湖花园,,,三栋,2单元,5层,501,李强,0571-87654321,

翠湖花园,,,12,,,,,,
"""
HOME = Place(estate="枫桦景苑", phase="二期", lane="198", building="4", room="1103")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_rooms_and_residents(encoding: str) -> None:
    file = read_register(GOOD.encode(encoding))
    assert file.rooms[HOME] == (
        Resident(name="王秀英", phone="+8613812346207"),
        Resident(name="王明", phone=None),
    )
    assert Place(estate="翠湖花园", building="3", unit="2", floor="5", room="501") in file.rooms
    assert Place(estate="翠湖花园", building="12") in file.rooms
    assert file.ignored == ("面积",)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("翠湖花园,3,2,501,1381234620", "line 3, column phone: '1381234620': 11 digits for a mobile"),
        ("翠湖花园,3,2,501.0,", "line 3, column room: '501.0': written by a spreadsheet as a number"),
        ("翠湖花园,3,2,501,1.38E+10", "line 3, column phone: '1.38E+10': written by a spreadsheet"),
        ("翠湖花园,3,2,五楼左边,", "line 3, column room: '五楼左边': write the room like"),
        ("翠湖花园,,2,501,", "line 3, column building: unit 2 needs its building"),
        (",,,,13812346207", "line 3, column building: a line needs at least"),
        ("翠湖花园,3,2,501,13812346207,x", "line 3: '翠湖花园,3,2,501,13812346207,x': 6 cells under 5 headings"),
        ("翠湖花园,3,2,101,", "line 3: '翠湖花园3栋2单元101': the same as line 2"),
        ('翠湖花园,3,2,"501', "the line is no CSV"),
    ],
)
def test_an_error_names_line_column_value_and_remedy(row: str, message: str) -> None:
    with pytest.raises(RegisterFileError) as refused:
        read_register(f"estate,building,unit,room,phone\n翠湖花园,3,2,101,\n{row}\n".encode())
    assert message in str(refused.value)


def test_every_error_is_named_at_once() -> None:
    with pytest.raises(RegisterFileError) as refused:
        read_register(b"building,room\n3,501\n3,x y\n,502\n3,504\n")
    assert [(error.line, error.column) for error in refused.value.errors] == [(3, "room"), (4, "building")]


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"a,b\n1,2\n", b"building,room\n", b"building,building\n1,2\n", b"\xff\xfe\x00"]
)
def test_a_file_without_rooms_is_refused(data: bytes) -> None:
    with pytest.raises(RegisterFileError):
        read_register(data)


@given(
    st.binary(max_size=200)
    | st.text(alphabet="estate,buildingroom楼栋房号\n\"'1234567890.eE+", max_size=120).map(str.encode)
)
def test_any_file_is_read_or_refused(data: bytes) -> None:
    try:
        file = read_register(data)
    except RegisterFileError as error:
        assert error.errors  # noqa: PT017
    else:
        assert file.rooms


def _context(caller: str | None = None) -> CallContext:
    return CallContext(heard_at=TUESDAY_TEN, register=read_register(GOOD.encode()).register(), caller_number=caller)


def test_the_callers_home_is_a_hint_and_never_asserted() -> None:
    draft = understand_text("家里水管漏水", context=_context("+8613812346207"))
    assert draft.place is not None
    assert draft.place.value == HOME
    assert draft.place.confidence < 0.6
    assert "unsure:place" in draft.notes
    assert draft_to_json(draft)["place"]["room"] is None


def test_a_spoken_place_wins_over_the_callers_home() -> None:
    draft = draft_to_json(understand_text("三栋二单元五零一漏水", context=_context("+8613812346207")))
    assert (draft["place"]["building"], draft["place"]["room"]) == ("3", "501")


def test_an_unknown_caller_or_one_with_two_homes_is_no_hint() -> None:
    assert understand_text("家里水管漏水", context=_context("+8613900000000")).place is None
    two = read_register(b"building,room,phone\n1,101,13812346207\n2,202,13812346207\n").register()
    assert two.home_of("13812346207") is None


@pytest.mark.parametrize("text", ["风华景苑二期1984号1103漏水", "风华二期1984号1103漏水", "我住凤华小区1984号1103"])
def test_an_estates_name_by_its_sound(text: str) -> None:
    place = draft_to_json(understand_text(text, context=_context()))["place"]
    assert (place["estate"], place["lane"], place["building"], place["room"]) == ("枫桦景苑", "198", "4", "1103")


def test_a_glued_lane_that_fits_twice_is_not_guessed() -> None:
    register = read_register(b"lane,building\n198,4\n19,84\n").register()
    context = CallContext(heard_at=TUESDAY_TEN, register=register)
    place = draft_to_json(understand_text("1984号402漏水", context=context))["place"]
    assert (place["lane"], place["building"]) == (None, None)
