"""The objects of Fivetran's Klaviyo connector."""

from __future__ import annotations

from klaviyo_sql.model.table import Attribute, Column, Included, Type
from klaviyo_sql.vocabularies.vocabulary import Object, Vocabulary, same

_MESSAGES, _MESSAGE = "campaign-messages", "campaign-message"


def _content(name: str, key: str, doc: str) -> Column:
    """What the first message of a campaign says, which comes along in the same requests."""
    return Column(name, Included(_MESSAGES, _MESSAGE, Attribute(("definition", "content", key))), Type.TEXT, doc)


FIVETRAN = Vocabulary(
    "fivetran",
    "Fivetran",
    (
        Object(
            "event",
            "events",
            same(
                "id",
                "metric_id",
                "campaign_id",
                "flow_id",
                "flow_message_id",
                "datetime",
                "timestamp",
                "uuid",
                "event_properties",
                person_id="profile_id",
                type="metric_name",
                property_value="value",
                property_value_currency="value_currency",
                property_event_id="event_id",
            ),
            properties="property_",
        ),
        Object(
            "person",
            "profiles",
            renamed={
                name: name.removeprefix("location_")
                for name in (
                    "location_city",
                    "location_country",
                    "location_latitude",
                    "location_longitude",
                    "location_region",
                    "location_timezone",
                    "location_zip",
                )
            }
            | {"location_address1": "address_1", "location_address2": "address_2", "location_ip": "ip"},
            properties="custom_",
        ),
        Object(
            "campaign",
            "campaigns",
            renamed={"created_at": "created", "scheduled_at": "scheduled", "updated_at": "updated", "channel": "campaign_type"},
            added=(
                _content("subject", "subject", "The subject of its first message, for an email."),
                _content("from_email", "from_email", "The address that its first message comes from, for an email."),
                _content("from_name", "from_label", "The name that its first message comes from, for an email."),
            ),
        ),
        Object(
            "campaign_list",
            "campaign_audiences",
            same("campaign_id", list_id="audience_id"),
            part={"kind": ("included",)},
            doc="The lists and segments that campaigns go to, one row for each pair.",
        ),
        Object("email_template", "templates"),
        Object("flow", "flows"),
        Object("integration", "integrations"),
        Object("list", "lists"),
        Object("list_exclusion", "list_exclusions", renamed={"profile_id": "person_id"}),
        Object("list_person", "list_profiles", renamed={"profile_id": "person_id"}, properties="custom_"),
        Object("metric", "metrics"),
    ),
    notes=(
        "`event_properties` and `properties` have everything that `property_` and `custom_` columns were made of, as JSON: "
        "`event_properties ->> '$.OrderId'`. Property columns that you declare have those prefixes here.",
        "`campaign` has no id of a template: Klaviyo tells it one campaign at a time, in `campaign_messages.template_id`.",
    ),
)
