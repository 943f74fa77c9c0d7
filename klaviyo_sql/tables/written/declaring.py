"""What a declaration of writing is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from klaviyo_sql.model.table import Column, Type, WriteOnly
from klaviyo_sql.model.writing import One, Writes


@dataclass(frozen=True, slots=True)
class Written:
    """How a table is written: where columns go in a body that are read from elsewhere ("": nowhere), and columns that are only written."""

    writes: Writes
    bodies: Mapping[str, str] = field(default_factory=dict)
    added: tuple[Column, ...] = ()


def only(name: str, body: str, doc: str, type_: Type = Type.TEXT) -> Column:
    """A column that is only written, where `body` says; SELECT * leaves it out."""
    return Column(name, WriteOnly(), type_, f"{doc.rstrip('.')}; it is written and never read.", hidden=True, body=tuple(body.split(".")))


def named(
    kind: str,
    *,
    insert: bool = True,
    update: bool | One = True,
    delete: bool = True,
    unique: tuple[str, ...] = ("name",),
    created: str | None = "created",
    **more: object,
) -> Writes:
    """The usual three: create_…, update_… and delete_…, one request a row."""
    return Writes(
        insert=One(f"create_{kind}") if insert else None,
        update=update if isinstance(update, One) else One(f"update_{kind}") if update else None,
        delete=One(f"delete_{kind}") if delete else None,
        unique=unique,
        created=created,
        **more,  # type: ignore[arg-type]
    )


def refused(insert: str, update: str | None = None, delete: str | None = None) -> Written:
    """A table that Klaviyo does not let anybody write, and what to do instead; one sentence stands for all that have none of their own."""
    return Written(Writes(refused={"INSERT": insert, "UPDATE": update or insert, "DELETE": delete or update or insert}))
