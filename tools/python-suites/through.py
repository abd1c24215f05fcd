"""Runs a pytest suite in this interpreter, with Werkzeug's test client sending each request through Waygate."""

import io
import json
import sys
import types

import pytest
import werkzeug.test
from pyodide.ffi import create_proxy, to_js
from werkzeug.wsgi import ClosingIterator

# What the suites import for servers in processes of their own, which WebAssembly cannot start.
for missing in ("ephemeral_port_reserve", "ssl", "xprocess"):
    module = types.ModuleType(missing)
    module.reserve = lambda *args: 0
    module.ProcessStarter = object
    sys.modules.setdefault(missing, module)

requests = 0


def through(send):
    """Returns a `run_wsgi_app` that hands the request to JavaScript's `send(app, environ, body)`."""

    def run_wsgi_app(app, environ, buffered=False):
        global requests
        requests += 1
        environ = werkzeug.test._get_environ(environ).copy()
        stream = environ.get("wsgi.input") or io.BytesIO()
        position = stream.tell() if stream.seekable() else None
        body = stream.read()
        if position is not None:
            # The client sends the same stream once more where the application redirects with the body unread.
            stream.seek(position)
        failures = []

        def inner(seen, start_response):
            # What no server knows: the objects that a test has put into environ itself, and the log that it looks at.
            for key, value in environ.items():
                if type(value) is not str and key not in ("wsgi.input", "wsgi.version"):
                    seen[key] = value
            try:
                return app(seen, start_response)
            except BaseException as error:
                failures.append(error)
                raise

        strings = {key: value for key, value in environ.items() if type(value) is str}
        proxy = create_proxy(inner)
        answer = send(proxy, json.dumps(strings), to_js(body))

        def close():
            answer.close()
            proxy.destroy()

        if failures:
            # The client gives a test the application's own failure; a server keeps it in its log.
            close()
            raise failures[0]
        chunks = iter(lambda: (lambda chunk: None if chunk is None else chunk.to_bytes())(answer.next()), None)
        if buffered:
            chunks = iter(list(chunks))
            close()
        else:
            chunks = ClosingIterator(chunks, close)
        headers = werkzeug.test.Headers([tuple(pair) for pair in json.loads(answer.headers)])
        return chunks, answer.status, headers

    return run_wsgi_app


class Counts:
    """A pytest plugin that counts, and names what fails."""

    def __init__(self):
        self.passed, self.failed, self.skipped = 0, [], 0

    def pytest_runtest_logreport(self, report):
        if report.skipped:
            self.skipped += 1
        elif report.failed:
            self.failed.append(f"{report.nodeid}: {str(report.longrepr).splitlines()[-1]:.150}")
        elif report.when == "call":
            self.passed += 1

    def pytest_collectreport(self, report):
        if report.failed:
            self.failed.append(f"{report.nodeid}: {str(report.longrepr).splitlines()[-1]:.150}")


def main(folder, send, ignored):
    """Returns the JSON of the counts. Without `send` the client calls the application itself, as it always does."""
    if send is not None:
        werkzeug.test.run_wsgi_app = through(send)
    sys.path.insert(0, folder)
    counts = Counts()
    plugins = [f"-pno:{name}" for name in ("cacheprovider", "faulthandler", "xprocess")]
    skipped = [f"--ignore={folder}/{name}" for name in ignored]
    pytest.main(["-q", "--no-header", "--tb=no", *plugins, *skipped, "-Wignore", "--continue-on-collection-errors", "--rootdir", folder, folder], [counts])
    return json.dumps({**vars(counts), "requests": requests})
