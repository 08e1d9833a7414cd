"""The worker process: loads the model, then answers one batch after the other until its pipe ends.

    python -m mizzle.service.inference.worker_process FD LOADER OPTIONS

FD is an open socket to the service, LOADER names a function `module:function` that gives an estimator, and
OPTIONS are its arguments as JSON, beside `log_json` and the `niceness` of the process. Only `worker` starts
this.
"""

import gc
import json
import logging
import os
import signal
import socket
import sys
from importlib import import_module
from io import BufferedRWPair
from typing import Any

from mizzle.errors import MizzleError, ModelUnavailable
from mizzle.estimator import EstimatorLike
from mizzle.service import logs
from mizzle.service.inference import ipc
from mizzle.service.inference.batcher import OutOfMemory
from mizzle.service.inference.runner import estimates, facts

_log = logging.getLogger(__name__)


def main(arguments: list[str]) -> int:
    """Serve one parent; 1 when the model could not be loaded."""
    options = json.loads(arguments[2])
    logs.configure("warning", as_json=bool(options.pop("log_json", False)))
    os.nice(options.pop("niceness", 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the service decides
    with socket.socket(fileno=int(arguments[0])) as connected, connected.makefile("rwb") as pipe:
        try:
            return _serve(pipe, _loaded(arguments[1], options))
        except MizzleError as error:
            ipc.write_frame(pipe, ipc.failed(error))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return 0  # the service has gone
        except Exception:
            _log.exception("the model could not be loaded")
            text = "the model could not be loaded; the log says why"
            ipc.write_frame(pipe, ipc.failed(ModelUnavailable(text)))
    return 1


def _loaded(loader: str, options: dict[str, Any]) -> EstimatorLike:
    module, _, name = loader.partition(":")
    estimator: EstimatorLike = getattr(import_module(module), name)(**options)
    return estimator


def _serve(pipe: BufferedRWPair, estimator: EstimatorLike) -> int:
    known = facts(estimator).plain()
    gc.freeze()  # what is loaded stays: every full collection would walk through all of it again
    ipc.write_frame(pipe, ipc.ready(known))
    while True:
        pairs = ipc.read_request(ipc.read_frame(pipe))
        try:
            answer = ipc.reply(estimates(estimator, pairs))
        except OutOfMemory:
            answer = ipc.out_of_memory()
        ipc.write_frame(pipe, answer)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
