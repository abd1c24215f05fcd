"""A Flask site: a form, an upload, a session, a streamed page, an error."""

import hashlib

from flask import Flask, Response, redirect, request, session, url_for

app = Flask("site")
app.secret_key = b"only for this example"


@app.get("/")
def index():
    name = session.get("name", "stranger")
    return f"""<!doctype html><title>Flask</title><h1>Hello, {name}!</h1>
<form method="post" action="{url_for('greet')}"><input name="name"><button>Say it</button></form>
<form method="post" action="{url_for('upload')}" enctype="multipart/form-data"><input type="file" name="file"><button>Send</button></form>
"""


@app.post("/greet")
def greet():
    session["name"] = request.form["name"]
    return redirect(url_for("index"))


@app.post("/upload")
def upload():
    sent = request.files["file"]
    data = sent.read()
    return {"name": sent.filename, "type": sent.mimetype, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


@app.get("/count/<int:last>")
def count(last):
    return Response((f"{number}\n" for number in range(1, last + 1)), mimetype="text/plain")


@app.get("/fail")
def fail():
    raise ValueError("a fault of the site")
