"""How the talking went: listening share, interruptions, silences, speaking rate; from the times of the words."""

import re
from collections.abc import Iterator, Sequence

from callcenter.domain.service_language.findings import Finding, TalkMeasures
from callcenter.domain.service_language.rules import Limits
from callcenter.domain.transcript import Segment, Side, Transcript

_WAIT = re.compile("(?:请|您|麻烦)?(?:稍等|等一下|等一会|稍候|别挂|不要挂)|查一下|看一下")
_WORDS = re.compile(r"[\w一-龥]")


def has_times(transcript: Transcript) -> bool:
    """Typed text has none."""
    return any(segment.end_ms > segment.start_ms for segment in transcript.segments)


def measures_of(transcript: Transcript, limits: Limits) -> TalkMeasures:
    residents, agents = transcript.of_side(Side.RESIDENT), transcript.of_side(Side.AGENT)
    silences = tuple(_silences(transcript))
    return TalkMeasures(
        resident_ms=sum(segment.end_ms - segment.start_ms for segment in residents),
        agent_ms=sum(segment.end_ms - segment.start_ms for segment in agents),
        letters=sum(_letters(segment) for segment in agents),
        interruptions=sum(1 for _ in find_interruptions(transcript, limits)),
        longest_silence_ms=max((end - start for start, end, _ in silences), default=0),
        silences=sum(1 for start, end, waited in silences if end - start >= _limit_ms(limits, waited=waited)),
    )


def check_conversation(
    transcript: Transcript, limits: Limits, *, is_complaint: bool
) -> Iterator[tuple[str, Finding | None]]:
    """Listening is judged of complaints alone, rate where the agent has said enough."""
    measures = measures_of(transcript, limits)
    share, rate = measures.listening_share, measures.letters_a_minute
    if (
        is_complaint
        and share is not None
        and measures.resident_ms + measures.agent_ms >= limits.least_talk_seconds * 1000
    ):
        low = share < limits.listening_least
        yield "listening", _of_call(transcript, "listening", round(share * 100)) if low else None
    if rate is not None and measures.letters >= limits.rate_least_letters:
        fast = rate > limits.letters_a_minute
        yield "speaking_rate", _of_call(transcript, "speaking_rate", round(rate)) if fast else None
    yield from _each("interruption", tuple(find_interruptions(transcript, limits)))
    yield from _each("silence", tuple(find_silences(transcript, limits)))


def _each(check: str, found: Sequence[Finding]) -> Iterator[tuple[str, Finding | None]]:
    if not found:
        yield check, None
    for one in found:
        yield check, one


def find_interruptions(transcript: Transcript, limits: Limits) -> Iterator[Finding]:
    """The agent begins while the resident is speaking, goes on, and says more than 嗯 or 好的."""
    residents = transcript.of_side(Side.RESIDENT)
    for number, segment in enumerate(transcript.segments):
        if segment.side is not Side.AGENT or _letters(segment) <= limits.interruption_letters:
            continue
        for other in residents:
            spoken = segment.start_ms - other.start_ms
            overlap = min(other.end_ms, segment.end_ms) - segment.start_ms
            if spoken >= limits.interruption_after_ms and overlap >= limits.interruption_overlap_ms:
                yield Finding(
                    check="interruption",
                    words=segment.text[:20],
                    start_ms=segment.start_ms,
                    end_ms=segment.start_ms + overlap,
                    line=number,
                    amount=overlap,
                )
                break


def find_silences(transcript: Transcript, limits: Limits) -> Iterator[Finding]:
    for start, end, waited in _silences(transcript):
        if end - start >= _limit_ms(limits, waited=waited):
            yield Finding(check="silence", words="", start_ms=start, end_ms=end, line=0, amount=end - start)


def _silences(transcript: Transcript) -> Iterator[tuple[int, int, bool]]:
    """Gaps in which neither side speaks: (start_ms, end_ms, whether the agent had asked to wait)."""
    until, last_agent = None, ""
    for segment in transcript.segments:
        if until is not None and segment.start_ms > until:
            yield until, segment.start_ms, _WAIT.search(last_agent) is not None
        until = segment.end_ms if until is None else max(until, segment.end_ms)
        if segment.side is Side.AGENT:
            last_agent = segment.text


def _limit_ms(limits: Limits, *, waited: bool) -> float:
    return (limits.silence_after_wait_seconds if waited else limits.silence_seconds) * 1000


def _of_call(transcript: Transcript, check: str, amount: int) -> Finding:
    first = next(segment for segment in transcript.segments if segment.side is Side.AGENT)
    return Finding(
        check=check, words="", start_ms=first.start_ms, end_ms=transcript.segments[-1].end_ms, line=0, amount=amount
    )


def _letters(segment: Segment) -> int:
    return len(_WORDS.findall(segment.text))
