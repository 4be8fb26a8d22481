"""The Chalice app: mounts the declared routes, and declares schedule and queue handlers as one-line shims.

Importing does nothing. Chalice and Lambda ask this module for `app` (and for a handler by name), and get it built from
the environment at that moment; the local stack calls `create` with settings of its own.
"""

from __future__ import annotations

import os
from typing import Any

from chalice.app import Chalice

from chalicelib.api.furniture.mount import mount
from chalicelib.api.furniture.route import PROTOBUF
from chalicelib.bootstrap import ControlPlane, build_from_environment

_HANDLERS = ("tick", "work", "sweep")


def create(control_plane: ControlPlane) -> Chalice:
    """The Chalice app over a control plane."""
    app = Chalice(app_name="phoenix", debug=False)
    app.api.binary_types.append(PROTOBUF)
    app.register_blueprint(mount(control_plane.routes, control_plane.services.tokens.authenticate))
    return app


def _with_handlers(app: Chalice, control_plane: ControlPlane) -> dict[str, Any]:
    @app.schedule("rate(1 minute)", name="tick")
    def tick(event: Any) -> int:
        return control_plane.tick() + control_plane.deliver()

    @app.schedule("rate(1 hour)", name="sweep")
    def sweep(event: Any) -> int:
        return control_plane.sweep()

    @app.on_sqs_message(queue="phoenix-work", batch_size=10, name="work")
    def work(event: Any) -> dict[str, Any]:
        failed = [record.to_dict()["messageId"] for record in event if not control_plane.step.message(record.body)]
        return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}

    return {"app": app, "tick": tick, "sweep": sweep, "work": work}


def __getattr__(name: str) -> Any:
    if name != "app" and name not in _HANDLERS:
        raise AttributeError(name)
    control_plane = build_from_environment(os.environ)
    globals().update(_with_handlers(create(control_plane), control_plane))
    return globals()[name]
