"""Whom an emergency phones next."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.on_call import Duty, OnCallPerson, OnCallRules, Tried, next_call

SHANGHAI = ZoneInfo("Asia/Shanghai")
ZHOU = OnCallPerson(name="周工", phone="+8613900005581")
WU = OnCallPerson(name="吴工", phone="+8613900005582")
RULES = OnCallRules(zone=SHANGHAI, people=(ZHOU, WU), rounds=2)
NOW = datetime(2026, 11, 24, 10, tzinfo=SHANGHAI)


def names(tried: list[Tried], rules: OnCallRules = RULES, now: datetime = NOW, estate: str | None = None) -> list[str]:
    """Everybody who is phoned from here on, where nobody answers."""
    found = []
    while (chosen := next_call(tried, now=now, estate=estate, rules=rules)) is not None:
        found.append(chosen.person.name)
        now = max(now, chosen.at)
        tried = [*tried, Tried(phone=chosen.person.phone, at=now)]
        now += rules.answer
    return found


def test_around_the_rota_so_often_as_the_rules_say() -> None:
    assert names([]) == ["周工", "吴工", "周工", "吴工"]
    assert next_call([], now=NOW, estate=None, rules=OnCallRules(zone=SHANGHAI)) is None


def test_one_alone_is_not_phoned_again_before_the_time_to_answer_is_over() -> None:
    alone = OnCallRules(zone=SHANGHAI, people=(ZHOU,))
    chosen = next_call([Tried(phone=ZHOU.phone, at=NOW)], now=NOW + timedelta(seconds=5), estate=None, rules=alone)
    assert chosen is not None
    assert chosen.at == NOW + timedelta(seconds=60)


def test_only_who_is_on_duty() -> None:
    day = OnCallPerson(name="白班", phone="+861", duties=(Duty(days=frozenset(range(5)), start=time(8), end=time(20)),))
    night = OnCallPerson(name="夜班", phone="+862", duties=(Duty(start=time(20), end=time(8)),))
    rules = OnCallRules(zone=SHANGHAI, people=(day, night), rounds=1)
    assert names([], rules) == ["白班"]
    assert names([], rules, NOW.replace(hour=23)) == ["夜班"]
    assert names([], rules, NOW.replace(hour=3)) == ["夜班"]


def test_a_gap_in_the_rota_phones_everybody() -> None:
    weekend = OnCallPerson(name="周末", phone="+861", duties=(Duty(days=frozenset({5, 6})),))
    assert names([], OnCallRules(zone=SHANGHAI, people=(weekend,), rounds=1)) == ["周末"]


def test_a_night_shift_ends_on_the_next_day() -> None:
    friday = Duty(days=frozenset({4}), start=time(20), end=time(8))
    assert friday.covers(datetime(2026, 11, 28, 7, 59))
    assert not friday.covers(datetime(2026, 11, 27, 7, 59))
    assert Duty(days=frozenset({4})).covers(datetime(2026, 11, 27, 0, 0))


def test_people_of_another_estate_are_not_phoned() -> None:
    here = OnCallPerson(name="一期", phone="+861", estates=frozenset({"一期"}))
    there = OnCallPerson(name="二期", phone="+862", estates=frozenset({"二期"}))
    rules = OnCallRules(zone=SHANGHAI, people=(here, there), rounds=1)
    assert names([], rules, estate="二期") == ["二期"]
    assert names([], rules, estate=None) == ["一期", "二期"]
    assert names([], rules, estate="三期") == ["一期", "二期"]


@given(st.integers(1, 5), st.integers(1, 4))
def test_everybody_is_phoned_equally_often_and_it_comes_to_an_end(people: int, rounds: int) -> None:
    rota = tuple(OnCallPerson(name=str(n), phone=f"+86{n}") for n in range(people))
    assert names([], OnCallRules(zone=SHANGHAI, people=rota, rounds=rounds)) == [one.name for one in rota] * rounds
