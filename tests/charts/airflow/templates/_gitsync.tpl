{{/* list root init: the git-sync container, once before the others or beside them. */}}
{{- define "container.gitSync" -}}
{{- $root := index . 0 -}}{{- $init := index . 1 -}}{{- $sync := $root.Values.dags.gitSync -}}
- name: {{ $sync.containerName }}{{ if $init }}-init{{ end }}
  image: {{ include "image.of" (list $root "gitSync") }}
  imagePullPolicy: {{ $root.Values.images.gitSync.pullPolicy }}
  securityContext: {{- toYaml ($sync.securityContexts.container | default $sync.securityContext | default (dict "runAsUser" $sync.uid)) | nindent 4 }}
  envFrom: {{- with $sync.envFrom }}{{ tpl . $root | nindent 4 }}{{ else }} []{{ end }}
  env: {{- include "env.gitSync" . | nindent 4 }}
  resources: {{- toYaml $sync.resources | nindent 4 }}
  {{- if not $init }}
  {{- include "probe.gitSync" $root | nindent 2 }}
  {{- with include "values.templated" (list $root $sync.containerLifecycleHooks) }}
  lifecycle: {{- . | nindent 4 }}
  {{- end }}
  {{- end }}
  volumeMounts:
    - name: dags
      mountPath: /git
    {{- if include "is.sshKey" $root }}
    - name: git-sync-ssh-key
      mountPath: /etc/git-secret/ssh
      subPath: gitSshKey
      readOnly: true
    {{- if $sync.knownHosts }}
    - name: config
      mountPath: /etc/git-secret/known_hosts
      subPath: known_hosts
      readOnly: true
    {{- end }}
    {{- end }}
    {{- include "values.templated" (list $root $sync.extraVolumeMounts) | nindent 4 }}
{{- end -}}

{{/* Each setting under the names of git-sync 3 and 4. */}}
{{- define "env.gitSync" -}}
{{- $root := index . 0 -}}{{- $sync := $root.Values.dags.gitSync -}}
{{- $pairs := list (list "GIT_SYNC_REV" $sync.rev) (list "GITSYNC_REF" $sync.ref) (list "GIT_SYNC_BRANCH" $sync.branch) -}}
{{- $pairs = concat $pairs (list (list "GIT_SYNC_REPO" $sync.repo) (list "GITSYNC_REPO" $sync.repo) (list "GIT_SYNC_DEPTH" $sync.depth) (list "GITSYNC_DEPTH" $sync.depth)) -}}
{{- $pairs = concat $pairs (list (list "GIT_SYNC_ROOT" "/git") (list "GITSYNC_ROOT" "/git") (list "GIT_SYNC_DEST" "repo") (list "GITSYNC_LINK" "repo")) -}}
{{- $pairs = concat $pairs (list (list "GIT_SYNC_ADD_USER" "true") (list "GITSYNC_ADD_USER" "true") (list "GITSYNC_PERIOD" $sync.period)) -}}
{{- $pairs = concat $pairs (list (list "GIT_SYNC_MAX_SYNC_FAILURES" $sync.maxFailures) (list "GITSYNC_MAX_FAILURES" $sync.maxFailures)) -}}
{{- $ssh := include "is.sshKey" $root -}}
{{- if $ssh -}}
{{- $key := "/etc/git-secret/ssh" -}}{{- $hosts := "/etc/git-secret/known_hosts" -}}{{- $known := empty $sync.knownHosts | ternary "false" "true" -}}
{{- $pairs = concat $pairs (list (list "GIT_SSH_KEY_FILE" $key) (list "GITSYNC_SSH_KEY_FILE" $key) (list "GIT_SYNC_SSH" "true") (list "GITSYNC_SSH" "true")) -}}
{{- $pairs = concat $pairs (list (list "GIT_KNOWN_HOSTS" $known) (list "GITSYNC_SSH_KNOWN_HOSTS" $known)) -}}
{{- if $sync.knownHosts }}{{ $pairs = concat $pairs (list (list "GIT_SSH_KNOWN_HOSTS_FILE" $hosts) (list "GITSYNC_SSH_KNOWN_HOSTS_FILE" $hosts)) }}{{ end -}}
{{- end -}}
{{- range $pairs }}
- name: {{ first . }}
  value: {{ last . | quote }}
{{- end }}
{{- if and $sync.credentialsSecret (not $ssh) }}
{{- range list "GIT_SYNC_USERNAME" "GITSYNC_USERNAME" "GIT_SYNC_PASSWORD" "GITSYNC_PASSWORD" }}
{{ include "env.ref" (list . ($sync.credentialsSecret | quote) .) }}
{{- end }}
{{- end }}
{{- with $sync.wait }}
- name: GIT_SYNC_WAIT
  value: {{ . | quote }}
{{- end }}
{{- range index . 1 | ternary (list "GIT_SYNC_ONE_TIME" "GITSYNC_ONE_TIME") (list "GIT_SYNC_HTTP_BIND" "GITSYNC_HTTP_BIND") }}
- name: {{ . }}
  value: {{ hasSuffix "ONE_TIME" . | ternary "true" (printf ":%v" $sync.httpPort) | quote }}
{{- end }}
{{- with $sync.env }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "probe.gitSync" -}}
{{- $sync := .Values.dags.gitSync -}}
{{- if $sync.startupProbe.enabled -}}
startupProbe: {{- toYaml (merge (dict "httpGet" (dict "path" "/" "port" $sync.httpPort)) (omit $sync.startupProbe "enabled")) | nindent 2 }}
{{- end }}
{{- if and $sync.recommendedProbeSetting $sync.livenessProbe.enabled }}
livenessProbe: {{- toYaml (merge (dict "httpGet" (dict "path" "/" "port" $sync.httpPort)) (pick $sync.livenessProbe "timeoutSeconds" "initialDelaySeconds" "periodSeconds" "failureThreshold") (dict "timeoutSeconds" 1 "initialDelaySeconds" 0 "periodSeconds" 5 "failureThreshold" 10)) | nindent 2 }}
{{- else if $sync.livenessProbe }}
livenessProbe: {{- include "values.templated" (list . $sync.livenessProbe) | nindent 2 }}
{{- end }}
{{- if and $sync.readinessProbe (not $sync.recommendedProbeSetting) }}
readinessProbe: {{- include "values.templated" (list . $sync.readinessProbe) | nindent 2 }}
{{- end }}
{{- end -}}
