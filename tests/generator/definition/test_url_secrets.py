"""A credential in an address is an error of the definition: its place is told, never its value."""

import pytest

from generator.definition import definition
from generator.definition.resolve import resolve
from tests.repositories import DEV, SETTINGS, changed

CANARY = "c4n4ry" + "Zq9" * 6
GITHUB = "ghp" + "_" + CANARY


def problems_of(text, settings=SETTINGS):
    loaded, problems = definition.load_settings(settings.encode())
    if loaded is None:
        return problems
    return resolve(definition.load("dev", text.encode()), loaded)[1]


def exposed(text, settings=SETTINGS):
    found = [
        item for item in problems_of(text, settings) if item.rule == "definition/secret-in-url"
    ]
    assert all(CANARY not in f"{item.message} {item.hint}" for item in found)
    if found and settings is SETTINGS:
        # Nothing is built, rendered or written from it.
        loaded, _ = definition.load_settings(settings.encode())
        assert resolve(definition.load("dev", text.encode()), loaded)[0] is None
    return [(item.path, item.line, item.message.split()[0]) for item in found]


WITH_SECRET = [
    f"https://user:{CANARY}@git.example.com/dags.git",
    f"https://{GITHUB}@git.example.com/dags.git",
    f"https://oauth2:{CANARY}@git.example.com/dags.git",
    f"https://{CANARY}:x-oauth-basic@git.example.com/dags.git",
    f"ssh://user:{CANARY}@git.example.com/dags.git",
    f"https://git.example.com/dags.git?private_token={CANARY}",
    f"https%3A%2F%2Fuser%3A{CANARY}%40git.example.com",
]
WITHOUT = [
    "git@git.example.com:data/dags.git",
    "ssh://git@git.example.com/data/dags.git",
    "https://git.example.com/data/dags.git",
    "https://airflow@git.example.com/data/dags.git",
    "https://git.example.com/@scope/dags.git",
]


def dags(address):
    number = len(DEV.splitlines()) + 1
    return f'{DEV}labels: {{note: "{address}"}}\n', number


@pytest.mark.parametrize("address", WITH_SECRET)
def test_an_address_with_a_secret_is_an_error_at_its_line(address):
    text, line = dags(address)
    assert exposed(text) == [("environments/dev/environment.yaml", line, "labels.note")]


@pytest.mark.parametrize("address", WITHOUT)
def test_an_address_without_one_is_none(address):
    assert exposed(dags(address)[0]) == []


def test_lists_are_searched_and_all_places_are_told_at_once():
    address = WITH_SECRET[0]
    text = f'{DEV}image: {{repository: "u:{CANARY}@registry.example.com/airflow"}}\n'
    text += f'hostAliases: [{{ip: 10.0.0.1, hostnames: ["{address}"]}}]\n'
    places = {name for _, _, name in exposed(text)}
    assert {"image.repository", "hostAliases[0].hostnames[0]"} <= places


def test_the_settings_and_their_defaults_are_searched():
    settings = changed(SETTINGS, ("https://git", f"https://user:{CANARY}@git"))
    [(path, line, _)] = exposed(DEV, settings)[:1]
    assert path == "gen-env.yaml" and line
    layered = (
        f'{SETTINGS}defaults: {{tiers: {{development: {{labels: {{a: "{WITH_SECRET[0]}"}}}}}}}}\n'
    )
    assert [name for *_, name in exposed(DEV, layered)] == ["defaults.tiers.development.labels.a"]


def test_variables_and_options_are_left_to_the_rules_about_values():
    address = WITH_SECRET[0]
    text = f'{DEV}values: {{env: [{{name: X, value: "{address}"}}], extra: "{address}"}}\n'
    assert [name for *_, name in exposed(text)] == ["values.extra"]
