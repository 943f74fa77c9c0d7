"""Sign-up forms, some of them with several versions that are tested against each other."""

from __future__ import annotations

from random import Random

from klaviyo_sql.sandbox.account import Account
from klaviyo_sql.sandbox.generation.identifiers import ShortIds
from klaviyo_sql.sandbox.generation.moments import seconds_text
from klaviyo_sql.sandbox.generation.words import LONG_NAME, NASTY_TEXTS

_DAY = 86_400
_NAMES = ("Footer sign-up", "footer sign-up", 'Pop-up "10% off"', "Footer sign-up", LONG_NAME, "", *NASTY_TEXTS)
_TYPES = {"popup": "popup", "embed": "embed", "full_page": "full_screen", "flyout": "flyout", "banner": "banner"}
"""What versions call their type, and what definitions call it."""


def make_forms(random: Random, account: Account, start: int, end: int) -> None:
    """Forms for more than one page of twenty; all versions of a form were made in the same second."""
    ids = ShortIds(random)
    version = 28_000_000 + random.randrange(100_000)
    for number, name in enumerate(_NAMES):
        identifier = ids.next()
        created = start + int((end - start - 10 * _DAY) * random.random())
        form_type = list(_TYPES)[number % len(_TYPES)]
        status = "live" if number % 3 else "draft"
        times = {"created_at": seconds_text(created), "updated_at": seconds_text(created + random.randrange(10 * _DAY))}
        tested = number % 4 == 2
        versions = []
        for variation in range(2 + number % 2 if tested else 1):
            version += random.randrange(1, 20)
            variation_name = f"V{variation + 1}"
            account.form_versions[str(version)] = {
                "type": "form-version",
                "id": str(version),
                "attributes": {
                    "form_type": form_type,
                    "variation_name": variation_name,
                    "ab_test": {"variation_name": f"Test of {name}"} if tested else None,
                    "status": status if variation == 0 else "draft",
                    **times,
                },
                "form_id": identifier,
            }
            triggers = [{"id": str(version + 1), "type": "delay", "properties": {"seconds": 5 * number}}]
            steps = [{"id": str(version + 2), "name": "Opt in", "columns": []}]
            versions.append({"id": version, "name": variation_name, "type": _TYPES[form_type], "status": status, "steps": steps, "triggers": triggers})
        account.forms[identifier] = {
            "type": "form",
            "id": identifier,
            "attributes": {"name": name, "status": status, "ab_test": tested, **times, "definition": {"versions": versions}},
        }
