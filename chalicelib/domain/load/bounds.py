"""The bounds of a load that more than one of its values needs: processes, time, rates, CPU, memory. Numbers only."""

from __future__ import annotations

NAME_LENGTH = 15
"""Characters of a name that the kernel keeps (TASK_COMM_LEN less its end, proc_pid_comm(5))."""
MAX_COUNT = 5000
MAX_DURATION_S = 86_400.0
MAX_RESTARTS_PER_MINUTE = 600.0
MAX_STARTS_PER_SECOND = 50.0
"""Of one load: churn, lifetimes and restarts together."""
LEAST_LIFETIME_S = 0.5
"""A process that lives shorter is hardly seen by any scrape."""
MAX_CPU = 1.0
"""Cores that the groups of one load use together on average."""
MAX_MEMORY = 1024**3
"""Bytes that the groups of one load allocate together at their highest."""
MAX_GROUPS = 20
MAX_STAGES = 20
