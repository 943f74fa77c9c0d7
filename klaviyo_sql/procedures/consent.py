"""Who may be written to: suppressions, and consent by channel."""

from __future__ import annotations

from typing import Any

from klaviyo_sql.errors import DataError
from klaviyo_sql.model import timestamps
from klaviyo_sql.model.procedure import Input, MembersOnly, Procedure, Way, own_table
from klaviyo_sql.model.table import Table, Type
from klaviyo_sql.model.writing import Job, Many, One, Writes

_CHANNELS = {
    "email": ("email", "marketing"),
    "sms": ("sms", "marketing"),
    "sms_transactional": ("sms", "transactional"),
    "whatsapp": ("whatsapp", "marketing"),
    "whatsapp_transactional": ("whatsapp", "transactional"),
    "whatsapp_conversational": ("whatsapp", "conversational"),
}
"""Channels of consent, and where each stands among a profile's subscriptions."""


# Suppressions.

_EMAILS = Input(
    "emails",
    'An email address, several with commas between, or a JSON array: of addresses, or of objects like {"type": "profile", "attributes": {"email": …}}.',
    names=("email", "profiles"),
    listed=True,
)
_EMAIL = Input("email", "The email address.", body="attributes.email")
_LIST = Input("list_id", "All members of this list.", body="relationships.list")
_SEGMENT = Input("segment_id", "All members of this segment.", body="relationships.segment")


def _suppressing(name: str, doc: str, operation: str, job: str, example: str, *notes: str) -> Procedure:
    followed = Job(job)
    people = own_table(name, doc, (_EMAIL,), Writes(insert_many=Many(operation, "profiles", 100, followed, repeatable=True, least=1)))
    group = own_table(name, doc, (_LIST, _SEGMENT), Writes(insert=One(operation, repeatable=True, job=followed)))
    return Procedure(
        name,
        doc,
        (_EMAILS, _LIST, _SEGMENT),
        (Way(people, given=("emails",), each="emails", column="email"), Way(group)),
        exactly_one=("emails", "list_id", "segment_id"),
        takes_away=True,
        others=(operation,),
        notes=("One request for each 100 addresses, or one for a whole list or segment.", *notes),
        example=example,
    )


# Subscriptions.

_PEOPLE = Input(
    "profiles",
    "An email address or a phone number in E.164, several with commas between, or a JSON array: of those, or of objects with email, phone_number, profile_id, "
    "and channels, consented_at of their own.",
    required=True,
    names=("profile", "email", "emails", "phone_number"),
    listed=True,
)
_INTO = Input("list_id", "The list.", body="relationships.list")


def _channels_doc(channels: tuple[str, ...]) -> str:
    return f"The channels, with commas between or as a JSON array: {', '.join(channels)}. By default email for who has an address, sms for who has a number."


def _subscriptions(row: dict[str, Any], consent: str, channels: tuple[str, ...], consented_at: str | None) -> dict[str, Any]:
    """The consent of one row, by channel."""
    given = row.pop("channels", None)
    whole = row.pop("subscriptions", None)
    if whole is not None:
        if given is not None:
            raise DataError("subscriptions are given, and channels as well: give one of them")
        return whole if isinstance(whole, dict) else {}
    if given is None:
        named = [channel for channel, key in (("email", "email"), ("sms", "phone_number")) if row.get(key)]
    else:
        named = list(given) if isinstance(given, list) else [part.strip(' "') for part in str(given).strip("[] ").split(",")]
    found: dict[str, Any] = {}
    for channel in named:
        if channel not in channels:
            raise DataError(f"channels are {', '.join(channels)}, and {channel!r} is none")
        needs = "email" if channel == "email" else "phone_number"
        if not row.get(needs) and not row.get("profile_id"):
            raise DataError(f"the channel {channel} needs {'an' if needs == 'email' else 'a'} {needs}")
        outer, inner = _CHANNELS[channel]
        found.setdefault(outer, {})[inner] = {"consent": consent} | ({"consented_at": consented_at} if consented_at is not None else {})
    return found


def _identified(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its identifier where it belongs: what begins with a + is a phone number."""
    given = row.pop("profiles", None)
    if given is not None:
        row["phone_number" if str(given).startswith("+") else "email"] = given
    if not (row.get("email") or row.get("phone_number") or row.get("profile_id")):
        raise DataError("each profile needs an email or a phone_number")
    return row


_SUBSCRIBED = ("email", "sms", "sms_transactional", "whatsapp", "whatsapp_transactional")
_UNSUBSCRIBED = tuple(_CHANNELS)


def _truth(value: Any) -> bool:
    return str(value).strip().lower() in ("1", "true", "yes")


def _subscribe(row: dict[str, Any]) -> dict[str, Any]:
    row = _identified(row)
    historical = _truth(row.get("historical_import", 0))
    consented_at = row.pop("consented_at", None)
    if historical and consented_at is None and "subscriptions" not in row:
        raise DataError("historical_import needs consented_at: when the consent was given")
    if consented_at is not None:
        if not historical:
            raise DataError("consented_at is only for consent that was given before: add historical_import => 1")
        try:
            consented_at = timestamps.to_klaviyo(timestamps.parse(str(consented_at))).replace("Z", "+00:00")
        except ValueError:
            raise DataError(f"consented_at takes a time, such as '2026-01-31T08:30:00Z', not {consented_at!r}") from None
    without = _truth(row.pop("without_list", 0))
    if row.get("list_id") is None and not historical and not without:
        raise DataError(
            "without a list Klaviyo does nothing, and does not say so, for people whom it does not know yet. Add list_id => '…', "
            "or without_list => 1 if they are all profiles already"
        )
    return row | {"subscriptions": _subscriptions(row, "SUBSCRIBED", _SUBSCRIBED, consented_at)}


def _unsubscribe(row: dict[str, Any]) -> dict[str, Any]:
    row = _identified(row)
    everywhere = _truth(row.pop("everywhere", 0))
    row.pop("non_members", None)
    if row.get("list_id") is None and not everywhere:
        raise DataError(
            "without a list this takes back the consent for everything: every list, every campaign, every flow of the channel. Add list_id => '…' to "
            "take them off one list, or everywhere => 1 if that is what is meant"
        )
    if row.get("list_id") is not None and everywhere:
        raise DataError("list_id takes people off one list, and everywhere off all: give one of them")
    return row | {"subscriptions": _subscriptions(row, "UNSUBSCRIBED", _UNSUBSCRIBED, None)}


def _consent_table(name: str, doc: str, many: Many, inputs: tuple[Input, ...]) -> Table:
    columns = (
        Input("email", "The email address.", body="attributes.email"),
        Input("phone_number", "The phone number.", body="attributes.phone_number"),
        Input("subscriptions", "The consent by channel, as Klaviyo has it.", Type.JSON, body="attributes.subscriptions"),
        Input("channels", "The channels."),
        *inputs,
    )
    return own_table(name, doc, columns, Writes(insert_many=many))


_SOURCE = Input("custom_source", "What is told as the source of the consent.", body="attributes.custom_source")
_HISTORICAL = Input("historical_import", "1 for consent that was given before: no double opt-in, no flows.", Type.BOOLEAN, body="attributes.historical_import")
_CONSENTED = Input("consented_at", "When a historical consent was given.", Type.TIMESTAMP)

PROCEDURES = (
    _suppressing(
        "suppress_profiles",
        "Suppress profiles: no more email marketing to them, whatever they consented to.",
        "bulk_suppress_profiles",
        "get_bulk_suppress_profiles_job",
        "SELECT suppress_profiles(email) FROM profiles WHERE email LIKE 'person1_@example.com';",
        "An address that Klaviyo does not know becomes a suppressed profile.",
    ),
    _suppressing(
        "unsuppress_profiles",
        "Take back manual suppressions; bounces, complaints and unsubscriptions stay.",
        "bulk_unsuppress_profiles",
        "get_bulk_unsuppress_profiles_job",
        'CALL UnsuppressProfiles(\'[{"type": "profile", "attributes": {"email": "ada@example.com"}}]\');',
    ),
    Procedure(
        "subscribe_profiles",
        "Note that people consent to be written to, and add them to a list.",
        (
            _PEOPLE,
            _INTO,
            Input("channels", _channels_doc(_SUBSCRIBED)),
            _SOURCE,
            _HISTORICAL,
            _CONSENTED,
            Input("without_list", "1 to subscribe without a list people who are all profiles already.", Type.BOOLEAN),
        ),
        (
            Way(
                _consent_table(
                    "subscribe_profiles",
                    "Consent.",
                    Many("bulk_subscribe_profiles", "profiles", 1000, least=1, around=("list_id", "custom_source", "historical_import")),
                    (
                        Input("profile_id", "The profile's id.", body="id", names=("id",)),
                        _INTO,
                        _SOURCE,
                        _HISTORICAL,
                        Input("consented_at", "When."),
                        Input("age_gated_date_of_birth", "The date of birth.", Type.DATE, body="attributes.age_gated_date_of_birth"),
                    ),
                ),
                each="profiles",
                column="profiles",
                rule=_subscribe,
            ),
        ),
        others=("bulk_subscribe_profiles",),
        notes=(
            "One request for each 1,000 people. Klaviyo carries it out a moment later, and tells no job.",
            "On a list with double opt-in people join when they have confirmed; historical_import skips that, and needs consented_at.",
            "Without a list Klaviyo silently does nothing for people whom it does not know: that is refused unless without_list => 1.",
            "Consent lifts suppressions that were made by hand, by unsubscribing or by complaining.",
        ),
        example=("CALL subscribe_profiles('ada@example.com, grace@example.com', list_id => (SELECT id FROM lists LIMIT 1), custom_source => 'Counter');"),
    ),
    Procedure(
        "unsubscribe_profiles",
        "Take people's consent back: for one list, or for everything.",
        (
            _PEOPLE,
            _INTO,
            Input("channels", _channels_doc(_UNSUBSCRIBED)),
            Input("everywhere", "1 to take the consent back for everything, not for one list.", Type.BOOLEAN),
            Input(
                "non_members",
                "What becomes of those who are not on the list: refuse, skip, or everywhere, which is what Klaviyo does with them.",
                default="refuse",
                choices=("refuse", "skip", "everywhere"),
            ),
        ),
        (
            Way(
                _consent_table(
                    "unsubscribe_profiles",
                    "Consent.",
                    Many("bulk_unsubscribe_profiles", "profiles", 100, repeatable=True, least=1, around=("list_id",)),
                    (_INTO,),
                ),
                each="profiles",
                column="profiles",
                rule=_unsubscribe,
            ),
        ),
        takes_away=True,
        members=MembersOnly(
            "list_id",
            "list_profiles",
            ("email", "phone_number"),
            "non_members",
            "Klaviyo unsubscribes those from everything who are not on the list. Add non_members => 'skip' to leave them out, or 'everywhere' if that is meant",
        ),
        others=("bulk_unsubscribe_profiles",),
        notes=(
            "One request for each 100 people. Klaviyo carries it out a moment later, and tells no job.",
            "The trap: without a list Klaviyo unsubscribes from the whole channel, all lists and flows. That is refused unless everywhere => 1.",
            "The other trap: with a list, those who are not on it are unsubscribed from everything as well. So the members are looked up before, a request for "
            "each hundred, and the whole call is refused when somebody is not on it; non_members => 'skip' leaves them out.",
        ),
        example="CALL unsubscribe_profiles('ada@example.com', everywhere => 1);",
    ),
)
