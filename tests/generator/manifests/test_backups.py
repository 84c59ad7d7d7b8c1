"""What `backup:` makes: CronJobs, their script, account and Secrets, and the flows they need."""

import json

import pytest

from generator.lint.objects import pod_security
from generator.manifests import backup_pod, backups, network_policies, restore_job
from tests.repositories import DEV, PRODUCTION, SETTINGS, STAGING, built, changed, release

RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
PEERS = changed(PRODUCTION, ("    git: [{", "    backup: [{cidr: 10.60.0.0/24}]\n    git: [{"))
S3 = "{s3: {bucket: backups, prefix: airflow, region: eu-central-1}}"
VOLUME = "{volume: {claim: backups}}"


def with_backup(text=PRODUCTION, storage=VOLUME, more=""):
    return (
        f"{text}backup: {{image: {{repository: r/b, tag: '16'}}, storage: {storage}, "
        f"encryption: {{recipients: [{RECIPIENT}]}}{more}}}\n"
    )


def made(text, settings=SETTINGS):
    objects = backups.MANIFEST.objects(release(text, settings=settings))
    return {(item["kind"], item["metadata"]["name"]): item for item in objects}


def pod(item):
    job = item["spec"]["jobTemplate"] if item["kind"] == "CronJob" else item
    return job["spec"]["template"]["spec"]


def container(item):
    (found,) = pod(item)["containers"]
    values = {row["name"]: row.get("value") for row in found["env"]}
    secrets = {
        row["name"]: tuple(row["valueFrom"]["secretKeyRef"].values())
        for row in found["env"]
        if "valueFrom" in row
    }
    return found, values, secrets


def test_nothing_is_made_without_a_backup_or_for_somebody_elses():
    for text in (PRODUCTION, PRODUCTION + "backup: {external: snapshots}\n"):
        assert made(text) == {}
        assert "airflow-backup" not in {need.name for need in release(text).needs}


def test_a_backup_reads_the_server_itself_and_cannot_open_what_it_writes():
    found = made(with_backup())
    names = {"backup", "restore-drill"}
    assert {name for kind, name in found if kind == "CronJob"} == {f"airflow-{x}" for x in names}
    _, values, secrets = container(found["CronJob", "airflow-backup"])
    assert (values["PGHOST"], values["PGPORT"]) == ("pg.example.com", "5432")
    assert secrets["PGPASSWORD"] == ("password", "airflow-backup")
    assert json.loads(values["ABOUT"])["chart"] == "1.22.0"
    volumes = {item["name"] for item in pod(found["CronJob", "airflow-backup"])["volumes"]}
    assert volumes == {"scripts", "work", "backups"}
    drill = found["CronJob", "airflow-restore-drill"]
    _, values, secrets = container(drill)
    assert json.loads(values["EXPECTED_HEADS"]) == {"alembic_version": ["1d6611b6ab7c"]}
    assert set(secrets) == {"FERNET_KEY"} and "PGHOST" not in values
    needs = {need.name: need.key_names for need in release(with_backup()).needs}
    assert needs["airflow-backup"] == ("password", "username")
    assert needs["airflow-backup-identity"] == ("identity",)


def test_a_backup_before_the_migration_is_a_hook_after_its_objects_and_before_the_chart():
    facts = "facts: {airflow: 3.2.2, providers: {fab: 3.6.4, amazon: 9.12.0}}"
    text = changed(PRODUCTION, ("  tag: 3.2.2-r1\n", f"  tag: 3.2.2-r1\n  {facts}\n"))
    found = made(with_backup(text, more=", beforeMigration: true"))
    job = found["Job", "airflow-backup-before-migration"]
    notes = job["metadata"]["annotations"]
    assert notes["argocd.argoproj.io/hook"] == "Sync"
    config = found["ConfigMap", "airflow-backup"]["metadata"]["annotations"]
    waves = [int(x["argocd.argoproj.io/sync-wave"]) for x in (config, notes)]
    assert waves[0] < waves[1] < 0
    _, values, secrets = container(job)
    assert json.loads(values["EXPECTED_HEADS"]) == {
        "alembic_version": ["1d6611b6ab7c"], "alembic_version_fab": ["02ca36b0235b"]
    }  # fmt: skip
    assert (
        "PGPASSWORD" in secrets
        and job["spec"]["template"]["metadata"]["labels"]["component"] == "backup"
    )
    of_another = text.replace("facts: {", "facts: {of: 3.2.2-r0, ")
    for unknown in (PRODUCTION, of_another):
        found = made(with_backup(unknown, more=", beforeMigration: true"))
        _, values, _ = container(found["Job", job["metadata"]["name"]])
        assert "EXPECTED_HEADS" not in values


def test_a_bucket_has_a_folder_for_every_environment_and_keys_or_a_role():
    _, values, secrets = container(made(with_backup(PEERS, S3))["CronJob", "airflow-backup"])
    assert values["BACKUP_REMOTE"] == "backups/airflow/production"
    assert secrets["RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY"][0] == "secret-access-key"
    role = "{s3: {bucket: bbb, access: role, endpoint: 'https://s3.example.com:9000'}}"
    text = with_backup(STAGING, role, ", serviceAccount: {eks.amazonaws.com/role-arn: x}")
    found = made(text)
    _, values, secrets = container(found["CronJob", "airflow-backup"])
    assert values["RCLONE_CONFIG_STORE_ENV_AUTH"] == "true"
    assert values["RCLONE_CONFIG_STORE_ENDPOINT"] == "https://s3.example.com:9000"
    assert set(secrets) == {"FERNET_KEY", "PGUSER", "PGPASSWORD"}
    account = found["ServiceAccount", "airflow-backup"]
    assert account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"] == "x"


def test_pods_are_restricted_and_any_user_of_openshift_will_do():
    for item in made(with_backup()).values():
        assert not list(pod_security.problems([item], "restricted"))
    context = pod(made(with_backup())["CronJob", "airflow-backup"])["securityContext"]
    assert context["runAsUser"] == 999
    found = made(with_backup(), SETTINGS + "    openshift: true\n")
    assert "runAsUser" not in pod(found["CronJob", "airflow-backup"])["securityContext"]


def egress(text, part):
    policies, problems = network_policies.policies(release(text))
    by_name = {item["metadata"]["name"]: item["spec"] for item in policies}
    rules = by_name[f"airflow-allow-{part}"]["egress"]
    return [(rule["to"][0], rule["ports"][0]["port"]) for rule in rules], problems


def test_policies_open_database_and_storage_to_the_backup_and_the_storage_alone_to_the_drill():
    rules, problems = egress(with_backup(PEERS, S3), "backup")
    assert not problems
    blocks = [(to["ipBlock"]["cidr"], port) for to, port in rules if "ipBlock" in to]
    assert blocks == [("10.20.0.0/24", 5432), ("10.60.0.0/24", 443)]
    rules, _ = egress(with_backup(PEERS, S3), "restore-drill")
    assert [to["ipBlock"]["cidr"] for to, _ in rules if "ipBlock" in to] == ["10.60.0.0/24"]
    _, (problem, *_) = egress(with_backup(storage=S3), "backup")
    assert "networkPolicy.peers.backup" in problem.message


def test_the_embedded_server_lets_the_backup_in():
    text = with_backup(DEV) + "networkPolicy: {mode: ingress}\n"
    policies, _ = network_policies.policies(release(text))
    (item,) = (x for x in policies if x["metadata"]["name"] == "airflow-allow-postgresql")
    sources = [
        row["podSelector"]["matchLabels"]["component"] for row in item["spec"]["ingress"][0]["from"]
    ]
    assert "backup" in sources and "restore-drill" not in sources
    _, values, _ = container(made(text)["CronJob", "airflow-backup"])
    assert (values["PGHOST"], values["PGDATABASE"]) == ("airflow-postgresql", "postgres")


def test_facts_of_the_image_decide_which_revision_a_drill_expects():
    facts = "image: {repository: r/a, tag: x1, facts: {airflow: 3.1.8, of: %s}}\n"
    image = "image: {repository: registry.example.com/airflow, tag: 3.2.2-r1}\n"
    heads = [
        backup_pod.expected_heads(release(with_backup(changed(STAGING, (image, facts % of)))))
        for of in ("x1", "x2")
    ]
    assert heads[0] != heads[1] == {"alembic_version": ["1d6611b6ab7c"]}


def test_a_drill_expects_the_revisions_of_the_providers_that_are_known():
    own = "image: {repository: registry.example.com/airflow, tag: 3.2.2-r1}\n"
    facts = own.replace("}", ", facts: {airflow: 3.2.2, providers: {fab: 3.6.4, edge3: 99.0.0}}}")
    made_of = release(with_backup(changed(STAGING, (own, facts))))
    assert backup_pod.expected_heads(made_of) == {
        "alembic_version": ["1d6611b6ab7c"], "alembic_version_fab": ["02ca36b0235b"]
    }  # fmt: skip
    assert backup_pod.image_heads(made_of) == {}


@pytest.mark.parametrize(
    ("image", "heads"),
    [
        ("{tag: 3.1.8-python3.12}", {"alembic_version": ["509b94a1042d"]}),
        ("{repository: r/apache/airflow, tag: 3.1.8}", {"alembic_version": ["509b94a1042d"]}),
        ("{repository: r/a, tag: 3.1.8}", {}),
        ("{repository: r/a, tag: 3.4.0}", {}),
        ("{repository: r/a, tag: 3.2.2-r1}", {"alembic_version": ["1d6611b6ab7c"]}),
    ],
)
def test_a_tag_that_names_another_release_than_the_definition_is_not_overlooked(image, heads):
    own = "image: {repository: registry.example.com/airflow, tag: 3.2.2-r1}\n"
    made = release(with_backup(changed(STAGING, (own, f"image: {image}\n"))))
    assert backup_pod.expected_heads(made) == heads
    _, values, _ = container(restore_job.objects(made, made.environment.backup, "")[1])
    assert bool(values["ACCEPTED_HEADS"]) is bool(heads)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("backup: {external: x, schedule: '0 1 * * *'}", "external takes no other field"),
        ("backup: {schedule: '0 1 * * *'}", "image, storage, encryption missing"),
        (with_backup("", "{volume: {claim: c}, s3: {bucket: bbb}}"), "either s3 or volume"),
        (with_backup("", "{s3: {bucket: 'a/b'}}"), "not a bucket's name"),
        (with_backup("", "{s3: {bucket: bbb, endpoint: 'https://u:p@s3'}}"), "scheme and host"),
        (with_backup("").replace(RECIPIENT, "AGE-SECRET-KEY-1X"), "private key"),
        (with_backup("").replace(RECIPIENT, "age1x"), "not a public key"),
        (with_backup("").replace("tag: '16'", ""), "tag or digest"),
    ],
)
def test_what_cannot_be_is_refused_without_repeating_it(more, words):
    problems = built(PRODUCTION + more + "\n").problems
    assert words in " ".join(problem.message for problem in problems)
    assert "AGE-SECRET-KEY-1X" not in str(problems)
