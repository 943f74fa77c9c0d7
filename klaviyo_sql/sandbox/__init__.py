"""A Klaviyo account in memory, with a strict imitation of the REST API in front of it.

Tests read the truth from the account and hold against it what came through the API; people try the product without a key.
"""

from __future__ import annotations

from klaviyo_sql.sandbox.account import Account
from klaviyo_sql.sandbox.api import SANDBOX_KEY, RequestRecord, Response, Sandbox
from klaviyo_sql.sandbox.faults import Fault, Storm
from klaviyo_sql.sandbox.generation import generate
from klaviyo_sql.sandbox.server import serve
from klaviyo_sql.sandbox.transport import SANDBOX_URL, SandboxTransport

__all__ = [
    "SANDBOX_KEY",
    "SANDBOX_URL",
    "Account",
    "Fault",
    "RequestRecord",
    "Response",
    "Sandbox",
    "SandboxTransport",
    "Storm",
    "generate",
    "serve",
]
