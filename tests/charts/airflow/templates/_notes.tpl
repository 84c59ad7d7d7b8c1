{{/* Warnings in the form of the official chart's: a line of its own, then what it is about. */}}

{{- define "notes.renamed" }}

DEPRECATION WARNING:
   `{{ index . 0 }}` has been renamed to {{ index . 1 }}.
{{ end -}}

{{- define "notes.banner" }}
{{- $line := printf "#  WARNING: %s  #" . }}

{{ repeat (len $line) "#" }}
{{ $line }}
{{ repeat (len $line) "#" }}
{{ end -}}

{{- define "notes.worker" -}} {{- /* list root path default: warns when the value under workers is another */ -}}
{{- $path := splitList "." (index . 1) -}}{{- $workers := (index . 0).Values.workers -}}
{{- $value := $workers -}}
{{- range $path }}{{ $value = get ($value | default dict) . }}{{ end -}}
{{- $default := index . 2 -}}
{{- $same := empty $value -}}
{{- if not (kindIs "invalid" $default) }}{{ $same = eq (toString $value) (toString $default) }}{{ end -}}
{{- if not $same -}}
{{- $target := printf "`workers.celery.%s`" (index . 1) -}}
{{- if hasKey $workers.kubernetes (first $path) }}{{ $target = printf "%s/`workers.kubernetes.%s`" $target (index . 1) }}{{ end -}}
{{- include "notes.renamed" (list (printf "workers.%s" (index . 1)) $target) -}}
{{- end -}}
{{- end -}}
