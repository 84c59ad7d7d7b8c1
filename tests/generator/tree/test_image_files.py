"""The files of an image from its definition, and what never gets into one."""

import pytest

from generator.core.files import Snapshot
from generator.pipeline import generate
from generator.tree import catalogue, image_files
from tests.repositories import SETTINGS, STAGING, repository

DIGEST = "sha256:" + "9f2c3b1d" * 8
BASE = f"apache/airflow:3.2.2-python3.12@{DIGEST}"
FOLDER = "environments/staging"
IMAGE = "image: {repository: registry.example.com/airflow, tag: 3.2.2-r1}"
PEM = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def tree(build, files=None):
    """The files of the image by name, and the problems."""
    text = STAGING.replace(IMAGE, IMAGE[:-1] + ", build: {" + build + "}}")
    inside = {f"{FOLDER}/{name}": content for name, content in (files or {}).items()}
    held = Snapshot(
        {"gen-env.yaml": SETTINGS.encode(), f"{FOLDER}/environment.yaml": text.encode(), **inside}
    )
    found = catalogue.load(held)
    built = generate.build(held, found.settings, found.definitions["staging"])
    if built.resolved is None:
        return {}, built.problems
    made = image_files.built(held, built.resolved)
    return {path.rpartition("/")[2]: text for path, text in made.files.items()}, made.problems


def messages(problems):
    return [problem.message for problem in problems if problem.rule != "image/lock"]


def test_one_stage_lays_packages_onto_the_base_and_ends_without_root():
    files, problems = tree(
        f'base: "{BASE}", providers: {{amazon: 9.12.0}}, requirements: ["pandas>=2.2"], '
        "apt: [libpq5, vim=2:9.0.1378-2], dags: dags"
    )
    text = files["Containerfile"]
    assert messages(problems) == []
    assert text.count("FROM ") == 1 and f"FROM {BASE}\n" in text
    assert "      libpq5 \\\n      vim=2:9.0.1378-2 \\\n" in text
    assert "--require-hashes --only-binary=:all:" in text
    assert "COPY --chown=50000:0 dags /opt/airflow/dags\n" in text
    users = [line for line in text.splitlines() if line.startswith("USER")]
    assert users == ["USER 0", "USER 50000:0"]
    assert f'org.opencontainers.image.base.digest="{DIGEST}"' in text
    assert "ARG SOURCE_DATE_EPOCH=1780099200\n" in text  # the end of 2026-05-29
    assert files["requirements.in"].splitlines()[2:] == [
        "# Python 3.12; uploads up to 2026-05-29; wheels",
        "apache-airflow[amazon,celery,fab,postgres,statsd]==3.2.2",
        "apache-airflow-providers-amazon==9.12.0",
        "pandas>=2.2",
    ]


def test_what_compiles_stays_in_a_stage_of_its_own():
    files, _ = tree(f'base: "{BASE}", buildApt: [gcc], apt: [libpq5]')
    wheels, image = files["Containerfile"].split(f"FROM {BASE}\n")
    assert f"FROM {BASE} AS wheels" in wheels and "      gcc \\" in wheels
    assert "--require-hashes" in wheels and "gcc" not in image
    assert "--no-index /wheels/*.whl" in image and "      libpq5 \\" in image


def test_the_builder_sees_only_what_is_copied():
    files, _ = tree(
        f'base: "{BASE}", dags: team/dags, certificateAuthority: corp.pem', {"corp.pem": PEM}
    )
    allowed = [line for line in files["Containerfile.dockerignore"].splitlines() if line[0] == "!"]
    assert allowed == [
        f"!{FOLDER}/requirements.lock", "!team/dags", f"!{FOLDER}/corp.pem",
    ]  # fmt: skip
    copied = [line.split()[2] for line in files["Containerfile"].splitlines() if "COPY" in line]
    assert sorted(f"!{path}" for path in copied) == sorted(allowed)


def test_credentials_of_an_index_come_as_a_build_secret_alone():
    files, _ = tree(
        f'base: "{BASE}", index: "https://pypi.example.com/simple", indexCredentials: true'
    )
    text = files["Containerfile"]
    assert "--mount=type=secret,id=netrc,target=/run/secrets/netrc,required=true" in text
    assert "--index-url https://pypi.example.com/simple" in text
    assert not any(
        "netrc" in line.lower() for line in text.splitlines() if line[:3] in ("ARG", "ENV")
    )


@pytest.mark.parametrize(
    "build",
    [
        'apt: ["curl; rm -rf /"]',
        'apt: ["curl && id"]',
        'apt: ["$(id)"]',
        'apt: ["-oAPT::Update::Pre-Invoke::=id"]',
        'apt: ["curl\\nRUN id"]',
        'apt: ["../../tmp/x.deb"]',
        'buildApt: ["gcc`id`"]',
        'requirements: ["--index-url https://user:hunter2@pypi.example.com/simple"]',
        'requirements: ["x @ https://user:hunter2@example.com/x.whl"]',
        'requirements: ["-r other.txt"]',
        'requirements: ["x\\r"]',
        'providers: {"amazon; id": 9.12.0}',
        'providers: {amazon: "9.12.0 --pre"}',
        'index: "https://user:hunter2@pypi.example.com/simple"',
        'index: "https://pypi.example.com/simple?token=hunter2"',
        'index: "http://pypi.example.com/simple"',
        'index: "https://pypi.example.com/simple --trusted-host x"',
        "dags: ../outside",
        "dags: 'a b'",
        "dags: /etc",
        "constraints: '--x'",
        'labels: {"a b": c}',
        "args: {A-B: c}",
        "notAfter: 2026-13-01",
        "python: 3.12.1",
    ],
)
def test_what_could_break_out_of_its_line_is_refused_and_never_quoted(build):
    files, problems = tree(f'base: "{BASE}", {build}')
    assert not files and problems
    assert "hunter2" not in "".join(f"{item.message}{item.hint}" for item in problems)


@pytest.mark.parametrize("base", ["a b", "x:1\\nRUN id", "x@sha256:12", "$BASE", "-x"])
def test_a_base_that_is_no_image_is_refused(base):
    files, problems = tree(f'base: "{base}"')
    assert not files and "not an image such as" in problems[0].message


def test_values_stay_values():
    files, _ = tree(f"""base: "{BASE}", labels: {{a: 'x" $HOME \\ y'}}, args: {{A: '$(id)"'}}""")
    assert r'a="x\" \$HOME \\ y"' in files["Containerfile"]
    assert r'ARG A="\$(id)\""' in files["Containerfile"]


@pytest.mark.parametrize("name", ["DB_PASSWORD", "GITHUB_TOKEN"])
def test_a_secret_among_the_build_arguments_is_an_error(name):
    files, problems = tree(f'base: "{BASE}", args: {{{name}: hunter2}}')
    assert not files
    assert [item.rule for item in problems] == ["image/secret-argument"]
    assert "hunter2" not in problems[0].message


@pytest.mark.parametrize("name", ["PIP_INDEX_URL", "pip_extra_index_url", "SOURCE_DATE_EPOCH"])
def test_an_argument_that_changes_where_packages_come_from_is_refused(name):
    files, problems = tree(f'base: "{BASE}", args: {{{name}: x}}')
    assert not files and messages(problems) == [f"{name} cannot be a build argument"]


def test_a_requirements_file_of_windows_is_read_as_any_other():
    build = f'base: "{BASE}", requirementsFile: requirements.txt'
    windows, problems = tree(
        build, {"requirements.txt": b"\xef\xbb\xbfpandas>=2.2 # why\r\n\r\nx==1\r\n"}
    )
    unix, _ = tree(build, {"requirements.txt": b"# all\nx==1\npandas>=2.2\n"})
    assert messages(problems) == [] and windows == unix


def test_each_line_that_is_no_requirement_is_named_and_none_is_shown():
    text = b"--extra-index-url https://u:hunter2@example.com/simple\nok==1\ngit+https://x/y\n"
    files, problems = tree(
        f'base: "{BASE}", requirementsFile: requirements.txt', {"requirements.txt": text}
    )
    assert not files and [item.line for item in problems] == [1, 3]
    assert "hunter2" not in str(problems)


@pytest.mark.parametrize(
    ("build", "files", "message"),
    [
        ("requirementsFile: none.txt", {}, f"{FOLDER}/none.txt not found"),
        ("constraints: none.txt", {}, f"{FOLDER}/none.txt not found"),
        ("certificateAuthority: c.pem", {"c.pem": b"x"}, "the file holds no certificate in PEM"),
        (
            "certificateAuthority: c.pem",
            {"c.pem": PEM + b"-----BEGIN PRIVATE KEY-----"},
            "the file holds a private key",
        ),
        ("requirements: ['apache_airflow==3.1.0']", {}, "a requirement names Airflow itself"),
    ],
)
def test_what_is_missing_or_wrong_is_named(build, files, message):
    made, problems = tree(f'base: "{BASE}", {build}', files)
    assert not made and messages(problems) == [message]
    assert problems[0].rule == "image/build-input"


def test_a_lock_is_missing_then_fits_then_is_out_of_date():
    build = f'base: "{BASE}"'
    files, problems = tree(build)
    assert [item.message for item in problems] == [f"{FOLDER}/requirements.lock not found"]
    line = next(part for part in files["Containerfile"].split("'") if part.startswith("# inputs"))
    fits = {"requirements.lock": f"# Locked\n{line}\na==1{HASHED}\n".encode()}
    assert tree(build, fits)[1] == ()
    for changed in (f"{build}, requirements: [x]", f"{build}, notAfter: 2026-06-01"):
        (problem,) = tree(changed, fits)[1]
        assert "was made from other requirements" in problem.message
    (problem,) = tree(
        build, {"requirements.lock": fits["requirements.lock"].replace(b"\n", b"\r\n")}
    )[1]
    assert "line ends of Windows" in problem.message


HASHED = f" \\\n    --hash=sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (f"# packages 2\na==1{HASHED}{HASHED}\nb==2{HASHED}\n", ""),
        (f"# packages 2\na==1{HASHED}\nb==2\n", "requirements.lock:5 was edited"),
        (f"# packages 2\na==1 \\\nb==2{HASHED}\n", "requirements.lock:3 was edited"),
        (f"a==1{HASHED}\n    --hash=sha256:{'b' * 64}\n", "requirements.lock:3 was edited"),
        ("# packages 2\na==1\n", "it has 1 of 2 packages"),
        ("# packages 1\na==1 \\\n", "cut off"),
        ("a==1 \\\n    --hash=sha256:%s \\\n" % ("a" * 64), "cut off"),
        ("a==1\n<<<<<<< HEAD\n", "requirements.lock:3 is not a package"),
        ("a>=1\n", "requirements.lock:2 is not a package"),
    ],
)
def test_a_lock_that_is_not_whole_is_no_lock(lines, words):
    build = f'base: "{BASE}"'
    files, _ = tree(build)
    line = next(part for part in files["Containerfile"].split("'") if part.startswith("# inputs"))
    problems = tree(build, {"requirements.lock": f"{line}\n{lines}".encode()})[1]
    assert len(problems) == bool(words) and all(words in item.message for item in problems)


def test_the_tree_knows_its_files_no_engine_applies_them_and_they_go_with_the_field(tmp_path):
    with_build = STAGING.replace(IMAGE, f"{IMAGE[:-1]}, build: {{base: '{BASE}'}}}}")
    for engine in ("argocd", "flux"):
        repo = repository(
            tmp_path / engine, settings=f"{SETTINGS}engine: {engine}\n", staging=with_build
        )
        done = repo.run("generate")
        folder = f"{FOLDER}/generated/image"
        made = [path for path in repo.tree() if path.startswith(folder)]
        assert done.code == 0 and "[image/lock]" in done.stderr
        assert made == [
            f"{folder}/Containerfile",
            f"{folder}/Containerfile.dockerignore",
            f"{folder}/requirements.in",
        ]
        assert repo.run("generate", "--check").code == 0
        named = [path for path in repo.tree() if "/image/" in repo.read(path) and path not in made]
        assert named == [".gen-env/environment.schema.json"] or named == []
        repo.write(f"{folder}/pod.yaml", "kind: Pod\n")
        assert f"{folder}/pod.yaml" in repo.run("generate", "--check").stdout
        (repo.root / folder / "pod.yaml").unlink()
        repo.definition("staging", STAGING)
        repo.run("generate")
        assert not [path for path in repo.tree() if path.startswith(folder)]
