"""The procedures, as data: what Klaviyo does that is no row of a table.

Sources: the contract's operations and bodies; how many rows one request takes is told by the descriptions of the bulk operations.
"""

from __future__ import annotations

import difflib

from klaviyo_sql.model.procedure import Procedure, plain
from klaviyo_sql.procedures import campaigns, catalogs, consent, conversations, coupons, events, jobs, lists, objects, people, tags, templates

SUBJECTS: dict[str, tuple[Procedure, ...]] = {
    "people": people.PROCEDURES,
    "consent": consent.PROCEDURES,
    "lists": lists.PROCEDURES,
    "events": events.PROCEDURES,
    "campaigns": campaigns.PROCEDURES,
    "templates": templates.PROCEDURES,
    "catalogs": catalogs.PROCEDURES,
    "coupons": coupons.PROCEDURES,
    "objects": objects.PROCEDURES,
    "tags": tags.PROCEDURES,
    "conversations": conversations.PROCEDURES,
    "jobs": jobs.PROCEDURES,
}
"""The procedures by subject."""

PROCEDURES: dict[str, Procedure] = {procedure.name: procedure for found in SUBJECTS.values() for procedure in found}
"""Every procedure by its own name."""

_BY_NAME = {plain(name): procedure for procedure in PROCEDURES.values() for name in procedure.names}


def find(name: str) -> Procedure | None:
    """The procedure of that name, in whatever case it is written, with underscores or without; None when there is none."""
    return _BY_NAME.get(plain(name))


def nearest(name: str) -> str | None:
    """The procedure whose name is most like the one that there is not."""
    found = difflib.get_close_matches(plain(name), _BY_NAME, n=1, cutoff=0.6)
    return _BY_NAME[found[0]].name if found else None
