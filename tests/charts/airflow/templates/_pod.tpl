{{/* What all pods have in common. */}}

{{/* list root, section...: the first pod security context that is set, else the chart's user and group. */}}
{{- define "pod.security" -}}
{{- $root := first . -}}{{- $found := dict -}}
{{- range append (rest .) $root.Values -}}
{{- if not $found }}{{ $found = (.securityContexts | default dict).pod | default .securityContext }}{{ end -}}
{{- end -}}
{{- toYaml ($found | default (dict "runAsUser" $root.Values.uid "fsGroup" $root.Values.gid)) -}}
{{- end -}}

{{/* list root, section...: the first container security context that is set, else the root's, else no privileges. */}}
{{- define "container.security" -}}
{{- $root := first . -}}{{- $found := dict -}}
{{- range append (rest .) $root.Values -}}
{{- if not $found }}{{ $found = (.securityContexts | default dict).container }}{{ end -}}
{{- end -}}
{{- toYaml ($found | default $root.Values.securityContexts.containers | default (dict "allowPrivilegeEscalation" false "capabilities" (dict "drop" (list "ALL")))) -}}
{{- end -}}

{{/* A section that the root's security contexts do not reach. */}}
{{- define "pod.security.local" -}}
{{- toYaml (.securityContexts.pod | default .securityContext | default (dict "runAsUser" .uid)) -}}
{{- end -}}

{{- define "container.security.local" -}}
{{- toYaml (.securityContexts.container | default (dict "allowPrivilegeEscalation" false "capabilities" (dict "drop" (list "ALL")))) -}}
{{- end -}}

{{- define "pod.pullSecrets" -}}
{{- $secrets := .Values.imagePullSecrets | default (list .Values.registry.secretName) | compact | uniq -}}
{{- if and (not $secrets) .Values.registry.connection }}{{ $secrets = list (printf "%s-registry" (include "airflow.fullname" .)) }}{{ end -}}
{{- $out := list -}}
{{- range $secrets }}{{ $out = append $out (dict "name" (kindIs "string" . | ternary . (get (kindIs "map" . | ternary . (dict)) "name"))) }}{{ end -}}
{{- toYaml $out -}}
{{- end -}}

{{/*
root, section, sections (in the place of section, the first that is set wins), spread (a component whose pods
keep apart), account (name of the ServiceAccount), skip (a key): where the pod runs and as whom.
*/}}
{{- define "pod.placement" -}}
{{- $values := .root.Values -}}
{{- $sections := append (.sections | default (list .section)) $values -}}
{{- range list "nodeSelector" "affinity" "tolerations" "topologySpreadConstraints" }}
{{- $key := . }}{{ $found := index $values $key }}
{{- range reverse $sections }}{{ with index . $key }}{{ $found = . }}{{ end }}{{ end }}
{{- if and (eq $key "affinity") (not $found) $.spread }}
{{- $term := dict "labelSelector" (dict "matchLabels" (dict "component" $.spread)) "topologyKey" "kubernetes.io/hostname" }}
{{- $found = dict "podAntiAffinity" (dict "preferredDuringSchedulingIgnoredDuringExecution" (list (dict "weight" 100 "podAffinityTerm" $term))) }}
{{- end }}
{{ toYaml (dict $key $found) }}
{{- end }}
{{- range list "schedulerName" "priorityClassName" "runtimeClassName" "hostAliases" }}
{{- $key := . }}{{ $found := "" }}
{{- range reverse $sections }}{{ with get . $key }}{{ $found = . }}{{ end }}{{ end }}
{{- if and $found (ne $key ($.skip | default "")) }}
{{ toYaml (dict $key $found) }}
{{- end }}
{{- end }}
serviceAccountName: {{ .account }}
{{- if not (kindIs "invalid" $values.enableServiceLinks) }}
enableServiceLinks: {{ $values.enableServiceLinks }}
{{- end }}
{{- end -}}

{{- define "pod.revisions" -}} {{- /* list root section */ -}}
{{- $limit := (index . 1).revisionHistoryLimit -}}
{{- if kindIs "invalid" $limit }}{{ $limit = (index . 0).Values.revisionHistoryLimit }}{{ end -}}
{{- if not (kindIs "invalid" $limit) }}revisionHistoryLimit: {{ $limit }}{{ end -}}
{{- end -}}

{{/* Annotations under .Values.<section>, templated, over those for all Airflow pods. */}}
{{- define "pod.annotations" -}} {{- /* root, own, checksums (names of sources), fixed, airflow (bool) */ -}}
{{- $out := .fixed | default dict -}}
{{- $root := .root -}}
{{- range .checksums }}{{ $_ := set $out (printf "checksum/%s" .) (include (printf "source.%s" .) $root | sha256sum) }}{{ end -}}
{{- if .airflow }}{{ range $key, $value := .root.Values.airflowPodAnnotations }}{{ $_ := set $out $key $value }}{{ end }}{{ end -}}
{{- range $key, $value := .own }}{{ $_ := set $out $key $value }}{{ end -}}
{{- include "values.templated" (list .root $out) -}}
{{- end -}}

{{/* list root account: a token that the chart mounts itself instead of Kubernetes. */}}
{{- define "is.ownToken" -}}
{{- $account := index . 1 -}}
{{- if and (include "is.launching" (index . 0)) (not $account.automountServiceAccountToken) $account.serviceAccountTokenVolume.enabled }}true{{ end -}}
{{- end -}}

{{- define "volume.token" -}}
{{- if include "is.ownToken" . }}
{{- $token := (index . 1).serviceAccountTokenVolume }}
- name: {{ $token.volumeName }}
  projected:
    defaultMode: 420
    sources:
      - serviceAccountToken:
          {{- with $token.audience }}
          audience: {{ . }}
          {{- end }}
          expirationSeconds: {{ $token.expirationSeconds }}
          path: token
      - configMap:
          name: kube-root-ca.crt
          items: [{key: ca.crt, path: ca.crt}]
      - downwardAPI:
          items: [{path: namespace, fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}]
{{- end }}
{{- end -}}

{{- define "mount.token" -}}
{{- if include "is.ownToken" . }}
{{- $token := (index . 1).serviceAccountTokenVolume }}
- name: {{ $token.volumeName }}
  mountPath: {{ $token.mountPath }}
  readOnly: true
{{- end }}
{{- end -}}

{{/* Mounts and volumes that Airflow's pods share; each prints list items. */}}

{{- define "mount.config" -}}
{{- $home := .Values.airflowHome }}
- name: config
  mountPath: {{ $home }}/airflow.cfg
  subPath: airflow.cfg
  readOnly: true
{{- if .Values.airflowLocalSettings }}
- name: config
  mountPath: {{ $home }}/config/airflow_local_settings.py
  subPath: airflow_local_settings.py
  readOnly: true
{{- end }}
{{- end -}}

{{- define "mount.logs" -}} {{- /* list root path */ -}}
{{- $root := index . 0 }}
- name: logs
  mountPath: {{ index . 1 | default (include "airflow_logs_no_quote" $root) }}
  {{- with $root.Values.logs.persistence.subPath }}
  subPath: {{ . }}
  {{- end }}
{{- end -}}

{{- define "mount.dags" -}}
{{- if or .Values.dags.persistence.enabled .Values.dags.gitSync.enabled }}
- name: dags
  mountPath: {{ .Values.dags.mountPath | default (printf "%s/dags" .Values.airflowHome) }}
  {{- with .Values.dags.persistence.subPath }}
  subPath: {{ . }}
  {{- end }}
  readOnly: {{ .Values.dags.gitSync.enabled }}
{{- end }}
{{- end -}}

{{- define "mount.flaskConfig" -}} {{- /* list root volume */ -}}
- name: {{ index . 1 }}
  mountPath: {{ (index . 0).Values.airflowHome }}/webserver_config.py
  subPath: webserver_config.py
  readOnly: true
{{- end -}}

{{- define "mount.kerberos" -}} {{- /* list root readOnly */ -}}
{{- $kerberos := (index . 0).Values.kerberos }}
- name: kerberos-keytab
  mountPath: {{ $kerberos.keytabPath | quote }}
  subPath: kerberos.keytab
  readOnly: true
- name: config
  mountPath: {{ $kerberos.configPath | quote }}
  subPath: krb5.conf
  readOnly: true
- name: kerberos-ccache
  mountPath: {{ $kerberos.ccacheMountPath | quote }}
  readOnly: {{ index . 1 }}
{{- end -}}

{{/* root, section: the values' own mounts for all pods and for this one. */}}
{{- define "mount.own" -}}
{{- with .root.Values.volumeMounts }}
{{ toYaml . }}
{{- end }}
{{ include "values.templated" (list .root .section.extraVolumeMounts) }}
{{- end -}}

{{- define "volume.own" -}}
{{- with .root.Values.volumes }}
{{ toYaml . }}
{{- end }}
{{ include "values.templated" (list .root .section.extraVolumes) }}
{{- end -}}

{{- define "volume.configMap" -}} {{- /* list volume name */ -}}
- name: {{ index . 0 }}
  configMap:
    name: {{ index . 1 }}
{{- end -}}

{{- define "volume.config" -}}
{{ include "volume.configMap" (list "config" (printf "%s-config" (include "airflow.fullname" .))) }}
{{- end -}}

{{- define "volume.logs" -}}
- name: logs
  {{- if .Values.logs.persistence.enabled }}
  persistentVolumeClaim:
    claimName: {{ .Values.logs.persistence.existingClaim | default (printf "%s-logs" .Release.Name) }}
  {{- else }}
  emptyDir: {{- toYaml (.Values.logs.emptyDirConfig | default dict) | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "volume.dags" -}}
{{- if .Values.dags.persistence.enabled }}
- name: dags
  persistentVolumeClaim:
    claimName: {{ .Values.dags.persistence.existingClaim | default (printf "%s-dags" .Release.Name) }}
{{- else if .Values.dags.gitSync.enabled }}
- name: dags
  emptyDir: {{- toYaml (.Values.dags.gitSync.emptyDirConfig | default dict) | nindent 4 }}
{{- end }}
{{- end -}}

{{- define "volume.sshKey" -}}
{{- if and .Values.dags.gitSync.enabled (include "is.sshKey" .) }}
- name: git-sync-ssh-key
  secret:
    secretName: {{ include "name.secret" (dict "root" . "given" .Values.dags.gitSync.sshKeySecret "suffix" "ssh-secret") }}
    defaultMode: 288
{{- end }}
{{- end -}}

{{- define "volume.kerberos" -}}
{{- if .Values.kerberos.enabled }}
- name: kerberos-keytab
  secret:
    secretName: {{ include "airflow.fullname" . }}-kerberos-keytab
- name: kerberos-ccache
  emptyDir: {}
{{- end }}
{{- end -}}

{{/* annotations, storageClassName, size, root: the claim template of a StatefulSet. */}}
{{- define "volume.claimTemplate" -}}
- apiVersion: v1
  kind: PersistentVolumeClaim
  metadata:
    name: {{ .name }}
    {{- with .claim.annotations }}
    annotations: {{- toYaml . | nindent 6 }}
    {{- end }}
  spec:
    {{- with .claim.storageClassName }}
    storageClassName: {{ tpl . $.root | quote }}
    {{- end }}
    accessModes: [ReadWriteOnce]
    resources: {requests: {storage: {{ .claim.size }}}}
{{- end -}}
