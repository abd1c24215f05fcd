"""The Python side of wsgi.ts: one WSGI request, served by the letter of PEP 3333.

JavaScript makes a `Request`, calls `start` for the application's iterable, `next` for each chunk, and `close` once.
"""

import io
import json
import sys
from wsgiref.util import FileWrapper

from pyodide.ffi import run_sync, to_js


class Errors(io.TextIOBase):
    """`wsgi.errors`: a text stream that writes to the gateway's log."""

    def __init__(self, stream):
        self._stream = stream

    def writable(self):
        return True

    def write(self, text):
        self._stream.write(text)
        return len(text)

    def flush(self):
        self._stream.flush()


class Input(io.RawIOBase):
    """The request body, where the engine can suspend Python: each read waits for the client."""

    def __init__(self, stream):
        self._stream = stream

    def readable(self):
        return True

    def readinto(self, buffer):
        chunk = run_sync(self._stream.read(len(buffer))).to_bytes()
        buffer[: len(chunk)] = chunk
        return len(chunk)


class Request:
    """One call of an application."""

    def __init__(self, application, cgi, gateway):
        """`cgi` is the JSON of environ's strings, `gateway` the object that wsgi.ts makes."""
        self._application = application
        self._gateway = gateway
        self._started = False
        self._result = None
        self._iterator = None
        body = gateway.body
        environ = json.loads(cgi)
        environ["wsgi.version"] = (1, 0)
        environ["wsgi.input"] = io.BufferedReader(Input(gateway.input)) if body is None else io.BytesIO(body.to_bytes())
        environ["wsgi.errors"] = Errors(gateway.errors)
        environ["wsgi.file_wrapper"] = FileWrapper
        self._environ = environ

    def start(self):
        """Calls the application and takes hold of what it returns."""
        self._result = self._application(self._environ, self.start_response)
        self._iterator = iter(self._result)

    def start_response(self, status, headers, exc_info=None):
        """The `start_response` of PEP 3333."""
        if exc_info is None and self._started:
            raise AssertionError("start_response was called a second time without exc_info.")
        if type(status) is not str:
            raise TypeError(f"The status is {status!r}; expected a str such as '200 OK'.")
        if type(headers) is not list or not all(type(pair) is tuple and len(pair) == 2 for pair in headers):
            raise TypeError(f"The headers are {headers!r}; expected a list of (name, value) tuples.")
        for pair in headers:
            if type(pair[0]) is not str or type(pair[1]) is not str:
                raise TypeError(f"The header {pair!r} is not a tuple of two str.")
        try:
            if not self._gateway.startResponse(status, json.dumps(headers), exc_info is not None):
                raise exc_info[1].with_traceback(exc_info[2])
        finally:
            # A reference from the frame to its own traceback is a circle.
            exc_info = None
        self._started = True
        return self.write

    def write(self, data):
        """The `write` of PEP 3333: returns when the platform has taken the data, where the engine can suspend."""
        taken = self._gateway.write(to_js(checked(data)))
        if self._gateway.suspends:
            run_sync(taken)

    def next(self):
        """The next chunk, or None at the end."""
        for chunk in self._iterator:
            return to_js(checked(chunk))
        return None

    def whole(self):
        """All chunks, where the application has returned a list or a tuple, which is in memory; else None."""
        if type(self._result) not in (list, tuple):
            return None
        return to_js([checked(chunk) for chunk in self._result])

    def close(self):
        """Calls the iterable's own `close`."""
        close = getattr(self._result, "close", None)
        self._result = self._iterator = self._environ = None
        if close is not None:
            close()


def checked(chunk):
    """Returns a chunk that is bytes."""
    if type(chunk) is not bytes:
        raise TypeError(f"A chunk of the body is {chunk!r:.80}; expected bytes.")
    return chunk


def add_path(path):
    """Makes the modules of a folder importable."""
    if path not in sys.path:
        sys.path.append(path)
