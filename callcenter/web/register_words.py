"""What is wrong with a register file, in the reader's language: the file's own errors are in English."""

from collections.abc import Mapping

from callcenter.domain.understanding import register_file as file
from callcenter.domain.understanding.register_file import HEADINGS, RegisterError
from callcenter.web.language import Catalog

CHINESE: Mapping[str, str] = {
    file.NO_CSV: "这一行不是 CSV（%(why)s）：含引号或换行的格要用双引号括起来",
    file.NO_ENCODING: "文件不是 UTF-8，也不是 GB 18030：请另存为“CSV UTF-8”",
    file.TWO_COLUMNS: "有两列都是“%(column)s”：请留一列",
    file.NO_COLUMNS: "第一行要写列名：小区、楼栋、单元、楼层、房号、姓名、电话",
    file.NO_ROOMS: "文件里没有房：每套房一行",
    file.TOO_MANY_CELLS: "有 %(cells)s 格，列名只有 %(headings)s 个：格子里有逗号的，要用双引号括起来",
    file.SAME_AS_BEFORE: "和第 %(line)s 行一样：请删一行",
    file.TOO_LONG: "超过 %(most)s 个字，或有显示不出来的字",
    file.AS_A_NUMBER: "表格软件把它存成了数字：请把这一列设为文本，再存一次",
    file.NO_PHONE: "手机写 11 位（13812345678），座机写区号和号码（021-12345678）",
    file.NO_PHASE: "期数写成 二期 或 2",
    file.NO_FLOOR: "楼层写成 5、负1 或 B1",
    file.NO_FIGURE: "%(column)s写成 3、12A 或 B",
    file.NO_ADDRESS: "每行至少要有小区、弄或楼栋",
    file.NO_BUILDING: "%(column)s %(value)s 要写明是哪一栋",
    file.NO_ROOM: "有住户的行要写房号",
}


def column_words(column: str, catalog: Catalog) -> str:
    """As the heading of the column is usually written."""
    names = HEADINGS.get(column)
    return column if names is None or catalog.language != "zh" else names[1]


def remedy_words(error: RegisterError, catalog: Catalog) -> str:
    if catalog.language != "zh":
        return error.remedy
    values = dict(error.values)
    if "column" in values:
        values["column"] = column_words(str(values["column"]), catalog)
    return CHINESE[error.advice] % values
