"""Serves `module:attribute` by wsgiref.simple_server, from the folders given as further arguments."""

import importlib
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

name, *folders = sys.argv[1:]
sys.path[:0] = folders
module, attribute = name.split(":")
application = getattr(importlib.import_module(module), attribute)


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


with make_server("127.0.0.1", 0, application, handler_class=Quiet) as server:
    print("Listening at: http://127.0.0.1:%d" % server.server_port, file=sys.stderr, flush=True)
    server.serve_forever()
