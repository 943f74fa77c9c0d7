"""klaviyo-sql import: files in every format, what goes where, what is refused, what is sent, and what is left to be imported again."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from klaviyo_sql.cli import importing
from klaviyo_sql.cli.files import opened
from klaviyo_sql.fetch.client import Client
from klaviyo_sql.sandbox import Fault, Sandbox

from .conftest import Ended, Run
from .writing_account import emails, known_email, own, writes  # noqa: F401 - a fixture

PEOPLE = "E-Mail,First Name,Plan,Points\nada@example.com,Ada,gold,12\ngrace@example.com,Grace,,7\n"
MAPPED = ("--map", "E-Mail=email", "--map", "Points=properties.points:number", "--properties")


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE, encoding="utf-8-sig")
    return path


def imported(run: Run, path: Path, *options: str, into: str = "profiles") -> Ended:
    return run("import", str(path), "--into", into, "--sandbox", *options)


def attributes(sandbox: Sandbox, email: str) -> dict[str, object]:
    return next(profile["attributes"] for profile in sandbox.account.profiles.values() if profile["attributes"]["email"] == email)


def test_without_write_it_is_a_preview(run: Run, own: Sandbox, people: Path) -> None:  # noqa: F811
    ended = imported(run, people, *MAPPED)
    assert (ended.code, ended.err) == (0, "")
    head, _, columns, *_ = ended.out.splitlines()
    assert head == "people.csv: CSV with commas, 4 columns, insert into profiles."
    assert columns.split("  ")[0] == "column"
    assert [line.split()[-1] for line in ended.out.splitlines() if line.startswith("Points")] == ["7"]
    assert "properties.points:number" in ended.out
    assert ended.out.endswith("2 rows can be written, in 2 requests.\nNothing was sent: add --write to send the rows.\n")
    assert own.requests == []


def test_rows_are_written(run: Run, own: Sandbox, people: Path) -> None:  # noqa: F811
    ended = imported(run, people, *MAPPED, "--write")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.endswith("2 rows: 2 written.\n")
    assert attributes(own, "ada@example.com")["first_name"] == "Ada"
    assert attributes(own, "ada@example.com")["properties"] == {"Plan": "gold", "points": 12}
    assert attributes(own, "grace@example.com")["properties"] == {"points": 7}, "an empty field says nothing"
    assert writes(own) == ["POST /api/profiles", "POST /api/profiles"]


def test_columns_that_go_nowhere_are_told(run: Run, own: Sandbox, people: Path) -> None:  # noqa: F811
    ended = imported(run, people, "--map", "E-Mail=email", "--map", "Points=")
    assert "1 column goes nowhere: Plan.\n" in ended.out
    assert "nowhere: --map says so" in ended.out
    exported = people.with_name("exported.csv")
    exported.write_text("id,email,created,email_\nX,a@example.com,2026-01-01,\n", encoding="utf-8")
    assert "both go to email" in imported(run, exported).err
    assert "id cannot be written by insert" in imported(run, exported, "--map", "email_=").out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--map", "E-Mail"), "has no ="),
        (("--map", "Mail=email"), "the file has no column 'Mail'. Did you mean 'E-Mail'?"),
        (("--map", "E-Mail=emial"), "profiles has no column emial. Did you mean 'email'?"),
        (("--map", "E-Mail=created"), "profiles.created cannot be written by insert"),
        (("--map", "E-Mail=email", "--map", "Plan=email"), "both go to email"),
        (("--map", "E-Mail=email", "--mode", "update"), "needs a column of the file that goes to profiles.id"),
        (("--map", "E-Mail=", "--map", "First Name="), "No column of the file is one of profiles"),
        (("--delimiter", "xx"), "--delimiter is one character"),
        (("--limit", "0"), "--limit"),
        (("--mode", "merge"), "--mode"),
    ],
)
def test_what_makes_no_sense(run: Run, own: Sandbox, people: Path, options: tuple[str, ...], sentence: str) -> None:  # noqa: F811
    ended = imported(run, people, "--write", *options)
    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err
    assert own.requests == []


@pytest.mark.parametrize(
    ("into", "options", "sentence"),
    [
        ("profile", (), "There is no table profile. Did you mean profiles"),
        ("klaviyo_writes", (), "klaviyo_writes tells of the driver"),
        ("accounts", (), "INSERT is not possible on accounts"),
        ("profiles", ("--mode", "delete"), "request_profile_deletion"),
        ("lists", ("--mode", "upsert"), "INSERT OR REPLACE is not possible on lists"),
        ("lists", ("--properties",), "--properties is for tables with custom properties"),
    ],
)
def test_tables_that_cannot_take_the_rows(run: Run, own: Sandbox, people: Path, into: str, options: tuple[str, ...], sentence: str) -> None:  # noqa: F811
    ended = imported(run, people, "--write", *options, into=into)
    assert ended.code in (1, 2)
    assert sentence in ended.err
    assert own.requests == []


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("none.csv", None, "There is no file"),
        ("empty.csv", b"", "has no header"),
        ("latin.csv", "email\nzoë@example.com\n".encode("latin-1"), "is not UTF-8"),
        ("twice.csv", b"email,email\na@example.com,b@example.com\n", "has two columns 'email'"),
        ("unnamed.csv", b"email,,x\na,b,c\n", "column 2 has no name"),
        ("open.csv", b'email\n"a@example.com\n', "line 2: unexpected end of data"),
        ("rows.xlsx", b"PK", "cannot be told from its name"),
        ("cut.json", b'[{"email": "a@example.com"}, {"em', "is not JSON, or is cut off"),
        ("two.json", b'[{"email": "a@example.com"}] []', "something behind the end"),
        ("no.json", b'[{"email": "a@example.com"} {"email": "b@example.com"}]', "a comma is missing"),
    ],
)
def test_files_that_cannot_be_read(run: Run, own: Sandbox, tmp_path: Path, name: str, content: bytes | None, sentence: str) -> None:  # noqa: F811
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    ended = imported(run, path, "--write")
    assert ended.code == 2
    assert sentence in ended.err
    assert writes(own) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'email,first_name\r\na@example.com,"A; B"\r\n\r\nb@example.com,\r\n'),
        ("a.csv", 'email;first_name\na@example.com;"A; B"\nb@example.com;""\n'),
        ("a.tsv", "email\tFirstName\na@example.com\tA; B\nb@example.com\t\n"),
        ("a.txt", "Email|First Name\na@example.com|A; B\nb@example.com|\n"),
        ("a.jsonl", '{"email": "a@example.com", "first_name": "A; B"}\n\n{"email": "b@example.com"}\n'),
        ("a.json", ' [ {"email": "a@example.com", "first_name": "A; B"} ,\n{"email": "b@example.com", "first_name": null}]\n'),
        ("a.json", '{"email": "a@example.com", "first_name": "A; B"}\n{"email": "b@example.com"}\n'),
    ],
)
def test_every_format_says_the_same(run: Run, own: Sandbox, tmp_path: Path, name: str, content: str) -> None:  # noqa: F811
    path = tmp_path / name
    path.write_text(content, encoding="utf-8", newline="")
    ended = imported(run, path, "--write")
    assert (ended.code, ended.out.splitlines()[-1]) == (0, "2 rows: 2 written.")
    assert attributes(own, "a@example.com")["first_name"] == "A; B"
    assert attributes(own, "b@example.com")["first_name"] is None


def test_a_long_array_is_read_in_parts(tmp_path: Path) -> None:
    rows = [{"email": f"p{number}@example.com", "text": ']},{[\\"é' * 300, "n": number} for number in range(200)]
    path = tmp_path / "long.json"
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
    file = opened(path, None, None)
    assert [record.values for record in file] == rows
    assert list(file.columns) == ["email", "text", "n"]


def test_json_values_keep_their_types(run: Run, own: Sandbox, tmp_path: Path) -> None:  # noqa: F811
    path = tmp_path / "a.jsonl"
    record = {"email": "a@example.com", "properties": {"old": [1]}, "properties.n": 1.5, "properties.b": True, "properties.none": None, "External_ID": 7}
    path.write_text(json.dumps(record), encoding="utf-8")
    assert imported(run, path, "--write").code == 0
    assert attributes(own, "a@example.com")["properties"] == {"old": [1], "n": 1.5, "b": True, "none": None}
    assert attributes(own, "a@example.com")["external_id"] == "7"


BAD = "email,phone_number,Points\nada@example.com,,1\nno email,,2\ngrace@example.com,12345,3\njoan@example.com,,many\n,,5\nx\nmary@example.com,,6\n"
POINTS = ("--map", "Points=properties.points:number")


def test_every_row_is_checked_before_anything_is_sent(run: Run, own: Sandbox, tmp_path: Path) -> None:  # noqa: F811
    path = tmp_path / "bad.csv"
    path.write_text(BAD, encoding="utf-8")
    rejected = tmp_path / "rejected.csv"
    ended = imported(run, path, *POINTS, "--write", "--rejects", str(rejected))
    assert ended.code == 1
    assert ended.out.endswith(
        "2 rows can be written, in 2 requests.\n"
        "5 rows cannot:\n"
        "  row 2, column email: profiles.email takes an email address, not 'no email'\n"
        "  row 3, column phone_number: profiles.phone_number takes a phone number in E.164, such as '+15005550006', not '12345'\n"
        "  row 4, column Points: it takes a number, not 'many'\n"
        "  row 5: profiles needs email or phone_number or external_id: nothing else tells one row from another\n"
        "  row 6: the row has 1 fields, and the header 3\n"
        f"Nothing was sent: correct these rows, or send the others with --on-error continue. {rejected} has them.\n"
    ), ended.out
    assert own.requests == []
    with rejected.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["email", "phone_number", "Points", "rejected_because"]
    assert [row[0] for row in rows[1:]] == ["no email", "grace@example.com", "joan@example.com", "", "x"]


def test_only_the_first_rows_that_cannot_be_written_are_shown(run: Run, own: Sandbox, tmp_path: Path) -> None:  # noqa: F811
    path = tmp_path / "bad.jsonl"
    path.write_text("".join(f'{{"email": "no {number}"}}\n' for number in range(25)), encoding="utf-8")
    ended = imported(run, path, "--write")
    assert ended.out.count("takes an email address") == 20
    assert "\n  … and 5 more.\n" in ended.out
    assert own.requests == []


def test_the_good_rows_go_when_asked_and_the_rest_can_be_imported_again(run: Run, own: Sandbox, tmp_path: Path) -> None:  # noqa: F811
    path = tmp_path / "bad.csv"
    path.write_text(BAD, encoding="utf-8")
    rejected = tmp_path / "rejected.csv"
    ended = imported(run, path, *POINTS, "--write", "--on-error", "continue", "--rejects", str(rejected))
    assert ended.code == 1
    assert "7 rows: 2 written, 5 failed.\n" in ended.out
    assert {"ada@example.com", "mary@example.com"} <= emails(own)
    lines = rejected.read_text(encoding="utf-8").splitlines()
    corrected = tmp_path / "corrected.csv"
    corrected.write_text("\n".join((lines[0], lines[1].replace("no email", "joe@example.com"))) + "\n", encoding="utf-8")
    again = imported(run, corrected, *POINTS, "--write", "--rejects", str(tmp_path / "none.csv"))
    assert (again.code, again.out.splitlines()[-1]) == (0, "1 row: 1 written.")
    assert attributes(own, "joe@example.com")["properties"] == {"points": 2}
    assert not (tmp_path / "none.csv").exists()
    assert "names the file that is imported" in imported(run, rejected, "--rejects", str(rejected)).err


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv"])
def test_rejects_are_in_the_format_of_the_file(run: Run, own: Sandbox, tmp_path: Path, name: str) -> None:  # noqa: F811
    rows = [{"email": "no"}, {"email": "fine@example.com"}, {"email": "none"}]
    text = {
        "a.jsonl": "".join(json.dumps(row) + "\n" for row in rows),
        "a.json": json.dumps(rows),
        "a.csv": "email\n" + "".join(f"{row['email']}\n" for row in rows),
    }[name]
    (tmp_path / name).write_text(text, encoding="utf-8")
    rejected = tmp_path / f"rejected-{name}"
    assert imported(run, tmp_path / name, "--write", "--on-error", "continue", "--rejects", str(rejected)).code == 1
    found = list(opened(rejected, None, None))
    assert [record.values["email"] for record in found] == ["no", "none"]
    assert all("takes an email address" in record.values["rejected_because"] for record in found)
    assert emails(own) >= {"fine@example.com"}


def test_batches_are_sent_one_after_another(run: Run, own: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(importing, "BATCH", 12)
    path = tmp_path / "many.csv"
    path.write_text("email\n" + "".join(f"p{number}@example.com\n" for number in range(30)), encoding="utf-8")
    ended = imported(run, path, "--write")
    assert (ended.code, ended.out.splitlines()[-1]) == (0, "30 rows: 30 written.")
    assert "30 rows can be written, in 8 requests.\n" in ended.out
    assert writes(own) == ["POST /api/profile-bulk-import-jobs"] * 2 + ["POST /api/profiles"] * 6
    assert len(emails(own)) >= 30


def test_a_batch_that_fails_ends_it_and_the_rest_is_rejected(run: Run, own: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(importing, "BATCH", 2)
    known = known_email(own)
    path = tmp_path / "some.csv"
    path.write_text(f"email\na@example.com\n{known}\nc@example.com\nd@example.com\n", encoding="utf-8")
    rejected = tmp_path / "rejected.csv"
    ended = imported(run, path, "--write", "--rejects", str(rejected))
    assert ended.code == 1
    assert "4 rows: 1 written, 1 failed, 2 not sent.\n" in ended.out
    assert len(writes(own)) == 2
    rows = list(csv.DictReader(io.StringIO(rejected.read_text(encoding="utf-8"))))
    assert [row["email"] for row in rows] == [known, "c@example.com", "d@example.com"]
    assert "conflicts with what is there" in rows[0]["rejected_because"]
    assert rows[1]["rejected_because"].startswith("It was not sent")


def test_stopped_by_hand_every_row_is_accounted_for(run: Run, own: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(importing, "BATCH", 2)
    path = tmp_path / "some.csv"
    path.write_text("name\n" + "".join(f"t{number}\n" for number in range(6)), encoding="utf-8")
    whole = Client.send
    calls = iter(range(10))

    def interrupted(client: Client, *given: object, **more: object) -> object:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return whole(client, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Client, "send", interrupted)
    rejected = tmp_path / "rejected.csv"
    ended = imported(run, path, "--write", "--rejects", str(rejected), into="tags")
    assert ended.code == 130
    assert "6 rows: 2 written, 1 sent, and nobody knows whether they were written: look before you send them again, 3 not sent.\n" in ended.out
    rows = list(csv.DictReader(io.StringIO(rejected.read_text(encoding="utf-8"))))
    assert [row["name"] for row in rows] == ["t2", "t3", "t4", "t5"]
    assert rows[0]["rejected_because"].startswith("unknown: ")
    assert len(writes(own)) == 2


def test_a_job_whose_rows_fail(run: Run, own: Sandbox, tmp_path: Path) -> None:  # noqa: F811
    own.faults.add(Fault("status", operation="bulk_import_profiles", status=400))
    path = tmp_path / "many.csv"
    path.write_text("email\n" + "".join(f"p{number}@example.com\n" for number in range(12)), encoding="utf-8")
    ended = imported(run, path, "--write")
    assert ended.code == 1
    assert "12 rows: 12 failed.\n" in ended.out


def test_updates_and_deletes_name_rows_by_their_key(run: Run, own: Sandbox, tmp_path: Path) -> None:  # noqa: F811
    first, second, *_ = own.account.profiles
    path = tmp_path / "update.jsonl"
    path.write_text(f'{{"id": "{first}", "first_name": "New"}}\n{{"id": "{second}", "last_name": null}}\n{{"first_name": "Nobody"}}\n', encoding="utf-8")
    ended = imported(run, path, "--mode", "update", "--write", "--on-error", "continue")
    assert "3 rows: 2 written, 1 failed.\n  1 row: profiles needs id, which names the row\n" in ended.out
    assert writes(own) == [f"PATCH /api/profiles/{first}", f"PATCH /api/profiles/{second}"]
    assert [json.loads(record.body)["data"]["attributes"] for record in own.requests] == [{"first_name": "New"}, {"last_name": None}]
    listed = next(iter(own.account.lists))
    links = tmp_path / "links.csv"
    links.write_text(f"ListId,Profile ID\n{listed},{first}\n{listed},{second}\n", encoding="utf-8")
    assert imported(run, links, "--write", into="list_profiles").code == 0
    assert imported(run, links, "--mode", "delete", "--write", into="list_profiles").code == 0
    assert writes(own)[2:] == [f"POST /api/lists/{listed}/relationships/profiles", f"DELETE /api/lists/{listed}/relationships/profiles"]


def test_upserts_change_rows_that_are_there(run: Run, own: Sandbox, tmp_path: Path) -> None:  # noqa: F811
    known = known_email(own)
    path = tmp_path / "people.csv"
    path.write_text(f"email,first_name\n{known},Changed\n", encoding="utf-8")
    assert imported(run, path, "--mode", "upsert", "--write").code == 0
    assert attributes(own, known)["first_name"] == "Changed"


def test_a_dry_run_prints_every_request(run: Run, own: Sandbox, people: Path) -> None:  # noqa: F811
    ended = imported(run, people, *MAPPED, "--dry-run", "--write", "--limit", "1")
    assert ended.code == 0
    assert ended.out.count("POST /api/profiles\n{\n") == 1
    assert ended.out.endswith("\nNothing was sent.\n")
    assert own.requests == []


def test_parquet_needs_the_extra(run: Run, own: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1")
    ended = imported(run, path)
    assert (ended.code, ended.err) == (
        2,
        'klaviyo-sql: Parquet files need pyarrow: pip install "klaviyo-sql[import]". CSV and JSON need nothing.\n',
    )


def test_parquet(run: Run, own: Sandbox, tmp_path: Path) -> None:  # noqa: F811
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = {"email": ["a@example.com", "no"], "properties.n": [1.5, None], "properties.list": [[1, 2], None]}
    path = tmp_path / "a.parquet"
    parquet.write_table(arrow.table(rows), path)
    rejected = tmp_path / "rejected.parquet"
    ended = imported(run, path, "--write", "--on-error", "continue", "--rejects", str(rejected))
    assert "2 rows: 1 written, 1 failed.\n" in ended.out
    assert attributes(own, "a@example.com")["properties"] == {"n": 1.5, "list": [1, 2]}
    (left,) = parquet.read_table(rejected).to_pylist()
    assert left["email"] == "no"
    assert "takes an email address" in left["rejected_because"]
    (tmp_path / "b.parquet").write_bytes(b"PAR1")
    assert "is no Parquet file" in imported(run, tmp_path / "b.parquet").err
