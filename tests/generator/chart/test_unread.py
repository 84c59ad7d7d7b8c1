"""Files that no template reads stay out of a render; whatever may be read stays in."""

import json
import time

import pytest

from generator.chart.archive import unpack
from generator.chart.chart import open_chart
from generator.chart.unread import lean, may_read_files
from tests.generator.chart.samples import write

DOCUMENTS = {
    "README.md": "long",
    "docs/all.txt": "longer",
    "charts/sub/README.md": "of a subchart",
    "charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
    "charts/sub/templates/note.yaml": "",
    "files/a.yml": '{{ tpl (.Files.Get "files/b.yml") . }}',
    "files/b.yml": "{}",
    "files/c.yml": "{}",
}


def files_of(tmp_path, template):
    files = {**DOCUMENTS, "templates/more.yaml": template}
    archive = lean(open_chart(write(tmp_path, files), official=False))
    return archive if archive is None else set(unpack(archive))


def test_what_is_read_by_name_stays_and_what_that_reads(tmp_path):
    kept = files_of(tmp_path, '{{ tpl ($.Files.Get "files/a.yml") . }}')
    assert {"files/a.yml", "files/b.yml", "charts/sub/Chart.yaml", "values.yaml"} <= kept
    assert not kept & {"README.md", "docs/all.txt", "charts/sub/README.md", "files/c.yml"}


@pytest.mark.parametrize(
    "template",
    [
        '{{ .Files.Get (printf "files/%s" .Values.name) }}',
        "{{ .Files.Get .Values.name }}",
        '{{ (.Files.Glob "files/*").AsConfig }}',
        '{{ include "x" (dict "files" .Files) }}',
        '{{ index . "Files" }}',
        '{{ .Files.Get "files/a\\x2eyml" }}',
        '{{ with .Files }}{{ .Get "files/a.yml" }}{{ end }}',
        "{{ toYaml $ }}",
        "{{ mustToJson $ }}",
        "{{ $ | toYaml }}",
        '{{ printf "%v" $ }}',
        "{{ ($ | toJson) | sha256sum }}",
        "{{ $ }}",
    ],
)
def test_where_any_file_may_be_read_the_archive_stays_whole(tmp_path, template):
    assert files_of(tmp_path, template) is None


def test_where_a_subchart_is_packed_the_archive_stays_whole(tmp_path):
    chart = write(tmp_path, {**DOCUMENTS, "charts/other-1.0.0.tgz": "packed"})
    assert lean(open_chart(chart, official=False)) is None


@pytest.mark.parametrize(
    "template",
    [
        "{{ tpl .name $ | quote }}",
        "{{ tpl (toYaml .Values.env) $ | nindent 8 }}",
        "{{ toYaml $x }}",
    ],
)
def test_handing_on_the_context_is_not_printing_it(tmp_path, template):
    assert "README.md" not in files_of(tmp_path, template)


def test_the_official_chart_renders_without_its_documentation(real_chart):
    archive = lean(open_chart(real_chart))
    assert "README.md" in open_chart(real_chart).files
    assert "README.md" not in unpack(archive)


@pytest.mark.parametrize(
    "value",
    [
        '{{ .Files.Get "docs/all.txt" }}',
        "{{ toYaml . }}",
        "{{ $ | toJson }}",
        '{{ include "x" (dict "root" $) }}',
        "{{\n  . | toYaml }}",
        '{{ "}}" | cat . }}',
        "{{ toYaml . | replace `{{` `` }}",
        '{{ toYaml . | replace "',
        '{{ tpl "{{ toYaml . }}" . }}',
    ],
)
def test_values_may_hold_a_template_that_reads_files(value):
    assert may_read_files(json.dumps({"extraEnv": value}))


@pytest.mark.parametrize(
    "value",
    [
        "/opt/files of a Filesystem at 10.0.0.1 for $5 . $",
        "{{ .Values.mysettings.hostname }}-{{ $.Release.Name }}",
        '{{ include "airflow.fullname" . }}-{{ tpl .Values.name $ }}',
        '{{ ternary "a" "b" (eq .Chart.AppVersion "3.2.2") | quote }}',
        '{{- template "airflow.labels" . -}}',
        '{{ include "airflow.fullname" .}} $(HOME) . {{ splitList "." .Values.name | first }}',
    ],
)
def test_values_with_ordinary_templates_read_no_files(value):
    assert not may_read_files(json.dumps({"extraEnv": value}))


@pytest.mark.few(2)
@pytest.mark.parametrize("piece", ["{{", '{{"', "{{`", "{{ toYaml (", "toA", "{{ . }} \\"])
def test_long_texts_are_read_in_linear_time(tmp_path, piece):
    text = piece * (300_000 // len(piece))
    started = time.process_time()
    may_read_files(json.dumps({"extraEnv": text}))
    files_of(tmp_path, text)
    assert time.process_time() - started < 2
