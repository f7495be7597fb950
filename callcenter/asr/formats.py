"""Which files are let near the decoder: told by their first bytes, never by their name."""

from callcenter.asr.errors import EmptyRecording, NotAudio

HEAD_BYTES = 64
PIPED_WAV_BYTES = 0x7FFF0000
_SLACK_BYTES = 1024
_PREFIXES = (
    (b"RF64", "wav"),
    (b"OggS", "ogg"),
    (b"fLaC", "flac"),
    (b"#!AMR", "amr"),
    (b"\x1aE\xdf\xa3", "matroska"),
    (b"ID3", "mp3"),
)
READABLE = "WAV, MP3, Ogg/Opus, WebM, AMR, M4A, AAC, FLAC"


def demuxer_for(head: bytes) -> str:
    """The one demuxer that may open the file. Raises EmptyRecording, NotAudio."""
    if not head:
        raise EmptyRecording("the file is empty: fetch the recording again")
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head[4:8] == b"ftyp":
        return "mov"
    for prefix, demuxer in _PREFIXES:
        if head.startswith(prefix):
            return demuxer
    return _by_frame_sync(head)


def states_more_than(head: bytes, size_bytes: int) -> bool:
    """Whether a WAV's header promises more bytes than the file has; one written to a pipe promises 2 or 4 GiB."""
    if head[:4] != b"RIFF":
        return False
    stated_bytes = int.from_bytes(head[4:8], "little") + 8
    return size_bytes + _SLACK_BYTES < stated_bytes < PIPED_WAV_BYTES


def _by_frame_sync(head: bytes) -> str:
    """MP3 and AAC streams without a tag start with eleven or twelve set bits."""
    if len(head) >= 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return "aac" if head[1] & 0xF6 == 0xF0 else "mp3"
    raise NotAudio(f"the file is {_what_instead(head)}; recordings may be {READABLE}")


def _what_instead(head: bytes) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<")):
        return "a web page or XML, not audio (an error page of the provider, or a login?)"
    if start.startswith((b"{", b"[")):
        return "JSON, not audio (an error of the provider?)"
    return "in no audio format that we know"
