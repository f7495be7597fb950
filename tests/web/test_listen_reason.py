"""Why a person must listen is said in words, in both languages."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from callcenter.web.history import listen_reason
from callcenter.web.language import load_catalogs
from callcenter.web.rendering import Reader


@pytest.mark.parametrize(
    ("language", "reason", "told"),
    [
        ("zh", "dialect:wu; unsure:place", "像是方言（吴语）"),
        ("en", "heard_badly; dialect:yue", "hardly recognisable; it sounds like a dialect (Cantonese)"),
        ("zh", "nothing_understood", "没有听懂"),
        ("zh", "下载失败", "下载失败"),
    ],
)
def test_reasons_are_told_in_words(language: str, reason: str, told: str) -> None:
    reader = Reader(catalog=load_catalogs()[language], zone=ZoneInfo("Asia/Shanghai"), now=datetime.now(UTC))
    assert listen_reason(reason, reader) == told
