{{/* ConfigMaps; their text is also what the checksums of pods are made of. */}}

{{/* root, name, annotations, data */}}
{{- define "configMap" -}}
---
apiVersion: v1
kind: ConfigMap
{{ include "metadata" (dict "root" .root "name" .name "component" "config" "annotations" .annotations) }}
data: {{- toYaml .data | nindent 2 }}
{{- end -}}

{{- define "source.airflow-config" -}}
{{- $data := dict "airflow.cfg" (include "config.airflow" .) -}}
{{- with .Values.airflowLocalSettings }}{{ $_ := set $data "airflow_local_settings.py" (tpl . $ | trim) }}{{ end -}}
{{- with .Values.dags.gitSync.knownHosts }}{{ if $.Values.dags.gitSync.enabled }}{{ $_ := set $data "known_hosts" (trim .) }}{{ end }}{{ end -}}
{{- if include "is.kubernetes" . -}}
{{- $_ := set $data "pod_template_file.yaml" (.Values.podTemplate | empty | ternary (include "config.podTemplate" .) (tpl (.Values.podTemplate | default "") .)) -}}
{{- end -}}
{{- if .Values.kerberos.enabled }}{{ $_ := set $data "krb5.conf" (tpl .Values.kerberos.config . | trim) }}{{ end -}}
{{- include "configMap" (dict "root" . "name" (printf "%s-config" (include "airflow.fullname" .)) "annotations" .Values.airflowConfigAnnotations "data" $data) }}
{{- end -}}

{{- define "config.airflow" -}}
{{- $core := merge (dict) (.Values.config.core | default dict) -}}
{{- if and (include "is.three" .) (not (hasKey $core "execution_api_server_url")) -}}
{{- $path := "" }}{{ with (.Values.config.api | default dict).base_url }}{{ $path = (urlParse .).path | trimSuffix "/" }}{{ end -}}
{{- $_ := set $core "execution_api_server_url" (printf "http://%s-api-server:%d%s/execution/" (include "airflow.fullname" .) (int .Values.ports.apiServer) $path) -}}
{{- end -}}
{{- range $section, $settings := set (omit .Values.config "core") "core" $core }}
[{{ $section }}]
{{- range $key, $value := $settings }}
{{ $key }} = {{ tpl (toString $value) $ }}
{{- end }}
{{ end }}
{{- end -}}

{{- define "source.api-server-config" -}}
{{- with .Values.apiServer }}
{{- if and (include "is.three" $) .apiServerConfig (not .apiServerConfigConfigMapName) }}
{{ include "configMap" (dict "root" $ "name" (include "name.apiServerConfig" $) "annotations" .configMapAnnotations "data" (dict "webserver_config.py" (tpl .apiServerConfig $))) }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "source.webserver-config" -}}
{{- with .Values.webserver }}
{{- if and .webserverConfig (not .webserverConfigConfigMapName) }}
{{ include "configMap" (dict "root" $ "name" (include "name.webserverConfig" $) "annotations" .configMapAnnotations "data" (dict "webserver_config.py" (tpl .webserverConfig $))) }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "source.statsd-config" -}}
{{- $statsd := .Values.statsd -}}
{{- $mappings := (.Files.Get "files/statsd-mappings.yaml" | fromYaml).mappings -}}
{{- $content := dict "mappings" ($statsd.overrideMappings | default (concat $mappings $statsd.extraMappings)) -}}
{{- with $statsd.cache.ttl }}{{ $_ := set $content "defaults" (dict "ttl" .) }}{{ end -}}
{{- include "configMap" (dict "root" . "name" (printf "%s-statsd" (include "airflow.fullname" .)) "annotations" $statsd.configMapAnnotations "data" (dict "mappings.yml" (toYaml $content))) }}
{{- end -}}

{{- define "source.otel-collector-config" -}}
{{- $config := .Values.otelCollector.config | empty | ternary (include "config.otel" .) (tpl (.Values.otelCollector.config | default "") .) -}}
{{- include "configMap" (dict "root" . "name" (printf "%s-otel-collector" (include "airflow.fullname" .)) "data" (dict "config.yml" $config)) }}
{{- end -}}

{{- define "config.otel" -}}
extensions: {health_check: {endpoint: "0.0.0.0:13133"}}
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "0.0.0.0:{{ .Values.ports.otelCollectorOtlpGrpc }}"}
      http: {endpoint: "0.0.0.0:{{ .Values.ports.otelCollectorOtlpHttp }}"}
processors: {batch: {}}
exporters: {logging: {verbosity: basic}}
service:
  extensions: [health_check]
  pipelines:
    traces: {receivers: [otlp], processors: [batch], exporters: [logging]}
    metrics: {receivers: [otlp], processors: [batch], exporters: [logging]}
{{- end -}}
