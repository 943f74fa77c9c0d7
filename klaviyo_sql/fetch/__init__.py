"""The network: a request in, Klaviyo's reply out, at the pace that Klaviyo allows; it knows no SQL."""

from klaviyo_sql.fetch.budget import Budget, CountBudget
from klaviyo_sql.fetch.client import Client, Reply
from klaviyo_sql.fetch.limits import Allowance, Limits
from klaviyo_sql.fetch.log import RequestLog, RequestRecord
from klaviyo_sql.fetch.window import Window
from klaviyo_sql.fetch.workers import Workers

__all__ = ["Allowance", "Budget", "Client", "CountBudget", "Limits", "Reply", "RequestLog", "RequestRecord", "Window", "Workers"]
