"""What adoption says, keeps, leaves out and refuses."""

import json

import pytest
import yaml

from tests.generator.adoption.scene import Adoption, application, record, rendered
from tests.repositories import changed

VALUES = "executor: KubernetesExecutor\n"
FINALIZER = (
    "metadata:\n",
    "metadata:\n  finalizers: [resources-finalizer.argocd.argoproj.io]\n",
)
CANARY = "c4n4ry-of-a-secret"
SECRETS = f"""\
executor: CeleryExecutor
fernetKey: {CANARY}
data:
  metadataConnection: {{user: airflow, pass: {CANARY}, host: pg.example.com, db: prod}}
  brokerUrl: redis://:{CANARY}@r.example.com:6379/0
redis: {{enabled: false}}
"""


@pytest.fixture
def adoption(own_chart, tmp_path):
    def make(**files):
        named = {name.replace("__", "."): text for name, text in files.items()}
        return Adoption(tmp_path / "repo", own_chart, named)

    return make


def adopted(scene, path="v.yaml", *more):
    done = scene.run(path, "--name", "staging", "--write", *more)
    assert done.code == 0, done.said
    return done


def test_nothing_is_written_without_being_asked_to(adoption):
    scene = adoption(v__yaml=VALUES)
    before = scene.repo.tree()
    done = scene.run("v.yaml", "--name", "staging")
    assert done.code == 0
    assert yaml.safe_load(done.stdout)["airflow"]["executor"] == "KubernetesExecutor"
    assert scene.repo.tree() == before


def test_the_definition_says_what_fields_can_say_and_keeps_the_rest_as_values(adoption):
    scene = adoption(
        v__yaml="executor: CeleryExecutor\nscheduler: {replicas: 2, safeToEvict: false}\n"
        "images: {airflow: {tag: 3.2.2-r1}}\nconfig: {core: {parallelism: 64}}\n"
        "workers: {celery: {replicas: 3, keda: {advanced: {}}, queue: 'a,b'}}\n"
    )
    adopted(scene)
    definition = scene.definition
    assert definition["scheduler"] == {"replicas": 2}
    assert definition["image"] == {"tag": "3.2.2-r1"}
    assert definition["workers"] == {"replicas": 3}
    assert definition["airflow"]["config"] == {"core": {"parallelism": "64"}}
    assert definition["values"] == {
        "scheduler": {"safeToEvict": False},
        "workers": {"celery": {"queue": "a,b"}},
    }


@pytest.mark.thorough
def test_a_chart_key_that_the_field_would_set_too_is_left_as_it_was(adoption):
    scene = adoption(v__yaml=VALUES + "images: {airflow: {tag: 3.2.2-r1}}\n")
    adopted(scene)
    assert "defaultAirflowTag" in scene.definition["adoption"]["leave"]
    assert "defaultAirflowTag" not in scene.tree_values


@pytest.mark.thorough
def test_two_tags_that_differ_are_no_field(adoption):
    scene = adoption(
        v__yaml=VALUES + "images: {airflow: {tag: 3.2.2-r1}}\ndefaultAirflowTag: 3.2.2-r2\n"
    )
    adopted(scene)
    assert "image" not in scene.definition
    assert scene.definition["values"]["defaultAirflowTag"] == "3.2.2-r2"


def test_a_template_stays_a_template(adoption):
    text = VALUES + 'config: {core: {a: "{{ .Release.Name }}", b: plain}}\n'
    scene = adoption(v__yaml=text)
    adopted(scene)
    assert scene.definition["airflow"]["config"] == {"core": {"b": "plain"}}
    assert scene.definition["values"]["config"]["core"] == {"a": "{{ .Release.Name }}"}


@pytest.mark.thorough
def test_defaults_of_the_repository_do_not_reach_what_was_adopted(adoption):
    scene = adoption(v__yaml=VALUES + "scheduler: {resources: {limits: {cpu: '1'}}}\n")
    settings = scene.repo.read("gen-env.yaml") + (
        "defaults: {tiers: {staging: {scheduler: {replicas: 5, resources: {requests: {cpu: '9'}}},"
        " networkPolicy: {mode: ingress}, metrics: {serviceMonitor: true},"
        " values: {webserver: {x: 1}}}}}\n"
    )
    scene.repo.write("gen-env.yaml", settings)
    adopted(scene)
    assert scene.tree_values["scheduler"] == {"resources": {"limits": {"cpu": "1"}}}
    made = [path for path in scene.repo.tree() if "/generated/" in path]
    assert [path.rpartition("/")[2] for path in made] == ["application.yaml", "values.yaml"]


def test_no_namespace_policy_guard_or_secret_of_ours_is_added(adoption):
    scene = adoption(v__yaml="executor: CeleryExecutor\n")
    adopted(scene, "v.yaml", "--tier", "development")
    files = [path for path in scene.repo.tree() if path.startswith("environments/")]
    assert sorted(path.removeprefix("environments/staging/") for path in files) == [
        "environment.yaml",
        "gen-env.lock",
        "generated/application.yaml",
        "generated/values.yaml",
    ]
    assert "finalizers" not in scene.application["metadata"]
    assert "automated" not in scene.application["spec"]["syncPolicy"]


def test_validate_calls_what_hardening_will_mend_a_warning(adoption):
    scene = adoption(v__yaml="executor: CeleryExecutor\n")
    adopted(scene, "v.yaml", "--tier", "production")
    done = scene.repo.run("validate", "staging", "-o", "json")
    rules = {problem["rule"] for problem in done.json["problems"]}
    assert "secrets/random-fernet-key" in rules
    assert {problem["severity"] for problem in done.json["problems"]} <= {"warning", "info"}
    assert done.code == 0


def test_application_project_release_and_namespace_keep_their_names(adoption):
    text = changed(
        application({"values": VALUES, "releaseName": "af"}), ("project: default", "project: data")
    )
    scene = adoption(app__yaml=text)
    done = adopted(scene, "app.yaml")
    assert scene.application["metadata"]["name"] == "old-airflow"
    assert scene.application["spec"]["project"] == "data"
    assert scene.application["spec"]["destination"]["namespace"] == "data"
    allowed = scene.repo.yaml("gen-env.yaml")["argocd"]["adopted"]
    assert allowed == {"applications": ["old-airflow"], "projects": ["data"]}
    assert "merge the change of gen-env.yaml first" in done.stderr


@pytest.mark.few(1)
@pytest.mark.parametrize(("field", "name"), [("application", "root"), ("project", "default")])
def test_a_definition_cannot_choose_a_foreign_name_by_itself(adoption, field, name):
    scene = adoption(v__yaml=VALUES)
    adopted(scene)
    path = "environments/staging/environment.yaml"
    scene.repo.edit(path, "releaseName: airflow", f"releaseName: airflow, {field}: {name}")
    done = scene.repo.run("generate")
    assert done.code == 1
    assert f"[policy/foreign-name]\n        destination.{field} '{name}'" in done.stderr


@pytest.mark.thorough
def test_a_managed_project_never_takes_over_one_that_is_kept(adoption):
    text = changed(application({"values": VALUES}), ("project: default", "project: theirs"))
    scene = adoption(app__yaml=text)
    settings = scene.repo.read("gen-env.yaml")
    scene.repo.write("gen-env.yaml", settings + "argocd: {project: {manage: true, name: ours}}\n")
    adopted(scene, "app.yaml")
    assert not [path for path in scene.repo.tree() if path.startswith("bootstrap/projects")]


def test_adoption_cannot_come_from_defaults(adoption):
    from tests.repositories import DEV

    scene = adoption(v__yaml=VALUES)
    scene.repo.definition("dev", DEV)
    settings = scene.repo.read("gen-env.yaml")
    scene.repo.write(
        "gen-env.yaml", settings + "defaults: {tiers: {development: {adoption: {}}}}\n"
    )
    done = scene.repo.run("generate")
    assert (done.code, "[adoption/defaults]" in done.stderr) == (1, True)


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (FINALIZER, "kubectl patch application old-airflow -n argocd"),
        (("  project:", "  syncPolicy: {automated: {}}\n  project:"), "--sync-policy none"),
        (("name: old-airflow", "name: old-airflow"), "keeps its name old-airflow"),
    ],
    ids=["finalizer", "automated", "same name"],
)
def test_the_old_application_lets_go_before_it_goes(adoption, change, said):
    scene = adoption(app__yaml=changed(application({"values": VALUES}), change))
    done = adopted(scene, "app.yaml")
    assert said in done.stderr
    assert "never delete the old owner with cascade" in done.stderr


@pytest.mark.thorough
def test_an_application_of_another_name_is_orphaned(adoption):
    text = changed(application({"values": VALUES}), ("name: old-airflow", "name: airflow-staging"))
    scene = adoption(app__yaml=text)
    done = adopted(scene, "app.yaml")
    assert "application" not in scene.definition["destination"]
    assert "keeps its name airflow-staging" in done.stderr


def test_keys_that_nobody_reads_are_named_with_their_line_and_left_out(adoption):
    scene = adoption(v__yaml=VALUES + "defaultUser: {enabled: true}\nschduler: {replicas: 3}\n")
    done = adopted(scene)
    assert "v.yaml:2  [values/ignored-key]" in done.stderr
    assert "v.yaml:3  [values/misspelt-key]" in done.stderr
    assert "left out: 2 keys that the chart does not read" in done.stderr
    assert "values" not in scene.definition


@pytest.mark.thorough
def test_old_names_are_named_and_rewritten(adoption):
    scene = adoption(v__yaml="executor: CeleryExecutor\nworkers: {replicas: 3}\n")
    done = adopted(scene)
    assert "v.yaml:2  [values/deprecated-key]" in done.stderr
    assert scene.definition["workers"] == {"replicas": 3}


def test_values_that_the_schema_refuses_are_named_and_nothing_is_written(adoption):
    scene = adoption(v__yaml=VALUES + "scheduler:\n  replicas: two\n")
    done = scene.run("v.yaml", "--name", "staging", "--write")
    assert done.code == 1
    assert "v.yaml:3  [values/schema]" in done.stderr
    assert not (scene.repo.root / "environments").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("airflow: {legacyCommands: true}\nweb: {}\n", "airflow-helm chart"),
        ("auth: {fernetKey: x}\nweb: {image: {}}\ndags: {enabled: true}\n", "Bitnami's chart"),
        ("kind: ConfigMap\napiVersion: v1\n", "no Airflow values here"),
        ("- a\n- b\n", "must be a mapping"),
    ],
)
def test_what_is_no_value_of_this_chart_is_declined(adoption, text, said):
    done = adoption(v__yaml=text).run("v.yaml", "--name", "staging")
    assert done.code == 1
    assert said in done.stderr


def test_an_application_set_and_two_releases_are_declined(adoption):
    one = application({"values": VALUES})
    scene = adoption(
        a__yaml=one, b__yaml=one, set__yaml=changed(one, ("kind: Application", "kind: X"))
    )
    scene.repo.write(
        "set.yaml",
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: s}\n"
        "spec: {template: {spec: {source: {chart: airflow, helm: {values: 'a: 1'}}}}}\n",
    )
    assert "describe separate releases" in scene.run("a.yaml", "b.yaml", "--name", "x").stderr
    assert "adopt one of its Applications" in scene.run("set.yaml", "--name", "x").stderr


def test_values_that_are_elsewhere_must_be_given(adoption):
    helm = {"valueFiles": ["https://example.com/v.yaml"], "values": VALUES}
    done = adoption(app__yaml=application(helm)).run("app.yaml", "--name", "staging")
    assert done.code == 1
    assert "it needs 1 values file from elsewhere, not 0: values" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--name", "Bad_Name"), "is not a valid environment name"),
        (("--name", "staging", "--cluster", "moon"), "cluster 'moon' not found in gen-env.yaml"),
        (("--name", "staging", "--chart", "1.16.0"), "chart airflow 1.16.0 is not in the cache"),
        (("--name", "staging", "--set", "nonsense=1"), "unknown field nonsense"),
    ],
)
def test_wrong_arguments_say_what_to_do(adoption, arguments, said):
    done = adoption(v__yaml=VALUES).run("v.yaml", *arguments)
    assert done.code == 1
    assert said in done.stderr
    assert "internal error" not in done.stderr


def test_a_cluster_that_gen_env_yaml_does_not_know_is_an_error(adoption):
    text = changed(application({"values": VALUES}), ("10.0.0.1", "10.9.9.9"))
    done = adoption(app__yaml=text).run("app.yaml", "--name", "staging")
    assert "deploys to https://10.9.9.9:6443, which is not defined in gen-env.yaml" in done.stderr


def test_an_environment_that_is_there_is_not_overwritten(adoption):
    scene = adoption(v__yaml=VALUES)
    adopted(scene)
    before = scene.repo.tree()
    done = scene.run("v.yaml", "--name", "staging", "--write")
    assert (done.code, scene.repo.tree()) == (1, before)


def test_a_host_that_stands_only_in_a_secret_is_asked_for(adoption):
    text = "executor: CeleryExecutor\nredis: {enabled: false}\n" + (
        "data: {metadataSecretName: db, brokerUrlSecretName: broker}\n"
    )
    scene = adoption(v__yaml=text)
    done = scene.run("v.yaml", "--name", "staging")
    assert "--set database.host=HOST" in done.stderr
    assert "--set broker.host=HOST" in done.stderr
    hosts = ("--set", "database.host=pg.example.com", "--set", "broker.host=r.example.com")
    adopted(scene, "v.yaml", *hosts)
    assert scene.definition["database"] == {"host": "pg.example.com", "secretName": "db"}
    assert scene.definition["broker"]["host"] == "r.example.com"


def test_secrets_in_the_values_stop_adoption_and_name_the_secret_to_make(adoption):
    scene = adoption(v__yaml=SECRETS)
    done = scene.run("v.yaml", "--name", "staging", "--write")
    assert done.code == 1
    assert "v.yaml:2  [adopt/inline-secret]" in done.stderr
    assert "Secret airflow-fernet-key with fernet-key" in done.stderr
    assert "Secret airflow-metadata with connection" in done.stderr
    assert "Secret airflow-broker-url with connection" in done.stderr
    assert CANARY not in done.said


@pytest.mark.thorough
def test_secrets_elsewhere_are_named_and_only_their_objects_go(adoption):
    scene = adoption(v__yaml=SECRETS)
    done = adopted(scene, "v.yaml", "--secrets-elsewhere", "--set", "broker.host=r.example.com")
    assert CANARY not in done.said
    written = {path: text for path, text in scene.repo.tree().items() if path != "v.yaml"}
    assert not [path for path, text in written.items() if CANARY.encode() in text]
    definition = scene.definition
    assert definition["keys"] == {"fernetKeySecretName": "airflow-fernet-key"}
    assert definition["database"]["secretName"] == "airflow-metadata"
    assert definition["database"]["host"] == "pg.example.com"
    before, after = scene.before(yaml.safe_load(SECRETS)), scene.after()
    gone = {name for kind, name in before.keys() - after.keys() if kind == "Secret"}
    assert gone == {"airflow-fernet-key", "airflow-metadata", "airflow-broker-url"}
    assert not after.keys() - before.keys()
    assert "no longer rendered, so they must exist" in done.stderr
    assert "restarts once" in done.stderr
    same = {key for key in after if without_checksums(after[key]) == without_checksums(before[key])}
    assert same == set(after)


def without_checksums(item):
    text = json.loads(json.dumps(item))
    template = (text.get("spec") or {}).get("template") or {}
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    for name in [name for name in annotations if name.startswith("checksum/")]:
        del annotations[name]
    return text


@pytest.mark.parametrize(
    "text",
    [
        f"env: [{{name: DB_PASSWORD, value: {CANARY}}}]\n",
        f"extraSecrets: {{mine: {{stringData: 'a: {CANARY}'}}}}\n",
        f"extraEnv: |\n  - name: API_TOKEN\n    value: {CANARY}\n",
        f"extraEnv: |\n  - name: URL\n    value: https://me:{CANARY}@example.com\n",
        f"config: {{smtp: {{smtp_password: {CANARY}}}}}\n",
        f"createUserJob: {{defaultUser: {{password: {CANARY}}}}}\n",
    ],
    ids=["variable", "extraSecrets", "text", "URL", "airflow.cfg", "first user"],
)
def test_a_secret_that_no_name_replaces_stops_adoption_in_any_case(adoption, text):
    scene = adoption(v__yaml=VALUES + text)
    done = scene.run("v.yaml", "--name", "staging", "--write", "--secrets-elsewhere")
    assert done.code == 1
    assert "[adopt/inline-secret]" in done.stderr
    assert CANARY not in done.said
    assert not (scene.repo.root / "environments").exists()


def test_a_config_map_is_no_values_file(adoption):
    config_map = "apiVersion: v1\nkind: ConfigMap\ndata: {values.yaml: 'executor: LocalExecutor'}\n"
    scene = adoption(a__yaml=VALUES, cm__yaml=config_map)
    done = scene.run("a.yaml", "cm.yaml", "--name", "staging", "--write")
    assert (done.code, "no Airflow values here: the file holds ConfigMap" in done.stderr) == (
        1,
        True,
    )


@pytest.mark.parametrize(
    ("row", "beside", "words"),
    [
        ("{kind: ConfigMap, name: v}", "kind: ConfigMap\nmetadata: {name: w}", "holds ConfigMap"),
        ("{kind: ConfigMap, name: v, valuesKey: b}", None, "no Airflow values here"),
        ("{kind: Secret, name: v}", "kind: Secret\nmetadata: {name: v}", "the file holds Secret"),
        ("{kind: ConfigMap, name: v, targetPath: a.b}", None, "goes to a.b by targetPath"),
    ],
    ids=["another", "another key", "secret", "target"],
)
def test_what_flux_would_read_elsewhere_is_never_guessed(adoption, row, beside, words):
    release = (
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: a}\n"
        f"spec:\n  chart: {{spec: {{chart: airflow, version: 1.22.0}}}}\n  valuesFrom: [{row}]\n"
    )
    found = beside or "kind: ConfigMap\nmetadata: {name: v}"
    text = f"apiVersion: v1\n{found}\ndata: {{values.yaml: 'executor: LocalExecutor'}}\n"
    scene = adoption(hr__yaml=release, cm__yaml=text)
    done = scene.run("hr.yaml", "cm.yaml", "--name", "staging", "--write")
    assert (done.code, words in done.stderr) == (1, True), done.stderr


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"data": {"release": CANARY}}, "cannot be unpacked"),
        ({"data": {}}, "helm get values NAME"),
        ({"data": {"release": "H4sIAAAA" * 3}}, "cannot be unpacked"),
        (record({}, chart="superset"), "a release of the chart superset"),
        ({"type": "Opaque"}, "the file holds Secret"),
    ],
    ids=["garbage", "empty", "half", "another chart", "another Secret"],
)
def test_a_record_of_helm_that_is_none_is_declined(adoption, change, words):
    text = yaml.safe_dump({**record({"executor": "LocalExecutor"}), **change})
    done = adoption(s__yaml=text).run("s.yaml", "--name", "staging", "--write")
    assert (done.code, words in done.stderr) == (1, True), done.stderr
    assert CANARY not in done.said


def test_secrets_in_helms_record_stop_adoption_as_anywhere(adoption):
    text = yaml.safe_dump(record(yaml.safe_load(SECRETS)))
    done = adoption(s__yaml=text).run("s.yaml", "--name", "staging", "--write")
    assert (done.code, "[adopt/inline-secret]" in done.stderr) == (1, True)
    assert CANARY not in done.said


def test_the_result_is_data_too(adoption):
    done = adoption(v__yaml=VALUES).run("v.yaml", "--name", "staging", "-o", "json")
    assert done.code == 0
    assert done.json["equal"] is True
    assert done.json["changes"] == []
    assert yaml.safe_load(done.json["definition"])["kind"] == "Environment"


@pytest.mark.thorough
def test_the_same_file_gives_the_same_definition(adoption):
    scene = adoption(v__yaml=VALUES + "scheduler: {replicas: 2}\nlabels: {b: '1', a: '2'}\n")
    first, second = (scene.run("v.yaml", "--name", "staging") for _ in range(2))
    assert first.stdout == second.stdout


@pytest.mark.thorough
def test_what_a_field_adds_later_shows_in_the_render(adoption):
    """The proof of the other tests: a change of an adopted definition is a change of objects."""
    scene = adoption(v__yaml=VALUES)
    adopted(scene)
    scene.repo.write(
        "environments/staging/environment.yaml",
        scene.repo.read("environments/staging/environment.yaml") + "scheduler: {replicas: 4}\n",
    )
    assert scene.repo.run("generate").code == 0
    key = ("Deployment", "airflow-scheduler")
    assert scene.before(yaml.safe_load(VALUES))[key]["spec"]["replicas"] == 1
    assert rendered(scene.archive, scene.tree_values)[key]["spec"]["replicas"] == 4


@pytest.mark.few(6)
@pytest.mark.parametrize(
    ("text", "more"),
    [
        (b"", ()),
        (b"\xff\xfe\x00", ()),
        (b"a: [\n", ()),
        (b"workers: null\n", ()),
        (b"data: null\nfernetKey: x\n", ("--secrets-elsewhere",)),
        (b"scheduler: []\n", ()),
        (b"config: 3\n", ()),
        (b"airflowVersion: 3.2.2-rc1\n", ()),
        (b"executor: CeleryKubernetesExecutor\n", ()),
        (b"executor: LocalExecutor\n", ("--set", "database=3")),
        (b"executor: LocalExecutor\n", ("--set", "metadata.name=other")),
        (b"executor: LocalExecutor\n", ("--set", "a..b=[")),
        (b"executor: LocalExecutor\n", ("--release", "Bad_")),
        (b"executor: LocalExecutor\n", ("--namespace", "a b")),
        (b"{{ if }}\n", ()),
    ],
)
def test_bad_input_is_an_error_of_the_users_and_nothing_is_written(adoption, text, more):
    scene = adoption(v__yaml=text)
    before = scene.repo.tree()
    done = scene.run("v.yaml", "--name", "staging", "--write", *more)
    assert done.code == 1
    assert "internal error" not in done.stderr
    assert scene.repo.tree() == before


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        (b"airflowVersion: main\n", "adopt/version"),
        (
            b"postgresql: {enabled: false}\ndata: {metadataSecretName: db}\n",
            "adopt/unknown-host",
        ),
    ],
)
def test_what_a_definition_must_say_and_the_values_do_not_is_asked_for(adoption, values, rule):
    scene = adoption(v__yaml=b"executor: LocalExecutor\n" + values)
    done = scene.run("v.yaml", "--name", "staging", "--write")
    assert (done.code, f"[{rule}]" in done.stderr) == (1, True), done.stderr
