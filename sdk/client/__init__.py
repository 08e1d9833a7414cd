"""Clients of a service: blocking, asynchronous, and for jobs."""

from mizzle.client.asynchronous import AsyncClient
from mizzle.client.sync import Client

__all__ = ["AsyncClient", "Client"]
