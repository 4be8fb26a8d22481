{{/* Rights, each list as small as what the code asks for. */}}
{{- define "phoenix.operatorRules" -}}
- apiGroups: [phoenix.io]
  resources: [phoenixprocesspipelines, loadsimulationjobs, experiments]
  verbs: [get, list, watch, patch]
- apiGroups: [phoenix.io]
  resources: [phoenixprocesspipelines/status, loadsimulationjobs/status, experiments/status]
  verbs: [patch]
# Where owners may only be named by who may finalize them (OwnerReferencesPermissionEnforcement).
- apiGroups: [phoenix.io]
  resources: [phoenixprocesspipelines/finalizers, loadsimulationjobs/finalizers, experiments/finalizers]
  verbs: [update]
- apiGroups: [apps]
  resources: [daemonsets] # they go with what they belong to
  verbs: [get, list, watch, create, patch]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end }}

{{/* Of our resources, for who carries the control plane's orders. */}}
{{- define "phoenix.orderRules" -}}
- apiGroups: [phoenix.io]
  resources: [phoenixprocesspipelines, loadsimulationjobs]
  verbs: [get, list, create, patch, delete]
{{- end }}

{{- define "phoenix.nodeRules" -}}
- apiGroups: [""]
  resources: [nodes]
  verbs: [get, list, watch]
{{- end }}

{{- define "phoenix.allKinds" -}}
[phoenixprocesspipelines, loadsimulationjobs, experiments]
{{- end }}
