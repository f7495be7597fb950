"""Fees from a file: every error by line, column and remedy; a file with an error gives nothing."""

from datetime import date

import pytest

from callcenter.domain.fee_file import Fee, read_fees
from callcenter.domain.recipients_file import Recipient, read_recipients
from callcenter.domain.table_file import TableRefused

HEAD = "电话,姓名,房号,欠费金额,收费项目,到期日\n"


def test_a_file_from_a_chinese_spreadsheet() -> None:
    text = (
        HEAD
        + '13912344471,王女士,3栋2单元501,"1,234.50",物业费,2026/10/31\n\n0571-87654321,,,80元,停车费,2026年9月1日\n'
    )
    for data in (text.encode("gb18030"), text.encode("utf-8-sig")):
        assert read_fees(data) == (
            Fee(number="+8613912344471", name="王女士", place="3栋2单元501", amount_fen=123450, items="物业费",
                due_on=date(2026, 10, 31)),
            Fee(number="+8657187654321", name=None, place="", amount_fen=8000, items="停车费", due_on=date(2026, 9, 1)),
        )  # fmt: skip


def test_every_wrong_cell_is_named_with_its_remedy() -> None:
    lines = (
        "12345,王,501,12x,物业费,2026-13-01",
        "13912344471,王,501,-5,,2026-10-31",
        "13912344471,王,501,1.234,物业费,明天",
    )
    with pytest.raises(TableRefused) as refused:
        read_fees((HEAD + "\n".join(lines)).encode())
    assert [str(error) for error in refused.value.errors] == [
        "line 2, column number: '12345': give a number that can be dialled, like 13912344471 or 0571-87654321",
        "line 2, column amount: '12x': give yuan above 0 with at most two decimals, like 1234.50",
        "line 2, column due: '2026-13-01': give a date like 2026-10-31",
        "line 3, column items: name what is owed, for example 物业费",
        "line 3, column amount: '-5': give yuan above 0 with at most two decimals, like 1234.50",
        "line 4, column amount: '1.234': give yuan above 0 with at most two decimals, like 1234.50",
        "line 4, column due: '明天': give a date like 2026-10-31",
    ]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "these columns are missing: number"),
        (HEAD.encode(), "no lines below its headings"),
        ("电话,手机,金额,项目,到期日\n".encode(), "two columns mean number"),
        ("电话,金额,项目\n".encode(), r"these columns are missing: due \(due_on"),
        (HEAD.encode() + b'13912344471,"x\n', "this is no CSV"),
        (b"\xff\xff\x00", "neither UTF-8 nor GB 18030"),
        ((HEAD + "13912344471,王,501,5,水费,2026-10-31\n" * 2).encode(), "stand on line 2"),
        ((HEAD + f"13912344471,王,{'长' * 61},5,水费,2026-10-31\n").encode(), "more than 60 characters"),
        ((HEAD + "13912344471,王,501,NaN,水费,2026-10-31\n").encode(), "give yuan above 0"),
        ((HEAD + "13912344471,王,501,1e99,水费,2026-10-31\n").encode(), "give yuan above 0"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_taken(data: bytes, complaint: str) -> None:
    with pytest.raises(TableRefused, match=complaint):
        read_fees(data)


def test_recipients_are_taken_once_each() -> None:
    data = "手机,姓名\n13912344471,王女士\n+86 139 1234 4471,王\n0571-87654321,\n".encode()
    assert read_recipients(data) == (
        Recipient(number="+8613912344471", name="王女士"),
        Recipient(number="+8657187654321"),
    )
    with pytest.raises(TableRefused, match="line 2, column number: '501'"):
        read_recipients(b"number\n501\n")
