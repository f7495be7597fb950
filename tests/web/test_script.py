"""Where heard words are marked in the transcript."""

from typing import Any

from callcenter.db.recordings import SegmentRow
from callcenter.db.tickets import TicketFieldRow
from callcenter.web.script import Line, lines, pieces


def segment(text: str, *, corrected: str | None = None, side: str = "resident") -> SegmentRow:
    words = [[char, 100 * number, 100 * (number + 1), 0.9] for number, char in enumerate(text)]
    return SegmentRow(
        recording_id="r",
        number=0,
        call_id="c",
        side=side,
        start_ms=0,
        end_ms=100 * len(text),
        text=text,
        words=words,
        corrected_text=corrected,
    )


def heard(field: str, words: str, start: int, end: int, state: str = "heard", **more: Any) -> TicketFieldRow:
    found = {"side": "resident", "words": words, "start_ms": start, "end_ms": end, "call_id": "c"} | more
    return TicketFieldRow(ticket_id=1, field=field, state=state, heard="x", confidence=0.9, evidence=[found])


def marked(line: Line) -> list[tuple[str, str | None, tuple[str, ...]]]:
    return [(part.text, part.kind, part.fields) for part in line.parts]


def script(said: SegmentRow, *fields: TicketFieldRow) -> Line:
    return lines([said], pieces(fields), call_id="c")[0]


def test_words_are_found_in_the_line() -> None:
    line = script(segment("我家三栋漏水了"), heard("place", "三栋", 200, 400))
    assert marked(line) == [("我家", None, ()), ("三栋", "heard", ("place",)), ("漏水了", None, ())]


def test_words_that_are_written_otherwise_are_found_by_their_times() -> None:
    line = script(segment("我家三栋漏水了"), heard("place", "3栋", 200, 400))
    assert ("三栋", "heard", ("place",)) in marked(line)


def test_the_same_words_may_speak_for_two_fields() -> None:
    line = script(
        segment("我家漏水了"), heard("category", "漏水", 200, 400), heard("request_type", "漏水", 200, 400, "unsure")
    )
    assert marked(line)[1] == ("漏水", "unsure", ("category", "request_type"))


def test_marks_never_overlap() -> None:
    line = script(
        segment("三栋二单元五零一"), heard("place", "三栋二单元五零一", 0, 800), heard("building", "三栋", 0, 200)
    )
    assert "".join(part.text for part in line.parts) == "三栋二单元五零一"
    assert marked(line) == [("三栋二单元五零一", "heard", ("place", "building"))]


def test_the_other_side_the_other_call_and_a_corrected_field_mark_nothing() -> None:
    said = segment("我家三栋")
    assert len(script(said, heard("place", "三栋", 200, 400, side="agent")).parts) == 1
    assert len(script(said, heard("place", "三栋", 200, 400, call_id="other")).parts) == 1
    assert len(script(said, heard("place", "三栋", 200, 400, "corrected")).parts) == 1


def test_a_corrected_line_shows_the_correction() -> None:
    line = script(segment("我家三懂", corrected="我家三栋"), heard("place", "三懂", 200, 400))
    assert [part.text for part in line.parts] == ["我家三栋"]
    assert line.corrected


def test_evidence_that_is_nowhere_marks_nothing() -> None:
    assert len(script(segment(""), heard("place", "三栋", 0, 100)).parts) == 0
