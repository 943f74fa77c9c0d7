"""The data sources in files of ODBC's, in which all else is somebody else's."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from klaviyo_sql.errors import InterfaceError
from klaviyo_sql.extension import build, data_source
from klaviyo_sql.extension.data_source import Source

OURS = (Source("klaviyo", {"Driver": "SQLite3", "BigInt": "1"}), Source("klaviyo_stream", {"Driver": "SQLite3", "StepAPI": "1"}))
WRITTEN = "[klaviyo]\nDriver = SQLite3\nBigInt = 1\n\n[klaviyo_stream]\nDriver = SQLite3\nStepAPI = 1\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "odbc.ini"


def put(text: str, file: Path) -> str:
    """What the file is after installing, which once more changes nothing of."""
    file.write_bytes(text.encode())
    data_source.install(OURS, file)
    after = file.read_bytes()
    data_source.install(OURS, file)
    assert file.read_bytes() == after
    return after.decode()


def test_a_file_is_made_with_its_folder_and_for_its_user_alone(tmp_path: Path) -> None:
    file = tmp_path / "some" / "folder" / "odbc.ini"
    data_source.install(OURS, file)
    assert file.read_text(encoding="utf-8") == WRITTEN
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    "other",
    [
        "[other]\nDriver = x\n",
        "; a comment\n# another\n\n[other]\n  Driver=x\n\tPWD = [a];b=c\n\n\n",
        "[other]\r\nDriver = Ü\r\n",
        "a line before any section\n[ODBC Data Sources]\nother = x\n[DEFAULT]\nDriver = y\n",
        "[klaviyo2]\nDriver = x\n[my klaviyo]\n",
    ],
)
def test_what_is_there_stays_as_it_is(other: str, file: Path) -> None:
    assert put(other, file) == f"{other}\n{WRITTEN}"


def test_a_last_line_that_does_not_end_stays_a_line(file: Path) -> None:
    assert put("[other]\nDriver = x", file) == f"[other]\nDriver = x\n\n{WRITTEN}"


@pytest.mark.parametrize("header", ["[klaviyo]", "  [ Klaviyo ] ; mine", "[KLAVIYO]\r"])
def test_a_section_of_the_same_name_is_replaced_and_nothing_around_it(header: str, file: Path) -> None:
    before, after = "# first\n[one]\nDriver=x\n\n", "\n# of the other one\n[two]\nDriver=y\n"
    own, streaming = WRITTEN.split("\n\n")
    assert put(f"{before}{header}\nDriver = old\nMine = 1\n; old\nLast = 2\n{after}", file) == f"{before}{own}\n{after}\n{streaming}"


def test_comments_at_the_end_stay(file: Path) -> None:
    assert put(f"{WRITTEN.replace('StepAPI = 1', 'Old = 1')}\n; the end\n", file) == f"{WRITTEN}\n; the end\n"


def test_a_file_stays_as_readable_as_it_was_and_a_link_stays_one(tmp_path: Path) -> None:
    real, link = tmp_path / "real.ini", tmp_path / "odbc.ini"
    real.write_text("[other]\n", encoding="utf-8")
    real.chmod(0o640)
    link.symlink_to(real)
    data_source.install(OURS, link)
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8") == f"[other]\n\n{WRITTEN}"
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_file_that_is_read_only_is_left_alone(file: Path) -> None:
    file.write_text("[other]\n", encoding="utf-8")
    file.chmod(0o444)
    with pytest.raises(
        InterfaceError, match=r"odbc\.ini cannot be written \(it is read-only\): put what klaviyo-sql odbc prints into a file that ODBCINI names\."
    ):
        data_source.install(OURS, file)
    assert file.read_text(encoding="utf-8") == "[other]\n"
    assert list(file.parent.iterdir()) == [file]


def test_a_file_in_another_encoding_is_left_alone(file: Path) -> None:
    file.write_bytes("[other]\nDescription = für alle\n".encode("latin-1"))
    with pytest.raises(InterfaceError, match="is not UTF-8, so it is left alone: put what klaviyo-sql odbc prints into it by hand"):
        data_source.install(OURS, file)
    assert file.read_bytes() == "[other]\nDescription = für alle\n".encode("latin-1")


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InterfaceError, match="cannot be written"):
        data_source.install(OURS, tmp_path)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InterfaceError, match="cannot be written"):
        data_source.install(OURS, tmp_path / "file" / "odbc.ini")


def test_a_write_that_fails_leaves_the_old_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("[other]\n", encoding="utf-8")

    def full(_: Path, __: Path) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InterfaceError, match="No space left on device"):
        data_source.install(OURS, file)
    assert file.read_text(encoding="utf-8") == "[other]\n"
    assert list(file.parent.iterdir()) == [file]


def test_where_the_data_sources_of_a_user_are(tmp_path: Path) -> None:
    assert data_source.user_file({"ODBCINI": str(tmp_path / "mine.ini")}) == tmp_path / "mine.ini"
    for variables in ({}, {"ODBCINI": ""}):
        assert data_source.user_file(variables) == Path.home() / ".odbc.ini"


def test_drivers_are_found_by_their_library_whatever_their_names(tmp_path: Path) -> None:
    variables = {"ODBCSYSINI": str(tmp_path)}
    assert list(data_source.drivers(variables)) == []
    (tmp_path / "odbcinst.ini").write_text(
        "; of this machine\nDriver = libsqlite3odbc.so\n[SQLite]\nDriver=libsqliteodbc.so\n[ Lite 3 ]\n  DRIVER =/opt/lib/libsqlite3odbc.dylib\n[none]\n",
        encoding="utf-8",
    )
    assert list(data_source.drivers(variables)) == ["Lite 3"]
    assert data_source.installed_drivers(variables) == {"SQLite": "libsqliteodbc.so", "Lite 3": "/opt/lib/libsqlite3odbc.dylib"}
    (tmp_path / "odbcinst.ini").rename(tmp_path / "mine.ini")
    assert list(data_source.drivers({**variables, "ODBCINSTINI": "mine.ini"})) == ["Lite 3"]


def test_the_data_sources_with_an_extension_are_found_whoever_wrote_them(file: Path) -> None:
    library = f"/here/{build.NAME}"
    text = (
        f"[DEFAULT]\nLoadExt = x\n[shop]\nloadext={library}\n  BIGINT =1\n; BigInt = 0\n[other]\nLoadExt = /else/spatialite.so\n"
        f"[klaviyo]\nDriver = SQLite3\n\n    LoadExt   =   /there/{build.NAME}  \nDescription = für alle\n"
    )
    file.write_bytes(text.encode("latin-1"))
    shop, klaviyo = data_source.installed({"ODBCINI": str(file)})
    assert shop == Source("shop", {"loadext": library, "bigint": "1"})
    assert (klaviyo.name, klaviyo.options["loadext"]) == ("klaviyo", f"/there/{build.NAME}")
    assert data_source.installed({"ODBCINI": str(file.parent / "none.ini")}) == []
