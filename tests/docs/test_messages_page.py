"""docs/messages.md says what the message types are."""

import messages_page
import pytest

from mar_edge.streaming.wire.message import Message


def test_the_page_is_up_to_date() -> None:
    assert messages_page.PAGE.read_text(encoding="utf-8") == messages_page.page(), (
        "run: python tests/docs/messages_page.py"
    )


def test_a_field_without_a_meaning_is_an_error() -> None:
    class Undocumented(Message, frozen=True, kw_only=True):
        """One that says nothing of its field."""

        mystery: int

    with pytest.raises(KeyError, match="mystery"):
        messages_page._section("x", Undocumented, "")
