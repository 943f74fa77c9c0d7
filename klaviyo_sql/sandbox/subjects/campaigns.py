"""Campaigns, their messages, and what is computed of a campaign: how many it will reach, and how far its sending got."""

from __future__ import annotations

from collections.abc import Iterable

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import Call, CollectionEndpoint, Endpoint, ResourceEndpoint, require
from klaviyo_sql.sandbox.filter_grammar import Clause
from klaviyo_sql.sandbox.kinds import Kind, Relation, own, pointing, stored
from klaviyo_sql.sandbox.problems import RefusedError, invalid

_NO_CAMPAIGN = "A campaign with id '{id}' does not exist."

KINDS = {
    "campaign": Kind(
        "campaign",
        "/api/campaigns",
        stored("campaigns"),
        _NO_CAMPAIGN,
        relations=(
            Relation("campaign-messages", "campaign-message", pointing("campaign_messages", "campaign_id"), shown="with ids"),
            Relation("tags", "tag", lambda account, resource: account.campaign_tags.get(resource["id"], [])),
        ),
        readers={"messages.channel": own("channel")},
    ),
    "campaign-message": Kind(
        "campaign-message",
        "/api/campaign-messages",
        stored("campaign_messages"),
        "A message with id '{id}' does not exist.",
        relations=(
            Relation("campaign", "campaign", own("campaign_id"), many=False, shown="with ids"),
            Relation("template", "template", own("template_id"), many=False),
            Relation("image", "image", own("image_id"), many=False),
        ),
    ),
    # As the reply to assigning a template tells of it.
    "campaign-message assigned": Kind(
        "campaign-message",
        "/api/campaign-messages",
        stored("campaign_messages"),
        "A message with id '{id}' does not exist.",
        relations=(
            Relation("campaign", "campaign", own("campaign_id"), many=False, shown="with ids"),
            Relation("template", "template", own("template_id"), many=False, shown="with ids"),
        ),
    ),
    "campaign-recipient-estimation": Kind(
        "campaign-recipient-estimation",
        "/api/campaign-recipient-estimations",
        stored("recipient_estimations"),
        "No recipient estimation exists for the campaign with id '{id}'.",
    ),
    "campaign-recipient-estimation-job": Kind(
        "campaign-recipient-estimation-job",
        "/api/campaign-recipient-estimation-jobs",
        stored("recipient_estimation_jobs"),
        "No recipient estimation job exists for the campaign with id '{id}'.",
    ),
    "campaign-send-job": Kind(
        "campaign-send-job",
        "/api/campaign-send-jobs",
        stored("campaign_send_jobs"),
        "No send job exists for the campaign with id '{id}'.",
    ),
}


def only_asked(resources: Iterable[Resource], field: str, clauses: tuple[Clause, ...]) -> Iterable[Resource]:
    """Without those that an attribute sets aside, unless a clause asks for it."""
    if any(clause.field == field for clause in clauses):
        return resources
    return [resource for resource in resources if not resource["attributes"][field]]


def _campaigns(account: Account, parent: str, clauses: tuple[Clause, ...]) -> Iterable[Resource]:
    # What comes without a clause on `archived` is not documented: here the narrower of the two readings.
    return only_asked(account.campaigns.values(), "archived", clauses)


def _check_channel(call: Call) -> None:
    if not any(clause.field == "messages.channel" for clause in call.query.clauses):
        raise RefusedError(invalid("A channel filter is required to list campaigns: equals(messages.channel,...).", parameter="filter"))


class _OfCampaign(ResourceEndpoint):
    """What is kept under the id of a campaign."""

    def answer(self, call: Call) -> dict[str, object]:
        require(call, "campaign")
        return super().answer(call)


ENDPOINTS: dict[str, Endpoint] = {
    "get_campaigns": CollectionEndpoint("campaign", _campaigns, check=_check_channel),
    "get_campaign": ResourceEndpoint("campaign"),
    "get_campaign_message": ResourceEndpoint("campaign-message"),
    "get_campaign_recipient_estimation": _OfCampaign("campaign-recipient-estimation"),
    "get_campaign_recipient_estimation_job": _OfCampaign("campaign-recipient-estimation-job"),
    "get_campaign_send_job": _OfCampaign("campaign-send-job"),
}
