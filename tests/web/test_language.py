"""Chinese by default, English by switch; every word that a person sees is in both."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import callcenter.web
from tests.web.conftest import SignIn
from tests.web.day import LEAK, NOISE

WEB = Path(callcenter.web.__file__).parent
CATALOG = WEB / "locale" / "en" / "LC_MESSAGES" / "console.po"
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2.ext:babel_extract")]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "say": None, "N_": None}
CHINESE = re.compile(r"[一-鿿]")


def test_every_message_has_its_english_and_none_is_left_over() -> None:
    found = {
        message if isinstance(message, str) else message[0]
        for _, _, message, _, _ in extract_from_dir(WEB, METHODS, keywords=KEYWORDS)
    }
    catalog = read_po(BytesIO(CATALOG.read_bytes()), locale="en", abort_invalid=True)
    english = {(one.id if isinstance(one.id, str) else one.id[0]): one.string for one in catalog if one.id}
    assert found == set(english)
    for words, string in english.items():
        for text in (string,) if isinstance(string, str) else string:
            assert text.strip() or not words.strip(), words
            assert not CHINESE.search(text.replace("3栋2单元501", "").replace("198弄4号1103室", "")), words
            assert set(re.findall(r"%\(\w+\)s", text)) == set(re.findall(r"%\(\w+\)s", words)), words


def test_no_template_has_words_outside_the_catalogue() -> None:
    for path in (WEB / "templates").rglob("*.html"):
        text = re.sub(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", "", path.read_text(), flags=re.DOTALL)
        text = text.replace('lang="zh-CN">中文<', "").replace('placeholder="3栋2单元501"', "")
        assert not CHINESE.search(text), f"{path.name}: {CHINESE.search(text)}"


@pytest.mark.parametrize("path", ["/tickets", f"/tickets/{LEAK}", f"/review/{NOISE}", "/answering", "/calls/CA-leak"])
async def test_a_page_in_english_speaks_english(sign_in: SignIn, path: str) -> None:
    client = await sign_in("hewen")
    chinese = await (await client.get(path)).text()
    assert '<html lang="zh-CN">' in chinese
    english = await (await client.get(f"{path}?lang=en")).text()
    assert '<html lang="en">' in english
    for words in ("工单", "客服热线", "第 4 声", "今天 1", "接听分析", "字段", "负责人"):
        assert words not in re.sub(r'lang="zh-CN"[^>]*>[^<]*', "", english), words


async def test_the_switch_is_kept_for_the_user_and_the_address_stays(sign_in: SignIn) -> None:
    client = await sign_in("hewen")
    switched = await client.get("/tickets?q=水&status=all&lang=en", allow_redirects=False)
    assert switched.status == 303
    assert switched.headers["Location"] == "/tickets?q=%E6%B0%B4&status=all"
    elsewhere = await sign_in("hewen")
    assert '<html lang="en">' in await (await elsewhere.get("/tickets")).text()
    assert '<html lang="zh-CN">' in await (await (await sign_in("lijia")).get("/tickets")).text()
    assert '<html lang="zh-CN">' in await (await client.get("/tickets?lang=zh")).text()


async def test_the_login_page_switches_too(sign_in: SignIn) -> None:
    client = await sign_in("hewen")
    client.session.cookie_jar.clear()
    page = await (await client.get("/login?lang=en&next=/tickets")).text()
    assert "User name" in page
    assert 'name="next" value="/tickets"' in page


async def test_an_unknown_language_is_the_default(sign_in: SignIn) -> None:
    client = await sign_in("hewen")
    assert '<html lang="zh-CN">' in await (await client.get("/tickets?lang=xx")).text()
