"""An app as people write them with Flask: absolute redirects, cookies with a domain, a streamed answer, an upload.

    python -m flask --app flask_app run --port 8000
"""

import hashlib
import os
import threading

from flask import Flask, Response, make_response, redirect, request, url_for

app = Flask(__name__)
released = threading.Event()


@app.get("/")
def home():
    return "home"


@app.get("/old")
def old():
    return redirect(url_for("home", _external=True), 301)


@app.get("/elsewhere")
def elsewhere():
    return redirect("https://example.com/landing")


@app.get("/cookie")
def cookie():
    answer = make_response("baked")
    answer.set_cookie("flavour", "ginger", domain="localhost", httponly=True, samesite="Lax")
    return answer


@app.get("/who")
def who():
    names = ("Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "Cookie", "Connection")
    return {"process": os.getpid(), **{name: request.headers.get(name) for name in names}}


@app.get("/stream")
def stream():
    """Says one line, and the second one only when somebody has asked for /release."""
    def lines():
        yield "first\n"
        released.wait(20)
        yield "second\n"
    return Response(lines(), mimetype="text/plain")


@app.get("/release")
def release():
    released.set()
    return "released"


@app.post("/upload")
def upload():
    file = request.files["file"]
    digest, size = hashlib.sha256(), 0
    while part := file.stream.read(1 << 20):
        digest.update(part)
        size += len(part)
    return {"name": file.filename, "size": size, "sha256": digest.hexdigest(), "note": request.form["note"]}
