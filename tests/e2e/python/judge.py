"""Runs an application under CPython's own wsgiref.validate, over an environ that came from somewhere else."""

import io
import json
import warnings
from wsgiref.validate import validator


def application(environ, start_response):
    """Reads the whole body and gives it back."""
    parts = []
    while part := environ["wsgi.input"].read(1000):
        parts.append(part)
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return [b"".join(parts)]


def judge(request, body):
    """Takes an environ as JSON and its body as bytes; returns what validate complains about, and the response body."""
    environ = json.loads(request)
    environ["wsgi.version"] = tuple(environ["wsgi.version"])
    environ["wsgi.input"] = io.BytesIO(bytes(body))
    environ["wsgi.errors"] = io.StringIO()
    complaints = []
    answer = b""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = validator(application)(environ, lambda status, headers, exc_info=None: lambda data: None)
            try:
                answer = b"".join(result)
            finally:
                result.close()
        except AssertionError as error:
            complaints.append(str(error))
    complaints += [str(each.message) for each in caught]
    return json.dumps({"complaints": complaints, "length": len(answer)})
