"""What a call says when the way to Klaviyo fails: nothing is sent twice that must not be."""

from __future__ import annotations

import pytest

import klaviyo_sql
from klaviyo_sql import errors
from klaviyo_sql.sandbox.faults import Fault
from tests.procedures.conftest import account_of, called, written
from tests.writes.conftest import sandbox_of


@pytest.mark.parametrize("processed", [True, False])
def test_a_copy_whose_reply_is_lost_is_not_made_again(processed: bool, writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    template_id, before = next(iter(account.templates)), len(account.templates)
    sandbox_of(writing).faults.add(Fault("reset", "clone_template", processed=processed))
    with pytest.raises(errors.WriteFailed, match="look before it is sent again"):
        called(writing, "CALL clone_template(?)", (template_id,))
    assert written(writing) == ["POST /api/template-clone"]
    assert len(account.templates) == before + processed
    assert writing.execute("SELECT status FROM klaviyo_writes").fetchall() == [("unknown",)]


def test_an_event_whose_reply_is_lost_is_sent_again_and_is_there_once(writing: klaviyo_sql.Connection) -> None:
    account = account_of(writing)
    before = len(account.events)
    fault = sandbox_of(writing).faults.add(Fault("reset", "create_event", processed=True))
    assert called(writing, "CALL create_event('Visited', email => 'a@example.org')")["status"] == "accepted"
    assert fault.hits == 1
    sandbox_of(writing).clock.sleep(60)
    writing.forget()
    writing.execute("SELECT id FROM accounts").fetchall()
    assert len(account.events) == before + 1
