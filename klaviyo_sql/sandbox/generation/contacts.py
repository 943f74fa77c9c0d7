"""What some profiles have beyond an address: push tokens of their devices, and conversations."""

from __future__ import annotations

from random import Random

from klaviyo_sql.sandbox.account import Account
from klaviyo_sql.sandbox.generation.identifiers import ulid
from klaviyo_sql.sandbox.generation.moments import seconds_text

_STATUSES = ("AUTHORIZED", "DENIED", "NOT_DETERMINED", "PROVISIONAL", "UNAUTHORIZED")
_CHANNELS = ("sms", "whatsapp", "instagram")


def make_push_tokens(random: Random, account: Account, start: int, end: int) -> None:
    """One to three devices for every eighth profile."""
    for number, profile_id in enumerate(list(account.profiles)[::8]):
        for device in range(1 + number % 3):
            identifier = f"{random.getrandbits(128):032x}"
            created = start + int((end - start) * random.random())
            ios = (number + device) % 2 == 0
            metadata = {
                "device_id": f"device-{number}-{device}",
                "klaviyo_sdk": "swift" if ios else "android",
                "sdk_version": "4.2.0",
                "device_model": "iPhone17,1" if ios else 'Pixel "9"',
                "os_name": "ios" if ios else "android",
                "os_version": None,
                "manufacturer": "Apple" if ios else "",
                "app_name": "Shop & Co",
                "app_version": "1.0",
                "app_build": "7",
                "app_id": "com.example.shop",
                "environment": "debug" if number % 9 == 0 else "release",
            }
            account.push_tokens[identifier] = {
                "type": "push-token",
                "id": identifier,
                "attributes": {
                    "created": seconds_text(created),
                    "token": f"{random.getrandbits(256):064x}",
                    "enablement_status": _STATUSES[(number + device) % len(_STATUSES)],
                    "platform": "ios" if ios else "android",
                    "vendor": "apns" if ios else "fcm",
                    "background": "AVAILABLE" if number % 3 else "DENIED",
                    "recorded_date": seconds_text(created + 5),
                    "metadata": metadata if number % 5 else {},
                },
                "profile_id": profile_id,
            }


def make_conversations(random: Random, account: Account, start: int, end: int) -> None:
    """A conversation for every tenth profile, and for some of them on more than one channel; the first profile has one."""
    for number, profile_id in enumerate(list(account.profiles)[::10]):
        for position in range(1 + (number % 4 == 0)):
            identifier = ulid(random, 1000 * (start + int((end - start) * random.random())))
            channel = _CHANNELS[(number + position) % len(_CHANNELS)]
            account.conversations[identifier] = {"type": "conversation", "id": identifier, "attributes": {"channel": channel}, "profile_id": profile_id}
