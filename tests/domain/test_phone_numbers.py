"""One line is one number, however it is written."""

import pytest

from callcenter.domain.phone_numbers import dialable, ways_to_write


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("13812346207", "+8613812346207"),
        ("+8613812346207", "+8613812346207"),
        ("008613812346207", "+8613812346207"),
        ("013812346207", "+8613812346207"),
        ("138 1234-6207", "+8613812346207"),
        ("057187654321", "+8657187654321"),
        ("0571-87654321", "+8657187654321"),
        ("+8657187654321", "+8657187654321"),
        ("02187654321", "+862187654321"),
        ("4001234567", "+864001234567"),
        ("+85261234567", "+85261234567"),
        ("87654321", None),
        ("057187654321转803", None),
        ("6021", None),
        ("110", None),
        ("anonymous", None),
        ("+266696687", None),
        ("", None),
        (None, None),
    ],
)
def test_what_can_be_dialled(written: str | None, number: str | None) -> None:
    assert dialable(written) == number


def test_every_way_to_write_a_number_is_the_same_number() -> None:
    for number in ("+8613812346207", "+8657187654321", "+862187654321", "+864001234567", "+85261234567"):
        ways = ways_to_write(number)
        assert number in ways
        assert {dialable(way) for way in ways} == {number}
