{{/* Secrets the chart writes when no name is given; their text is also what the checksums of pods are made of. */}}

{{/* root, name, component, chart, annotations, hook, type, data (plain text by key) */}}
{{- define "secret" -}}
{{- $annotations := merge (dict) (.annotations | default dict) -}}
{{- if .hook }}{{ $annotations = merge (include "metadata.hook" (dict "hook" "pre-install" "weight" 0) | fromYaml) $annotations }}{{ end -}}
---
apiVersion: v1
kind: Secret
{{ include "metadata" (dict "root" .root "name" .name "component" .component "chart" .chart "annotations" $annotations) }}
{{- if ne .type "none" }}
type: {{ .type | default "Opaque" }}
{{- end }}
data:
  {{- range $key, $value := .data }}
  {{ $key }}: {{ $value | b64enc | quote }}
  {{- end }}
{{- end -}}

{{- define "url.user" -}} {{- /* list root connection templated */ -}}
{{- $connection := index . 1 -}}
{{- $user := $connection.user }}{{ if index . 2 }}{{ $user = tpl $user (index . 0) }}{{ end -}}
{{- printf "%s:%s" (urlquery $user) (urlquery $connection.pass) -}}
{{- end -}}

{{- define "source.metadata-secret" -}}
{{- if not .Values.data.metadataSecretName -}}
{{- $connection := .Values.data.metadataConnection -}}{{- $pool := .Values.pgbouncer.enabled -}}
{{- $protocol := $connection.protocol -}}
{{- $host := coalesce $connection.host .Values.postgresql.nameOverride (printf "%s-postgresql.%s" .Release.Name .Release.Namespace) -}}
{{- $direct := printf "%s:%v" $host $connection.port -}}
{{- $pooled := printf "%s-pgbouncer.%s:%v" (include "airflow.fullname" .) .Release.Namespace .Values.ports.pgbouncer -}}
{{- $database := tpl $connection.db . -}}
{{- $query := eq $protocol "postgresql" | ternary (printf "sslmode=%s" $connection.sslmode) "" -}}
{{- $user := include "url.user" (list . $connection true) -}}
{{- $data := dict "connection" (urlJoin (dict "scheme" $protocol "userinfo" $user "host" ($pool | ternary $pooled $direct) "path" (printf "/%s" ($pool | ternary (printf "%s-metadata" .Release.Name) $database)) "query" $query)) -}}
{{- if include "is.kedaDirect" . -}}
{{- $_ := set $data "kedaConnection" (urlJoin (dict "scheme" $protocol "userinfo" $user "host" $direct "path" (printf "/%s" $database) "query" $query)) -}}
{{- else if include "is.kedaMysql" . -}}
{{- $_ := set $data "kedaConnection" (urlJoin (dict "userinfo" $user "host" (printf "tcp(%s)" $direct) "path" (printf "/%s" $database) "query" $query) | trimPrefix "//") -}}
{{- end }}
{{ include "secret" (dict "root" . "name" (include "name.metadata" .) "annotations" $connection.secretAnnotations "data" $data) }}
{{- end -}}
{{- end -}}

{{- define "source.result-backend-secret" -}}
{{- $connection := .Values.data.resultBackendConnection -}}
{{- if and $connection (not .Values.data.resultBackendSecretName) (include "is.celery" .) -}}
{{- $pool := .Values.pgbouncer.enabled -}}
{{- $host := printf "%s:%v" ($connection.host | default (printf "%s-postgresql" .Release.Name)) $connection.port -}}
{{- $database := $connection.db -}}
{{- if $pool }}{{ $host = printf "%s-pgbouncer:%v" .Release.Name .Values.ports.pgbouncer }}{{ $database = printf "%s-result-backend" .Release.Name }}{{ end -}}
{{- $query := eq $connection.protocol "postgresql" | ternary (printf "sslmode=%s" $connection.sslmode) "" -}}
{{- $url := urlJoin (dict "scheme" (printf "db+%s" $connection.protocol) "userinfo" (include "url.user" (list . $connection false)) "host" $host "path" (printf "/%s" $database) "query" $query) }}
{{ include "secret" (dict "root" . "name" (printf "%s-result-backend" (include "airflow.fullname" .)) "annotations" .Values.data.resultBackendConnectionSecretAnnotations "data" (dict "connection" $url)) }}
{{- end -}}
{{- end -}}

{{- define "pgbouncer.ini" -}}
{{- $metadata := .Values.data.metadataConnection -}}{{- $section := .Values.pgbouncer -}}
{{- $default := printf "%s-postgresql.%s" .Release.Name .Release.Namespace -}}
{{- $results := .Values.data.resultBackendConnection | default $metadata -}}
[databases]
{{ .Release.Name }}-metadata = host={{ $metadata.host | default $default }} dbname={{ tpl $metadata.db . }} port={{ $metadata.port }} pool_size={{ $section.metadataPoolSize }} {{ $section.extraIniMetadata | default "" }}
{{ .Release.Name }}-result-backend = host={{ $results.host | default $default }} dbname={{ tpl $results.db . }} port={{ $results.port }} pool_size={{ $section.resultBackendPoolSize }} {{ $section.extraIniResultBackend | default "" }}

[pgbouncer]
listen_addr = *
listen_port = {{ .Values.ports.pgbouncer }}
pool_mode = transaction
auth_type = {{ $section.auth_type }}
auth_file = {{ $section.auth_file }}
stats_users = {{ tpl $metadata.user . }}
ignore_startup_parameters = extra_float_digits
max_client_conn = {{ $section.maxClientConn }}
verbose = {{ $section.verbose }}
log_connections = {{ $section.logConnections }}
log_disconnections = {{ $section.logDisconnections }}
server_tls_sslmode = {{ $section.sslmode }}
server_tls_ciphers = {{ $section.ciphers }}
{{- range $key, $file := dict "ca" "ca_file = /etc/pgbouncer/root.crt" "cert" "cert_file = /etc/pgbouncer/server.crt" "key" "key_file = /etc/pgbouncer/server.key" }}
{{- if index $section.ssl $key }}
server_tls_{{ $file }}
{{- end }}
{{- end }}
{{ $section.extraIni | default "" }}
{{- end -}}

{{- define "source.pgbouncer-config-secret" -}}
{{- if and .Values.pgbouncer.enabled (not .Values.pgbouncer.configSecretName) -}}
{{- $users := list -}}
{{- range list .Values.data.metadataConnection (.Values.data.resultBackendConnection | default .Values.data.metadataConnection) -}}
{{- $users = append $users (printf "%q %q" (tpl .user $) .pass) -}}
{{- end }}
{{ include "secret" (dict "root" . "name" (printf "%s-pgbouncer-config" (include "airflow.fullname" .)) "component" "pgbouncer" "annotations" .Values.pgbouncer.configSecretAnnotations
  "data" (dict "pgbouncer.ini" (include "pgbouncer.ini" .) "users.txt" (join "\n" $users))) }}
{{- end -}}
{{- end -}}

{{- define "source.pgbouncer-certificates-secret" -}}
{{- $files := include "pgbouncer.certificates" . | fromYaml -}}
{{- if and .Values.pgbouncer.enabled $files }}
{{ include "secret" (dict "root" . "name" (printf "%s-pgbouncer-certificates" (include "airflow.fullname" .)) "component" "pgbouncer" "annotations" .Values.pgbouncer.certificatesSecretAnnotations "data" $files) }}
{{- end -}}
{{- end -}}

{{- define "source.webserver-secret-key" -}}
{{- if and (include "is.two" .) (not .Values.webserverSecretKeySecretName) }}
{{ include "secret" (dict "root" . "name" (printf "%s-webserver-secret-key" (include "airflow.fullname" .)) "component" "webserver" "annotations" .Values.webserverSecretAnnotations
  "data" (dict "webserver-secret-key" (.Values.webserverSecretKey | default (randAlphaNum 32)))) }}
{{- end -}}
{{- end -}}

{{- define "source.jwt-secret" -}}
{{- if and (include "is.apiServer" .) (not .Values.jwtSecretName) }}
{{ include "secret" (dict "root" . "name" (printf "%s-jwt-secret" (include "airflow.fullname" .)) "component" "api-server" "chart" .Chart.Name "annotations" .Values.jwtSecretAnnotations
  "data" (dict "jwt-secret" (.Values.jwtSecret | default (randAlphaNum 128)))) }}
{{- end -}}
{{- end -}}

{{- define "source.flower-secret" -}}
{{- with .Values.flower }}
{{- if and .enabled (not .secretName) .username .password }}
{{ include "secret" (dict "root" $ "name" (printf "%s-flower" (include "airflow.fullname" $)) "component" "flower" "annotations" .secretAnnotations "data" (dict "basicAuth" (printf "%s:%s" .username .password))) }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "source.kerberos-keytab" -}}
{{- if and .Values.kerberos.enabled .Values.kerberos.keytabBase64Content }}
{{ include "secret" (dict "root" . "name" (printf "%s-kerberos-keytab" (include "airflow.fullname" .)) "component" "webserver" "data" (dict "kerberos.keytab" (b64dec .Values.kerberos.keytabBase64Content))) }}
{{- end -}}
{{- end -}}
