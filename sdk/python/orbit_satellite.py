"""A satellite of Exosphere Orbit in Python: one function, and this one file, which needs Python 3.8 and nothing else.

    from orbit_satellite import Permanent, serve

    def word_count(config, input):
        if not input.get("text"):
            raise Permanent("there is no text")
        yield {"words": len(input["text"].split())}

    serve(word_count)

A node starts the program once and hands it one item after the other. The function takes the step's config and the item's input,
and a third argument where it has one: an Item. It returns an object (a dict), a list of objects, or None; or it yields objects,
each of which goes out as it is made. It must give the same for the same item, however often it is called.

What it prints goes to the run's log, and cannot disturb what is said to the node.
"""

import inspect
import json
import os
import struct
import sys
import threading
import traceback

__all__ = ["serve", "log", "Item", "Permanent", "RetryAfter"]

PROTOCOL = 1


class Permanent(Exception):
    """The item's own data is at fault: it fails at once, for another attempt would not help.

    code is one of Orbit's (invalid_input, invalid_config, not_found, denied, rejected, too_large), or a word of your own.
    """

    def __init__(self, message, code="invalid_input"):
        super().__init__(message)
        self.code = code


class RetryAfter(Exception):
    """The surroundings are at fault: the item is tried again, after so many seconds (an hour at most), or, with 0, when the
    step says."""

    def __init__(self, message, seconds=0, code="unavailable"):
        super().__init__(message)
        self.seconds = seconds
        self.code = code


class Item:
    """What there is to know of an item beside its config and input."""

    def __init__(self, request):
        self.id = request.get("item", "")  # "word-count/0.17"
        self.run = request.get("run", "")
        self.attempt = request.get("attempt", 1)
        self.idempotency_key = request.get("idempotency_key", "")  # the same for every attempt, for services that take one
        self.incoming = request.get("incoming")  # the incoming object, where the step has an input of its own


class _Pipe:
    """The two pipes to the node. They are taken away from sys.stdin and sys.stdout, and from programs that are started."""

    def __init__(self):
        sys.stdout.flush()
        self.framing = os.environ.get("ORBIT_FRAMING", "lines")
        self.source = os.fdopen(os.dup(0), "rb")
        self.sink = os.fdopen(os.dup(1), "wb")
        self.lock = threading.Lock()
        self.current = None  # id of the request that is worked on
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)  # what is printed is for people
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(line_buffering=True)

    def read(self):
        """The next request; None at the end."""
        if self.framing == "length":
            head = self.source.read(4)
            if len(head) < 4:
                return None
            body = self.source.read(struct.unpack(">I", head)[0])
        else:
            body = self.source.readline()
        return json.loads(body.decode("utf-8")) if body else None

    def write(self, message):
        body = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")
        with self.lock:
            if self.framing == "length":
                self.sink.write(struct.pack(">I", len(body)) + body)
            else:
                self.sink.write(body + b"\n")
            self.sink.flush()


# Taken at once where a node has started the program, so that nothing that is printed while it loads gets in between.
_pipe = _Pipe() if "ORBIT_FRAMING" in os.environ else None


def log(message, level="info", **fields):
    """Writes a record to the run's log: level is debug, info, warn or error."""
    pipe = _pipe
    if pipe is None or pipe.current is None:
        print(message, fields or "", file=sys.stderr)
        return
    text = json.loads(json.dumps(fields, default=str))  # whatever it is, as JSON has it
    pipe.write({"id": pipe.current, "log": {"level": level, "message": str(message), "fields": text}})


def serve(function):
    """Works on items until there are none any more. It stands at the end of the program, or as a decorator of the function."""
    global _pipe
    if _pipe is None:
        _pipe = _Pipe()
    pipe, with_item = _pipe, _takes_item(function)
    try:
        pipe.write({"orbit": PROTOCOL})
        while True:
            request = pipe.read()
            if request is None:
                return function
            pipe.current = request["id"]
            last = _attempt(pipe, function, with_item, request)
            sys.stdout.flush()
            sys.stderr.flush()
            pipe.current = None
            last["id"] = request["id"]
            pipe.write(last)
    except BrokenPipeError:  # the node is gone
        return function


def _takes_item(function):
    try:
        inspect.signature(function).bind(None, None, None)
    except TypeError:
        return False
    return True


def _attempt(pipe, function, with_item, request):
    """Does one item, and gives the message that ends it."""
    args = [request.get("config") or {}, request.get("input")]
    if with_item:
        args.append(Item(request))
    try:
        for made in _objects(function(*args)):
            if not isinstance(made, dict):
                raise Permanent("the function returned a %s where an object (a dict) is needed" % type(made).__name__, "internal")
            try:
                pipe.write({"id": request["id"], "emit": made})
            except (TypeError, ValueError) as e:
                raise Permanent("an object cannot be written as JSON: %s" % e, "internal") from None
        return {"done": True}
    except Permanent as e:
        return {"error": {"code": e.code, "message": str(e), "retry": False}}
    except RetryAfter as e:
        return {"error": {"code": e.code, "message": str(e), "retry": True, "retry_after": e.seconds}}
    except BrokenPipeError:
        raise
    except Exception as e:  # whose fault it is nobody knows: trying again costs least
        traceback.print_exc()
        return {"error": {"code": "internal", "message": "%s: %s" % (type(e).__name__, e), "retry": True}}


def _objects(result):
    if result is None:
        return ()
    if isinstance(result, dict):
        return (result,)
    return result  # a list, or a generator
