"""Attacks on a running service, a module for each part of the audit; `load.py --attack` makes the table.

Everything happens on the loopback interface and is bounded in number and time. What is started is ended by
its id. Seeds are fixed.
"""

from attacks import (
    client,
    connections,
    cost,
    disk,
    fairness,
    memory,
    overload,
    protocol,
    weights,
    worker,
)
from attacks.judging import Group

_PARTS = (memory, worker, connections, fairness, overload, disk, weights, client, cost, protocol)
GROUPS: tuple[Group, ...] = tuple(group for part in _PARTS for group in part.GROUPS)
