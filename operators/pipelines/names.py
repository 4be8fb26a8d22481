"""What things are called here: kinds, labels, annotations, ports, variables, and what is watched. No behaviour."""

from __future__ import annotations

from chalicelib.domain.kubernetes import process_pipeline, resource
from operators.engine.objects import CONFIG_MAP, DAEMON_SET, POD, Kind
from operators.engine.reconciler import Watched

PIPELINE = Kind(resource.API_VERSION, process_pipeline.PLURAL, process_pipeline.KIND)
OWNER = f"{resource.GROUP}/pipeline"
"""Label on all that a pipeline made: the pipeline's name."""
FORM = f"{resource.GROUP}/form"
"""Label of a pod and of a ConfigMap: the beginning of the hash of configuration and pod together."""
CONFIG_HASH = f"{resource.GROUP}/config-hash"
"""Annotation: `exchange.config_hash` of what was asked for."""
FORM_HASH = f"{resource.GROUP}/form-hash"
CONFIG_MAP_NAME = f"{resource.GROUP}/config-map"
"""Annotation of the DaemonSet: which ConfigMap it runs."""
WHOLE_HASH = f"{resource.GROUP}/whole-hash"
"""Annotation of the DaemonSet: of its whole desired form."""
CONTROLLER = "pipelines"
"""Of the engine: whose writes they are."""
COMPONENT = "phoenix-collector"
CONTAINER = "collector"
CONFIG_KEY = "collector.yaml"
TEMPLATE_KEY = "template.json"
METRICS_PORT = 8888
HASH_ATTRIBUTE = "phoenix.config.hash"
"""Resource attribute of the collector's own telemetry by which it gives the configuration's hash back."""
POD_IP_VARIABLE = "PHOENIX_POD_IP"
KPI_ENDPOINT_VARIABLE = "PHOENIX_KPI_ENDPOINT"
MAX_NAME = 63
"""Of a resource: its name is a label's value."""
FORM_DIGITS = 12

WATCHED = (
    Watched(PIPELINE),
    Watched(DAEMON_SET, OWNER, OWNER),
    Watched(CONFIG_MAP, OWNER, OWNER, metadata_only=True),
    Watched(POD, OWNER, OWNER),
)
