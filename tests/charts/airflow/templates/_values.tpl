{{/* Work on values: templated YAML, merging of worker sections. */}}

{{- define "values.templated" -}} {{- /* list root value: prints nothing for an empty value */ -}}
{{- $root := index . 0 -}}
{{- with index . 1 -}}
{{- $text := toYaml . -}}
{{- if contains "{{" $text }}{{ tpl $text $root }}{{ else }}{{ $text }}{{ end -}}
{{- end -}}
{{- end -}}

{{- define "values.withoutNulls" -}}
{{- $out := dict -}}
{{- range $key, $value := . -}}
{{- if kindIs "map" $value -}}
{{- with include "values.withoutNulls" $value | fromYaml }}{{ $_ := set $out $key . }}{{ end -}}
{{- else if not (kindIs "invalid" $value) -}}
{{- $_ := set $out $key $value -}}
{{- end -}}
{{- end -}}
{{- toYaml $out -}}
{{- end -}}

{{/*
List base, over, name of the section, sections whose booleans are or-ed. Maps merge, except those that are
replaced whole; an empty list keeps the base's.
*/}}
{{- define "workers.merge" -}}
{{- $base := index . 0 -}}{{- $over := index . 1 -}}{{- $section := index . 2 -}}{{- $ored := index . 3 -}}
{{- $whole := list "advanced" "affinity" "annotations" "behavior" "config" "container" "containerLifecycleHooks" "labels" "nodeSelector" "persistentVolumeClaimRetentionPolicy" "pod" "podAnnotations" "resources" "securityContext" -}}
{{- $out := dict -}}
{{- range $key, $new := $over }}{{ $_ := set $out $key $new }}{{ end -}}
{{- range $key, $old := $base -}}
{{- $new := get $over $key -}}
{{- if not (hasKey $over $key) -}}
{{- $_ := set $out $key $old -}}
{{- else if and (kindIs "map" $old) (not (has $key $whole)) -}}
{{- $_ := set $out $key (include "workers.merge" (list $old $new $key $ored) | fromYaml) -}}
{{- else if and (kindIs "slice" $new) (empty $new) -}}
{{- $_ := set $out $key $old -}}
{{- else if and (kindIs "bool" $old) (has $section $ored) -}}
{{- $_ := set $out $key (or $old $new) -}}
{{- else -}}
{{- $_ := set $out $key $new -}}
{{- end -}}
{{- end -}}
{{- toYaml $out -}}
{{- end -}}

{{/* List root, key: workers.<key> as the default Celery workers see it. Inside a worker's own scope there is no celery. */}}
{{- define "workers.section" -}}
{{- $workers := (index . 0).Values.workers -}}{{- $key := index . 1 -}}
{{- $over := dict -}}
{{- if hasKey $workers "celery" -}}{{- $over = include "values.withoutNulls" (index $workers.celery $key) | fromYaml -}}{{- end -}}
{{- include "workers.merge" (list (index $workers $key) $over $key (list)) -}}
{{- end -}}

{{/* A list: the values of each set of Celery workers, the default one first. */}}
{{- define "workers.sets" -}}
{{- $celery := include "values.withoutNulls" .Values.workers.celery | fromYaml -}}
{{- $default := include "workers.merge" (list .Values.workers $celery "" (list "kerberosInitContainer" "kerberosSidecar")) | fromYaml -}}
{{- $sets := .Values.workers.celery.sets | default list -}}
{{- if .Values.workers.celery.enableDefault }}{{ $sets = prepend $sets (dict "name" "default") }}{{ end -}}
{{- $out := list -}}
{{- range $sets }}{{ $out = append $out (include "workers.merge" (list (omit $default "celery") . "" (list)) | fromYaml) }}{{ end -}}
{{- toYaml $out -}}
{{- end -}}

{{/* Workers of one set: what stands behind its objects' names. */}}
{{- define "workers.suffix" -}}
{{- if ne .name "default" }}-{{ .name }}{{ end -}}
{{- end -}}
