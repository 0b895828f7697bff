"""The table of the article that the project answers: what the app listens on, and what a browser shows.

Every row is the same Django app behind the same `-p 8000:8000`.
"""

from engine.browser import EMPTY_RESPONSE, WORKS, shows, visit

PUBLISH = ("--publish", "8000:8000")


def table_row(host):
    return {name: shows(host, name) for name in ("127.0.0.1", "0.0.0.0")}


def test_on_loopback_there_is_no_answer(container, host):
    app = container("legacy-app", options=PUBLISH)
    app.wait_until_listening(8000)
    assert table_row(host) == {"127.0.0.1": EMPTY_RESPONSE, "0.0.0.0": EMPTY_RESPONSE}


def test_on_all_addresses_it_works(container, host):
    app = container("legacy-app-on-all", options=PUBLISH)
    app.wait_until_listening(8000)
    assert table_row(host) == {"127.0.0.1": WORKS, "0.0.0.0": WORKS}


def test_on_loopback_with_the_wrapper_it_works(container, host, privileges):
    """The image differs from the first row's in the file and the entrypoint, the command line in nothing."""
    app = container("legacy-app-wrapped", options=(*PUBLISH, *privileges))
    app.wait_until_listening(8000, count=2)
    assert table_row(host) == {"127.0.0.1": WORKS, "0.0.0.0": WORKS}
    assert b"The install worked successfully!" in visit(host, "127.0.0.1")


def test_the_app_still_listens_on_loopback_only(container, docker):
    """loopbridge answers outside, on the container's own address."""
    app = container("legacy-app-wrapped", options=PUBLISH)
    app.wait_until_listening(8000, count=2)
    command = docker.run("inspect", "--format", "{{json .Config.Cmd}}", app.id)
    assert command == docker.run("image", "inspect", "--format", "{{json .Config.Cmd}}", "legacy-app")
    own = "".join(f"{int(part):02X}" for part in reversed(app.addresses[0].split(".")))
    assert {address for address, port in app.listening() if port == 8000} == {"0100007F", own}
