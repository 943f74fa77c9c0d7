"""Where settings come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from klaviyo_sql.errors import InterfaceError
from klaviyo_sql.settings import from_environment


def folder(**environment: str) -> Path | None:
    return from_environment(environment=environment).state_folder


def test_limits_are_shared_in_the_folder_for_what_programs_remember(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert folder() == tmp_path / ".local" / "state" / "klaviyo-sql"
    assert folder(XDG_STATE_HOME=str(tmp_path / "state")) == tmp_path / "state" / "klaviyo-sql"
    assert folder(XDG_STATE_HOME="not/absolute") == folder(KLAVIYO_SQL_SHARE_LIMITS="") == folder()
    assert folder(XDG_STATE_HOME="/elsewhere", KLAVIYO_SQL_STATE_FOLDER=str(tmp_path)) == tmp_path


@pytest.mark.parametrize("text", ["0", "false", "no", "OFF"])
def test_they_are_not_when_that_is_switched_off(text: str) -> None:
    assert folder(KLAVIYO_SQL_SHARE_LIMITS=text) is None
    assert from_environment(share_limits=False, environment={"KLAVIYO_SQL_SHARE_LIMITS": "1"}).state_folder is None
    assert from_environment(share_limits=True, environment={"KLAVIYO_SQL_SHARE_LIMITS": text}).state_folder is not None


def test_what_is_neither_yes_nor_no_is_an_error() -> None:
    with pytest.raises(InterfaceError, match="KLAVIYO_SQL_SHARE_LIMITS is 'perhaps'; set it to 1 to share"):
        folder(KLAVIYO_SQL_SHARE_LIMITS="perhaps")


def test_without_a_home_each_process_counts_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(_: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", homeless)
    assert folder() is None
