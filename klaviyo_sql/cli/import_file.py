"""klaviyo-sql import: the rows of a file into a table, after a look at all of them."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, nullcontext
from itertools import islice

from klaviyo_sql.cli import exits
from klaviyo_sql.cli.display import visible
from klaviyo_sql.cli.exits import UsageError
from klaviyo_sql.cli.files import opened
from klaviyo_sql.cli.files.record import File, Record
from klaviyo_sql.cli.formats.text_table import text_table
from klaviyo_sql.cli.importing import Checked, Importer
from klaviyo_sql.cli.mapping import Mapping, Mode
from klaviyo_sql.cli.opening import connected, told
from klaviyo_sql.cli.progress import Progress, counted
from klaviyo_sql.cli.tables import named
from klaviyo_sql.cli.terminal import look
from klaviyo_sql.cli.written import Writing, as_text
from klaviyo_sql.model.table import Table
from klaviyo_sql.settings import ON_ERROR, gathered
from klaviyo_sql.vocabularies import VOCABULARIES
from klaviyo_sql.write.changes import Status

_PREVIEW = 3
"""Rows that are shown before anything else."""
_SHOWN = 20
"""Rows that cannot be written, of which the reason is shown."""
_REASONS = 5
_TOLD = {
    Status.DONE: "written",
    Status.ACCEPTED: "accepted, which Klaviyo carries out later",
    Status.ABSENT: "not there to be deleted",
    Status.FAILED: "failed",
    Status.UNKNOWN: "sent, and nobody knows whether they were written: look before you send them again",
    Status.NOT_SENT: "not sent",
}


def run(arguments: Namespace) -> int:
    """Show what goes where, look at every row, and with --write send them."""
    file = opened(arguments.file, arguments.format, arguments.delimiter)
    if arguments.rejects is not None and arguments.rejects.exists() and arguments.rejects.samefile(arguments.file):
        raise UsageError("--rejects names the file that is imported: name another.")
    with told():
        settings = gathered(config=arguments.config, dry_run=arguments.dry_run or None)
    shows_requests = settings.dry_run
    write = not shows_requests and (arguments.write or settings.write)
    arguments.dry_run = not write  # without --write nothing is sent, and a look at the rows needs no leave
    mode = Mode(arguments.mode)
    with connected(arguments) as connection:
        schemas = {"main": list(connection.tables())} | {name: list(connection.tables(name)) for name in connection.schemas}
        schemas |= {name: list(connection.tables(name)) for name in VOCABULARIES} if "." in arguments.into else {}
        table = named(arguments.into, schemas)
        if not isinstance(table, Table):
            raise UsageError(f"{table.name} tells of the driver and cannot be written to.")
        mapping = Mapping(table, mode, file.columns, arguments.map, properties=arguments.properties)
        sys.stdout.writelines(_preview(file, table, mode, mapping, arguments))
        sys.stdout.flush()
        go_on = arguments.on_error == ON_ERROR[1]
        importer = Importer(connection, table, mode, mapping)
        with Progress(connection.requests, sys.stderr) as progress, ExitStack() as stack:
            progress.note = lambda: f"{counted(importer.seen, 'row')} checked"
            rejects = stack.enter_context(file.rejects(arguments.rejects)) if arguments.rejects is not None and not (write and go_on) else None
            checked = importer.check(_records(file, arguments), _SHOWN, rejects)
        sys.stdout.writelines(_report(checked))
        if not write:
            if shows_requests:
                with Progress(connection.requests, sys.stderr) as progress:
                    for piece in as_text(Importer(connection, table, mode, mapping).planned(_records(file, arguments))):
                        progress.clear()
                        sys.stdout.write(piece)
            print("Nothing was sent." if shows_requests else "Nothing was sent: add --write to send the rows.")
            return exits.FAILED if checked.bad else exits.FINE
        if checked.bad and not go_on:
            rest = f" {arguments.rejects} has them." if arguments.rejects is not None else ""
            print(f"Nothing was sent: correct these rows, or send the others with --on-error continue.{rest}")
            return exits.FAILED
        return _send(arguments, file, Importer(connection, table, mode, mapping), Writing(connection), go_on=go_on)


def _send(arguments: Namespace, file: File, importer: Importer, writing: Writing, *, go_on: bool) -> int:
    """Send the rows, and say what became of them however it ends."""
    connection = importer.connection
    try:
        with Progress(connection.requests, sys.stderr) as progress, file.rejects(arguments.rejects) if arguments.rejects else nullcontext() as rejects:
            progress.note = lambda: ", ".join(filter(None, (f"{counted(importer.seen, 'row')} read", writing.progress())))
            importer.send(_records(file, arguments), rejects, go_on=go_on)
    finally:
        sys.stdout.writelines(_outcome(importer, arguments))
        sys.stdout.flush()
    bad = sum(importer.statuses[status] for status in (Status.FAILED, Status.UNKNOWN, Status.NOT_SENT))
    return exits.FAILED if bad else exits.FINE


def _records(file: File, arguments: Namespace) -> Iterable[Record]:
    return islice(file, arguments.limit) if arguments.limit is not None else file


def _preview(file: File, table: Table, mode: Mode, mapping: Mapping, arguments: Namespace) -> Iterator[str]:
    """What the file is, where its columns go, and its first rows."""
    style = look(sys.stdout, arguments.width)
    yield f"{file.path.name}: {file.describes}, {counted(len(file.columns), 'column')}, {mode} into {table.name}.\n\n"
    first = list(islice(file, _PREVIEW))
    names = ("column", "goes to", *(f"row {record.number}" for record in first))
    rows = [
        (column, str(place), *(None if (found := record.values.get(column)) is None else str(found) for record in first))
        for column, place in mapping.places.items()
    ]
    yield from text_table(names, rows, style)
    yield "\n"
    if mapping.unmapped:
        yield f"{counted(len(mapping.unmapped), 'column')} {'goes' if len(mapping.unmapped) == 1 else 'go'} nowhere: {visible(', '.join(mapping.unmapped))}.\n"


def _report(checked: Checked) -> Iterator[str]:
    """How many rows can be written, and why the first others cannot."""
    yield f"{counted(checked.good, 'row')} can be written, in {counted(checked.requests, 'request')}.\n"
    if not checked.bad:
        return
    yield f"{counted(checked.bad, 'row')} cannot:\n"
    for bad in checked.first:
        at = f", column {bad.column}" if bad.column is not None else ""
        yield visible(f"  row {bad.record.number:,}{at}: {bad.reason}") + "\n"
    if checked.bad > len(checked.first):
        yield f"  … and {checked.bad - len(checked.first):,} more.\n"


def _outcome(importer: Importer, arguments: Namespace) -> Iterator[str]:
    """What became of the rows."""
    parts = [f"{importer.statuses[status]:,} {words}" for status, words in _TOLD.items() if importer.statuses[status]]
    yield f"{counted(sum(importer.statuses.values()), 'row')}: {', '.join(parts) or 'none was sent'}.\n"
    for reason, count in importer.reasons.most_common(_REASONS):
        yield f"  {counted(count, 'row')}: {visible(reason)}\n"
    if len(importer.reasons) > _REASONS:
        yield f"  … and {counted(len(importer.reasons) - _REASONS, 'more reason')}.\n"
    bad = sum(importer.statuses[status] for status in (Status.FAILED, Status.UNKNOWN, Status.NOT_SENT))
    if bad and arguments.rejects is not None:
        yield f"{arguments.rejects} has the {counted(bad, 'row')} that {'was' if bad == 1 else 'were'} not written, with the reasons; it can be imported again.\n"
