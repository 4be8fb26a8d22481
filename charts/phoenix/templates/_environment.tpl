{{/* What the operators read: operators/runtime/settings.py, and rooms' own settings. */}}
{{- define "phoenix.environment" -}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- {name: PHOENIX_OPERATOR_NAMESPACES, value: {{ join "," .Values.watch.namespaces | quote }}}
- {name: PHOENIX_OPERATOR_COLLECTOR_IMAGE, value: {{ include "phoenix.image" (list . .Values.collector.image) | quote }}}
- {name: PHOENIX_OPERATOR_OPERATOR_IMAGE, value: {{ include "phoenix.image" (list . .Values.image) | quote }}}
- {name: PHOENIX_OPERATOR_IMAGE_PULL_POLICY, value: {{ .Values.image.pullPolicy }}}
- {name: PHOENIX_OPERATOR_HEALTH_PORT, value: {{ .Values.operator.healthPort | quote }}}
- {name: PHOENIX_OPERATOR_METRICS_PORT, value: {{ .Values.metrics.port | quote }}}
- {name: PHOENIX_OPERATOR_LEADER_ELECTION, value: {{ gt (int .Values.operator.replicas) 1 | quote }}}
- {name: PHOENIX_OPERATOR_LOG_LEVEL, value: {{ .Values.operator.logLevel }}}
- {name: PHOENIX_OPERATOR_LOG_FORMAT, value: {{ .Values.operator.logFormat }}}
{{- if eq .Values.controlPlane.mode "pull" }}
- {name: PHOENIX_OPERATOR_CLUSTER, value: {{ required "controlPlane.cluster: pull mode needs the cluster's name" .Values.controlPlane.cluster | quote }}}
- {name: PHOENIX_OPERATOR_CLUSTER_SECRET, value: /etc/phoenix/cluster}
- {name: PHOENIX_OPERATOR_ORDERS_NAMESPACE, value: {{ include "phoenix.orders" . | quote }}}
{{- end }}
{{- if .Values.controlPlane.experimentsSecretName }}
- {name: PHOENIX_OPERATOR_EXPERIMENTS_SECRET, value: /etc/phoenix/experiments}
{{- if ne .Values.controlPlane.mode "pull" }}
- {name: PHOENIX_OPERATOR_CLUSTER, value: {{ .Values.controlPlane.cluster | quote }}}
{{- end }}
{{- end }}
{{- end }}
