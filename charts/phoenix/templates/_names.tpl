{{/* Names, labels and pods' common parts. Nothing here is an object. */}}
{{- define "phoenix.name" -}}
{{- if contains "phoenix" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-phoenix" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "phoenix.labels" -}}
app.kubernetes.io/name: phoenix
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: phoenix
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* Of pods. Call with (list . "component"). */}}
{{- define "phoenix.selector" -}}
app.kubernetes.io/name: phoenix
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* Call with (list . .Values.image). */}}
{{- define "phoenix.image" -}}
{{- $image := index . 1 -}}
{{- if $image.digest }}{{ $image.repository }}@{{ $image.digest }}{{ else }}{{ $image.repository }}:{{ $image.tag | default (index . 0).Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "phoenix.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "phoenix.name" .) }}
{{- end }}

{{/* Namespace of the resources that the control plane makes. */}}
{{- define "phoenix.orders" -}}
{{- .Values.controlPlane.namespace | default .Release.Namespace }}
{{- end }}

{{/* PodSecurity "restricted", for pods and containers. */}}
{{- define "phoenix.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65534
runAsGroup: 65534
fsGroup: 65534
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "phoenix.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "phoenix.pullSecrets" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}
