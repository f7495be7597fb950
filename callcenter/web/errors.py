"""What can go wrong for a person at a page; each states its HTTP status once, one place renders them."""

from callcenter.web.language import N_

ONLY_ADMINISTRATORS = N_("只有管理员能看。需要时请找您的管理员。")


class PageError(Exception):
    """Something that the page must tell: what happened, and what to do."""

    status = 500
    title = N_("这里出了错")
    advice = N_("填写的内容可能没有保存。请返回再试；还不行，请把时间告诉管理员。")

    def __init__(self, advice: str | None = None) -> None:
        super().__init__(advice or self.advice)
        self.advice = advice or self.advice


class NotFound(PageError):
    """There is nothing here."""

    status = 404
    title = N_("没有这一页")
    advice = N_("地址可能写错了，或者内容已按保存期删除。")


class BadAddress(NotFound):
    """The address itself makes no sense."""

    status = 400


class NotAllowed(PageError):
    """Another role may."""

    status = 403
    title = N_("您不能看这一页")
    advice = N_("只有主管能看。需要时请找您的主管。")


class FormExpired(PageError):
    """The form's CSRF token is missing or another session's."""

    status = 403
    title = N_("这张表单已失效")
    advice = N_("可能您在别处重新登录过。没有保存；请返回，刷新后再填一次。")


class BadForm(PageError):
    """A field of the form is missing or makes no sense."""

    status = 400
    title = N_("没有保存")
    advice = N_("有一项没有填对。请返回改正后再保存。")


class TooMuch(PageError):
    """More bytes than the page takes."""

    status = 413
    title = N_("没有保存")
    advice = N_("文件太大了。请缩小后再传。")


class Conflict(PageError):
    """Someone else changed it in the meantime."""

    status = 409
    title = N_("没有保存")
    advice = N_("别人刚改过这张工单。请返回，看过新内容后再改。")
