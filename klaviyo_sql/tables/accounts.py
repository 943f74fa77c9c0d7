"""accounts: the one account that the key belongs to."""

from __future__ import annotations

from klaviyo_sql.model.table import Attribute, Collection, Column, Example, Id, Table, Type

_CONTACT = "contact_information"
_STREET = (_CONTACT, "street_address")

ACCOUNTS = Table(
    name="accounts",
    doc="The Klaviyo account that the key belongs to: one row.",
    source=Collection(resource="account", list="get_accounts", get=None),
    key=("id",),
    typical_rows=1,
    columns=(
        Column("id", Id(), Type.TEXT, "The account's id, six characters, which is also its public API key (site id).", not_null=True),
        Column("test_account", Attribute(("test_account",)), Type.BOOLEAN, "1 for a test account, else 0."),
        Column(
            "contact_information_default_sender_name",
            Attribute((_CONTACT, "default_sender_name")),
            Type.TEXT,
            "The name that emails are sent under when a message gives none.",
        ),
        Column(
            "contact_information_default_sender_email",
            Attribute((_CONTACT, "default_sender_email")),
            Type.TEXT,
            "The address that emails are sent from when a message gives none.",
        ),
        Column("contact_information_website_url", Attribute((_CONTACT, "website_url")), Type.TEXT, "The organization's website."),
        Column("contact_information_organization_name", Attribute((_CONTACT, "organization_name")), Type.TEXT, "The organization's name."),
        Column("contact_information_street_address_address1", Attribute((*_STREET, "address1")), Type.TEXT, "First line of the postal address."),
        Column("contact_information_street_address_address2", Attribute((*_STREET, "address2")), Type.TEXT, "Second line of the postal address."),
        Column("contact_information_street_address_city", Attribute((*_STREET, "city")), Type.TEXT, "City of the postal address."),
        Column("contact_information_street_address_region", Attribute((*_STREET, "region")), Type.TEXT, "Region or state of the postal address."),
        Column("contact_information_street_address_country", Attribute((*_STREET, "country")), Type.TEXT, "Country of the postal address."),
        Column("contact_information_street_address_zip", Attribute((*_STREET, "zip")), Type.TEXT, "Postal code of the postal address."),
        Column("industry", Attribute(("industry",)), Type.TEXT, "The kind of business, as chosen in Klaviyo."),
        Column("timezone", Attribute(("timezone",)), Type.TEXT, "The IANA time zone in which days, weeks and months of the account begin."),
        Column("preferred_currency", Attribute(("preferred_currency",)), Type.TEXT, "The ISO 4217 code of the account's currency."),
        Column("public_api_key", Attribute(("public_api_key",)), Type.TEXT, "The public key (site id), safe to show in a web page."),
        Column("locale", Attribute(("locale",)), Type.TEXT, "The account's locale, such as en-US."),
    ),
    examples=(
        Example("Which account does the key belong to?", "SELECT id, contact_information_organization_name, timezone, preferred_currency FROM accounts"),
        Example("In which time zone do its days begin?", "SELECT timezone FROM accounts"),
        Example(
            "Where is the organization?",
            "SELECT contact_information_street_address_city AS city, contact_information_street_address_country AS country FROM accounts",
        ),
    ),
)
