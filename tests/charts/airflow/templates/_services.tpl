{{/* root, section, name: a Service whose ports the values describe, templated. */}}
{{- define "service.published" -}}
{{- $root := .root -}}{{- $service := .section.service -}}
apiVersion: v1
kind: Service
{{ include "metadata" (dict "root" $root "suffix" .name "component" .name "labels" .section.labels "annotations" $service.annotations) }}
spec:
  type: {{ $service.type }}
  selector: {{- include "metadata.selector" (dict "root" $root "component" .name) | nindent 4 }}
  ports: {{- include "ports.templated" (list $root $service.ports) | nindent 4 }}
  {{- with $service.loadBalancerIP }}
  loadBalancerIP: {{ . }}
  {{- end }}
  {{- with $service.loadBalancerSourceRanges }}
  loadBalancerSourceRanges: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "ports.templated" -}} {{- /* list root ports */ -}}
{{- $root := index . 0 -}}
{{- range index . 1 }}
-
  {{- range $key, $value := . }}
  {{ $key }}: {{ tpl (toString $value) $root }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* root, section, name, set, port (its name), number: where other components read this one's logs. */}}
{{- define "service.headless" -}}
apiVersion: v1
kind: Service
{{ include "metadata" (dict "root" .root "suffix" (printf "%s-%s" .name (.set | default "") | trimSuffix "-") "component" .name "labels" .section.labels) }}
spec:
  clusterIP: None
  selector: {{- include "metadata.selector" (dict "root" .root "component" .name "set" .set) | nindent 4 }}
  ports: [{name: {{ .port }}, protocol: TCP, port: {{ .number }}, targetPort: {{ .number }}}]
{{- end -}}

{{/* root, section, name, ports (list of name, number, protocol), annotations, headless target: a Service inside the cluster. */}}
{{- define "service.internal" -}}
apiVersion: v1
kind: Service
{{ include "metadata" (dict "root" .root "suffix" .name "component" .name "labels" .section.labels "annotations" .annotations) }}
spec:
  type: {{ .type | default "ClusterIP" }}
  {{- with .address }}
  clusterIP: {{ . }}
  {{- end }}
  selector: {{- include "metadata.selector" (dict "root" .root "component" .name) | nindent 4 }}
  ports:
    {{- range .ports }}
    - name: {{ index . 0 }}
      protocol: {{ index . 2 | default "TCP" }}
      port: {{ index . 1 }}
      {{- if not $.untargeted }}
      targetPort: {{ index . 1 }}
      {{- end }}
      {{- with $.nodePort }}
      nodePort: {{ . }}
      {{- end }}
    {{- end }}
{{- end -}}
