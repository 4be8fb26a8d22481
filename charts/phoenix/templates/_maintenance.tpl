{{/* The pod of a command that runs once and ends. Call with (list . serviceAccount arguments volumeClaim). */}}
{{- define "phoenix.maintenance" -}}
{{- $root := index . 0 -}}
restartPolicy: Never
serviceAccountName: {{ index . 1 }}
automountServiceAccountToken: true
enableServiceLinks: false
{{- with include "phoenix.pullSecrets" $root | trim }}
{{ . }}
{{- end }}
securityContext: {{- include "phoenix.podSecurity" $root | nindent 2 }}
{{- with $root.Values.operator.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.operator.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: {{ index (index . 2) 0 }}
    image: {{ include "phoenix.image" (list $root $root.Values.image) }}
    imagePullPolicy: {{ $root.Values.image.pullPolicy }}
    args: {{- toYaml (index . 2) | nindent 6 }}
    resources: {{- toYaml $root.Values.backup.resources | nindent 6 }}
    securityContext: {{- include "phoenix.containerSecurity" $root | nindent 6 }}
    terminationMessagePolicy: FallbackToLogsOnError
    {{- if gt (len .) 3 }}
    volumeMounts:
      - {name: backups, mountPath: /backups}
    {{- end }}
{{- if gt (len .) 3 }}
volumes:
  - name: backups
    persistentVolumeClaim: {claimName: {{ index . 3 }}}
{{- end }}
{{- end }}
