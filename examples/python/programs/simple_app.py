"""The WSGI applications that tutorials begin with."""


def simple_app(environ, start_response):
    """The simplest application there is."""
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [b"Hello, world!\n"]


def view(environ):
    """A page, made of what the request asked for."""
    name = environ["PATH_INFO"].strip("/").encode("latin-1").decode("utf-8", "replace") or "world"
    return f"Hello, {name}! You asked with {environ['REQUEST_METHOD']}.\n"


def application(environ, start_response):
    """The two-function variant: one function knows WSGI, the other makes the page."""
    page = view(environ).encode("utf-8")
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(page)))])
    yield page


class AppClass:
    """An application that is a class: an instance is the iterable, its `start_response` is called late."""

    def __init__(self, environ, start_response):
        self.environ = environ
        self.start = start_response

    def __iter__(self):
        self.start("200 OK", [("Content-Type", "text/plain")])
        yield b"Hello from "
        yield b"a class!\n"
