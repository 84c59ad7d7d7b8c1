import pytest

from generator.core.errors import UserError
from generator.forge.location import locate
from generator.forge.port import ForgeKind


@pytest.mark.parametrize(
    ("remote", "kind", "web", "api", "repository"),
    [
        (
            "https://github.com/o/r.git",
            "github",
            "https://github.com",
            "https://api.github.com",
            "o/r",
        ),
        ("git@github.com:o/r.git", "github", "https://github.com", "https://api.github.com", "o/r"),
        (
            "ssh://git@github.com/o/r",
            "github",
            "https://github.com",
            "https://api.github.com",
            "o/r",
        ),
        (
            "https://acme.ghe.com/o/r",
            "github",
            "https://acme.ghe.com",
            "https://api.acme.ghe.com",
            "o/r",
        ),
        (
            "https://github.example.com/o/r/",
            "github",
            "https://github.example.com",
            "https://github.example.com/api/v3",
            "o/r",
        ),
        (
            "git@gitlab.com:group/sub/project.git",
            "gitlab",
            "https://gitlab.com",
            "https://gitlab.com/api/v4",
            "group/sub/project",
        ),
        (
            "ssh://git@gitlab.example.com:2222/group/project.git",
            "gitlab",
            "https://gitlab.example.com",
            "https://gitlab.example.com/api/v4",
            "group/project",
        ),
        (
            "https://codeberg.org/o/r",
            "gitea",
            "https://codeberg.org",
            "https://codeberg.org/api/v1",
            "o/r",
        ),
        (
            "https://forgejo.example.com:8443/o/r.git",
            "gitea",
            "https://forgejo.example.com:8443",
            "https://forgejo.example.com:8443/api/v1",
            "o/r",
        ),
    ],
)
def test_a_remote_tells_forge_pages_api_and_repository(remote, kind, web, api, repository):
    found = locate(remote)
    assert (found.kind.value, found.web_url, found.api_url) == (kind, web, api)
    assert found.repository == repository


def test_a_host_that_tells_nothing_needs_the_kind():
    with pytest.raises(UserError, match=r"which forge git\.example\.com is") as caught:
        locate("https://git.example.com/o/r")
    assert "repository.forge" in caught.value.hint
    assert locate("https://git.example.com/o/r", kind=ForgeKind.GITEA).api_url.endswith("/api/v1")


def test_a_name_that_merely_contains_a_forges_name_is_not_enough():
    with pytest.raises(UserError):
        locate("https://notgithub.example.com/o/r")
    with pytest.raises(UserError):
        locate("https://github.gitlab.example.com/o/r")


def test_a_forge_below_a_path_and_with_another_ssh_host():
    found = locate(
        "git@ssh.example.com:team/r.git",
        kind=ForgeKind.GITLAB,
        base_url="https://code.example.com/gitlab/",
    )
    assert found.api_url == "https://code.example.com/gitlab/api/v4"
    assert found.page == "https://code.example.com/gitlab/team/r"
    web = locate(
        "https://code.example.com/gitlab/team/r.git",
        kind=ForgeKind.GITLAB,
        base_url="https://code.example.com/gitlab",
    )
    assert web.repository == "team/r"


def test_the_apis_address_can_be_given():
    found = locate("https://github.com/o/r", api_url="https://proxy.example.com/github/")
    assert found.api_url == "https://proxy.example.com/github"


@pytest.mark.parametrize(
    "remote",
    [
        "",
        "/srv/git/repo.git",
        "file:///srv/git/repo.git",
        "../repo",
        "https://github.com/",
        "https://github.com/o",
        "https://github.com/o/r/extra",
        "https://github.com/../r",
        "https://github.com/o/-x",
        "ext::sh -c id",
        "git@github.com:o/r x",
    ],
)
def test_what_names_no_repository_is_refused(remote):
    with pytest.raises(UserError):
        locate(remote)


def test_credentials_in_the_url_are_neither_kept_nor_quoted():
    found = locate("https://user:canary@github.com/o/r.git")
    assert "canary" not in repr(found)
    with pytest.raises(UserError) as caught:
        locate("https://user:canary@git.example.com/o/r.git")
    assert "canary" not in f"{caught.value.message}{caught.value.hint}"
