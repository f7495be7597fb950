import pytest

from callcenter.domain.understanding.numbers import written


@pytest.mark.parametrize(
    ("spoken", "figures"),
    [
        ("三栋二单元五零幺", "3栋2单元501"),
        ("二十六号一千一百零三", "26号1103"),
        ("十二楼一二零四", "12楼1204"),
        ("幺三六七二二零九八八幺", "13672209881"),
        ("洞幺五拐勾六八", "0157968"),
        ("两百二十八弄", "228弄"),
        ("三千六百块", "3600块"),
        ("三万五", "35000"),
        ("一亿零五百万", "1亿500万"),
        ("三百二十万块", "320万块"),
        ("零点五", "0.5"),
        ("百分之三十", "30%"),
        ("下午三点二十", "下午3点20"),
        ("八点五十分", "8点50分"),
        ("三点十分", "3点10分"),
        ("一个半小时", "1个半小时"),
        ("二两", "2两"),
        ("负一楼", "负1楼"),
        ("三零一室", "301室"),
    ],
)
def test_numbers_are_written_as_figures(spoken: str, figures: str) -> None:
    assert written(spoken) == figures


@pytest.mark.parametrize(
    "words",
    [
        "一直没人来",
        "有一点漏",
        "一下子",
        "两三天没水了",
        "十七八个人",
        "乱七八糟",
        "十分严重",
        "千万别忘了",
        "万一着火",
        "周三",
        "星期六",
        "哪一栋",
        "统一安排",
        "一样",
        "三室两厅",
        "五金店",
        "第一时间",
    ],
)
def test_words_that_are_no_numbers_are_left_alone(words: str) -> None:
    assert written(words) == words


def test_typed_figures_stay() -> None:
    assert written("3栋2单元501，电话13800138000") == "3栋2单元501，电话13800138000"
