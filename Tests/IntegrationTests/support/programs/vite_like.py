"""A development server that behaves as Vite's does (apps/dev_server.mjs), and a project for it."""

import shutil

from support.programs.web_apps import APPS, start_web_app

NODE = shutil.which("node")

_PAGE = '<!doctype html><head></head><body><p id="words"></p><script type="module" src="/main.js"></script></body>'
_MAIN = """import { accept } from '/@vite/client'
import { words } from '/words.js'
const show = (text) => { document.getElementById('words').textContent = text }
show(words)
accept('/words.js', (module) => show(module.words))
"""


def make_project(folder):
    """Makes a page that shows what words.js exports, which is 'before'; returns the folder."""
    folder.mkdir()
    (folder / "index.html").write_text(_PAGE)
    (folder / "main.js").write_text(_MAIN)
    (folder / "words.js").write_text("export const words = 'before'\n")
    return folder


def start_vite_like(namespace, folder):
    """Starts the server on [::1]:8000; returns its Process, to be stopped by the caller."""
    return start_web_app(namespace, NODE, APPS / "dev_server.mjs", folder, "8000")
