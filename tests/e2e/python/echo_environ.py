"""An application that shows the environ it got, as JSON; served by wsgiref.simple_server when run as a program."""

import json
import sys


def shown(value):
    if isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, tuple):
        return list(value)
    return "<object>"


def application(environ, start_response):
    seen = {key: shown(value) for key, value in environ.items()}
    page = json.dumps(seen).encode("ascii")
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(page)))])
    return [page]


if __name__ == "__main__":
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log_message(self, *args):
            pass

    with make_server("127.0.0.1", 0, application, handler_class=Quiet) as server:
        print("Listening at: http://127.0.0.1:%d" % server.server_port, file=sys.stderr, flush=True)
        server.serve_forever()
