"""Rows that nobody reads, through the extension: the oracle's suite once more, with the oracle of this folder."""

from oracle.test_unread import *  # noqa: F403 - the fixture of that name is the one of this folder
