"""Applications for the corners of PEP 3333, and for what goes wrong."""

import io
import sys

PLAIN = [("Content-Type", "text/plain")]


def echo(environ, start_response):
    """Sends the body back, read in several ways."""
    body = environ["wsgi.input"]
    if not environ.get("wsgi.input_terminated"):
        # Of a server that does not end the input nobody may read more than the declared length. (PEP 3333)
        body = io.BytesIO(body.read(int(environ.get("CONTENT_LENGTH") or 0)))
    way = environ["QUERY_STRING"].removeprefix("way=")
    if way == "lines":
        parts = list(body)
    elif way == "readline":
        parts = list(iter(body.readline, b""))
    elif way == "readlines":
        parts = body.readlines()
    elif way == "pieces":
        parts = list(iter(lambda: body.read(3), b""))
    else:
        parts = [body.read()]
    start_response("200 OK", PLAIN)
    return [b"%d: " % len(parts), b"|".join(parts)]


def write(environ, start_response):
    """Pushes a part of its body, as old applications do."""
    push = start_response("200 OK", PLAIN)
    push(b"pushed, ")
    push(b"")
    return [b"and returned\n"]


def replaced(environ, start_response):
    """Fails after start_response, and replaces the head."""
    start_response("200 OK", PLAIN)
    try:
        raise ValueError("in the middle")
    except ValueError:
        start_response("503 Service Unavailable", [("Content-Type", "text/plain"), ("X-Error", "yes")], sys.exc_info())
    return [b"replaced\n"]


def cookies(environ, start_response):
    """Repeats a header, and has bytes beyond ASCII in one."""
    start_response("201 Created", [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("X-Latin", "caf\xe9")])
    return [b""]


def no_content(environ, start_response):
    """Has no body."""
    start_response("204 No Content", [])
    return []


class Counted:
    """An iterable that counts how often it was closed."""

    closed = 0

    def __init__(self, chunks):
        self.chunks = iter(chunks)

    def __iter__(self):
        return self.chunks

    def close(self):
        Counted.closed += 1


def counted(environ, start_response):
    start_response("200 OK", PLAIN)
    return Counted([b"a", b"", b"b\n"])


def endless(environ, start_response):
    """Has chunks for as long as somebody takes them."""
    start_response("200 OK", PLAIN)

    def chunks():
        while True:
            yield b"x" * 1000

    return Counted(chunks())


def file(environ, start_response):
    """Sends a file by `wsgi.file_wrapper`."""
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](io.BytesIO(b"from a file\n" * 10), 7)


def raises(environ, start_response):
    raise RuntimeError("a fault of the application")


def text(environ, start_response):
    start_response("200 OK", PLAIN)
    return ["a str is not a chunk"]


def twice(environ, start_response):
    start_response("200 OK", PLAIN)
    start_response("200 OK", PLAIN)
    return []


def never(environ, start_response):
    return [b"no head"]


def midway(environ, start_response):
    """Fails after its first chunk."""
    start_response("200 OK", PLAIN)
    yield b"the beginning"
    raise RuntimeError("a fault midway")


def late(environ, start_response):
    """Replaces its head too late."""
    start_response("200 OK", PLAIN)
    yield b"the beginning"
    try:
        raise ValueError("too late for a head")
    except ValueError:
        start_response("500 Oops", PLAIN, sys.exc_info())
        yield b"never sent"
