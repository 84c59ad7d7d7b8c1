"""The page in a real browser: searching, folding, keys, and the colours of a dark screen."""

import html as entities
import json
import os
import re
import shutil
import subprocess

import pytest

from generator.diff.model import Side
from generator.report import html
from generator.report.assemble import environment_diff
from generator.report.model import Report
from tests.generator.report.samples import HOSTILE, config, hostile_report

BROWSER = next(
    filter(
        None,
        map(
            shutil.which,
            (os.environ.get("GEN_ENV_BROWSER", "chromium"), "chromium-browser", "google-chrome"),
        ),
    ),
    None,
)
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no chromium: install one, or set GEN_ENV_BROWSER to its path"
)

PROBE = """
<script>
const seen = {};
const press = (key, target) => (target || document.body).dispatchEvent(
  new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
const shown = () => Array.from(document.querySelectorAll("details.change"))
  .filter((item) => item.offsetParent !== null);
const open = () => shown().filter((item) => item.open).length;
const wait = (time) => new Promise((done) => setTimeout(done, time));
const probe = async () => {
  const search = document.getElementById("search");
  const type = async (text) => {
    search.value = text;
    search.dispatchEvent(new Event("input"));
    await wait(400);
  };
  seen.all = shown().length;
  seen.openAtFirst = open();
  press("e");
  seen.afterE = open();
  press("e");
  seen.afterEAgain = open();
  press("j");
  seen.first = shown().findIndex((item) => item.contains(document.activeElement));
  press("j");
  seen.second = shown().findIndex((item) => item.contains(document.activeElement));
  press("k");
  seen.back = shown().findIndex((item) => item.contains(document.activeElement));
  press("/");
  seen.searching = document.activeElement === search;
  await type("NEEDLE");
  seen.found = shown().map((item) => item.querySelector("summary").textContent);
  seen.foundOpen = open();
  seen.said = document.getElementById("found").textContent;
  await type("in no object at all");
  seen.none = shown().length;
  press("Escape", search);
  seen.afterEscape = shown().length;
  seen.background = getComputedStyle(document.body).backgroundColor;
  seen.colour = getComputedStyle(document.body).color;
  seen.scripts = document.images.length + document.querySelectorAll("iframe, object").length;
  seen.wide = document.documentElement.scrollWidth > window.innerWidth;
};
probe().catch((error) => { seen.error = String(error); }).finally(() => {
  const place = document.createElement("pre");
  place.id = "probe";
  place.textContent = JSON.stringify(seen);
  document.body.append(place);
});
</script>
"""


def visit(folder, report, *options):
    """What the probe saw on the page of a report; the page's own policy would not let it run."""
    page = html.render(report)
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    path = folder / "page.html"
    path.write_text(page.replace("</body>", f"{PROBE}</body>"), "utf-8")
    done = subprocess.run(
        [
            BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=900,700",
            f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=20000", *options,
            "--dump-dom", path.as_uri(),
        ],
        capture_output=True,
        timeout=240,
        env={"HOME": str(folder), "PATH": os.environ["PATH"]},
        check=True,
    )  # fmt: skip
    found = re.search(r'<pre id="probe">(.*?)</pre>', done.stdout.decode(), re.DOTALL)
    assert found, done.stderr.decode()[-2000:]
    return json.loads(entities.unescape(found[1]))


def report(count=30):
    base = [config(f"d{number}", "before") for number in range(count)]
    head = [config(f"d{number}", f"after {number}") for number in range(count)]
    head[count // 2] = config("c7", "a needle in it")
    base[count // 2] = config("c7", "nothing in it")
    found = environment_diff(
        "staging", Side("a", tuple(base), namespace="n"), Side("b", tuple(head), namespace="n")
    )
    return Report("a", "b", (found,))


def test_objects_are_searched_folded_and_walked_with_keys(tmp_path):
    seen = visit(tmp_path, report())
    assert "error" not in seen
    assert (seen["all"], seen["afterEscape"]) == (30, 30)
    assert {seen["afterE"], seen["afterEAgain"]} == {0, 30}
    assert (seen["first"], seen["second"], seen["back"]) == (0, 1, 0)
    assert seen["searching"] and seen["none"] == 0
    (found,) = seen["found"]
    assert "c7" in found and seen["foundOpen"] == 1 and seen["said"] == "1 of 30 objects"


def brightness(colour):
    return sum(map(int, re.findall(r"\d+", colour)[:3]))


@pytest.mark.thorough
def test_a_dark_screen_gets_a_dark_page(tmp_path):
    light = visit(tmp_path, report(2), "--blink-settings=preferredColorScheme=1")
    dark = visit(tmp_path, report(2), "--blink-settings=preferredColorScheme=0")
    assert brightness(light["background"]) > 600 > 300 > brightness(light["colour"])
    assert brightness(dark["background"]) < 150 < 500 < brightness(dark["colour"])


def test_hostile_text_stays_text_and_no_page_is_wider_than_the_window(tmp_path):
    seen = visit(tmp_path, hostile_report())
    assert "error" not in seen and seen["scripts"] == 0 and not seen["wide"]
    assert seen["all"] >= len(HOSTILE)
