"""A child process after fork: nothing may stay locked by a thread, or connected by a socket, that belongs to the parent."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Renewable(Protocol):
    """What has locks or sockets of its own."""

    def renew(self) -> None:
        """Make them anew; called in the child, where no other thread runs."""


_alive: weakref.WeakSet[Renewable] = weakref.WeakSet()


def renew_after_fork(something: Renewable) -> None:
    """From now on, as long as it lives, `something` is renewed in every forked child."""
    _alive.add(something)


def _renew_all() -> None:
    for something in list(_alive):
        something.renew()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_renew_all)
