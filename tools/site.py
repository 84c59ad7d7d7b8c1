"""Hooks of MkDocs (mkdocs.yml): the pages of the top folder join those of docs/, links follow.

On the forge the same files are read where they are, so that their links fit there.
"""

import posixpath
import re
import textwrap
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
}
LINK = re.compile(r"(!?)\[([^\]]*)\]\((?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?\)")
FENCE = re.compile(r"^( *```).*?^\1", re.MULTILINE | re.DOTALL)


def on_files(files, config):
    """Files of the site, with those of the top folder."""
    for name, page in PAGES.items():
        text = (ROOT / name).read_text("utf-8")
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown, page, config, files):
    """Links between pages as the site has them; to files that it does not have, their names."""
    uri = page.file.src_uri
    name = next((name for name, other in PAGES.items() if other == uri), f"docs/{uri}")
    parts, end = [], 0
    for fence in FENCE.finditer(markdown):
        parts += [_linked(markdown[end : fence.start()], name, uri), _drawn(fence[0])]
        end = fence.end()
    return "".join([*parts, _linked(markdown[end:], name, uri)])


def _drawn(fence):
    """A fence; what the forge draws is folded here, as no script for it comes with the site."""
    if not fence.startswith("```mermaid"):
        return fence
    return '??? note "As Mermaid, which the forge draws"\n' + textwrap.indent(fence, "    ")


def _linked(text, name, uri):
    def link(match):
        image, words, target, anchor = match.groups()
        path = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
        if path not in PAGES and not path.startswith("docs/"):
            return words if (ROOT / path).exists() else match[0]
        if (ROOT / path).is_dir():
            return words
        page = PAGES.get(path, path.removeprefix("docs/"))
        to = posixpath.relpath(page, posixpath.dirname(uri) or ".")
        return f"{image}[{words}]({to}{anchor or ''})"

    return LINK.sub(link, text)
