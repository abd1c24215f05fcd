"""CPython's own gateway over memory: wsgiref.handlers.BaseHandler serves one request of an application that JavaScript made."""

import io
import json
from wsgiref.handlers import SimpleHandler

from pyodide.ffi import create_proxy, to_js


class Handler(SimpleHandler):
    """Only the body of the response and the head as data: what a server adds by itself stays out."""

    server_software = None
    origin_server = False

    def __init__(self, environ, errors):
        self.output = io.BytesIO()
        super().__init__(io.BytesIO(), self.output, errors, environ)
        self.os_environ = {}


def wrap(js_application):
    """An application for Python: js_application(environ, start_response) → an iterable of JavaScript's."""

    def application(environ, start_response):
        def start(status, headers, error=None):
            pairs = [(name, value) for name, value in headers.to_py()]
            if error is None:
                write = start_response(status, pairs)
            else:
                fault = RuntimeError("replaced")
                write = start_response(status, pairs, (RuntimeError, fault, None))
            return create_proxy(lambda chunk: write(chunk.to_bytes()))

        body = js_application(json.dumps({k: v for k, v in environ.items() if isinstance(v, str)}), create_proxy(start))
        return Body(body)

    return application


class Body:
    """An iterable of JavaScript's, with its close()."""

    def __init__(self, body):
        self.body = body

    def __iter__(self):
        while (chunk := self.body.next()) is not None:
            yield chunk.to_bytes()

    def close(self):
        self.body.close()


def serve(js_application, method):
    """Serves one request; returns the bytes of the response and what went to wsgi.errors."""
    errors = io.StringIO()
    environ = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": "/", "SERVER_PROTOCOL": "HTTP/1.1"}
    environ |= {"SERVER_NAME": "h", "SERVER_PORT": "80", "QUERY_STRING": ""}
    handler = Handler(environ, errors)
    try:
        handler.run(wrap(js_application))
    except BaseException as fault:  # noqa: BLE001 - what is raised is a part of what is compared
        errors.write(repr(fault))
    return to_js([handler.output.getvalue(), errors.getvalue()])
