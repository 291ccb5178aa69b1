"""Hooks of the documentation site: links that leave docs/ and pages that lie outside it.

On GitHub a page may link to any file of the repository. The site has the pages of docs/ and those
in `EXTRA_PAGES`; a link to any other file becomes its text alone, as a path in code.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

# page of the site, by its path in the repository
EXTRA_PAGES = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
LINK = re.compile(r"(?<!!)\[(?P<text>[^\]\n]+)\]\((?P<target>[^)\s]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie outside docs/."""
    root = Path(config.config_file_path).parent
    for source, page in EXTRA_PAGES.items():
        if (root / source).exists():
            content = (root / source).read_text(encoding="utf-8")
            files.append(File.generated(config, page, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links out of docs/ to pages of the site, or leave their text alone."""
    sources = {page: source for source, page in EXTRA_PAGES.items()}
    place = sources.get(page.file.src_uri, f"docs/{page.file.src_uri}")

    def on_site(link: re.Match[str]) -> str:
        text, target = link["text"], link["target"]
        if re.match(r"[a-z]+:|#", target):
            return link[0]
        path, _, anchor = target.partition("#")
        found = posixpath.normpath(posixpath.join(posixpath.dirname(place), path))
        name = EXTRA_PAGES.get(found, found.removeprefix("docs/"))
        if name == found:  # not on the site
            return text if text.startswith("`") else f"{text} (`{found}`)"
        to = posixpath.relpath(name, posixpath.dirname(page.file.src_uri) or ".")
        return f"[{text}]({to}{'#' + anchor if anchor else ''})"

    return LINK.sub(on_site, markdown)
