import pytest

from generator.core.errors import UserError
from generator.promotion import pause_marker
from generator.promotion.pause_marker import DenyWindow
from generator.yaml import reader
from tests.repositories import PRODUCTION, STAGING

FILE = "environments/staging/environment.yaml"
HEAD = "# top\nmetadata: {name: staging}   # who\n"
TEXTS = {
    "no-sync": HEAD,
    "flow": HEAD + "sync: {automated: true}\n",
    "block": HEAD + "sync:\n  automated: true # yes\n\n# end\n",
    "windows-in-flow": HEAD
    + "sync: {windows: [{kind: deny, schedule: '0 1 * * *', duration: 1h}]}\n",
    "windows-in-block": HEAD
    + "sync:\n  windows:\n    - kind: deny\n      schedule: 0 1 * * *\n      duration: 1h\n"
    + "values: {}\n",
    "empty-windows": HEAD + "sync:\n  windows: []\nvalues: {a: 1}\n",
    "crlf": (HEAD + "sync:\n  prune: false\n").replace("\n", "\r\n"),
    "bom": "\ufeff" + HEAD,
    "one-flow": "{metadata: {name: staging}, sync: {automated: true}}\n",
    "staging": STAGING,
    "production": PRODUCTION,
}
WAYS = {
    "window": lambda text: pause_marker.with_window(text, DenyWindow(), FILE),
    "dated": lambda text: pause_marker.with_window(text, DenyWindow("5 22 1 6 *", "480m"), FILE),
    "automation": lambda text: pause_marker.without_automation(text, FILE),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("text", TEXTS)
def test_a_pause_taken_back_leaves_not_one_byte(text, way):
    paused = WAYS[way](TEXTS[text])
    assert pause_marker.is_paused(paused)
    assert pause_marker.resumed(paused, FILE) == TEXTS[text]


@pytest.mark.parametrize("text", TEXTS)
def test_what_the_pause_says(text):
    sync = reader.read(WAYS["window"](TEXTS[text]), FILE).data["sync"]
    window = sync["windows"][-1]
    assert (window["kind"], window["schedule"], window["duration"]) == ("deny", "* * * * *", "24h")
    assert window["manualSync"] == "true"
    sync = reader.read(WAYS["automation"](TEXTS[text]), FILE).data["sync"]
    assert sync["automated"] == "false"


@pytest.mark.parametrize("way", WAYS)
def test_changes_elsewhere_meanwhile_stay(way):
    paused = WAYS[way](STAGING).replace("replicas: 2", "replicas: 9")
    assert pause_marker.resumed(paused, FILE) == STAGING.replace("replicas: 2", "replicas: 9")


@pytest.mark.parametrize(
    ("way", "old", "new"),
    [
        ("window", "kind: deny", "kind: allow"),
        ("window", "  windows:", "  prune: false\n  windows:"),
        ("automation", "automated: false", "automated: true"),
    ],
)
def test_a_pause_that_was_edited_is_left_to_people(way, old, new):
    paused = WAYS[way](HEAD)
    assert old in paused
    with pytest.raises(UserError) as caught:
        pause_marker.resumed(paused.replace(old, new), FILE)
    assert "edited since" in caught.value.message
    assert caught.value.line == 3


def test_no_pause_no_resume():
    with pytest.raises(UserError, match="no pause"):
        pause_marker.resumed(HEAD, FILE)


@pytest.mark.parametrize("way", WAYS)
def test_a_pause_is_kept_and_never_invented(way):
    paused = WAYS[way](HEAD)
    older = HEAD + "values: {}\n"
    assert pause_marker.kept(paused, older, FILE) == WAYS[way](older)
    assert pause_marker.kept(older, paused, FILE) == HEAD
    assert pause_marker.kept(paused, paused, FILE) == paused
