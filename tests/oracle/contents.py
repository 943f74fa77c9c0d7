"""What each table has to hold, told from the account's own data: one function a table, by code that knows no request and no page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from klaviyo_sql.sandbox import Account

Resource = dict[str, Any]


@dataclass(frozen=True)
class Of:
    """What one row is of: the resource whose attributes its columns are, columns that are told otherwise, and related resources by relation."""

    resource: Resource
    given: dict[str, Any] = field(default_factory=dict)
    included: dict[str, Resource | None] = field(default_factory=dict)


Contents = Callable[[Account], Iterable[Of]]


def _all(name: str) -> Contents:
    """A collection as it is kept."""
    return lambda made: (Of(resource) for resource in getattr(made, name).values())


def _members(groups: str) -> Contents:
    def contents(made: Account) -> Iterator[Of]:
        for group, joined in getattr(made, groups).items():
            for profile_id, when in joined.items():
                profile = made.profiles[profile_id]
                yield Of(
                    {**profile, "attributes": {**profile["attributes"], "joined_group_at": when}},
                    {"list_id": group, "segment_id": group},
                )

    return contents


def _counted(name: str, members: str) -> Contents:
    return lambda made: (Of(resource, {"profile_count": len(getattr(made, members)[key])}) for key, resource in getattr(made, name).items())


def _groups_of_profiles(name: str, members: str) -> Contents:
    def contents(made: Account) -> Iterator[Of]:
        for group, joined in getattr(made, members).items():
            for profile_id in joined:
                yield Of(getattr(made, name)[group], {"profile_id": profile_id})

    return contents


def _attribution(made: Account, identifier: str) -> dict[str, Any]:
    attribution = made.attributions[identifier]
    names = ("attributed_event_id", "campaign_id", "campaign_message_id", "flow_id", "flow_message_id", "flow_message_variation_id")
    return {name: attribution.get(name) for name in names}


def _events(made: Account) -> Iterator[Of]:
    for event in made.events:
        given = {"metric_id": event["metric_id"], "profile_id": event["profile_id"]}
        attributions = made.event_attributions.get(event["id"], [])
        first = _attribution(made, attributions[0]) if attributions else dict.fromkeys(_attribution(made, next(iter(made.attributions))))
        yield Of(event, given | first, {"metric": made.metrics[event["metric_id"]], "profile": made.profiles.get(event["profile_id"])})


def _event_attributions(made: Account) -> Iterator[Of]:
    for event in made.events:
        given = {"metric_id": event["metric_id"], "profile_id": event["profile_id"], "event_id": event["id"]}
        for identifier in made.event_attributions.get(event["id"], []):
            yield Of(event, given | {"attribution_id": identifier} | _attribution(made, identifier))


def _exclusions(entries: str) -> Contents:
    def contents(made: Account) -> Iterator[Of]:
        for profile in made.profiles.values():
            found = profile["attributes"]["subscriptions"]["email"]["marketing"].get(entries) or []
            for number, entry in enumerate(found, 1):
                yield Of(profile, {"number": number, "list_id": entry.get("list_id"), "reason": entry["reason"], "timestamp": entry["timestamp"]})

    return contents


def _integrations(made: Account) -> Iterator[Of]:
    told = [metric["attributes"]["integration"] for metric in made.metrics.values() if metric["attributes"]["integration"] is not None]
    for integration in {one["id"]: one for one in told}.values():
        yield Of({"id": integration["id"], "attributes": {"integration": integration}})


def _tags(made: Account) -> Iterator[Of]:
    for tag in made.tags.values():
        yield Of(tag, {"tag_group_id": tag["group_id"]}, {"tag-group": made.tag_groups[tag["group_id"]]})


def _tagged(name: str) -> Contents:
    def contents(made: Account) -> Iterator[Of]:
        for identifier, tags in getattr(made, f"{name}_tags").items():
            resource = getattr(made, f"{name}s")[identifier]
            for tag in tags:
                yield Of(resource, {"tag_id": tag, "channel": resource.get("channel")}, {"tags": made.tags[tag]})

    return contents


def _flow_triggers(name: str) -> Contents:
    def contents(made: Account) -> Iterator[Of]:
        for identifier, resource in getattr(made, name).items():
            for flow in made.flow_triggers.get(identifier, []):
                yield Of(resource, {"flow_id": flow}, {"flow-triggers": made.flows[flow]})

    return contents


def _messages_of(made: Account, campaign: Resource) -> list[Resource]:
    return [message for message in made.campaign_messages.values() if message["campaign_id"] == campaign["id"]]


def _campaigns(*channels: str) -> Contents:
    def contents(made: Account) -> Iterator[Of]:
        for campaign in made.campaigns.values():
            if channels and campaign["channel"] not in channels:
                continue
            tags = [{"id": tag, "name": made.tags[tag]["attributes"]["name"]} for tag in made.campaign_tags.get(campaign["id"], [])]
            messages = [
                {"id": message["id"]} | {name: message["attributes"][name] for name in ("definition", "send_times")} for message in _messages_of(made, campaign)
            ]
            yield Of(campaign, {"channel": campaign["channel"], "tags": tags, "messages": messages})

    return contents


def _campaign_messages(made: Account) -> Iterator[Of]:
    for message in made.campaign_messages.values():
        campaign = made.campaigns[message["campaign_id"]]
        given = {name: message[name] for name in ("campaign_id", "template_id", "image_id")}
        yield Of(message, given | {"channel": campaign["channel"], "archived": campaign["attributes"]["archived"]})


def _campaign_message_templates(made: Account) -> Iterator[Of]:
    for of in _campaign_messages(made):
        if of.given["template_id"] is not None:
            yield Of(of.resource, of.given | {"message_id": of.resource["id"]}, {"template": made.templates[of.given["template_id"]]})


def _campaign_message_send_times(made: Account) -> Iterator[Of]:
    for message in made.campaign_messages.values():
        campaign = made.campaigns[message["campaign_id"]]
        for number, at in enumerate(message["attributes"]["send_times"] or [], 1):
            yield Of(campaign, {"message_id": message["id"], "number": number, "channel": campaign["channel"], **at})


def _campaign_audiences(made: Account) -> Iterator[Of]:
    for campaign in made.campaigns.values():
        for kind in ("included", "excluded"):
            for audience in campaign["attributes"]["audiences"][kind] or []:
                yield Of(campaign, {"kind": kind, "audience_id": audience, "channel": campaign["channel"]})


def _campaign_utm_params(made: Account) -> Iterator[Of]:
    for campaign in made.campaigns.values():
        for number, parameter in enumerate((campaign["attributes"]["tracking_options"] or {}).get("custom_tracking_params") or [], 1):
            yield Of(campaign, {"number": number, "channel": campaign["channel"], **parameter})


def _of_campaigns(name: str) -> Contents:
    def contents(made: Account) -> Iterator[Of]:
        for campaign_id, resource in getattr(made, name).items():
            yield Of(resource, {"campaign_id": campaign_id, "campaign_name": made.campaigns[campaign_id]["attributes"]["name"]})

    return contents


def _flows(made: Account) -> Iterator[Of]:
    from klaviyo_sql.sandbox.subjects.flows import KINDS

    computed = KINDS["flow"].computed
    assert computed is not None
    for flow in made.flows.values():
        yield Of(flow, computed(made, flow))


def _flow_actions(made: Account) -> Iterator[Of]:
    for action in made.flow_actions.values():
        yield Of(action, {"flow_id": action["flow_id"], "archived": made.flows[action["flow_id"]]["attributes"]["archived"]})


def _flow_messages(made: Account) -> Iterator[Of]:
    for message in made.flow_messages.values():
        action = made.flow_actions[message["action_id"]]
        given = {"flow_action_id": action["id"], "flow_id": action["flow_id"], "action_type": action["attributes"]["definition"]["type"]}
        yield Of(message, given)


def _flow_message_templates(made: Account) -> Iterator[Of]:
    for message in made.flow_messages.values():
        if message["template_id"] is not None:
            yield Of(made.templates[message["template_id"]], {"message_id": message["id"], "flow_id": made.flow_actions[message["action_id"]]["flow_id"]})


def _listed_templates(made: Account) -> Iterator[Of]:
    return (Of(template) for template in made.templates.values() if template["listed"])


def _form_versions(made: Account) -> Iterator[Of]:
    for version in made.form_versions.values():
        yield Of(version, {"form_id": version["form_id"], "form_name": made.forms[version["form_id"]]["attributes"]["name"]})


def _variants(made: Account) -> Iterator[Of]:
    return (Of(variant, {"item_id": variant["item_id"]}) for variant in made.catalog_variants.values())


def _item_categories(made: Account) -> Iterator[Of]:
    for item_id, categories in made.item_categories.items():
        for category_id in categories:
            category = made.catalog_categories[category_id]
            yield Of(made.catalog_items[item_id], {"category_id": category_id, "category_name": category["attributes"]["name"]})


def _coupon_codes(made: Account) -> Iterator[Of]:
    return (Of(code, {"coupon_id": code["coupon_id"], "profile_id": None}) for code in made.coupon_codes.values())


def _push_tokens(made: Account) -> Iterator[Of]:
    for token in made.push_tokens.values():
        yield Of(token, {"profile_id": token["profile_id"]}, {"profile": made.profiles.get(token["profile_id"])})


def _conversations(made: Account) -> Iterator[Of]:
    for conversation in made.conversations.values():
        profile_id = conversation["profile_id"]
        given = {"id": conversation["id"], "profile_id": profile_id}
        yield Of(made.profiles[profile_id], given, {"conversations": conversation})


def _name(resource: Resource | None) -> Any:
    return None if resource is None else resource["attributes"]["name"]


def _custom_metric_metrics(made: Account) -> Iterator[Of]:
    for custom in made.custom_metrics.values():
        for metric_id in dict.fromkeys(group["metric_id"] for group in custom["attributes"]["definition"]["metric_groups"]):
            yield Of(custom, {"metric_id": metric_id}, {"metrics": made.metrics[metric_id]})


def _mapped_metrics(made: Account) -> Iterator[Of]:
    for slot in made.mapped_metrics.values():
        given = {name: slot[name] for name in ("metric_id", "custom_metric_id")}
        included = {"metric": made.metrics.get(slot["metric_id"]), "custom-metric": made.custom_metrics.get(slot["custom_metric_id"])}
        yield Of(slot, given, included)


def _metric_properties(made: Account) -> Iterator[Of]:
    for found in made.metric_properties.values():
        yield Of(found, {"metric_id": found["metric_id"], "metric_name": _name(made.metrics[found["metric_id"]])})


def _jobs(kind: str) -> Contents:
    def contents(made: Account) -> Iterator[Of]:
        for job in made.jobs[kind].values():
            yield Of(job, {name: next(iter(job.get(f"{name}s") or ()), None) for name in ("list_id", "segment_id")})

    return contents


def _worked_on(kind: str, key: str) -> Contents:
    def contents(made: Account) -> Iterator[Of]:
        for job in made.jobs[kind].values():
            for identifier in job["related_ids"]:
                yield Of(job, {"job_id": job["id"], key: identifier})

    return contents


def _imported(ids: str, name: str) -> Contents:
    def contents(made: Account) -> Iterator[Of]:
        for job in made.jobs["profile-bulk-import-job"].values():
            for identifier in job[ids]:
                yield Of(getattr(made, name)[identifier], {"job_id": job["id"]})

    return contents


def _object_types(made: Account) -> Iterator[Of]:
    for found in made.object_types.values():
        yield Of(found, {name: found[name] for name in ("current_schema_id", "draft_schema_id")})


def _object_relations(end: str, column: str) -> Contents:
    def contents(made: Account) -> Iterator[Of]:
        pairs = [(link["type_id"], link[end]) for link in made.object_relationships.values() if link[end] is not None]
        for type_id, other in dict.fromkeys(pairs):
            yield Of(made.object_types[type_id], {"object_type_id": type_id, column: other})

    return contents


def _source_mappings(made: Account) -> Iterator[Of]:
    for schema in made.object_schemas.values():
        if schema["source_mapping_id"] is not None:
            yield Of(made.source_mappings[schema["source_mapping_id"]], {"object_schema_id": schema["id"], "object_type_id": schema["type_id"]})


def _object_records(made: Account) -> Iterator[Of]:
    for record in made.object_records.values():
        title = made.object_types[record["type_id"]]["attributes"]["title"]
        yield Of(record, {"object_type_id": record["type_id"], "object_type_title": title})


def _object_ingestion_logs(made: Account) -> Iterator[Of]:
    for entry in made.ingestion_logs.values():
        yield Of(entry, {"object_type_id": entry["type_id"], "record_id": entry["record_id"]})


def _review_events(made: Account) -> Iterator[Of]:
    for review in made.reviews.values():
        for event_id in review["event_ids"]:
            yield Of(review, {"event_id": event_id}, {"events": made.event(event_id)})


def _webhook_topics(made: Account) -> Iterator[Of]:
    for webhook in made.webhooks.values():
        for topic in webhook["topic_ids"]:
            yield Of(webhook, {"topic_id": topic})


_CATALOG = [
    (thing, things, verb)
    for thing, things in (("item", "items"), ("variant", "variants"), ("category", "categories"))
    for verb in ("create", "update", "delete")
]

CONTENTS: dict[str, Contents] = {
    "accounts": lambda made: [Of(made.account)],
    "profiles": _all("profiles"),
    "lists": _counted("lists", "list_members"),
    "list_profiles": _members("list_members"),
    "segments": _counted("segments", "segment_members"),
    "segment_profiles": _members("segment_members"),
    "integrations": _integrations,
    "metrics": _all("metrics"),
    "events": _events,
    "event_attributions": _event_attributions,
    "profile_lists": _groups_of_profiles("lists", "list_members"),
    "profile_segments": _groups_of_profiles("segments", "segment_members"),
    "global_exclusions": _exclusions("suppression"),
    "list_exclusions": _exclusions("list_suppressions"),
    "tags": _tags,
    "tag_groups": _all("tag_groups"),
    "list_tags": _tagged("list"),
    "segment_tags": _tagged("segment"),
    "campaign_tags": _tagged("campaign"),
    "flow_tags": _tagged("flow"),
    "list_flow_triggers": _flow_triggers("lists"),
    "segment_flow_triggers": _flow_triggers("segments"),
    "metric_flow_triggers": _flow_triggers("metrics"),
    "campaigns": _campaigns(),
    "email_campaigns": _campaigns("email"),
    "sms_campaigns": _campaigns("sms"),
    "push_campaigns": _campaigns("mobile_push"),
    "campaign_messages": _campaign_messages,
    "campaign_message_templates": _campaign_message_templates,
    "campaign_message_send_times": _campaign_message_send_times,
    "campaign_audiences": _campaign_audiences,
    "campaign_utm_params": _campaign_utm_params,
    "campaign_recipient_estimations": _of_campaigns("recipient_estimations"),
    "campaign_recipient_estimation_jobs": _of_campaigns("recipient_estimation_jobs"),
    "campaign_send_jobs": _of_campaigns("campaign_send_jobs"),
    "flows": _flows,
    "flow_actions": _flow_actions,
    "flow_messages": _flow_messages,
    "flow_message_templates": _flow_message_templates,
    "templates": _listed_templates,
    "universal_content": _all("universal_content"),
    "images": _all("images"),
    "forms": _all("forms"),
    "form_versions": _form_versions,
    "catalog_items": _all("catalog_items"),
    "catalog_variants": _variants,
    "catalog_categories": _all("catalog_categories"),
    "catalog_item_categories": _item_categories,
    "coupons": _all("coupons"),
    "coupon_codes": _coupon_codes,
    "push_tokens": _push_tokens,
    "conversations": _conversations,
    "custom_metrics": _all("custom_metrics"),
    "custom_metric_metrics": _custom_metric_metrics,
    "mapped_metrics": _mapped_metrics,
    "metric_properties": _metric_properties,
    **{f"catalog_{thing}_bulk_{verb}_jobs": _jobs(f"catalog-{thing}-bulk-{verb}-job") for thing, _, verb in _CATALOG},
    **{
        f"catalog_{thing}_bulk_{verb}_job_{things}": _worked_on(f"catalog-{thing}-bulk-{verb}-job", f"{thing}_id")
        for thing, things, verb in _CATALOG
        if verb != "delete"
    },
    "coupon_code_bulk_create_jobs": _jobs("coupon-code-bulk-create-job"),
    "coupon_code_bulk_create_job_coupon_codes": _worked_on("coupon-code-bulk-create-job", "coupon_code_id"),
    "profile_suppression_bulk_create_jobs": _jobs("profile-suppression-bulk-create-job"),
    "profile_suppression_bulk_delete_jobs": _jobs("profile-suppression-bulk-delete-job"),
    "profile_bulk_import_jobs": _jobs("profile-bulk-import-job"),
    "import_job_profiles": _imported("profile_ids", "profiles"),
    "import_job_lists": _imported("list_ids", "lists"),
    "import_job_errors": lambda made: (Of(error, {"job_id": error["job_id"]}) for error in made.import_errors.values()),
    **{name: _all(name) for name in ("data_sources", "object_types", "web_feeds", "webhooks", "webhook_topics", "tracking_settings")},
    "object_types": _object_types,
    "object_schemas": lambda made: (Of(schema, {"object_type_id": schema["type_id"]}) for schema in made.object_schemas.values()),
    "object_type_relations": _object_relations("other_type_id", "related_object_type_id"),
    "object_type_profile_relations": _object_relations("profile_type_id", "profile_object_type_id"),
    "source_mappings": _source_mappings,
    "object_records": _object_records,
    "object_ingestion_logs": _object_ingestion_logs,
    "reviews": lambda made: (Of(review, {"item_id": None}) for review in made.reviews.values()),
    "review_events": _review_events,
    "webhook_webhook_topics": _webhook_topics,
}
