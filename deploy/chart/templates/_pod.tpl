{{- define "service.labels" -}}
app.kubernetes.io/name: gen-env-service
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "service.metadata" -}}
{{- $top := .top -}}
name: {{ if .name }}{{ .name }}{{ else }}{{ $top.Release.Name }}{{ with .part }}-{{ . }}{{ end }}{{ end }}
namespace: {{ $top.Release.Namespace }}
labels:
  {{- include "service.labels" $top | nindent 2 }}
  helm.sh/chart: {{ $top.Chart.Name }}-{{ $top.Chart.Version }}
  app.kubernetes.io/version: {{ $top.Chart.AppVersion | quote }}
  app.kubernetes.io/managed-by: {{ $top.Release.Service }}
  {{- with .part }}
  app.kubernetes.io/component: {{ . }}
  {{- end }}
{{- end }}

{{- define "service.image" -}}
{{ required "image.repository: name the registry and repository of the image" .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "service.settings" -}}
{{ toYaml .Values.settings }}
{{- end }}

{{- /* The template of a pod: top, part (serve, web, worker, migrate), command, resources, data (its volume). */ -}}
{{- define "service.pod" -}}
{{- $top := .top -}}
{{- $values := $top.Values -}}
metadata:
  labels:
    {{- include "service.labels" $top | nindent 4 }}
    app.kubernetes.io/component: {{ .part }}
  annotations:
    checksum/settings: {{ include "service.settings" $top | sha256sum }}
spec:
  serviceAccountName: {{ $values.serviceAccount.name }}
  automountServiceAccountToken: {{ and $values.verification.enabled (has .part (list "serve" "worker")) }}
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ $values.graceSeconds }}
  {{- with $values.image.pullSecrets }}
  imagePullSecrets: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- if eq .part "migrate" }}
  restartPolicy: OnFailure
  {{- end }}
  securityContext:
    runAsNonRoot: true
    {{- with $values.runAsUser }}
    runAsUser: {{ int64 . }}
    {{- end }}
    {{- with $values.fsGroup }}
    fsGroup: {{ int64 . }}
    fsGroupChangePolicy: OnRootMismatch
    {{- end }}
    seccompProfile: {type: RuntimeDefault}
  {{- with $values.nodeSelector }}
  nodeSelector: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- if has .part (list "web" "worker") }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "service.labels" $top | nindent 10 }}
          app.kubernetes.io/component: {{ .part }}
  {{- end }}
  containers:
    - name: {{ .part }}
      image: {{ include "service.image" $top | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args: [{{ .part }}]
      {{- with $values.database.secretName }}
      env:
        - name: GEN_ENV_SERVICE_DATABASE_URL
          valueFrom: {secretKeyRef: {name: {{ . }}, key: {{ $values.database.key }}}}
      {{- end }}
      {{- if has .part (list "serve" "web") }}
      ports: [{name: http, containerPort: 8080, protocol: TCP}]
      startupProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 2
        failureThreshold: 60
      # Not /readyz: it fails while no worker lives, and a delivery is to be kept all the same.
      readinessProbe:
        httpGet: {path: /healthz, port: http}
      livenessProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      {{- end }}
      resources: {{ toYaml .resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      volumeMounts:
        - {name: data, mountPath: /data}
        - {name: tmp, mountPath: /tmp}
        - {name: settings, mountPath: /etc/gen-env/service.yaml, subPath: service.yaml, readOnly: true}
        {{- if $values.secretName }}
        - {name: secrets, mountPath: /etc/gen-env/secrets, readOnly: true}
        {{- end }}
  volumes:
    - name: data
      {{- toYaml .data | nindent 6 }}
    - name: tmp
      emptyDir: {}
    - name: settings
      configMap: {name: {{ $top.Release.Name }}}
    {{- with $values.secretName }}
    - name: secrets
      secret: {secretName: {{ . }}, defaultMode: 0440}
    {{- end }}
{{- end }}
