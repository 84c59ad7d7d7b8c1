from generator.engine import deployment
from generator.verify.expectation import endpoint, expectation
from generator.verify.target import Endpoint
from tests.generator.health.objects import read
from tests.generator.verify.scene import BASIS, REPOSITORY, is_ancestor, rendered, sources

INGRESS = """
kind: Ingress
metadata: {name: airflow-ingress}
spec:
  rules:
  - host: airflow.example.com
    http:
      paths:
      - {path: /team/*, backend: {service: {name: airflow-api-server, port: {name: api-server}}}}
"""
SERVICE = "{kind: Service, metadata: {name: airflow-api-server, labels: {component: api-server}}}"


def application(**spec):
    return {
        "metadata": {"name": "airflow-staging", "namespace": "argocd"},
        "spec": {"destination": {"namespace": "data"}, "sources": sources(), **spec},
    }


def promised(app=None, manifests=None, **more):
    return expectation(
        environment="staging",
        revision="1" * 40,
        deployed=deployment.of([{"kind": "Application", **(app or application())}]),
        manifests=rendered() if manifests is None else manifests,
        basis=BASIS,
        is_ancestor=is_ancestor,
        repository=REPOSITORY,
        **more,
    )


def test_names_and_versions_are_those_that_the_cluster_is_given():
    found = promised()
    assert (found.application, found.application_namespace) == ("airflow-staging", "argocd")
    assert (found.namespace, found.chart_version) == ("data", "1.22.0")
    assert found.migration_job == "airflow-run-airflow-migrations"
    assert found.airflow_components == ("scheduler", "triggerer", "dag-processor")


def test_the_release_is_named_by_the_application_or_by_the_labels():
    chart = [{"repoURL": "https://x", "chart": "airflow", "helm": {"releaseName": "af"}}]
    assert promised(application(sources=chart)).release == "af"
    labelled = rendered()[0]
    labelled["metadata"]["labels"] = {"release": "rel"}
    git_only = application(sources=[{"repoURL": REPOSITORY, "path": "x"}])
    found = promised(git_only, [labelled])
    assert (found.release, found.chart_version) == ("rel", "")


def test_a_vendored_chart_has_no_version_of_its_own():
    vendored = [{"repoURL": REPOSITORY, "path": "charts/airflow", "helm": {"releaseName": "af"}}]
    found = promised(application(sources=vendored))
    assert (found.release, found.chart_version) == ("af", "")


def test_the_endpoint_is_the_api_servers_ingress_and_service():
    ingress, service = read(INGRESS), read(SERVICE)
    assert endpoint([service]) == Endpoint("", "airflow-api-server")
    assert endpoint([ingress, service]).url == "http://airflow.example.com/team"
    ingress["spec"]["tls"] = [{"hosts": ["airflow.example.com"], "secretName": "tls"}]
    assert endpoint([ingress, service]).url == "https://airflow.example.com/team"
    assert endpoint([ingress]) is None


def test_airflow_2_answers_at_its_webserver():
    service = read(SERVICE.replace("api-server", "webserver"))
    assert endpoint([service]) == Endpoint("", "airflow-webserver", "airflow-ui", "/health")


def test_without_a_migration_job_none_is_waited_for():
    assert promised(manifests=rendered()[:2]).migration_job == ""


HTTP_ROUTE = """
kind: HTTPRoute
spec:
  hostnames: [a.example.com]
  rules:
  - backendRefs: [{name: airflow-api-server, port: 8080}]
    matches: [{path: {type: PathPrefix, value: /x}}]
"""
ROUTE = "{kind: Route, spec: {host: b.example.com, to: {name: airflow-api-server}, tls: {}}}"
CONFIG = "{kind: ConfigMap, data: {airflow.cfg: '[api] base_url = http://a.example.com/x'}}"


def address(*manifests):
    return endpoint([read(text) for text in (SERVICE, *manifests)]).url


def test_the_address_is_that_of_whatever_leads_in():
    assert address(HTTP_ROUTE) == "https://a.example.com/x"
    assert address(HTTP_ROUTE, CONFIG) == "http://a.example.com/x"
    assert address(ROUTE) == "http://b.example.com"
    assert address(ROUTE.replace("tls: {}", "tls: {termination: edge}")) == "https://b.example.com"
    assert address(ROUTE, HTTP_ROUTE, INGRESS) == "http://airflow.example.com/team"
    assert address(HTTP_ROUTE.replace("airflow-api-server", "other")) == ""
