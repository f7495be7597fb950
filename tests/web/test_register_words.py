"""The mistakes of a register file are said in the reader's language."""

import re

import pytest

from callcenter.domain.understanding import register_file
from callcenter.domain.understanding.register_file import RegisterFileError, read_register
from callcenter.web.language import load_catalogs
from callcenter.web.register_words import CHINESE, column_words, remedy_words

SENTENCES = {
    value
    for name, value in vars(register_file).items()
    if name.isupper() and isinstance(value, str) and not name.startswith("_")
}


def test_every_sentence_has_its_chinese() -> None:
    assert set(CHINESE) == SENTENCES
    for english, chinese in CHINESE.items():
        assert set(re.findall(r"%\((\w+)\)s", chinese)) <= set(re.findall(r"%\((\w+)\)s", english))
        assert re.search(r"[一-鿿]", chinese)


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        ("翠湖花园,3,2,501,1381234620", "电话", "手机写 11 位"),
        ("翠湖花园,3,2,五楼左边,", "房号", "房号写成 3、12A 或 B"),
        ("翠湖花园,,2,501,", "楼栋", "单元 2 要写明是哪一栋"),
        ("翠湖花园,3,2,101,", "", "和第 2 行一样：请删一行"),
        ("翠湖花园,3,2,501,13812346207,100%", "", "有 6 格，列名只有 5 个"),
    ],
)
def test_a_mistake_is_told_in_both_languages(row: str, column: str, words: str) -> None:
    with pytest.raises(RegisterFileError) as refused:
        read_register(f"estate,building,unit,room,phone\n翠湖花园,3,2,101,\n{row}\n".encode())
    error, catalogs = refused.value.errors[0], load_catalogs()
    assert column_words(error.column, catalogs["zh"]) == column
    assert words in remedy_words(error, catalogs["zh"])
    assert remedy_words(error, catalogs["en"]) == error.remedy
    assert not re.search(r"%\(", error.remedy)
