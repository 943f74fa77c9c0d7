"""klaviyo-sql sandbox: the built-in account behind a real HTTP server on this machine."""

from __future__ import annotations

import ipaddress
import threading
from argparse import Namespace

from klaviyo_sql import contract
from klaviyo_sql.cli import exits
from klaviyo_sql.cli.exits import UsageError

_STARTED = """\
The sandbox answers at {url} with the key {key}.
Stop it with ^C.

Query it:
  KLAVIYO_API_URL={url} KLAVIYO_API_KEY={key} \\
    klaviyo-sql query "SELECT name, integration_name FROM metrics"

Ask it without SQL:
  curl -g '{url}/api/profiles?page[size]=1' \\
    -H 'Authorization: Klaviyo-API-Key {key}' -H 'revision: {revision}'

It is an imitation that lives in memory: nothing is sent to Klaviyo, and what
is written is lost when it stops.
"""


def run(arguments: Namespace) -> int:
    """Serve until ^C."""
    _check(arguments.host)
    from klaviyo_sql.sandbox import SANDBOX_KEY, Sandbox, generate, serve  # the account takes a moment to make

    sandbox = Sandbox(generate(seed=arguments.seed), limits=not arguments.no_limits, latency=arguments.latency_ms / 1000)
    try:
        with serve(sandbox, arguments.host, arguments.port) as url:
            print(_STARTED.format(url=url, key=SANDBOX_KEY, revision=contract.facts().revision), flush=True)
            _wait()
    except (OSError, OverflowError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        reason = (getattr(error, "strerror", None) or str(error)).rstrip(".")
        raise UsageError(
            f"The sandbox cannot listen on port {arguments.port} of {arguments.host}: {reason}. Choose another with --port (0 takes any that is free)."
        ) from error
    return exits.FINE


def _check(host: str) -> None:
    """UsageError unless only this machine can reach the host: the account is public, but the server is not made for strangers."""
    try:
        loopback = host == "localhost" or ipaddress.IPv4Address(host).is_loopback
    except ipaddress.AddressValueError:
        loopback = False
    if not loopback:
        raise UsageError(f"The sandbox serves this machine only: --host can be localhost or 127.0.0.1, not {host}.")


def _wait() -> None:
    # Windows does not interrupt a wait without an end.
    stop = threading.Event()
    try:
        while not stop.wait(3600):
            pass
    except KeyboardInterrupt:
        print("\nThe sandbox is stopped.")
