"""Files that no template reads stay out of a render; whatever may be read stays in."""

import pytest

from generator.chart.archive import unpack
from generator.chart.chart import open_chart
from generator.chart.unread import lean, mentions_files
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
    ],
)
def test_where_any_file_may_be_read_the_archive_stays_whole(tmp_path, template):
    assert files_of(tmp_path, template) is None


def test_values_may_hold_a_template_that_reads_files():
    assert mentions_files('{"extraEnv": "{{ .Files.Get \\"docs/all.txt\\" }}"}')
    assert not mentions_files('{"path": "/opt/files", "name": "Filesystem"}')
