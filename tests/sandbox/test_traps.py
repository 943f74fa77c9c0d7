"""Where Klaviyo does something else than its description lets one expect, the sandbox does it too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.sandbox import Account, Sandbox

from .conftest import NOW, Ask, asker, walk

Scan = Callable[[str], list[str]]


def _filtered(path: str, text: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}filter={quote(text, safe='')}"


@pytest.mark.parametrize(
    ("target", "parameter"),
    [
        ("/api/campaigns", "filter"),
        (_filtered("/api/campaigns", "equals(archived,false)"), "filter"),
        (_filtered("/api/campaigns", 'equals(messages.channel,"whatsapp")'), "filter"),
        (_filtered("/api/campaigns", 'equals(messages.channel,"email"),equals(name,"x")'), "filter"),
        (_filtered("/api/campaigns", 'equals(messages.channel,"email"),equals(status,"sent")'), "filter"),
        ("/api/coupon-codes", "filter"),
        (_filtered("/api/coupon-codes", 'equals(status,"USED")'), "filter"),
        (_filtered("/api/images", "greater-than(size,0)"), "filter"),
        (_filtered("/api/images", 'any(id,["x",true])'), "filter"),
        (_filtered("/api/flows", "less-than(created,2030-01-01T00:00:00Z)"), "filter"),
        (_filtered("/api/flows?sort=updated", "less-than(created,2026-01-01T00:00:00Z)"), "sort"),
        ("/api/catalog-items?sort=title", "sort"),
        ("/api/catalog-items?page[size]=101", "page[size]"),
        ("/api/catalog-item-bulk-create-jobs?page[size]=10", "page[size]"),
        ("/api/profile-suppression-bulk-create-jobs?sort=created_at", "sort"),
        ("/api/custom-metrics?page[cursor]=x", "page[cursor]"),
        ("/api/templates?page[size]=11", "page[size]"),
        ("/api/web-feeds?page[size]=21", "page[size]"),
        ("/api/tag-groups?page[size]=26", "page[size]"),
        ("/api/tracking-settings?page[size]=2", "page[size]"),
        (_filtered("/api/reviews", "greater-than(rating,3)"), "filter"),
    ],
)
def test_what_is_refused(ask: Ask, target: str, parameter: str) -> None:
    answer = ask(target)
    assert answer.status == 400
    assert answer.errors[0]["source"] == {"parameter": parameter}


def test_a_list_of_form_types_breaks_the_server(ask: Ask, account: Account) -> None:
    form = next(iter(account.forms))
    answer = ask(_filtered(f"/api/forms/{form}/form-versions", 'any(form_type,["popup","embed"])'))
    assert (answer.status, answer.errors[0]["code"]) == (500, "error")
    assert ask(_filtered(f"/api/forms/{form}/form-versions", 'equals(form_type,"popup")')).status == 200


def test_campaigns_are_the_union_of_six_scans(scan: Scan, account: Account) -> None:
    found: list[str] = []
    for channel in ("email", "sms", "mobile_push"):
        asked = f'equals(messages.channel,"{channel}")'
        current = scan(_filtered("/api/campaigns", f"{asked},equals(archived,false)"))
        archived = scan(_filtered("/api/campaigns", f"{asked},equals(archived,true)"))
        assert scan(_filtered("/api/campaigns", asked)) == current
        found += current + archived
    assert sorted(found) == sorted(account.campaigns)
    assert archived == []  # the last channel has none, and that is no error


def test_flows_are_the_union_of_two_scans(scan: Scan, account: Account) -> None:
    current, archived = (scan(_filtered("/api/flows", f"equals(archived,{value})")) for value in ("false", "true"))
    assert archived
    assert scan("/api/flows") == current
    assert sorted(current + archived) == sorted(account.flows)


def test_hidden_images_come_when_they_are_asked_for(scan: Scan, account: Account) -> None:
    hidden = {identifier for identifier, image in account.images.items() if image["attributes"]["hidden"]}
    assert set(scan("/api/images?page[size]=100")) == set(account.images) - hidden
    assert set(scan(_filtered("/api/images?page[size]=100", "equals(hidden,true)"))) == hidden
    assert set(scan(_filtered("/api/images?page[size]=100", "any(hidden,[true,false])"))) == set(account.images)
    some = list(account.images)[:4]
    assert set(scan(_filtered("/api/images", f"any(id,[{','.join(some)}]),equals(hidden,true)"))) == hidden & set(some)


def test_copies_of_templates_are_in_no_list(ask: Ask, scan: Scan, account: Account) -> None:
    listed = {identifier for identifier, template in account.templates.items() if template["listed"]}
    assert set(scan("/api/templates")) == listed
    copies = [message["template_id"] for message in account.campaign_messages.values() if message["template_id"] is not None]
    assert copies
    assert listed.isdisjoint(copies)
    assert ask(f"/api/templates/{copies[0]}").status == 200


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/api/flow-actions/NOPE01", 400, "Invalid flow action ID: 'NOPE01'"),
        ("/api/flow-actions/NOPE01/flow", 400, "Invalid flow action ID: 'NOPE01'"),
        ("/api/flow-actions/999999999999", 404, "An action with id 999999999999 does not exist."),
        ("/api/flow-actions/999999999999/flow", 404, "An action with id 999999999999 does not exist."),
        ("/api/flow-messages/NOPE01/template", 404, "A flow message with id NOPE01 does not exist."),
        ("/api/mapped-metrics/nope", 400, "'nope' is not a valid choice for 'id'."),
        ("/api/coupons/with-hyphen", 400, "'with-hyphen' is not a valid coupon id."),
        ("/api/coupons/nope", 404, "A coupon with the given identifier 'nope' does not exist."),
        ("/api/coupon-codes/SUMMER_10-nope/coupon", 404, "A coupon code with given identifier 'SUMMER_10-nope' does not exist."),
        ("/api/campaigns/NOPE01", 404, "A campaign with id 'NOPE01' does not exist."),
        ("/api/campaign-messages/NOPE01", 404, "A message with id 'NOPE01' does not exist."),
        ("/api/campaign-recipient-estimations/NOPE01", 404, "A campaign with id 'NOPE01' does not exist."),
        ("/api/campaign-send-jobs/NOPE01", 404, "A campaign with id 'NOPE01' does not exist."),
        ("/api/templates/NOPE01", 404, "Template with id 'NOPE01' does not exist"),
        ("/api/catalog-items/$custom:::$default:::nope", 404, "An item with id $custom:::$default:::nope does not exist."),
        ("/api/catalog-categories/nope", 404, "No category with the ID `nope` exists."),
        ("/api/catalog-item-bulk-create-jobs/nope", 404, "A catalog-item bulk create job with id nope does not exist."),
        ("/api/catalog-category-bulk-delete-jobs/nope", 404, "A catalog-category bulk delete job with id nope does not exist."),
        ("/api/coupon-code-bulk-create-jobs/nope", 404, "A coupon code bulk create job with the id 'nope' does not exist."),
        ("/api/profile-suppression-bulk-create-jobs/nope", 404, "A bulk profile suppression job with the id 'nope' does not exist."),
        ("/api/profile-bulk-import-jobs/nope", 404, "Invalid job id"),
        ("/api/push-tokens/nope", 404, "Record with token ID: nope cannot be found."),
        ("/api/tag-groups/nope", 404, "A tag group with id nope does not exist."),
        ("/api/images/1", 404, "Not found."),
        ("/api/web-feeds/0", 404, "A web feed with id `0` does not exist."),
        ("/api/tracking-settings/nope", 404, "Tracking settings for id `nope` do not exist."),
        ("/api/data-sources/nope", 404, "Data source with ID nope not found."),
        ("/api/object-types/nope", 404, "object-type with id `nope` does not exist."),
    ],
)
def test_ids_that_do_not_exist_or_cannot_be(ask: Ask, path: str, status: int, detail: str) -> None:
    answer = ask(path)
    assert (answer.status, answer.errors[0]["detail"]) == (status, detail)


def test_an_estimation_that_was_not_computed_is_not_found(ask: Ask, account: Account) -> None:
    campaign = next(identifier for identifier in account.campaigns if identifier not in account.recipient_estimations)
    answer = ask(f"/api/campaign-recipient-estimations/{campaign}")
    assert (answer.status, answer.errors[0]["code"]) == (404, "not_found")
    computed = next(iter(account.recipient_estimations))
    assert ask(f"/api/campaign-recipient-estimations/{computed}").document["data"]["id"] == computed


def test_webhooks_are_not_for_private_keys(account: Account) -> None:
    for path in ("/api/webhooks", "/api/webhook-topics", f"/api/webhooks/{next(iter(account.webhooks))}", "/api/webhook-topics/nope"):
        refused = asker(Sandbox(account, limits=False))(path)
        assert (refused.status, refused.errors[0]["code"]) == (403, "permission_denied")
        assert "Advanced KDP" in refused.errors[0]["detail"]
    entitled = asker(Sandbox(account, limits=False, entitlements=("webhooks",)))
    webhooks = entitled("/api/webhooks?include=webhook-topics").document
    assert {webhook["id"] for webhook in webhooks["data"]} == set(account.webhooks)
    assert all(webhook["attributes"]["endpoint_url"].endswith("/*****") for webhook in webhooks["data"])
    assert "links" not in webhooks["data"][0]["relationships"]["webhook-topics"]


@pytest.mark.parametrize(("path", "detail"), [("/api/push-tokens", "push tokens"), ("/api/object-types", "Entitlement to create object type")])
def test_creating_needs_an_entitlement_of_the_account(account: Account, path: str, detail: str) -> None:
    refused = asker(Sandbox(account, limits=False, entitlements=()))(path, {})
    assert (refused.status, refused.errors[0]["code"]) == (403, "forbidden")
    assert detail in refused.errors[0]["detail"]
    assert asker(Sandbox(account, limits=False))(path, {}).status != 403


def _relationships(ask: Ask, target: str) -> dict[str, Any]:
    found: dict[str, Any] = ask(target).document["data"][0]["relationships"]
    return found


def test_ids_of_relationships_are_there_when_klaviyo_gives_them(ask: Ask, account: Account) -> None:
    campaigns = _filtered("/api/campaigns", 'equals(messages.channel,"email")')
    assert "data" in _relationships(ask, campaigns)["campaign-messages"]
    assert "data" not in _relationships(ask, campaigns)["tags"]
    assert "data" in _relationships(ask, f"{campaigns}&include=tags")["tags"]
    assert "data" not in _relationships(ask, "/api/tags")["tag-group"]
    assert "data" in _relationships(ask, "/api/forms")["form-versions"]
    assert set(_relationships(ask, "/api/catalog-items")) == {"variants"}
    assert "data" not in _relationships(ask, "/api/catalog-variants")["item"]
    assert set(_relationships(ask, "/api/catalog-item-bulk-create-jobs")["items"]) == {"data"}
    imports = _relationships(ask, "/api/profile-bulk-import-jobs")
    assert (set(imports["lists"]), set(imports["profiles"])) == ({"data", "links"}, {"links"})
    assert set(imports["import-errors"]["links"]) == {"related"}
    by_slot = {slot["id"]: slot for slot in ask("/api/mapped-metrics").document["data"]}
    assert "relationships" not in by_slot["added_to_cart"]
    assert set(by_slot["revenue"]["relationships"]) == {"custom-metric"}
    assert "relationships" not in ask("/api/coupons").document["data"][0]
    assert "relationships" not in ask(f"/api/forms/{next(iter(account.forms))}").document["data"]


def test_nothing_at_the_other_end(ask: Ask, account: Account) -> None:
    message = next(identifier for identifier, found in account.campaign_messages.items() if found["image_id"] is None)
    for place in ("image", "relationships/image"):
        answer = ask(f"/api/campaign-messages/{message}/{place}")
        assert (answer.status, answer.document) == (200, {"data": None})


def test_action_types_are_filtered_in_capitals(scan: Scan, account: Account) -> None:
    actions_of = account.pointing("flow_actions", "flow_id")
    flow = max(actions_of, key=lambda identifier: len(actions_of[identifier]))  # it has an action of every type
    actions = f"/api/flows/{flow}/flow-actions"
    (found,) = scan(_filtered(actions, 'equals(action_type,"SEND_SMS")'))
    assert account.flow_actions[found]["attributes"]["definition"]["type"] == "send-sms"
    assert scan(_filtered(actions, 'equals(action_type,"send-sms")')) == []
    assert len(scan(_filtered(actions, 'any(action_type,["SEND_EMAIL","CODE"])'))) == 2


def test_definitions_come_when_they_are_asked_for(ask: Ask, account: Account) -> None:
    flow_id = next(iter(account.flows))
    assert "definition" not in ask(f"/api/flows/{flow_id}").document["data"]["attributes"]
    whole = ask(f"/api/flows/{flow_id}?additional-fields[flow]=definition").document["data"]["attributes"]["definition"]
    assert [action["id"] for action in whole["actions"]] == account.pointing("flow_actions", "flow_id")[flow_id]
    assert ask("/api/flows?additional-fields[flow]=definition").status == 400
    assert "definition" not in ask("/api/templates").document["data"][0]["attributes"]
    assert "definition" in ask("/api/templates?additional-fields[template]=definition").document["data"][0]["attributes"]
    assert "definition" not in ask("/api/forms").document["data"][0]["attributes"]
    assert "definition" in ask(f"/api/forms/{next(iter(account.forms))}").document["data"]["attributes"]


def test_codes_are_found_by_coupon_and_by_profile(scan: Scan, account: Account) -> None:
    by_coupon = scan(_filtered("/api/coupon-codes", 'any(coupon.id,["SUMMER_10","Welcome","NO_CODES_YET"])'))
    assert set(by_coupon) == {identifier for identifier, code in account.coupon_codes.items() if code["coupon_id"] in ("SUMMER_10", "Welcome")}
    profile = next(code["profile_id"] for code in account.coupon_codes.values() if code["profile_id"] is not None)
    by_profile = scan(_filtered("/api/coupon-codes", f'equals(profile.id,"{profile}")'))
    assert set(by_profile) == {identifier for identifier, code in account.coupon_codes.items() if code["profile_id"] == profile}
    assert len(by_profile) > 1


def test_members_are_found_by_push_token(scan: Scan, account: Account) -> None:
    list_id = max(account.list_members, key=lambda identifier: len(account.list_members[identifier]))
    token = next(token for token in account.push_tokens.values() if token["profile_id"] in account.list_members[list_id])
    asked = _filtered(f"/api/lists/{list_id}/profiles", f'equals(push_token,"{token["attributes"]["token"]}")')
    assert scan(asked) == [token["profile_id"]]


def test_reviews_of_every_status(scan: Scan, account: Account) -> None:
    pending = scan(_filtered("/api/reviews", 'equals(status,"pending")'))
    assert 0 < len(pending) < len(account.reviews)
    assert set(scan(_filtered("/api/reviews", 'equals(status,"all")'))) == set(account.reviews) == set(scan("/api/reviews"))


def test_categories_are_sorted_by_what_they_do_not_show(scan: Scan, ask: Ask, account: Account) -> None:
    in_order = [category["id"] for category in sorted(account.catalog_categories.values(), key=lambda category: str(category["created"]))]
    assert scan("/api/catalog-categories?sort=created") == in_order
    assert "created" not in ask("/api/catalog-categories").document["data"][0]["attributes"]


def test_a_bound_in_the_future_is_one_of_the_clock(account: Account) -> None:
    clock = SimulatedClock(NOW)
    ask = asker(Sandbox(account, clock=clock, limits=False))
    target = _filtered("/api/flows", f"less-or-equal(updated,{NOW:%Y-%m-%dT%H:%M:%S}Z)")
    assert ask(target).status == 200
    assert ask(target.replace(quote(f"{NOW:%H:%M:%S}"), quote("13:00:01"))).status == 400


def test_every_catalog_link_is_read_from_both_sides(ask: Ask, account: Account) -> None:
    links = {(item, category) for item, categories in account.item_categories.items() for category in categories}
    found = set()
    for category in account.catalog_categories:
        for page in walk(ask, f"/api/catalog-categories/{quote(category, safe='')}/relationships/items"):
            found |= {(item, category) for item in page.ids}
    assert found == links
    for item in list(account.catalog_items)[:20]:
        categories = [identifier for page in walk(ask, f"/api/catalog-items/{quote(item, safe='')}/categories") for identifier in page.ids]
        assert {(item, category) for category in categories} == {link for link in links if link[0] == item}
