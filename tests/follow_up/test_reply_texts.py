"""Templates for replies, filled in from the ticket."""

import pytest
from pydantic import ValidationError

from callcenter.config import ConsoleSettings
from callcenter.db.engine import Database
from callcenter.domain.reply_templates import UnusableTemplate, reply_templates
from callcenter.domain.tickets import TicketDraft
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.reply_texts import reply_texts
from callcenter.services.tickets import NoSuchTicket
from tests.follow_up.conftest import Opens, call_back, inbound, leak, local

NOW = local(24, 10)


async def test_what_the_ticket_knows_is_filled_in(opens: Opens, database: Database, rules: FollowUpRules) -> None:
    await opens(inbound("CA1", local(24, 10)), leak(promises=(call_back(local(24, 15)),)))
    texts = {
        template.name: text
        for template, text in await reply_texts(database, "GD-1124-0001", now=NOW, own={}, rules=rules)
    }
    assert texts["received"].gaps == ()
    assert texts["received"].text == (
        "王女士您好，您反映的“厨房水管漏水”我们已经受理，工单号GD-1124-0001。"
        "我们会尽快安排人员处理，并在11月24日15:00前给您回复。翠湖物业客服中心"
    )
    assert "3栋2单元501" in texts["visit"].text


async def test_what_is_not_known_is_left_to_the_agent(opens: Opens, database: Database, rules: FollowUpRules) -> None:
    await opens(inbound("CA1", local(24, 10), answered_by=None), TicketDraft())
    texts = dict(await reply_texts(database, "GD-1124-0001", now=NOW, own={}, rules=rules))
    text = next(text for template, text in texts.items() if template.name == "complaint")
    assert text.text.startswith("（称呼）您好")
    assert "由（经办人）专人负责，（时间）前" in text.text
    assert text.gaps == ("（称呼）", "（事项）", "（经办人）", "（时间）")
    with pytest.raises(NoSuchTicket):
        await reply_texts(database, "GD-1124-0009", now=NOW, own={}, rules=rules)


async def test_a_time_that_has_passed_is_promised_to_nobody(
    opens: Opens, database: Database, rules: FollowUpRules
) -> None:
    promises = (call_back(local(24, 11)), call_back(local(24, 15)))
    await opens(inbound("CA1", local(24, 10)), leak(promises=promises))
    for now, said in ((local(24, 10), "11:00前"), (local(24, 12), "15:00前"), (local(24, 16), "（时间）前")):
        texts = await reply_texts(database, "GD-1124-0001", now=now, own={}, rules=rules)
        assert said in texts[0][1].text


def test_an_operators_own_texts_replace_add_and_remove() -> None:
    own = {"received": "{contact}，已受理。", "lift": "电梯正在抢修，工单{ticket}。", "delayed": ""}
    found = {template.name: template for template in reply_templates(own)}
    assert found["received"].text == "{contact}，已受理。"
    assert found["received"].label_zh == "受理告知"
    assert found["lift"].label_en == "lift"
    assert "delayed" not in found


@pytest.mark.parametrize(
    "text", ["{kontakt}您好", "{contact您好", "{contact:>{width}}您好", "{contact!r}您好", "{}您好"]
)
def test_a_text_that_cannot_be_filled_in_is_refused(text: str) -> None:
    with pytest.raises(UnusableTemplate, match="received"):
        reply_templates({"received": text})


def test_the_settings_refuse_it_at_start() -> None:
    with pytest.raises(ValidationError, match="kontakt"):
        ConsoleSettings(reply_templates={"received": "{kontakt}您好"})
