"""The audit log, filtered by person, deed and subject. Filters are in the address."""

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from aiohttp import web

from callcenter.reports.audit import read_audit
from callcenter.web.frame import render_room
from callcenter.web.keys import DATABASE
from callcenter.web.language import N_
from callcenter.web.visit import Visit

ACTIONS: Mapping[str, str] = {
    "logged_in": N_("登录"),
    "viewed_ticket": N_("看工单"),
    "viewed_number": N_("看完整号码"),
    "viewed_file": N_("看文件"),
    "listened": N_("听录音"),
    "ticket_changed": N_("改工单"),
    "exported_tickets": N_("导出工单"),
    "setting_changed": N_("改设置"),
    "register_imported": N_("导入房产"),
    "rules_changed": N_("改规则"),
    "user_added": N_("加用户"),
    "user_changed": N_("改用户"),
    "disabled": N_("停用用户"),
    "enabled": N_("启用用户"),
    "password_changed": N_("改密码"),
    "recordings_deleted": N_("到期删录音"),
    "attached": N_("加文件"),
    "detached": N_("删文件"),
}


async def audit(request: web.Request, visit: Visit) -> web.StreamResponse:
    asked = {name: request.query.get(name, "")[:100].replace("\0", "") for name in ("login", "action", "subject")}
    before = request.query.get("before", "")
    found = await read_audit(
        request.app[DATABASE], **asked, before=int(before) if re.fullmatch(r"\d{1,15}", before) else None
    )

    def called(action: str) -> str:
        return visit.catalog.gettext(ACTIONS[action]) if action in ACTIONS else action

    kept = {name: value for name, value in asked.items() if value}
    older = f"/admin/audit?{urlencode(kept | {'before': found.older})}" if found.older else None
    return await render_room(
        request,
        visit,
        "admin_audit.html",
        room="admin",
        found=found,
        asked=asked,
        called=called,
        older=older,
        actions=sorted({*ACTIONS, *found.actions}),
    )
