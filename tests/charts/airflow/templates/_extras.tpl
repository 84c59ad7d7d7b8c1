{{/* list root kind name content fields: an object written out in the values; a Helm hook unless that is switched off. */}}
{{- define "extra" -}}
{{- $root := index . 0 -}}{{- $content := index . 3 -}}
{{- $annotations := $content.annotations | default dict -}}
{{- if or $content.useHelmHooks (not (hasKey $content "useHelmHooks")) -}}
{{- $annotations = merge (include "metadata.hook" (dict "hook" "pre-install,pre-upgrade" "weight" 0) | fromYaml) $annotations -}}
{{- end }}
---
apiVersion: v1
kind: {{ index . 1 }}
{{ include "metadata" (dict "root" $root "name" (tpl (index . 2) $root) "labels" $content.labels "annotations" $annotations) }}
{{- with $content.type }}
type: {{ . }}
{{- end }}
{{- range index . 4 }}
{{- $field := . }}
{{- with index $content . }}
{{ $field }}: {{- tpl . $root | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "source.extra-secrets" -}}
{{- range $name, $content := .Values.extraSecrets }}{{ include "extra" (list $ "Secret" $name $content (list "data" "stringData")) }}{{ end -}}
{{- end -}}

{{- define "source.extra-configmaps" -}}
{{- range $name, $content := .Values.extraConfigMaps }}{{ include "extra" (list $ "ConfigMap" $name $content (list "data")) }}{{ end -}}
{{- end -}}
