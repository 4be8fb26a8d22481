"""What runs in a Kubernetes cluster: it reconciles the three custom resources and carries the control plane's orders.

`engine/` is a level-triggered loop that knows neither kopf nor Phoenix; `pipelines/`, `loads/` and `experiments/` have
a resource each; `agent/` carries orders in pull mode; `control_plane/` is how the last two reach the control plane;
`runtime/` is process life and wiring, and alone imports kopf.
"""
