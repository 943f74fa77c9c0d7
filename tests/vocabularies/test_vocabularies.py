"""Other systems' names for the account's tables: the same rows by the same requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from klaviyo_sql import BudgetExceeded, Connection, InterfaceError, ProgrammingError
from klaviyo_sql.cli.main import main
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.opening import opened
from klaviyo_sql.sandbox import Account, Sandbox
from klaviyo_sql.session import introspection
from klaviyo_sql.sqlite.explain import explain
from klaviyo_sql.tables import TABLES
from klaviyo_sql.vocabularies import VOCABULARIES, Object

NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)

Open = Callable[..., Connection]

NAMES = {
    "dlh": """campaign campaign_message campaign_message_template catalog_category catalog_item catalog_variant coupon coupon_code event event_metric
        event_profile flow image lists list_profile list_tag metric profile profile_global_exclusion profile_list_exclusion segment segment_profile
        segment_tag tag tag_group template""",
    "hevo": """profile_v2 event_v2 metric_v2 list_v2 segment_v2 flow_v2 profile_list_v2 profile_segment_v2 flow_action_v2 flow_messages_v2 campaign_v2
        campaign_messages_v2 campaign_message_template_v2 campaign_utm_param_v2 audience_included_v2 audience_excluded_v2
        campaign_message_send_time_v2 campaign_recipient_estimation_v2""",
    "skyvia": """Accounts EmailCampaigns SMSCampaigns EmailCampaignMessages SMSCampaignMessages EmailCampaignTags SMSCampaignTags ListTags SegmentTags
        FlowTags GroupTags EventMetrics EventProfiles FlowActions SegmentProfiles ListProfiles ImportBulkProfiles Profiles Lists Templates Tags TagGroups
        Coupons CouponCodes Images CatalogItems CatalogVariants CatalogCategories Flows Segments Metrics DailyMetrics WeeklyMetrics
        MonthlyMetrics BulkProfiles""",
    "fivetran": "EVENT PERSON CAMPAIGN CAMPAIGN_LIST EMAIL_TEMPLATE FLOW METRIC LIST LIST_EXCLUSION LIST_PERSON INTEGRATION",
    "stitch": "bounce click dropped_email global_exclusions lists mark_as_spam open receive subscribe_list unsub_list unsubscribe update_email_preferences",
}
"""What the systems have, as they write it, without what only takes rows in."""

_MESSAGES = (
    "SELECT id, campaign_id, channel, label, subject, preview_text, from_email, from_label, reply_to_email, cc_email, bcc_email, title, body, media_url, "
    "definition, send_times, created_at, updated_at FROM campaign_messages WHERE channel = "
)
_CONTENT = "(SELECT {} FROM campaign_messages WHERE campaign_messages.id = messages ->> '$[0].id')"
SAME_AS = {
    "dlh.event_metric": "SELECT metric_id, datetime, id FROM events",
    "dlh.event_profile": "SELECT profile_id, datetime, id FROM events",
    "hevo.audience_included_v2": "SELECT campaign_id, audience_id, campaign_name, channel, archived FROM campaign_audiences WHERE kind = 'included'",
    "hevo.audience_excluded_v2": "SELECT campaign_id, audience_id, campaign_name, channel, archived FROM campaign_audiences WHERE kind = 'excluded'",
    "skyvia.EmailCampaignMessages": f"{_MESSAGES}'email'",
    "skyvia.SMSCampaignMessages": f"{_MESSAGES}'sms'",
    "skyvia.EmailCampaignTags": "SELECT * FROM campaign_tags WHERE channel = 'email'",
    "skyvia.SMSCampaignTags": "SELECT * FROM campaign_tags WHERE channel = 'sms'",
    "skyvia.GroupTags": "SELECT tag_group_id, id, name FROM tags",
    "skyvia.EventMetrics": "SELECT id, metric_id, datetime FROM events",
    "skyvia.EventProfiles": "SELECT id, profile_id, datetime FROM events",
    "fivetran.event": "SELECT id, metric_id, campaign_id, flow_id, flow_message_id, datetime, timestamp, uuid, event_properties, profile_id, metric_name, "
    "value, value_currency, event_id FROM events",
    "fivetran.campaign": f"SELECT campaigns.*, {_CONTENT.format('subject')}, {_CONTENT.format('from_email')}, {_CONTENT.format('from_label')} FROM campaigns",
    "stitch.global_exclusions": "SELECT email, reason, timestamp, profile_created, 'exclusion' FROM global_exclusions",
    "stitch.lists": "SELECT id, name, created, updated, 'list', 'list' FROM lists",
    "fivetran.campaign_list": "SELECT campaign_id, audience_id FROM campaign_audiences WHERE kind = 'included'",
}
"""Where the rows are not all of the base's, or not with all of its columns in their order."""

# The events of single metrics are in test_stitch.
OBJECTS = [(schema, made) for schema, vocabulary in VOCABULARIES.items() for made in vocabulary.objects if not made.of_metrics]


def called(value: Any) -> str:
    return value.name if isinstance(value, Object) else str(value)


@pytest.fixture(scope="module")
def shared(account: Account) -> Iterator[Connection]:
    """A connection for all tests that only compare."""
    with opened(":memory:", sandbox=Sandbox(account, clock=SimulatedClock(NOW)), autocommit=True) as connection:
        yield connection


def rows(connection: Connection, sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
    return connection.execute(sql, parameters).fetchall()


def asked(connection: Connection, sql: str, parameters: Any = ()) -> list[tuple[str, str]]:
    """The requests that a statement makes, from the cache or not."""
    before = len(list(connection.requests))
    rows(connection, sql, parameters)
    return [(record.path, record.query) for record in list(connection.requests)[before:]]


def attached(connection: Connection) -> set[str]:
    return {row[1] for row in rows(connection, "PRAGMA database_list")}


@pytest.mark.parametrize("schema", NAMES)
def test_every_object_is_there_under_its_own_name(schema: str, shared: Connection) -> None:
    names = NAMES[schema].split()
    assert len(names) == {"dlh": 26, "hevo": 18, "skyvia": 35, "fivetran": 11, "stitch": 12}[schema] == len(VOCABULARIES[schema].objects)
    for name in names:
        assert shared.execute(f"SELECT * FROM {schema}.{name} LIMIT 0").description


@pytest.mark.parametrize(("schema", "made"), OBJECTS, ids=called)
def test_the_rows_are_those_of_the_table(schema: str, made: Object, shared: Connection) -> None:
    found = rows(shared, f"SELECT * FROM {schema}.{made.name}")
    assert found
    expected = rows(shared, SAME_AS.get(f"{schema}.{made.name}", f"SELECT * FROM {made.base}"))
    assert sorted(found, key=repr) == sorted(expected, key=repr)


@pytest.mark.parametrize(("schema", "made"), [(schema, made) for schema, made in OBJECTS if not made.part], ids=called)
def test_conditions_are_sent_as_those_on_the_table_are(schema: str, made: Object, shared: Connection) -> None:
    base, table = TABLES[made.base], next(table for table in shared.tables(schema) if table.name == made.name)
    named = (
        {own: theirs for theirs, own in made.columns.items()}
        if made.columns
        else dict(zip((column.name for column in base.columns), (column.name for column in table.columns), strict=False))
    )
    keys = [name for name in base.key if name in named] or [next(iter(named))]
    compared = 0
    for position, column in enumerate(base.columns):
        operators = introspection.pushed(base, position)
        if column.name not in named or column.hidden or not operators:
            continue
        own, theirs = column.name, named[column.name]
        value = next(iter(rows(shared, f'SELECT "{own}" FROM {made.base} WHERE "{own}" IS NOT NULL LIMIT 1')), None)
        if value is None:
            continue
        for sign in ("=", ">") if ">" in operators else ("=",) if "=" in operators else (">",):
            select = ", ".join(f'"{name}"' for name in keys)
            renamed = ", ".join(f'"{named[name]}"' for name in keys)
            expected = asked(shared, f'SELECT {select} FROM {made.base} WHERE "{own}" {sign} ?', value)
            assert asked(shared, f'SELECT {renamed} FROM {schema}.{made.name} WHERE "{theirs}" {sign} ?', value) == expected
            compared += 1
    assert compared or not any(introspection.pushed(base, position) for position in range(len(base.columns)))


def test_a_part_is_asked_for_alone(connection: Connection) -> None:
    for sql in ("SELECT * FROM skyvia.EmailCampaignTags", "SELECT Id FROM skyvia.EmailCampaignMessages", "SELECT TagId FROM skyvia.EmailCampaignTags"):
        connection.forget()
        queries = [query for _, query in asked(connection, sql)]
        assert len(queries) >= 2
        assert all('equals(messages.channel,"email")' in query for query in queries)
    sms = rows(connection, "SELECT id FROM sms_campaigns LIMIT 1")[0]
    assert rows(connection, "SELECT Id FROM skyvia.EmailCampaignMessages WHERE CampaignId = ?", sms) == []
    tag = rows(connection, "SELECT TagId, CampaignId FROM skyvia.SMSCampaignTags LIMIT 1")[0]
    assert tag in rows(connection, "SELECT TagId, CampaignId FROM skyvia.SMSCampaignTags WHERE TagId = ?", tag[:1])
    assert rows(connection, "SELECT CampaignId FROM skyvia.EmailCampaignTags WHERE TagId = ? AND CampaignId = ?", tag) == []


def test_events_of_a_day_cost_no_more_requests_than_events(connection: Connection) -> None:
    condition = "datetime >= '2026-11-10' AND datetime < '2026-11-11'"
    expected = asked(connection, f"SELECT * FROM events WHERE {condition}")
    found = asked(connection, f"SELECT * FROM fivetran.event WHERE {condition}")
    assert len(found) == len(expected) > 0
    assert all("datetime" in query for _, query in found)


def test_explain_and_the_command_line_know_them(connection: Connection, capsys: pytest.CaptureFixture[str]) -> None:
    step, own = (explain(connection, f"SELECT id FROM {table} WHERE metric_id = 'X'").steps[0] for table in ("fivetran.event", "events"))
    assert step.table == "fivetran.event"
    assert step.requests == own.requests
    assert connection.sandbox is not None
    assert connection.sandbox.requests == []
    assert main(["tables", "SKYVIA.SMSCampaignTags"]) == 0
    assert capsys.readouterr().out.startswith("skyvia.SMSCampaignTags: Which SMS campaign has which tag")
    assert main(["tables", "fivetran.persn"]) == 2
    assert "Did you mean fivetran.person" in capsys.readouterr().err


def test_joins_of_several_systems(connection: Connection) -> None:
    found = rows(
        connection,
        "SELECT person.email, metric.name FROM fivetran.event JOIN fivetran.person ON person.id = event.person_id "
        "JOIN dlh.metric ON metric.id = event.metric_id WHERE event.datetime >= '2026-11-18' ORDER BY event.id",
    )
    expected = rows(
        connection,
        "SELECT profiles.email, metrics.name FROM events JOIN profiles ON profiles.id = profile_id JOIN metrics ON metrics.id = metric_id "
        "WHERE datetime >= '2026-11-18' ORDER BY events.id",
    )
    assert found == expected != []


def test_nothing_is_made_before_it_is_mentioned(connection: Connection) -> None:
    rows(connection, "SELECT id FROM lists")
    assert not attached(connection) & VOCABULARIES.keys()
    rows(connection, "SELECT id FROM Hevo.List_V2")
    assert attached(connection) & VOCABULARIES.keys() == {"hevo"}


def test_the_first_mention_may_be_anywhere(connection: Connection) -> None:
    connection.execute("CREATE TABLE own (id)")
    connection.execute("INSERT INTO own VALUES (1)")
    assert connection.in_transaction
    reading = connection.execute("SELECT id FROM profiles")
    first = reading.fetchone()
    connection.execute("INSERT INTO own SELECT id FROM dlh.lists")
    rest = reading.fetchall()
    assert first not in rest
    assert len(rest) == len(rows(connection, "SELECT id FROM profiles")) - 1
    connection.execute("CREATE TEMP VIEW people AS SELECT id FROM fivetran.person")
    assert len(rows(connection, "SELECT id FROM people")) == len(rest) + 1
    connection.executescript("CREATE TABLE metrics_of AS SELECT * FROM skyvia.Metrics")
    assert rows(connection, "SELECT count(*) FROM metrics_of") == rows(connection, "SELECT count(*) FROM metrics")
    connection.rollback()
    assert rows(connection, "SELECT count(*) FROM dlh.lists") == rows(connection, "SELECT count(*) FROM lists")


def test_a_database_of_that_name_stays_what_it_is(connection: Connection) -> None:
    connection.execute("ATTACH ':memory:' AS hevo")
    connection.execute("CREATE TABLE hevo.lists (id)")
    assert rows(connection, "SELECT * FROM hevo.lists") == []
    connection.execute("DROP TABLE hevo.lists")
    with pytest.raises(ProgrammingError, match="no table hevo"):
        connection.execute("SELECT * FROM hevo.list_v2")


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("SELECT * FROM dlh.profiles", "There is no table dlh.profiles. Did you mean dlh.profile"),
        ("SELECT * FROM dlh.evnt", "There is no table dlh.evnt. Did you mean dlh.event"),
        ("SELECT * FROM fivetrn.profiles", "There is no account or schema fivetrn. Did you mean fivetran?"),
        ("SELECT person FROM fivetran.event", "There is no column person. Did you mean person_id"),
        ("DROP TABLE dlh.event", "dlh.event cannot be dropped: it is a table of the account."),
    ],
)
def test_what_is_not_there(sql: str, sentence: str, connection: Connection) -> None:
    with pytest.raises(ProgrammingError) as caught:
        rows(connection, sql)
    assert str(caught.value).startswith(sentence)


def test_a_budget_is_told_with_what_can_be_done(open_sandbox: Open) -> None:
    connection = open_sandbox(max_requests=1)
    with pytest.raises(BudgetExceeded, match="klaviyo_columns"):
        rows(connection, "SELECT * FROM fivetran.event")


def test_an_account_cannot_have_such_a_name(open_sandbox: Open) -> None:
    for name in (*VOCABULARIES, "Fivetran"):
        with pytest.raises(InterfaceError, match=f"an account cannot be named {name}: a schema has that name already"):
            open_sandbox(accounts={name: {}})


def test_property_columns_have_the_systems_prefix(open_sandbox: Open) -> None:
    connection = open_sandbox(properties={"profiles": {"tier": "TEXT", "custom_x": "TEXT"}, "events": {"SKU": "TEXT", "event_id_": "TEXT"}})
    assert rows(connection, "SELECT id, property_SKU FROM fivetran.event") == rows(connection, "SELECT id, SKU FROM events")
    assert rows(connection, "SELECT id, custom_tier, custom_x FROM fivetran.person") == rows(connection, "SELECT id, tier, custom_x FROM profiles")
    assert rows(connection, "SELECT event_id, SKU FROM dlh.event LIMIT 3") == rows(connection, "SELECT event_id, SKU FROM events LIMIT 3")
    connection.execute("CREATE VIRTUAL TABLE vip USING klaviyo(fivetran.person, level TEXT '$.tier')")
    assert rows(connection, "SELECT id, level FROM vip") == rows(connection, "SELECT id, tier FROM profiles")


def test_a_property_column_never_hides_another(open_sandbox: Open) -> None:
    connection = open_sandbox(properties={"events": {"person_id": "TEXT", "value_": "REAL", "property_value": "REAL"}})
    names = [column[0] for column in connection.execute("SELECT * FROM fivetran.event LIMIT 0").description or ()]
    assert names[-3:] == ["property_person_id", "property_value_", "property_property_value"]
    assert len({name.lower() for name in names}) == len(names)


def test_the_tables_of_the_tables_list_them(connection: Connection) -> None:
    for schema, vocabulary in VOCABULARIES.items():
        found = {name for (name,) in rows(connection, "SELECT table_name FROM klaviyo_columns WHERE schema = ?", (schema,))}
        assert found == {made.name for made in vocabulary.objects}
        assert {name for (name,) in rows(connection, "SELECT name FROM klaviyo_tables WHERE schema = ?", (schema,))} == found
    assert not attached(connection) & VOCABULARIES.keys()
