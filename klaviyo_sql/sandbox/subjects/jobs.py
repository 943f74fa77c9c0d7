"""Bulk jobs: what each did is in the job itself, and for imports in collections of its own."""

from __future__ import annotations

from typing import Literal

from klaviyo_sql.sandbox.account import Account, Resource
from klaviyo_sql.sandbox.endpoints import CollectionEndpoint, Endpoint, ResourceEndpoint
from klaviyo_sql.sandbox.filter_grammar import Clause
from klaviyo_sql.sandbox.kinds import Finder, Kind, Relation, Source, own, pointing, stored

PAGE = 10
"""How many jobs come on a page, which nobody can choose; Klaviyo's own number is not known."""

_NAMES = {"item": ("catalog_items", "items"), "variant": ("variants", "variants"), "category": ("categories", "categories")}
"""What the operations of a catalog job call what it works on, and what its relationship does."""

CATALOG_JOBS = tuple(f"catalog-{thing}-bulk-{verb}-job" for thing in _NAMES for verb in ("create", "update", "delete"))
COUPON_JOB = "coupon-code-bulk-create-job"
IMPORT_JOB = "profile-bulk-import-job"
SUPPRESSION_JOBS = ("profile-suppression-bulk-create-job", "profile-suppression-bulk-delete-job")


def _finder(kind: str) -> Finder:
    def find(account: Account, identifier: str) -> Resource | None:
        return account.jobs.get(kind, {}).get(identifier)

    return find


def _all(kind: str) -> Source:
    def source(account: Account, parent: str, clauses: tuple[Clause, ...]) -> list[Resource]:
        return list(account.jobs.get(kind, {}).values())

    return source


def _kind(kind: str, missing: str, name: str, other: str, links: Literal["both", "none"]) -> Kind:
    relation = Relation(name, other, own("related_ids"), shown="with ids", links=links)
    return Kind(kind, f"/api/{kind}s", _finder(kind), missing, relations=(relation,))


def _catalog_kind(kind: str) -> Kind:
    _, thing, _, verb, _ = kind.split("-")
    # Recorded: the ids of what a catalog job worked on come without links.
    return _kind(kind, f"A catalog-{thing} bulk {verb} job with id {{id}} does not exist.", _NAMES[thing][1], f"catalog-{thing}", "none")


def _suppression_kind(kind: str, word: str) -> Kind:
    return Kind(
        kind,
        f"/api/{kind}s",
        _finder(kind),
        f"A bulk profile {word} job with the id '{{id}}' does not exist.",
        relations=(
            Relation("lists", "list", own("list_ids"), shown="with ids when filled"),
            Relation("segments", "segment", own("segment_ids"), shown="with ids when filled"),
        ),
        # The attribute is created_at, the sort is created.
        readers={
            "created": lambda account, resource: resource["attributes"]["created_at"],
            "list_id": own("list_ids"),
            "segment_id": own("segment_ids"),
        },
    )


KINDS = {kind: _catalog_kind(kind) for kind in CATALOG_JOBS} | {
    COUPON_JOB: _kind(COUPON_JOB, "A coupon code bulk create job with the id '{id}' does not exist.", "coupon-codes", "coupon-code", "both"),
    SUPPRESSION_JOBS[0]: _suppression_kind(SUPPRESSION_JOBS[0], "suppression"),
    SUPPRESSION_JOBS[1]: _suppression_kind(SUPPRESSION_JOBS[1], "unsuppression"),
    IMPORT_JOB: Kind(
        IMPORT_JOB,
        f"/api/{IMPORT_JOB}s",
        _finder(IMPORT_JOB),
        "Invalid job id",
        relations=(
            Relation("lists", "list", own("list_ids"), shown="with ids"),
            Relation("profiles", "profile elsewhere", own("profile_ids")),
            Relation("import-errors", "import-error", pointing("import_errors", "job_id"), links="related"),
        ),
    ),
    "import-error": Kind("import-error", "/api/import-errors", stored("import_errors"), "Not found.", links=False),
}


def _pair(kind: str, several: str, one: str) -> dict[str, Endpoint]:
    return {several: CollectionEndpoint(kind, _all(kind), page_size=PAGE), one: ResourceEndpoint(kind)}


def _catalog_pair(kind: str) -> dict[str, Endpoint]:
    _, thing, _, verb, _ = kind.split("-")
    name = f"get_bulk_{verb}_{_NAMES[thing][0]}_job"
    return _pair(kind, f"{name}s", name)


ENDPOINTS: dict[str, Endpoint] = {name: endpoint for kind in CATALOG_JOBS for name, endpoint in _catalog_pair(kind).items()}
ENDPOINTS |= _pair(COUPON_JOB, "get_bulk_create_coupon_code_jobs", "get_bulk_create_coupon_codes_job")
ENDPOINTS |= _pair(IMPORT_JOB, "get_bulk_import_profiles_jobs", "get_bulk_import_profiles_job")
ENDPOINTS |= _pair(SUPPRESSION_JOBS[0], "get_bulk_suppress_profiles_jobs", "get_bulk_suppress_profiles_job")
ENDPOINTS |= _pair(SUPPRESSION_JOBS[1], "get_bulk_unsuppress_profiles_jobs", "get_bulk_unsuppress_profiles_job")
