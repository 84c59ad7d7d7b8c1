import gzip
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.chart import archive
from generator.chart.archive import ArchiveError, pack, unpack
from tests.effort import examples
from tests.generator.chart.samples import tar_of


def test_files_come_out_without_their_root_and_sorted():
    files = unpack(tar_of(("airflow/b", b"2"), ("airflow/a/c", b"1")))
    assert list(files.items()) == [("a/c", b"1"), ("b", b"2")]


def test_packing_and_unpacking_gives_the_same_files():
    files = {
        "Chart.yaml": b"name: x\n",
        "big": b"x" * 200_000,
        "empty": b"",
        "d/" + "n" * 150: b"1",
    }
    assert dict(unpack(pack("airflow", files))) == files


@examples(30)
@given(st.dictionaries(st.text("abc/", min_size=1).filter(lambda t: "/" not in t), st.binary()))
def test_the_same_files_pack_to_the_same_bytes_in_any_order(files):
    turned = dict(reversed(files.items()))
    assert pack("chart", files) == pack("chart", turned)


def test_a_packed_archive_is_one_that_any_gzip_reads():
    content = gzip.decompress(pack("chart", {"a": b"1" * 70_000}))
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        assert archive.getnames() == ["chart/a"]


def link(name, kind, target="/etc/passwd"):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([("/etc/passwd", b"x")], "points outside"),
        ([("airflow/../../x", b"x")], "points outside"),
        ([("airflow\\..\\x", b"x")], "points outside"),
        ([("C:/x/y", b"x")], "points outside"),
        ([link("airflow/x", tarfile.SYMTYPE)], "link or a device"),
        ([link("airflow/x", tarfile.LNKTYPE)], "link or a device"),
        ([link("airflow/x", tarfile.CHRTYPE)], "link or a device"),
        ([link("airflow/x", tarfile.FIFOTYPE)], "link or a device"),
        ([("airflow/x", b"1"), ("airflow/x", b"2")], "twice"),
        ([("airflow/x", b"1"), ("other/x", b"2")], "several root folders: airflow, other"),
        ([("Chart.yaml", b"1")], "outside the chart's folder"),
    ],
)
def test_an_archive_that_plays_tricks_is_refused(members, words):
    with pytest.raises(ArchiveError, match=words):
        unpack(tar_of(*members))


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04zip", gzip.compress(b"not a tar" * 200, mtime=0)]
)
def test_what_is_no_gzipped_tar_is_refused(data):
    with pytest.raises(ArchiveError):
        unpack(data)


@pytest.mark.parametrize("cut", [20, 200, -5])
def test_an_archive_that_is_cut_short_is_refused(cut):
    with pytest.raises(ArchiveError):
        unpack(tar_of(("airflow/x", bytes(range(256)) * 40))[:cut])


def test_a_gzip_bomb_is_stopped_before_it_fills_the_memory(monkeypatch):
    monkeypatch.setattr(archive, "MAX_TOTAL", 1 << 20)
    with pytest.raises(ArchiveError, match="unpacks to more than 1 MiB"):
        unpack(gzip.compress(bytes(2 << 20)))


def test_one_huge_file_is_refused():
    with pytest.raises(ArchiveError, match="larger than 5 MiB"):
        unpack(tar_of(("airflow/x", bytes(archive.MAX_FILE + 1))))


def test_a_huge_header_cannot_hide_behind_a_small_file():
    info = tarfile.TarInfo("airflow/x")
    info.pax_headers = {"comment": "c" * 100_000}
    assert dict(unpack(tar_of(info))) == {"x": b""}


def test_too_many_files_are_refused(monkeypatch):
    monkeypatch.setattr(archive, "MAX_MEMBERS", 3)
    with pytest.raises(ArchiveError, match="more than 3 files"):
        unpack(tar_of(*[(f"airflow/{n}", b"") for n in range(4)]))


def test_a_name_out_of_the_archive_is_shown_without_control_characters():
    with pytest.raises(ArchiveError) as caught:
        unpack(tar_of(("/\x1b[31mred", b"")))
    assert "\x1b" not in caught.value.message
