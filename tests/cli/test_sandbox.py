"""klaviyo-sql sandbox: a server that the other commands, and curl, can ask."""

from __future__ import annotations

import re
import signal
import socket

import httpx
import pytest

from .conftest import Run, started


def test_it_serves_until_it_is_stopped(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with started("sandbox", "--port", "0", "--no-limits", "--seed", "3") as process:
        assert process.stdout is not None
        said = b""
        while b"-H 'revision" not in said:
            line = process.stdout.readline()
            assert line, "the command ended"
            said += line
        found = re.search(r"KLAVIYO_API_URL=(\S+) KLAVIYO_API_KEY=(\S+)", said.decode())
        assert found is not None
        monkeypatch.setenv("KLAVIYO_API_URL", found[1])
        monkeypatch.setenv("KLAVIYO_API_KEY", found[2])
        assert run("query", "SELECT count(*) AS n FROM lists", "--format", "csv").out == "n\r\n14\r\n"

        curl = re.search(r"curl -g '(\S+)' \\\n +-H '(.+?): (.+?)' -H '(.+?): (.+?)'", said.decode())
        assert curl is not None
        reply = httpx.get(curl[1], headers={curl[2]: curl[3], curl[4]: curl[5]})
        assert (reply.status_code, len(reply.json()["data"])) == (200, 1)

        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (0, b"")
        assert out.endswith(b"The sandbox is stopped.\n")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "example.com", "::1", ""])  # noqa: S104 - it is refused
def test_it_serves_this_machine_only(run: Run, host: str) -> None:
    ended = run("sandbox", "--host", host)
    assert (ended.code, ended.out) == (2, "")
    assert "serves this machine only" in ended.err


def test_a_port_that_is_taken(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run("sandbox", "--port", str(taken.getsockname()[1]))
    assert ended.code == 2
    assert "Choose another with --port" in ended.err
