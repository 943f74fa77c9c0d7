"""Bulk jobs of every kind, what they worked on, and what went wrong."""

from __future__ import annotations

from klaviyo_sql.model.table import Collection, Column, Example, Filter, Linked, Parent, ParentId, Related, Table
from klaviyo_sql.tables.columns import integer, json, linked, own_id, precise_time, text, time
from klaviyo_sql.tables.profiles import PROFILE_ATTRIBUTES

_STATUS = "How far the job is: queued, processing, complete or cancelled."


def _progress(*more: Column, sort: str | None = None) -> tuple[Column, ...]:
    """What all jobs have."""
    return (
        own_id("The job's id.", filter=None),
        text("status", _STATUS, filter="status"),
        precise_time("created_at", "When the job was made.", sort=sort),
        integer("total_count", "How many there are to do."),
        integer("completed_count", "How many are done."),
        *more,
        precise_time("completed_at", "When the job was done."),
    )


def _examples(name: str, counted: str) -> tuple[Example, ...]:
    return (
        Example("How did the last jobs go?", f"SELECT created_at, status, total_count, {counted} FROM {name} ORDER BY created_at DESC LIMIT 10"),
        Example("Which are done?", f"SELECT id, completed_at FROM {name} WHERE status = 'complete'"),
        Example("How many of each status?", f"SELECT status, count(*) AS jobs, sum(total_count) AS things FROM {name} GROUP BY status"),
    )


def _jobs(kind: str, list_: str, get: str, what: str) -> Table:
    """Jobs that keep their errors."""
    name = f"{kind.replace('-', '_')}s"
    return Table(
        name=name,
        doc=f"The bulk jobs that {what}, one row each.",
        source=Collection(resource=kind, list=list_, get=get, most_gets=1),
        key=("id",),
        typical_rows=50,
        columns=_progress(
            integer("failed_count", "How many failed."),
            json("errors", "What went wrong, a JSON array of {id, code, title, detail, source}."),
            precise_time("expires_at", "When Klaviyo forgets the job."),
        ),
        notes=(f"The errors of a job are rows of json_each(errors): SELECT error.value ->> '$.detail' FROM {name}, json_each(errors) AS error.",),
        examples=_examples(name, "failed_count"),
    )


def _things(kind: str, get: str, relation: str, resource: str, thing: str, doc: str) -> Table:
    """What a job worked on, which only the job itself tells."""
    jobs = f"{kind.replace('-', '_')}s"
    name, key = f"{kind.replace('-', '_')}_{relation.replace('-', '_')}", f"{thing}_id"
    return Table(
        name=name,
        doc=doc,
        source=Collection(resource=kind, list=get, parent=Parent(jobs, "job_id"), one=True, each=(Linked(relation, resource),)),
        key=("job_id", key),
        typical_rows=2_000,
        columns=(
            linked("job_id", ParentId(), "The job's id; without it every job is asked, one request each.", not_null=True),
            linked(key, Related(relation, resource), f"The id of the {thing}.", not_null=True),
            text("job_status", _STATUS, "status"),
        ),
        notes=("One request for each job.",),
        examples=(
            Example("How many had each job?", f"SELECT job_id, count(*) AS {thing}s FROM {name} GROUP BY job_id"),
            Example("Which were in one job?", f"SELECT {key} FROM {name} WHERE job_id = (SELECT job_id FROM {name} LIMIT 1) LIMIT 10"),
            Example("Which were in several?", f"SELECT {key}, count(*) AS jobs FROM {name} GROUP BY {key} ORDER BY jobs DESC LIMIT 5"),
        ),
    )


def _catalog(thing: str, things: str, operations: str) -> tuple[Table, ...]:
    """The three kinds of jobs about one kind of thing; those that delete do not tell what they deleted."""
    tables = []
    for verb, does in (("create", "create"), ("update", "change"), ("delete", "delete")):
        kind, get = f"catalog-{thing}-bulk-{verb}-job", f"get_bulk_{verb}_{operations}_job"
        tables.append(_jobs(kind, f"{get}s", get, f"{does} catalog {things}"))
        if verb != "delete":
            tables.append(
                _things(kind, get, things, f"catalog-{thing}", thing, f"The catalog {things} that bulk jobs {does}, one row for each job and {thing}.")
            )
    return tuple(tables)


_CODES = "coupon-code-bulk-create-job"


def _suppressions(verb: str, list_: str, get: str, what: str) -> Table:
    name = f"profile_suppression_bulk_{verb}_jobs"
    return Table(
        name=name,
        doc=f"The bulk jobs that {what}, one row each.",
        source=Collection(resource=f"profile-suppression-bulk-{verb}-job", list=list_, get=get, most_gets=1, default_sort="created"),
        key=("id",),
        typical_rows=50,
        columns=(
            *_progress(integer("skipped_count", "How many were left as they were."), sort="created"),
            linked("list_id", Related("lists", "list", inlined=True), "The id of the list whose members it is about, or NULL.", Filter("list_id")),
            linked(
                "segment_id", Related("segments", "segment", inlined=True), "The id of the segment whose members it is about, or NULL.", Filter("segment_id")
            ),
        ),
        examples=_examples(name, "skipped_count"),
    )


PROFILE_BULK_IMPORT_JOBS = Table(
    name="profile_bulk_import_jobs",
    doc="The bulk jobs that import profiles, one row each.",
    source=Collection(
        resource="profile-bulk-import-job",
        list="get_bulk_import_profiles_jobs",
        get="get_bulk_import_profiles_job",
        most_gets=1,
        default_sort="created_at",
    ),
    key=("id",),
    typical_rows=50,
    columns=(
        own_id("The job's id.", filter=None),
        text("status", _STATUS, filter="status"),
        precise_time("created_at", "When the job was made.", sort="created_at", not_null=True),
        integer("total_count", "How many profiles there are to import."),
        integer("completed_count", "How many are imported."),
        integer("failed_count", "How many failed."),
        precise_time("started_at", "When the job began."),
        precise_time("completed_at", "When the job was done."),
        precise_time("expires_at", "When Klaviyo forgets the job."),
    ),
    examples=_examples("profile_bulk_import_jobs", "failed_count"),
)

_IMPORTS = Parent("profile_bulk_import_jobs", "job_id")
_JOB_ID = linked("job_id", ParentId(), "The job's id; without it every job is asked, one request each.", not_null=True)

IMPORT_JOB_PROFILES = Table(
    name="import_job_profiles",
    doc="The profiles that bulk jobs imported, with the profiles' own columns.",
    source=Collection(resource="profile", list="get_profiles_for_bulk_import_profiles_job", parent=_IMPORTS),
    key=("job_id", "profile_id"),
    typical_rows=20_000,
    columns=(
        _JOB_ID,
        own_id("The profile's id.", name="profile_id", filter=None),
        *(Column(column.name, column.place, column.type, column.doc) for column in PROFILE_ATTRIBUTES),
    ),
    notes=("A hundred profiles in a request.",),
    examples=(
        Example("Whom did the jobs import?", "SELECT job_id, email FROM import_job_profiles LIMIT 10"),
        Example("How many each?", "SELECT job_id, count(*) AS profiles FROM import_job_profiles GROUP BY job_id"),
        Example(
            "Who was in one job?", "SELECT profile_id, email, created FROM import_job_profiles WHERE job_id = (SELECT job_id FROM import_job_profiles LIMIT 1)"
        ),
    ),
)

IMPORT_JOB_LISTS = Table(
    name="import_job_lists",
    doc="The lists that bulk jobs imported profiles into, one row for each pair.",
    source=Collection(resource="list", list="get_list_for_bulk_import_profiles_job", parent=_IMPORTS),
    key=("job_id", "list_id"),
    typical_rows=50,
    columns=(
        _JOB_ID,
        own_id("The list's id.", name="list_id", filter=None),
        text("name", "The list's name."),
        text("opt_in_process", "How profiles come into the list: single_opt_in or double_opt_in."),
        time("created", "When the list was made."),
        time("updated", "When the list last changed."),
    ),
    examples=(
        Example("Which lists were imported into?", "SELECT name, count(*) AS jobs FROM import_job_lists GROUP BY list_id"),
        Example("By which jobs?", "SELECT job_id, name FROM import_job_lists"),
        Example(
            "How many profiles for each list?",
            "SELECT name, sum(total_count) AS profiles FROM import_job_lists\nJOIN profile_bulk_import_jobs AS jobs ON jobs.id = job_id GROUP BY list_id",
        ),
    ),
)

IMPORT_JOB_ERRORS = Table(
    name="import_job_errors",
    doc="What went wrong when profiles were imported, one row for each error.",
    source=Collection(resource="import-error", list="get_errors_for_bulk_import_profiles_job", parent=_IMPORTS),
    key=("job_id", "id"),
    typical_rows=200,
    columns=(
        _JOB_ID,
        own_id("The error's id.", filter=None),
        text("code", "What kind of error it is, for programs."),
        text("title", "What kind of error it is."),
        text("detail", "What exactly is wrong."),
        text("source_pointer", "Where in the imported data it is.", "source", "pointer"),
        json("original_payload", "The profile as it was sent, as JSON."),
    ),
    notes=("One request for each job.",),
    examples=(
        Example("What goes wrong?", "SELECT code, count(*) AS errors FROM import_job_errors GROUP BY code ORDER BY errors DESC"),
        Example("What was wrong with which profile?", "SELECT detail, original_payload FROM import_job_errors LIMIT 10"),
        Example("What went wrong in one job?", "SELECT title, detail FROM import_job_errors WHERE job_id = (SELECT job_id FROM import_job_errors LIMIT 1)"),
    ),
)

JOB_TABLES = (
    *_catalog("item", "items", "catalog_items"),
    *_catalog("variant", "variants", "variants"),
    *_catalog("category", "categories", "categories"),
    _jobs(_CODES, "get_bulk_create_coupon_code_jobs", "get_bulk_create_coupon_codes_job", "create coupon codes"),
    _things(
        _CODES,
        "get_bulk_create_coupon_codes_job",
        "coupon-codes",
        "coupon-code",
        "coupon_code",
        "The coupon codes that bulk jobs create, one row for each job and code.",
    ),
    _suppressions("create", "get_bulk_suppress_profiles_jobs", "get_bulk_suppress_profiles_job", "suppress profiles"),
    _suppressions("delete", "get_bulk_unsuppress_profiles_jobs", "get_bulk_unsuppress_profiles_job", "end the suppression of profiles"),
    PROFILE_BULK_IMPORT_JOBS,
    IMPORT_JOB_PROFILES,
    IMPORT_JOB_LISTS,
    IMPORT_JOB_ERRORS,
)
