"""The kinds of process on a web host, as data for the `realistic` profile: names, arguments, sizes, CPU patterns.

Typical shapes, not measurements of one machine. Sizes are scaled down (a simulated database holds no data); their
order is kept. Nothing here knows how many processes there are or how they are run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Kind:
    """One kind. arguments: {n} is the slot, {port} a random port. memory_kib: smallest and largest (exclusive)."""

    name: str
    folder: str
    arguments: tuple[str, ...]
    memory_kib: tuple[int, int]
    weight: int = 1
    """How often it occurs among the idle ones."""
    cpu: Literal["idle", "steady", "spiky", "sine"] = "idle"
    period_s: float = 0.0


_NGINX = Kind("phx-nginx", "/opt/phx/sbin", ("-c", "/etc/phx/nginx/site-{n}.conf"), (256, 512), 6, "sine", 60.0)
_POSTGRES = Kind(
    "phx-postgres", "/opt/phx/lib", ("app", "app", "127.0.0.1({port})", "n={n}"), (512, 2048), 10, "spiky", 8.0
)
_REDIS = Kind("phx-redis-serv", "/opt/phx/bin", ("127.0.0.1:{port}", "--db={n}"), (1024, 3072), 2, "steady")
_JAVA = Kind("phx-java", "/opt/phx/jvm", ("-Xmx512m", "-jar", "/srv/phx/app-{n}.jar"), (3072, 8192), 2, "steady")
_PYTHON = Kind(
    "phx-python", "/opt/phx/bin", ("-m", "gunicorn", "shop.wsgi", "-b:{port}", "-w{n}"), (1024, 2048), 8, "spiky", 5.0
)
_NODE = Kind("phx-node", "/opt/phx/bin", ("/srv/phx/web-{n}/server.js", "--port={port}"), (1024, 2048), 3, "sine", 45.0)

BUSY_KINDS = (_JAVA, _POSTGRES, _PYTHON, _NGINX, _REDIS, _NODE)
IDLE_KINDS = (
    *BUSY_KINDS,
    Kind("phx-sshd", "/opt/phx/sbin", ("deploy@pts/{n}",), (64, 192), 4),
    Kind("phx-cron", "/opt/phx/sbin", ("-f", "-L{n}"), (64, 128), 2),
    Kind("phx-bash", "/opt/phx/bin", ("--login", "--session={n}"), (64, 192), 3),
    Kind("phx-php-fpm", "/opt/phx/sbin", ("--pool=www{n}",), (512, 1024), 6),
    Kind("phx-rsyslogd", "/opt/phx/sbin", ("-n", "-i/run/phx/{n}.pid"), (64, 256), 1),
    Kind("phx-logrotate", "/opt/phx/sbin", ("/etc/phx/logrotate-{n}.conf",), (64, 128), 1),
    Kind("phx-agent", "/opt/phx/bin", ("--config=/etc/phx/agent-{n}.toml",), (256, 512), 2),
)
