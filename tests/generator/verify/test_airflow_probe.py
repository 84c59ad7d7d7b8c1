import json

import pytest

from generator.cluster import ClusterError, Trouble
from generator.verify.airflow_probe import ask, http_get
from generator.verify.target import Endpoint
from tests.fakes.apiserver import FakeApiServer
from tests.generator.verify.scene import airflow

GOOD = json.dumps(airflow(0)).encode()
ENDPOINT = Endpoint(url="https://airflow.example.com/team", service="airflow-api-server")
URL = "https://airflow.example.com/team/api/v2/monitor/health"


class Proxy:
    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    def service_get(self, *asked):
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


FORBIDDEN = ClusterError(Trouble.FORBIDDEN, "services/proxy is forbidden")
NO_ENDPOINTS = ClusterError(Trouble.SERVER, "no endpoints available")


def answering(status, data=b"{}"):
    return lambda url: (status, data)


def silent(url):
    raise ConnectionError("ConnectTimeout")


def asked(get, proxy, endpoint=ENDPOINT):
    return ask(endpoint, "data", Proxy(proxy), get)


def test_the_ingress_is_asked_first_and_suffices():
    proxy, urls = Proxy(GOOD), []

    def get(url):
        urls.append(url)
        return 200, GOOD

    found, problem = ask(ENDPOINT, "data", proxy, get)
    assert (found.way, problem, proxy.asked, urls) == (f"GET {URL}", "", [], [URL])
    assert found.document["scheduler"]["status"] == "healthy"


@pytest.mark.parametrize("get", [silent, answering(302), answering(401), answering(200, b"<html>")])
def test_the_proxy_is_asked_where_the_ingress_does_not_lead_to_airflow(get):
    found, _ = asked(get, GOOD)
    assert "proxy" in found.way and not found.problem


@pytest.mark.parametrize("proxy", [FORBIDDEN, NO_ENDPOINTS])
def test_an_ingress_without_a_backend_is_something_to_wait_for(proxy):
    found, problem = asked(answering(503), proxy)
    assert (found.problem, problem) == (f"{URL} answered 503, not Airflow's health", "")


def test_a_service_without_pods_is_something_to_wait_for():
    found, _ = asked(silent, NO_ENDPOINTS)
    assert "no endpoints available" in found.problem
    assert asked(silent, b"[]")[0].problem


def test_when_every_way_is_closed_each_is_named():
    found, problem = asked(silent, FORBIDDEN)
    assert found is None
    assert "cannot be reached from here (ConnectTimeout)" in problem
    assert "services/proxy is forbidden" in problem
    assert "requires a login" in asked(answering(302), FORBIDDEN)[1]
    assert "neither" in asked(silent, FORBIDDEN, Endpoint())[1]


def test_real_answers_come_over_http(tmp_path):
    with FakeApiServer() as fake:
        status, data = http_get(f"{fake.url}/api/v1")
        assert status == 401
        assert json.loads(data)["message"] == "Unauthorized"
        address = fake.url
    with pytest.raises(ConnectionError):
        http_get(address)
