"""What a declaration of a procedure is made of: an action of Klaviyo's that is no row of a table.

A procedure writes rows to a table that exists for it alone, whose columns are its inputs: so bodies, chunks, jobs and outcomes are those of every write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from klaviyo_sql.model.table import Column, Question, Table, Type, WriteOnly, pascal_case
from klaviyo_sql.model.writing import Writes

Rule = Callable[[dict[str, Any]], dict[str, Any]]
"""What is to be written of one row, by column, from what was given for it by input; DataError with a sentence when that makes no sense."""


@dataclass(frozen=True, slots=True)
class Input:
    """A value that a procedure is called with.

    `body` is where it goes in the body of the request, from `data` on, or in an element of it; None when it goes nowhere by itself. `names` are other names
    that it answers to; upper and lower case and underscores do not matter. `listed` says that a text with commas is several values.
    """

    name: str
    doc: str
    type: Type = Type.TEXT
    body: str | None = None
    required: bool = False
    default: Any = None
    names: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    listed: bool = False

    @property
    def column(self) -> Column:
        """The column of the procedure's table that it is written to."""
        body = tuple(self.body.split(".")) if self.body is not None else None
        return Column(self.name, WriteOnly(), self.type, self.doc, body=body)


@dataclass(frozen=True, slots=True)
class Result:
    """A column of what a call returns, by the keys that lead to it in `data` of Klaviyo's reply."""

    name: str
    doc: str
    keys: tuple[str, ...]
    type: Type = Type.TEXT


USUAL_RESULTS = (
    Result("status", "done, accepted (Klaviyo carries it out later), absent (there was nothing to take away) or dry run.", ()),
    Result("id", "The id that Klaviyo gave.", ()),
    Result("rows", "How many rows it was for: profiles, events, links …", (), Type.INTEGER),
    Result("job", "The id of the job that carried it out, if one did.", ()),
    Result("operation", "Klaviyo's name for it.", ()),
    Result("request", "What would have been sent, with dry_run.", ()),
)
"""The columns that every call returns, after the procedure's own."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a procedure is carried out: rows of `table`, of which `kind` says whether they are new, changed or deleted.

    It is taken when one of the inputs `given` is given; the last way is taken otherwise. `each` is the input that may be a JSON array: its elements are a row
    each, and one that is no object is the column `column`. `key` is the input that is the id in the request's
    path. `rule` makes columns of the inputs of one row.
    """

    table: Table
    kind: str = "INSERT"
    given: tuple[str, ...] = ()
    each: str | None = None
    column: str | None = None
    key: str | None = None
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class MembersOnly:
    """Rows of a group go only for its members, who are looked up before anything is sent.

    `group` is the column of the group's id, `table` the one that lists members, `by` are the columns that tell who somebody is, in both. `otherwise` is the
    input that says what becomes of those who are no members: they are a reason to `refuse` all, to `skip` them, or any other word to go on; `because` says why.
    """

    group: str
    table: str
    by: tuple[str, ...]
    otherwise: str
    because: str


@dataclass(frozen=True, slots=True)
class Procedure:
    """One procedure.

    `exactly_one` and `one_at_least` are inputs of which that many must be given. `confirm` is the word that confirms what cannot be taken back. `takes_away`
    says that its rows count as those of a DELETE do. `looks` are the operations that it reads by the value of its first input, for one that changes nothing.
    `tells` is the column of the result that the function of the same name returns. `others` are other names.
    """

    name: str
    doc: str
    inputs: tuple[Input, ...]
    ways: tuple[Way, ...] = ()
    results: tuple[Result, ...] = ()
    tells: str = "status"
    confirm: str | None = None
    exactly_one: tuple[str, ...] = ()
    one_at_least: tuple[str, ...] = ()
    takes_away: bool = False
    reads: bool = False
    looks: Mapping[str, str] | None = None
    members: MembersOnly | None = None
    others: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    example: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that it answers to, in whatever case."""
        return tuple(dict.fromkeys((self.name, pascal_case(self.name), *self.others)))

    @property
    def gathers(self) -> bool:
        """Whether the function of the same name is an aggregate: the rows of a SELECT go together into the fewest requests."""
        return any(way.each is not None for way in self.ways)

    @property
    def all_results(self) -> tuple[Result, ...]:
        """The columns that a call returns."""
        return (*self.results, *USUAL_RESULTS)

    @property
    def all_inputs(self) -> tuple[Input, ...]:
        """The inputs, with the one that confirms."""
        if self.confirm is None:
            return self.inputs
        return (*self.inputs, Input("confirm", f"'{self.confirm}', for this cannot be taken back.", required=True))

    def input(self, name: str) -> Input | None:
        """The input of that name, however it is written; None when there is none."""
        wanted = plain(name)
        return next((known for known in self.all_inputs if wanted in map(plain, (known.name, *known.names))), None)


def plain(name: str) -> str:
    """A name without what does not matter."""
    return name.replace("_", "").lower()


def own_table(name: str, doc: str, inputs: tuple[Input, ...], writes: Writes) -> Table:
    """The table of a procedure, whose columns are the inputs that go into a body or a path."""
    return Table(name, doc, Question(""), (), tuple(known.column for known in inputs), 1, writes=writes)
