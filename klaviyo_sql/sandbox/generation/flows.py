"""The actions and messages of flows, and flows beyond the three that events speak of."""

from __future__ import annotations

from random import Random
from typing import Any

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.generation.content import add_template
from klaviyo_sql.sandbox.generation.identifiers import ShortIds
from klaviyo_sql.sandbox.generation.moments import seconds_text
from klaviyo_sql.sandbox.generation.tags import carried_tags
from klaviyo_sql.sandbox.generation.words import LONG_NAME, NASTY_TEXTS, SUBJECTS

_DAY = 86_400
_MORE_FLOWS = 55
"""More than one page of fifty, with the three that were there before."""

_TRIGGERS = ("Added to List", "Metric", "Unconfigured", "Date Based", "Price Drop", "Low Inventory")
_STATUSES = ("live", "draft", "manual")
_NAMES = (*NASTY_TEXTS, LONG_NAME, "Welcome, new friend!", "welcome, new friend!", "")
CHANNELS = {
    "send-email": "Email",
    "send-sms": "SMS",
    "send-mobile-push": "Push",
    "send-internal-alert": "Internal Alert",
    "send-webhook": "Webhook",
    "send-whatsapp": "WhatsApp",
}
"""What the message of an action says that it is sent through."""

_EVERY_TYPE = (
    "time-delay",
    "send-email",
    "trigger-split",
    "send-sms",
    "conditional-split",
    "send-mobile-push",
    "update-profile",
    "send-webhook",
    "ab-test",
    "send-internal-alert",
    "send-whatsapp",
    "action-output-split",
    "back-in-stock-delay",
    "content-experiment",
    "target-date",
    "countdown-delay",
    "internal-service",
    "code",
    "multi-branch-split",
    "list-update",
)
"""All actions that a flow can have; one flow has them all."""

_NO_CONDITIONS: dict[str, Any] = {"condition_groups": []}


def make_flow_actions(random: Random, account: Account, start: int, end: int) -> None:
    """Actions and messages for the flows that are there, then more flows with theirs: archived ones, one without actions, one with all."""
    maker = _Maker(random, account)
    for position, flow in enumerate(account.flows.values()):
        maker.fill(flow, ("time-delay", "send-email", "conditional-split", "send-email", "send-sms")[: 2 + 2 * position], position)
    groups = {"Added to List": [*account.lists, *account.segments], "Metric": list(account.metrics)}
    for number in range(_MORE_FLOWS):
        identifier = maker.ids.next()
        created = start + int((end - start - 30 * _DAY) * random.random())
        trigger = _TRIGGERS[number % len(_TRIGGERS)]
        account.flows[identifier] = {
            "type": "flow",
            "id": identifier,
            "attributes": {
                "name": _NAMES[number // 2 % len(_NAMES)] if number % 2 else f"Flow {number}",
                "status": _STATUSES[number % len(_STATUSES)],
                "archived": number % 8 == 7,
                "created": seconds_text(created),
                "updated": seconds_text(created + random.randrange(30 * _DAY)),
                "trigger_type": trigger,
            },
        }
        if trigger in groups:
            account.flow_triggers.setdefault(random.choice(groups[trigger]), []).append(identifier)
        types = _EVERY_TYPE if number == 4 else () if number == 9 else tuple(random.choice(_EVERY_TYPE) for _ in range(1 + number % 6))
        maker.fill(account.flows[identifier], types, number + 3)
    for position, flow_id in enumerate(account.flows):
        account.flow_tags[flow_id] = carried_tags(random, account, position)


class _Maker:
    """Makes the actions of one flow after the other, each pointing at the next."""

    def __init__(self, random: Random, account: Account) -> None:
        self._random = random
        self._account = account
        self._number = 116_000_000 + random.randrange(100_000)
        self.ids = ShortIds(random)

    def fill(self, flow: Resource, types: tuple[str, ...], position: int) -> None:
        identifiers = [self._next() for _ in types]
        for place, (identifier, kind) in enumerate(zip(identifiers, types, strict=True)):
            following = identifiers[place + 1] if place + 1 < len(identifiers) else None
            status = flow["attributes"]["status"] if position % 4 else "draft"
            definition: dict[str, Any] = {"id": identifier, "type": kind}
            data = self._data(kind, status, flow, identifier, position + place)
            if data is not None:
                definition["data"] = data
            split = kind in ("trigger-split", "conditional-split", "action-output-split")
            definition["links"] = {"next_if_true": following, "next_if_false": None} if split else {"next": following}
            self._account.flow_actions[identifier] = {
                "type": "flow-action",
                "id": identifier,
                "attributes": {"created": flow["attributes"]["created"], "updated": flow["attributes"]["updated"], "definition": definition},
                "flow_id": flow["id"],
            }

    def _next(self) -> str:
        self._number += self._random.randrange(1, 30)
        return str(self._number)

    def _data(self, kind: str, status: str, flow: Resource, action_id: str, number: int) -> dict[str, Any] | None:
        if kind in CHANNELS:
            return {"message": self._message(kind, flow, action_id, number), "status": status}
        if kind == "ab-test":
            return self._test(kind, "send-email", status, flow, action_id, number) | {"experiment_status": "live"}
        if kind == "content-experiment":
            return self._test(kind, "send-mobile-push", status, flow, action_id, number)
        others: dict[str, dict[str, Any] | None] = {
            "time-delay": {"unit": ("days", "hours", "minutes")[number % 3], "value": number % 5, "secondary_value": None, "timezone": "profile"},
            "trigger-split": {"trigger_filter": None, "trigger_id": next(iter(self._account.metrics)), "trigger_type": "metric"},
            "conditional-split": {"profile_filter": None if number % 2 else _NO_CONDITIONS},
            "action-output-split": {"action_output_filter": None},
            "update-profile": {
                "profile_operations": [{"operator": "create", "property_type": "string", "property_key": 'it\'s "new"', "property_value": ""}],
                "status": status,
            },
            "target-date": {"timezone": "America/New_York", "target_time": "10:00:00", "target_days": ["monday"]},
            "countdown-delay": {"unit": "weeks", "value": 1, "timezone": "America/New_York"},
            "internal-service": {"service_configuration": None, "status": status},
            "multi-branch-split": {"name": "Which way?", "branches": [{"branch_id": "a", "order": 1, "is_else": True}]},
            "list-update": {"name": "Add to list", "on_execution": True, "list_id": next(iter(self._account.lists)), "status": status},
        }
        return others.get(kind)

    def _test(self, kind: str, sends: str, status: str, flow: Resource, action_id: str, number: int) -> dict[str, Any]:
        """An action with a main message and two variations, each a message of its own."""
        actions = []
        for variation in range(3):
            message = self._message(sends, flow, action_id, number + variation)
            actions.append({"id": self._next(), "type": sends, "data": {"message": message, "status": status}, "links": {"next": None}})
        experiment = {"id": self._next(), "name": f"{kind} 1", "variations": actions[1:], "allocations": None, "started": None, "winner_metric": None}
        return {"status": status, "main_action": actions[0], "current_experiment": experiment}

    def _message(self, kind: str, flow: Resource, action_id: str, number: int) -> dict[str, Any]:
        identifier = self.ids.next()
        template_id: str | None = None
        if kind in ("send-email", "send-internal-alert"):
            created = int(self._random.random() * _DAY) + 1_700_000_000
            template_id = add_template(self._random, self._account, self.ids.next(), f"{flow['attributes']['name']} (copy)", created, number, listed=False)
        definition = self._definition(kind, identifier, template_id, number)
        self._account.flow_messages[identifier] = {
            "type": "flow-message",
            "id": identifier,
            "attributes": {
                "channel": CHANNELS[kind],
                "definition": definition,
                "created": flow["attributes"]["created"],
                "updated": flow["attributes"]["updated"],
            },
            "action_id": action_id,
            "template_id": template_id,
        }
        return definition

    def _definition(self, kind: str, identifier: str, template_id: str | None, number: int) -> dict[str, Any]:
        name = NASTY_TEXTS[number % len(NASTY_TEXTS)] if number % 5 == 4 else f"Message {number}"
        named = {"name": name, "id": identifier}
        sending = {"smart_sending_enabled": number % 2 == 0, "transactional": False, "add_tracking_params": number % 3 == 0}
        tracking = {"custom_tracking_params": [{"param": "utm_source", "value": 'a, "b"'}] if number % 3 == 0 else None, "additional_filters": None}
        if kind == "send-email":
            return {
                "from_email": "shop@example.com",
                "from_label": 'The "Example" Shop',
                "reply_to_email": None,
                "cc_email": None,
                "bcc_email": "",
                "subject_line": SUBJECTS[number % len(SUBJECTS)],
                "preview_text": None if number % 2 else "",
                "template_id": template_id,
                **sending,
                **tracking,
                **named,
            }
        if kind == "send-internal-alert":
            addresses = ["team@example.com", "boss@example.com"]
            return {"from_email": None, "from_label": "", "to_emails": addresses, "subject_line": "Somebody bought", "template_id": template_id, **named}
        if kind == "send-sms":
            options = {"shorten_links": True, "include_contact_card": False, "add_org_prefix": True, "add_info_link": False, "add_opt_out_language": True}
            return {"body": "Hi {{ first_name }}!", "image_id": None, **options, **sending, "sms_quiet_hours_enabled": True, **tracking, **named}
        if kind == "send-mobile-push":
            return {"title": None, "body": "Come back", "sound": True, "badge": False, "on_open": "home", "push_type": "standard", **named}
        if kind == "send-webhook":
            return {"url": "https://hooks.example.com/in", "headers": {"X-Key": "1"}, "body": '{"a": "{{ b }}"}', **named}
        return {**named, "vendor_id": None, **sending}
