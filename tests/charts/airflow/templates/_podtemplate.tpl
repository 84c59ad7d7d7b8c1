{{/* The pod that the Kubernetes executor starts per task. */}}

{{- define "config.podTemplate" -}}
{{- $own := .Values.workers.kubernetes -}}{{- $old := .Values.workers -}}
{{- $section := dict -}}
{{- range list "command" "resources" "extraVolumes" "extraVolumeMounts" "extraInitContainers" "extraContainers" "env" "terminationGracePeriodSeconds" "labels" "podAnnotations" -}}
{{- $_ := set $section . (get $own . | default (get $old .)) -}}
{{- end -}}
{{- $init := or $own.kerberosInitContainer.enabled $old.kerberosInitContainer.enabled -}}
{{- $sidecar := or $own.kerberosSidecar.enabled $old.kerberosSidecar.enabled -}}
{{- $ui := include "is.three" . | empty | ternary "webserver-config" "api-server-config" -}}
{{- $flaskConfig := include (include "is.three" . | empty | ternary "is.webserverConfigured" "is.apiServerConfigured") . | empty | ternary "" $ui -}}
{{- $evict := kindIs "bool" $own.safeToEvict | ternary $own.safeToEvict $old.safeToEvict -}}
{{- $fixed := dict "cluster-autoscaler.kubernetes.io/safe-to-evict" (toString $evict) -}}
{{- $checksums := list }}{{ if $init }}{{ $checksums = list "kerberos-keytab" }}{{ end -}}
{{- $account := include (kindIs "bool" $own.serviceAccount.create | ternary "name.worker.kubernetes" "worker.account") . -}}
apiVersion: v1
kind: Pod
metadata:
  name: placeholder-name
  labels: {{- include "metadata.podLabels" (dict "root" . "component" "worker" "labels" $section.labels) | nindent 4 }}
  annotations: {{- include "pod.annotations" (dict "root" . "own" $section.podAnnotations "fixed" $fixed "checksums" $checksums "airflow" true) | nindent 4 }}
spec:
  {{- include "pod.placement" (dict "root" . "sections" (list $own $old) "account" $account) | nindent 2 }}
  restartPolicy: Never
  terminationGracePeriodSeconds: {{ $section.terminationGracePeriodSeconds }}
  securityContext: {{- include "pod.security" (list . $own $old) | nindent 4 }}
  imagePullSecrets: {{- include "pod.pullSecrets" . | nindent 4 }}
  initContainers:
    {{- if and .Values.dags.gitSync.enabled (not .Values.dags.persistence.enabled) }}{{ include "container.gitSync" (list . true) | nindent 4 }}{{ end }}
    {{- include "values.templated" (list . $section.extraInitContainers) | nindent 4 }}
    {{- if $init }}
    {{- include "container.kerberos" (dict "root" . "section" $section "name" "kerberos-init" "kerberos" (list $own.kerberosInitContainer $old.kerberosInitContainer)
      "resources" ($own.kerberosInitContainer.resources | default $old.kerberosInitContainer.resources) "arguments" "[kerberos, -o]" "flaskConfig" $flaskConfig) | nindent 4 }}
    {{- end }}
  containers:
    {{- include "container.base" (dict "root" . "section" $section "name" "base" "security" (list $own $old) "image" (include "image.of" (list . "pod_template")) "pullPolicy" .Values.images.pod_template.pullPolicy) | nindent 4 }}
      envFrom: {{- include "env.from" . | nindent 8 }}
      env:
        - name: AIRFLOW__CORE__EXECUTOR
          value: {{ .Values.executor | quote }}
        {{- if or $init $sidecar }}{{ include "env.kerberos" . | nindent 8 }}{{ end }}
        {{- include "env.standard" (dict "root" .) | nindent 8 }}
        {{- include "env.custom" . | nindent 8 }}
        {{- include "env.own" $section.env | nindent 8 }}
      volumeMounts:
        {{- include "mount.logs" (list . "") | nindent 8 }}
        {{- include "mount.config" . | nindent 8 }}
        {{- include "mount.dags" . | nindent 8 }}
        {{- if .Values.kerberos.enabled }}{{ include "mount.kerberos" (list . true) | nindent 8 }}{{ end }}
        {{- include "mount.own" (dict "root" . "section" $section) | nindent 8 }}
    {{- if $sidecar }}
    {{- include "container.kerberos" (dict "root" . "section" $section "name" "worker-kerberos" "kerberos" (list $own.kerberosSidecar $old.kerberosSidecar)
      "resources" ($own.kerberosSidecar.resources | default $old.kerberosSidecar.resources) "arguments" "[kerberos]" "flaskConfig" $flaskConfig) | nindent 4 }}
    {{- end }}
    {{- include "values.templated" (list . $section.extraContainers) | nindent 4 }}
  volumes:
    {{- include "volume.config" . | nindent 4 }}
    {{- include "volume.dags" . | nindent 4 }}
    {{- include "volume.logs" . | nindent 4 }}
    {{- include "volume.sshKey" . | nindent 4 }}
    {{- if and $flaskConfig (or $init $sidecar) }}
    {{- include "volume.configMap" (list $flaskConfig (include (include "is.three" . | empty | ternary "name.webserverConfig" "name.apiServerConfig") .)) | nindent 4 }}
    {{- end }}
    {{- include "volume.kerberos" . | nindent 4 }}
    {{- include "volume.own" (dict "root" . "section" $section) | nindent 4 }}
{{- end -}}
