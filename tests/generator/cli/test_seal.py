"""`gen-env seal`: from values to SealedSecrets that one controller opens, and to nothing else."""

import base64
import contextlib
import datetime
import io
import json
import os
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml
from cryptography.fernet import Fernet, MultiFernet

from tests.fakes.apiserver import FakeApiServer
from tests.generator.release import authority
from tests.generator.seal.keypair import DAY, elliptic_key, pem, private_key, unseal
from tests.repositories import DEV, PRODUCTION, SETTINGS, STAGING, Repo, changed, repository

CERTIFICATE = "certs/main.pem"
CATALOGUE = changed(
    SETTINGS, ("clusters:\n  main:\n", "clusters:\n  main:\n    sealing: {sealing}\n")
)
DATABASE = "environments/staging/secrets/airflow-database.yaml"
FERNET = "environments/dev/secrets/airflow-fernet-key.yaml"
URI = (
    "postgresql://airflow:p%40ss%2F%3A%23%20%25@pg-staging.example.com:5432/airflow?sslmode=require"
)
PASSWORD = "p@ss/:# %"
CANARY = "cAnArY-3f9a-plaintext-of-a-secret"
SERVICE = ("http:sealed-secrets-controller:", "/v1/cert.pem")


def now():
    return datetime.datetime.now(datetime.UTC)


def certificate(number=0, **options):
    validity = {"not_before": now() - DAY, "not_after": now() + 30 * DAY} | options
    return pem(private_key(number), **validity)


@pytest.fixture
def repo(templates, tmp_path):
    """Three environments with stubs, and the certificate of their cluster."""
    return Repo(templates.copy(f"to-be-sealed-{os.getpid()}", make, tmp_path / "repo"))


def make(root, sealing=f"{{certificate: {CERTIFICATE}}}", **definitions):
    definitions = definitions or {"dev": DEV, "staging": STAGING, "production": PRODUCTION}
    made = repository(root, settings=CATALOGUE.replace("{sealing}", sealing), **definitions)
    made.write(CERTIFICATE, certificate())
    assert made.run("generate").code == 0
    return made


@pytest.fixture
def piped(monkeypatch):
    """What comes on standard input."""

    def give(text):
        stream = io.TextIOWrapper(io.BytesIO(text.encode()))
        monkeypatch.setattr(sys, "stdin", stream)

    return give


def opened(repo, path, key, number=0):
    """The plaintext, as the controller gets it."""
    manifest = repo.yaml(path)
    place = manifest["metadata"]
    label = f"{place['namespace']}/{place['name']}"
    return unseal(manifest["spec"]["encryptedData"][key], label, number)


def states(repo, environment):
    rows = repo.run("secrets", environment, "-o", "json").json
    return {(row["secret"], row["key"]): row["state"] for row in rows}


# What is sealed


def test_everything_random_is_made_sealed_and_never_shown(repo):
    done = repo.run("seal", "dev", "--generate")
    assert done.code == 0, done.said
    assert set(states(repo, "dev").values()) == {"sealed"}
    folder = "environments/dev/secrets"
    fernet = opened(repo, FERNET, "fernet-key")
    Fernet(fernet)
    jwt = opened(repo, f"{folder}/airflow-jwt-secret.yaml", "jwt-secret")
    assert len(jwt) >= 64
    password = opened(repo, f"{folder}/airflow-postgresql-password.yaml", "postgres-password")
    uri = opened(repo, f"{folder}/airflow-database.yaml", "connection")
    assert uri.startswith(b"postgresql://postgres:" + password + b"@")
    for value in (fernet, jwt, password):
        assert value.decode() not in done.said
    assert repo.run("generate", "--check", "dev").code == 0
    policy = repo.yaml("environments/dev/generated/application.yaml")["spec"]["syncPolicy"]
    assert policy["automated"], "nothing is a stub any more"


def test_the_certificates_fingerprint_is_shown_and_recorded(repo):
    done = repo.run("seal", "dev", "--generate")
    mark = repo.yaml(FERNET)["metadata"]["annotations"]["gen-env.dev/sealed-with"]
    assert mark.startswith("sha256:")
    assert f"with the certificate {mark} ({CERTIFICATE}, valid until" in done.stderr


def test_a_second_time_there_is_nothing_left_and_no_byte_changes(repo):
    repo.run("seal", "dev", "--generate")
    before = repo.tree()
    done = repo.run("seal", "dev", "--generate")
    assert (done.code, "nothing left to seal" in done.stderr) == (0, True)
    assert repo.tree() == before


def test_a_live_fernet_key_is_not_replaced(repo):
    repo.run("seal", "dev", "--generate")
    before = repo.tree()
    done = repo.run("seal", "dev", "airflow-fernet-key", "--generate")
    assert done.code == 1
    assert "unreadable" in done.stderr
    assert "--rotate-fernet" in done.stderr
    assert repo.tree() == before


def test_a_random_value_is_replaced_when_asked(repo):
    path = "environments/dev/secrets/airflow-jwt-secret.yaml"
    repo.run("seal", "dev", "--generate")
    before = opened(repo, path, "jwt-secret")
    done = repo.run("seal", "dev", "airflow-jwt-secret", "--generate")
    assert "nothing left to seal" in done.stderr and opened(repo, path, "jwt-secret") == before
    done = repo.run("seal", "dev", "airflow-jwt-secret", "--generate", "--replace")
    assert done.code == 0, done.said
    after = opened(repo, path, "jwt-secret")
    assert after != before and after.decode() not in done.said
    assert repo.run("generate", "--check", "dev").code == 0


def test_the_brokers_address_follows_a_new_password_of_redis(repo):
    assert repo.run("seal", "staging", "--generate").code == 0
    folder = "environments/staging/secrets"
    before = opened(repo, f"{folder}/airflow-broker-url.yaml", "connection")
    done = repo.run("seal", "staging", "airflow-redis-password", "--generate", "--replace")
    assert done.code == 0 and "sealed airflow-broker-url: connection" in done.stdout
    password = opened(repo, f"{folder}/airflow-redis-password.yaml", "password")
    after = opened(repo, f"{folder}/airflow-broker-url.yaml", "connection")
    assert b":" + password + b"@" in after and after != before


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("airflow-fernet-key", "--generate", "--replace"), "--rotate-fernet"),
        (("airflow-admin", "--generate", "--replace"), "would not be taken over"),
        (("airflow-postgresql-password", "--generate", "--replace"), "would not be taken over"),
        (("airflow-database", "--generate", "--replace"), "cannot generate"),
        (("--generate", "--replace"), "--replace goes with"),
        (("airflow-jwt-secret", "--replace"), "--replace goes with"),
    ],
)
def test_what_no_running_pod_would_take_over_is_not_replaced(repo, words, reason):
    repo.run("seal", "dev", "--generate")
    before = repo.tree()
    done = repo.run("seal", "dev", *words)
    assert done.code in (1, 2) and reason in done.stderr
    assert repo.tree() == before


def test_what_cannot_be_random_is_not_said_to_be_read_once(repo):
    path = "environments/dev/environment.yaml"
    pull = "image: {repository: registry.example.com/airflow, tag: '1', pullSecrets: [login]}\n"
    repo.write(path, repo.read(path).replace("dags:", f"{pull}dags:", 1))
    done = repo.run("seal", "dev", "login", "--generate", "--replace")
    assert done.code == 1 and "cannot generate a random value for .dockerconfigjson" in done.stderr


def test_connections_follow_from_a_user_and_a_password(repo, piped):
    piped(PASSWORD + "\n")
    done = repo.run("seal", "staging", "--user", "airflow")
    assert done.code == 0, done.said
    assert opened(repo, DATABASE, "connection").decode() == URI
    result = "environments/staging/secrets/airflow-result-backend.yaml"
    assert opened(repo, result, "connection").decode() == f"db+{URI}"
    assert PASSWORD not in done.said


def test_with_pgbouncer_its_files_follow_too(repo, piped):
    piped(PASSWORD)
    assert repo.run("seal", "production", "--user", "airflow").code == 0
    folder = "environments/production/secrets"
    ini = opened(repo, f"{folder}/airflow-pgbouncer-config.yaml", "pgbouncer.ini").decode()
    assert "airflow-metadata = host=pg.example.com port=5432 dbname=airflow" in ini
    users = opened(repo, f"{folder}/airflow-pgbouncer-config.yaml", "users.txt").decode()
    assert users == f'"airflow" "{PASSWORD}"\n'
    direct = opened(repo, f"{folder}/prod-database.yaml", "kedaConnection").decode()
    assert "@pg.example.com:5432/airflow" in direct


def test_pgbouncer_verifies_the_server_with_the_ca_that_is_named(repo, piped):
    path = "environments/production/environment.yaml"
    repo.edit(path, "poolSize: 20}", "poolSize: 20, sslMode: verify-full}")
    repo.write(path, repo.read(path) + "values: {pgbouncer: {ssl: {ca: PEM}}}\n")
    assert repo.run("generate", "production").code == 0
    piped(PASSWORD)
    assert repo.run("seal", "production", "--user", "airflow").code == 0
    folder = "environments/production/secrets"
    ini = opened(repo, f"{folder}/airflow-pgbouncer-config.yaml", "pgbouncer.ini").decode()
    assert "server_tls_sslmode = verify-full" in ini
    assert "server_tls_ca_file = /etc/pgbouncer/root.crt" in ini


@pytest.mark.parametrize("way", ["assignment", "file", "env-file", "stdin"])
def test_a_value_comes_from_wherever_it_is(repo, tmp_path, piped, way):
    (tmp_path / "value").write_text(CANARY + "\n", "utf-8")
    (tmp_path / "values.env").write_text(f"client-secret='{CANARY}'\n", "utf-8")
    piped(CANARY + "\n")
    arguments = {
        "assignment": [f"client-secret={CANARY}"],
        "file": ["--from-file", f"client-secret={tmp_path / 'value'}"],
        "env-file": ["--from-env-file", tmp_path / "values.env"],
        "stdin": ["--stdin", "client-secret"],
    }[way]
    done = repo.run("seal", "staging", "airflow-oidc", *arguments)
    assert done.code == 0, done.said
    path = "environments/staging/secrets/airflow-oidc.yaml"
    assert opened(repo, path, "client-secret").decode() == CANARY
    assert CANARY not in done.said


def test_other_keys_keep_every_byte(repo, piped):
    piped(PASSWORD)
    repo.run("seal", "production", "--user", "airflow")
    path = "environments/production/secrets/prod-database.yaml"
    before = repo.yaml(path)["spec"]["encryptedData"]
    assert repo.run("seal", "production", "prod-database", "connection=postgresql://h/d").code == 0
    after = repo.yaml(path)["spec"]["encryptedData"]
    assert after["kedaConnection"] == before["kedaConnection"]
    assert after["connection"] != before["connection"]


@pytest.mark.parametrize("scope", ["namespace-wide", "cluster-wide"])
def test_the_scope_is_the_definitions(tmp_path, scope):
    repo = make(tmp_path / "repo", dev=DEV + f"secrets: {{scope: {scope}}}\n")
    repo.run("seal", "dev", "--generate")
    manifest = repo.yaml(FERNET)
    label = {"namespace-wide": manifest["metadata"]["namespace"], "cluster-wide": ""}[scope]
    Fernet(unseal(manifest["spec"]["encryptedData"]["fernet-key"], label))


# The rotation of the Fernet key


def test_the_fernet_key_is_rotated_in_three_steps(repo, piped):
    repo.run("seal", "dev", "--generate")
    old = opened(repo, FERNET, "fernet-key")
    token = Fernet(old).encrypt(b"a connection")
    piped(old.decode())
    first = repo.run("seal", "dev", "--rotate-fernet")
    assert first.code == 0, first.said
    assert "airflow rotate-fernet-key" in first.stdout
    assert "--namespace airflow-dev exec deploy/airflow-scheduler" in first.stdout
    new, kept = opened(repo, FERNET, "fernet-key").split(b",")
    assert kept == old
    assert opened(repo, FERNET, "fernet-key-next") == new
    both = MultiFernet([Fernet(new), Fernet(old)])
    assert both.decrypt(token) == b"a connection"
    (info,) = [item for item in problems(repo, "dev") if item["rule"] == "secrets/rotation"]
    assert info["severity"] == "info"

    early = repo.run("seal", "dev", "--rotate-fernet")
    assert (early.code, "--reencrypted" in early.stderr) == (1, True)
    meanwhile = repo.run("seal", "dev", "airflow-fernet-key", f"fernet-key={old.decode()}")
    assert (meanwhile.code, "under way" in meanwhile.stderr) == (1, True)

    last = repo.run("seal", "dev", "--rotate-fernet", "--reencrypted")
    assert last.code == 0, last.said
    assert opened(repo, FERNET, "fernet-key") == new
    assert set(repo.yaml(FERNET)["spec"]["encryptedData"]) == {"fernet-key"}
    assert Fernet(new).decrypt(both.rotate(token)) == b"a connection"
    assert repo.run("generate", "--check", "dev").code == 0


def test_a_rotation_restarts_the_pods_at_both_steps(repo, piped):
    def annotations():
        values = repo.read("environments/dev/generated/values.yaml")
        return sorted({line for line in values.splitlines() if "secret-hash" in line})

    repo.run("seal", "dev", "--generate")
    before = annotations()
    piped(opened(repo, FERNET, "fernet-key").decode())
    repo.run("seal", "dev", "--rotate-fernet")
    between = annotations()
    repo.run("seal", "dev", "--rotate-fernet", "--reencrypted")
    assert len({tuple(before), tuple(between), tuple(annotations())}) == 3


def test_a_rotation_with_the_wrong_key_is_refused(repo, piped):
    repo.run("seal", "dev", "--generate")
    before = repo.tree()
    piped(Fernet.generate_key().decode())
    done = repo.run("seal", "dev", "--rotate-fernet")
    assert (done.code, "not the Fernet key that was sealed here" in done.stderr) == (1, True)
    assert repo.tree() == before


def test_a_rotation_before_there_is_a_key_is_refused(repo):
    done = repo.run("seal", "dev", "--rotate-fernet")
    assert done.code == 1
    assert "gen-env seal dev airflow-fernet-key --generate" in done.stderr


# Where the certificate comes from


@contextlib.contextmanager
def serving(body, *, secure=None):
    """A server on loopback; `secure` are the paths of its certificate and key."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None
    if secure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*secure)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        scheme = "https" if secure else "http"
        yield f"{scheme}://127.0.0.1:{server.server_port}/v1/cert.pem"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """An API server whose proxy leads to a controller with key 1."""
    with FakeApiServer() as fake:
        fake.services[SERVICE] = (200, certificate(1))
        monkeypatch.setenv("KUBECONFIG", fake.kubeconfig(tmp_path))
        yield fake


@pytest.fixture
def asked(tmp_path, cluster):
    """A repository whose certificate is the cluster's to give."""
    settings = CATALOGUE.replace("{sealing}", "{certificate: cluster}\n    context: fake")
    made = repository(tmp_path / "repo", settings=settings, dev=DEV)
    assert made.run("generate").code == 0
    return made


def test_a_certificate_from_a_file_of_ones_own(repo, tmp_path):
    (tmp_path / "mine.pem").write_bytes(certificate(1))
    for given in (tmp_path / "mine.pem", "../mine.pem"):
        done = repo.run("seal", "dev", "airflow-admin", "password=x", "--cert", given)
        assert done.code == 0, done.said
    path = "environments/dev/secrets/airflow-admin.yaml"
    assert opened(repo, path, "password", number=1) == b"x"


def test_a_certificate_over_https_with_an_authority_of_ones_own(tmp_path):
    ca, *secure = authority.write(tmp_path)
    with serving(certificate(1), secure=secure) as url:
        repo = make(tmp_path / "repo", f"{{certificate: '{url}', ca: certs/ca.pem}}", dev=DEV)
        repo.write("certs/ca.pem", ca.read_bytes())
        done = repo.run("seal", "dev", "--generate")
        assert done.code == 0, done.said
        assert url in done.stderr
        Fernet(opened(repo, FERNET, "fernet-key", number=1))
        by_hand = ("seal", "dev", "airflow-admin", "password=x", "--cert", url)
        assert repo.run(*by_hand, "--ca", ca).code == 0


def test_a_server_that_nobody_vouches_for_is_refused(repo, tmp_path):
    _, *secure = authority.write(tmp_path)
    before = repo.tree()
    with serving(certificate(1), secure=secure) as url:
        done = repo.run("seal", "dev", "--generate", "--cert", url)
    assert done.code == 1
    assert "certificate is not trusted" in done.stderr
    assert repo.tree() == before


def test_plain_http_is_for_loopback_alone(repo):
    with serving(certificate()) as url:
        assert repo.run("seal", "dev", "--generate", "--cert", url).code == 0
    done = repo.run("seal", "dev", "--generate", "--cert", "http://sealing.example.com/cert.pem")
    assert (done.code, done.stderr.count("nothing left to seal")) == (0, 1)
    done = repo.run(
        "seal", "staging", "--generate", "--cert", "http://sealing.example.com/cert.pem"
    )
    assert (done.code, "must be https" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("http://sealing.example.com/cert.pem", "must be https"),
        ("../outside.pem", "a relative path below the repository"),
        ("/etc/cert.pem", "a relative path below the repository"),
    ],
)
def test_the_settings_name_no_certificate_that_cannot_be_trusted(tmp_path, source, words):
    settings = CATALOGUE.replace("{sealing}", f"{{certificate: '{source}'}}")
    done = repository(tmp_path / "repo", settings=settings, dev=DEV).run("generate")
    assert done.code == 1
    assert words in done.stderr


def test_the_cluster_is_asked_where_the_settings_say_so(asked, cluster):
    done = asked.run("seal", "dev", "--generate")
    assert done.code == 0, done.said
    assert "(cluster main, valid until" in done.stderr
    Fernet(opened(asked, FERNET, "fernet-key", number=1))
    place = "/api/v1/namespaces/kube-system/services/http:sealed-secrets-controller:"
    assert cluster.requests == [f"GET {place}/proxy/v1/cert.pem"]


def test_the_cluster_is_asked_on_demand(tmp_path, cluster):
    repo = make(
        tmp_path / "repo",
        f"{{certificate: {CERTIFICATE}, namespace: sealing, controllerName: unsealer}}"
        "\n    context: fake",
        dev=DEV,
    )
    cluster.services["http:unsealer:", "/v1/cert.pem"] = (200, certificate(1))
    done = repo.run("seal", "dev", "--generate", "--cert", "cluster")
    assert done.code == 0, done.said
    Fernet(opened(repo, FERNET, "fernet-key", number=1))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, b"<html>login</html>"), "not a certificate in PEM form"),
        ((503, {"message": "no endpoints available"}), "no endpoints available"),
        ((404, {"message": "services not found"}), "names Service sealed-secrets-controller"),
    ],
)
def test_a_controller_that_gives_none_is_explained(asked, cluster, answer, words):
    cluster.services[SERVICE] = answer
    before = asked.tree()
    done = asked.run("seal", "dev", "--generate")
    assert (done.code, words in done.stderr) == (1, True), done.stderr
    assert asked.tree() == before


def test_without_the_right_to_ask_the_right_is_named(asked, cluster):
    cluster.denied.add(("get", "services/proxy"))
    done = asked.run("seal", "dev", "--generate")
    assert done.code == 1
    assert "get on services/proxy of http:sealed-secrets-controller: in kube-system" in done.stderr


def test_another_clusters_context_is_never_guessed(repo, cluster):
    done = repo.run("seal", "dev", "--generate", "--cert", "cluster")
    assert done.code == 1
    assert "clusters.main.context" in done.stderr
    assert cluster.requests == []


def test_the_certificates_file_is_renewed_from_the_cluster(tmp_path, cluster):
    repo = make(tmp_path / "repo", f"{{certificate: {CERTIFICATE}}}\n    context: fake", dev=DEV)
    repo.run("seal", "dev", "--generate")
    done = repo.run("seal", "dev", "--fetch-cert")
    assert (done.code, done.stdout) == (0, f"{CERTIFICATE}\n"), done.said
    assert "the key has changed (before: sha256:" in done.stderr
    assert repo.read(CERTIFICATE).encode() == cluster.services[SERVICE][1]
    again = repo.run("seal", "dev", "--fetch-cert")
    assert "the same key as before" in again.stderr
    renewed = [item for item in problems(repo, "dev") if item["rule"] == "secrets/renewed"]
    assert renewed
    assert {item["severity"] for item in renewed} == {"info"}


def test_there_is_no_file_to_renew_where_none_is_named(asked):
    done = asked.run("seal", "dev", "--fetch-cert")
    assert (done.code, "does not name a file" in done.stderr) == (1, True)


# What is refused


def bad_certificates():
    return {
        "expired": (certificate(not_after=now() - DAY / 2), "expired on"),
        "early": (certificate(not_before=now() + DAY), "not valid before"),
        "no certificate": (b"hello\n", "not a certificate"),
        "elliptic": (pem(elliptic_key()), "not RSA"),
    }


@pytest.mark.parametrize("kind", ["expired", "early", "no certificate", "elliptic"])
def test_a_certificate_that_is_none_seals_nothing(repo, kind):
    content, words = bad_certificates()[kind]
    repo.write(CERTIFICATE, content)
    before = repo.tree()
    done = repo.run("seal", "dev", "--generate")
    assert done.code == 1
    assert words in done.stderr
    assert CERTIFICATE in done.stderr
    assert repo.tree() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere", "--generate"], 'environment "nowhere" not found'),
        (["dev"], "give a Secret, or --generate"),
        (["dev", "airflow-nothing", "a=b"], "does not need Secret 'airflow-nothing'"),
        (["dev", "airflow-admin", "pass=b"], "has no key pass"),
        (["dev", "airflow-admin", "password="], "no value for password"),
        (["dev", "airflow-admin", "secretvalue"], "expected KEY=VALUE"),
        (["dev", "airflow-admin"], "no terminal to ask on"),
        (["staging", "airflow-oidc", "--generate"], "cannot generate a random value"),
        (["dev", "--generate", "--cert", "none.pem"], "No such file"),
    ],
)
def test_bad_wishes_write_nothing_and_repeat_no_value(repo, piped, arguments, words):
    piped("")
    before = repo.tree()
    done = repo.run("seal", *arguments)
    assert (done.code, words in done.stderr) == (1, True), done.stderr
    assert "secretvalue" not in done.said
    assert repo.tree() == before


def test_a_secret_that_others_make_is_not_sealed(repo):
    repo.write("environments/dev/environment.yaml", DEV + "existing: {secrets: [airflow-admin]}\n")
    done = repo.run("seal", "dev", "airflow-admin", "password=b")
    assert done.code == 1 and "comes from existing, not from git" in done.stderr
    assert "airflow-admin" not in repo.run("seal", "dev", "--generate").said


def test_without_any_certificate_all_three_ways_are_named(tmp_path):
    repo = repository(tmp_path / "repo", dev=DEV)
    repo.run("generate")
    done = repo.run("seal", "dev", "--generate")
    assert done.code == 1
    assert "--cert FILE|URL|cluster" in done.stderr


@pytest.mark.few(1)
@pytest.mark.parametrize("size", [1024 * 1024, 1024 * 1024 + 1, 3 * 1024 * 1024])
def test_a_secret_that_kubernetes_would_refuse_is_refused(repo, tmp_path, size):
    (tmp_path / "value").write_bytes(b"x" * size)
    path = "environments/staging/secrets/airflow-oidc.yaml"
    before = repo.read(path)
    given = ("--from-file", f"client-secret={tmp_path / 'value'}")
    done = repo.run("seal", "staging", "airflow-oidc", *given)
    if size == 1024 * 1024:
        assert (done.code, len(opened(repo, path, "client-secret"))) == (0, size)
        return
    assert done.code == 1
    assert "1 MiB" in done.stderr
    assert repo.read(path) == before


def test_two_values_that_are_too_large_together_are_refused(repo, tmp_path):
    (tmp_path / "value").write_bytes(b"x" * 600_000)
    path = "environments/production/secrets/airflow-pgbouncer-config.yaml"
    secret = "airflow-pgbouncer-config"
    given = f"users.txt={tmp_path / 'value'}"
    assert repo.run("seal", "production", secret, "--from-file", given).code == 0
    before = repo.read(path)
    given = f"pgbouncer.ini={tmp_path / 'value'}"
    done = repo.run("seal", "production", secret, "--from-file", given)
    assert (done.code, "would hold 1200000 bytes" in done.stderr) == (1, True)
    assert repo.read(path) == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda repo: newer(repo), "install gen-env 99.0.0"),
        (
            lambda repo: repo.definition(
                "dev", changed(DEV, ("cluster: main", "cluster: main, namespace: elsewhere"))
            ),
            "is deployed",
        ),
    ],
    ids=["a tree of a newer gen-env", "another namespace"],
)
def test_where_generate_would_refuse_nothing_is_sealed_either(repo, change, words):
    change(repo)
    before = repo.tree()
    done = repo.run("seal", "dev", "--generate")
    assert (done.code, words in done.stderr) == (1, True), done.said
    assert "nothing was sealed" in done.stderr
    assert repo.tree() == before


def newer(repo):
    from generator.definition.lock_file import version

    repo.edit("environments/dev/gen-env.lock", f'genEnv: "{version()}"', 'genEnv: "99.0.0"')


# Canaries


def found_in(folder, canaries):
    """Files below a folder that hold a canary, plain or in base64; git's objects unpacked."""
    hits = []
    for path in folder.rglob("*"):
        if path.is_file() and any(canary in path.read_bytes() for canary in canaries):
            hits.append(path)
    return hits


def test_the_plaintext_is_nowhere_but_where_it_was_given(repo, tmp_path, piped, monkeypatch):
    repo.init()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    canaries = [CANARY.encode(), base64.b64encode(CANARY.encode()).rstrip(b"=")]
    piped(CANARY)
    done = [repo.run("seal", "staging", "--user", "airflow")]
    done.append(repo.run("-v", "seal", "staging", "airflow-oidc", f"client-secret={CANARY}"))
    assert {item.code for item in done} == {0}
    repo.commit("Seal")
    (tmp_path / "objects").write_bytes(
        subprocess.run(
            ["git", "-C", repo.root, "cat-file", "--batch", "--batch-all-objects"],
            capture_output=True,
            check=True,
        ).stdout
    )
    assert found_in(tmp_path, canaries) == []
    assert all(CANARY not in item.said for item in done)


@pytest.mark.parametrize("fault", ["read-only", "broken certificate", "oversized", "our bug"])
def test_a_failure_does_not_tell_the_value(repo, tmp_path, monkeypatch, fault):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    value = CANARY
    if fault == "read-only":
        if os.geteuid() == 0:
            # Root may write anywhere: a folder in the way stops it as well.
            path = repo.root / "environments/staging/secrets/.gen-env-airflow-oidc.yaml.old"
            path.mkdir()
        else:
            (repo.root / "environments/staging/secrets").chmod(0o500)
    elif fault == "broken certificate":
        repo.write(CERTIFICATE, b"broken")
    elif fault == "oversized":
        value = CANARY * 40_000
    else:
        from generator.seal import sealing

        def broken(manifest, values, certificate, now):
            raise RuntimeError(f"unexpected: {values}")

        monkeypatch.setattr(sealing, "seal", broken)
    done = repo.run("seal", "staging", "airflow-oidc", f"client-secret={value}")
    assert done.code == (3 if fault == "our bug" else 1), done.said[:2000]
    assert CANARY not in done.said
    assert found_in(tmp_path, [CANARY.encode()]) == []


# What validate says of sealed files


def problems(repo, *names):
    found = repo.run("validate", *names, "-o", "json").json["problems"]
    return [item for item in found if item["rule"].startswith("secrets/")]


def rules(repo, *names):
    return {item["rule"].removeprefix("secrets/"): item for item in problems(repo, *names)}


def edited(repo, path, act):
    """Change a sealed file as a person with an editor could, its header kept."""
    text = repo.read(path)
    head = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    manifest = yaml.safe_load(text)
    act(manifest)
    repo.write(path, head + yaml.safe_dump(manifest, sort_keys=False))


def test_sealed_and_in_its_place_there_is_nothing_to_say(repo):
    repo.run("seal", "dev", "--generate")
    assert rules(repo, "dev") == {}


@pytest.mark.parametrize(
    ("name", "severity"), [("dev", "info"), ("staging", "warning"), ("production", "error")]
)
def test_a_stub_matters_as_its_tier_says(repo, name, severity):
    found = rules(repo, name)["stub"]
    assert found["severity"] == severity
    assert found["hint"].startswith(f"gen-env seal {name} ")


def test_an_expired_certificate_is_a_warning(repo):
    repo.run("seal", "dev", "--generate")
    repo.write(CERTIFICATE, certificate(not_after=now() - DAY / 2))
    found = rules(repo, "dev")
    assert {key: item["severity"] for key, item in found.items()} == {"certificate": "warning"}
    assert "expired on" in found["certificate"]["message"]


def test_the_controllers_regular_renewal_is_no_warning(repo):
    repo.run("seal", "dev", "--generate")
    repo.write(CERTIFICATE, certificate(1))
    found = rules(repo, "dev")
    assert {key: item["severity"] for key, item in found.items()} == {"renewed": "info"}
    repo.write(CERTIFICATE, certificate())
    assert rules(repo, "dev") == {}


def test_a_certificate_elsewhere_is_not_fetched_and_said_to_be_unchecked(tmp_path):
    repo = make(tmp_path / "repo", "{certificate: 'https://127.0.0.1:1/cert.pem'}", dev=DEV)
    found = repo.run("validate", "dev", "-o", "json").json
    (item,) = [item for item in found["notDone"] if item["check"] == "sealing certificate"]
    assert "https://127.0.0.1:1/cert.pem" in item["reason"]


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("name", "other", "identity"),
        ("namespace", "elsewhere", "identity"),
        ("annotations", {"sealedsecrets.bitnami.com/cluster-wide": "true"}, "scope"),
    ],
)
def test_a_value_in_another_place_than_it_was_sealed_for_is_an_error(repo, field, value, rule):
    repo.run("seal", "dev", "--generate")

    def move(manifest):
        if field == "annotations":
            manifest["metadata"]["annotations"] |= value
        else:
            manifest["metadata"][field] = value

    edited(repo, FERNET, move)
    found = problems(repo, "dev")
    assert "error" in {item["severity"] for item in found if item["rule"] == f"secrets/{rule}"}


def test_a_ciphertext_that_stands_in_two_files_is_found_in_both(repo):
    repo.run("seal", "dev", "--generate")
    repo.run("seal", "staging", "--generate")
    stolen = repo.yaml(FERNET)["spec"]["encryptedData"]["fernet-key"]
    other = "environments/staging/secrets/airflow-fernet-key.yaml"
    edited(
        repo,
        other,
        lambda manifest: manifest["spec"]["encryptedData"].update({"fernet-key": stolen}),
    )
    found = [item for item in problems(repo) if item["rule"] == "secrets/reused"]
    assert {item["path"] for item in found} == {FERNET, other}
    (one,) = [item for item in problems(repo, "dev") if item["rule"] == "secrets/reused"]
    assert (one["severity"], other in one["message"]) == ("error", True)


def test_a_key_that_is_missing_is_an_error(repo):
    repo.run("seal", "dev", "--generate")
    edited(repo, FERNET, lambda manifest: manifest["spec"]["encryptedData"].pop("fernet-key"))
    assert rules(repo, "dev")["missing"]["severity"] == "error"


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("name", "change", "secret"),
    [
        ("staging", ("host: pg-staging.example.com", "host: pg2.example.com"), "airflow-database"),
        ("production", ("host: pg.example.com ", "host: pg2.example.com "), "airflow-pgbouncer"),
    ],
)
def test_a_database_that_moved_while_what_is_sealed_did_not_is_a_warning(
    repo, piped, name, change, secret
):
    piped(PASSWORD)
    repo.run("seal", name, "--user", "airflow")
    assert "uri" not in rules(repo, name)
    path = f"environments/{name}/environment.yaml"
    repo.write(path, changed(repo.read(path), change))
    found = [item for item in problems(repo, name) if item["rule"] == "secrets/uri"]
    assert {item["severity"] for item in found} == {"warning"}
    assert any(secret in item["path"] for item in found)
    piped(PASSWORD)
    repo.run("seal", name, "--user", "airflow")
    assert "uri" not in rules(repo, name)


# The connection of a git DAG bundle

BUNDLE = "dags:\n  bundles: [{name: main, repository: '%s', secretName: airflow-dags}]\n"
GIT_SYNC = PRODUCTION[PRODUCTION.index("dags:\n") : PRODUCTION.index("workers:\n")]
DAGS = "environments/production/secrets/airflow-dags.yaml"
MOUNT = "values: {volumeMounts: [{name: hosts, mountPath: /opt/airflow-git}]}\n"
KEY = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{CANARY}\n-----END OPENSSH PRIVATE KEY-----\n"


def bundled(root, url, more=""):
    text = changed(PRODUCTION, (GIT_SYNC, BUNDLE % url)) + more
    return make(root, production=text)


@pytest.mark.parametrize("mount", ["", MOUNT])
def test_a_private_key_becomes_a_connection_that_is_strict_where_hosts_are_known(mount, tmp_path):
    repo = bundled(tmp_path / "repo", "git@git.example.com:dags.git", mount)
    repo.write("key", KEY)
    done = repo.run("seal", "production", "airflow-dags", "--ssh-key", "key")
    assert done.code == 0 and CANARY not in done.said, done.said
    connection = json.loads(opened(repo, DAGS, "connection"))
    hosts = {"known_hosts_file": "/opt/airflow-git/known_hosts", "strict_host_key_checking": "yes"}
    assert connection == {
        "conn_type": "git",
        "extra": {"private_key": KEY, **(hosts if mount else {})},
    }


def test_a_token_becomes_a_connection(tmp_path, piped):
    repo = bundled(tmp_path / "repo", "https://git.example.com/dags.git")
    piped(f"{CANARY}\n")
    done = repo.run("seal", "production", "airflow-dags", "--user", "bot")
    assert done.code == 0 and CANARY not in done.said, done.said
    connection = json.loads(opened(repo, DAGS, "connection"))
    assert connection == {"conn_type": "git", "login": "bot", "password": CANARY}


def test_a_broker_outside_is_sealed_from_its_password(tmp_path, piped):
    sentinel = "sentinel: {masterName: m, hosts: [s1, s2], password: true}"
    broker = f"{{embedded: false, tls: true, {sentinel}}}"
    text = changed(PRODUCTION, ("{storage: 2Gi}", broker), ("mode: enforce", "mode: ingress"))
    repo = make(tmp_path / "repo", production=text)
    piped(f"{CANARY}\n")
    repo.write("kwargs", json.dumps({"password": f"{CANARY}2", "ssl": True}))
    command = ("seal", "production", "airflow-broker-url", "--user", "default")
    done = repo.run(*command, "--from-file", "sentinel-kwargs=kwargs")
    assert done.code == 0 and CANARY not in done.said, done.said
    path = "environments/production/secrets/airflow-broker-url.yaml"
    url = f"sentinel://:{CANARY}@s1:26379/0;sentinel://:{CANARY}@s2:26379/0"
    assert opened(repo, path, "connection").decode() == url
    kwargs = json.loads(opened(repo, path, "sentinel-kwargs"))
    assert kwargs["password"] == f"{CANARY}2" and kwargs["ssl"] is True
    assert "secrets/uri" not in repo.run("validate").said
    definition = "environments/production/environment.yaml"
    repo.edit(definition, "tls: true", "tls: false")
    assert "sentinel-kwargs was sealed for another place" in repo.run("validate").said
    repo.edit(definition, "tls: false", "tls: true")
    repo.edit(definition, "[s1, s2]", "[s1, s3]")
    assert "airflow-broker-url.yaml  [secrets/uri]" in repo.run("validate").said


def test_a_private_key_for_git_sync_is_sealed_as_it_is(repo):
    repo.write("key", KEY.rstrip())
    assert repo.run("seal", "production", "airflow-git-ssh", "--ssh-key", "key").code == 0
    path = "environments/production/secrets/airflow-git-ssh.yaml"
    assert opened(repo, path, "gitSshKey") == KEY.encode()


def test_what_is_not_a_private_key_or_not_for_git_is_refused(repo):
    repo.write("key.pub", f"ssh-ed25519 {CANARY}\n")
    repo.write("key", KEY)
    before = repo.tree()
    for arguments, message in (
        (("airflow-git-ssh", "--ssh-key", "key.pub"), "not a private key"),
        (("airflow-fernet-key", "--ssh-key", "key"), "does not apply"),
        (("--ssh-key", "key"), "name the Secret"),
    ):
        done = repo.run("seal", "production", *arguments)
        assert done.code == 1 and message in done.stderr and CANARY not in done.said
    assert repo.tree() == before
