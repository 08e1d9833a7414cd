"""Every error that mizzle raises on purpose, in one tree.

    MizzleError
    ├── InvalidInput            the caller's fault (HTTP 422, exit code 2)
    │   ├── InvalidShape        not a table of rows and columns; ragged rows
    │   ├── LengthMismatch      x and y have different numbers of rows
    │   ├── TooFewSamples       fewer rows than an estimate can stand on
    │   ├── TooManyColumns      more columns than the model covers
    │   ├── NotNumeric          text, booleans, dates, null
    │   ├── NotFinite           NaN or infinity
    │   ├── PrecisionLoss       integers that a 64-bit float cannot hold
    │   ├── InvalidLevel        a quantile level or interval level out of bounds
    │   ├── InvalidRequest      a request that can be read, but is not of the documented form
    │   ├── Malformed           bytes that cannot be read as their format (HTTP 400)
    │   │   └── DuplicateKey    a name that occurs twice in one JSON object
    │   ├── UnsupportedMedia    a media type or encoding that the service does not take (HTTP 415)
    │   ├── Unauthorized        no valid API key (HTTP 401)
    │   ├── Forbidden           a request from another site (HTTP 403)
    │   ├── TooLarge            more bytes or cells than the service takes at once (HTTP 413)
    │   ├── MissingColumn       a column name that the file does not have
    │   └── InvalidFile         a file that cannot be read as a table
    └── Fault                   our fault or the installation's (HTTP 5xx, exit code 1)
        ├── MissingExtra        an optional dependency is not installed
        ├── ModelUnavailable    no weights, or weights that cannot be trusted
        ├── InferenceFailed     the estimate could not be computed
        │   └── NonFiniteAnswer the network gave something that is no finite number
        ├── NotReady            the service is starting, or its worker is being replaced
        │   └── Draining        the service is stopping
        ├── DeviceOutOfMemory   not even this problem alone fits the device's memory now (HTTP 503)
        ├── QueueFull           the service has more work than it can hold (HTTP 429)
        ├── RateLimited         more requests than this API key may make (HTTP 429)
        ├── DeadlineExceeded    not answered within the time that the caller gave (HTTP 504)
        └── ServiceUnreachable  no answer, or no sensible answer, from the service

Each class has a stable `code` (part of the HTTP interface) and an HTTP `status`. A message says
what came, what is allowed and what to do, and never repeats the data.
"""


class MizzleError(Exception):
    """Root of all errors raised on purpose.

    Attributes:
        retry_after: seconds after which the same request may fare better, where that is known.
    """

    code = "error"
    status = 500
    retry_after: float | None = None


class InvalidInput(MizzleError, ValueError):
    """The request cannot be answered as it stands; the message says what to change."""

    code = "invalid_input"
    status = 422


class InvalidShape(InvalidInput):
    """Not an array of shape (n,) or (n, d)."""

    code = "invalid_shape"


class LengthMismatch(InvalidInput):
    """x and y have different numbers of rows."""

    code = "length_mismatch"


class TooFewSamples(InvalidInput):
    """Fewer rows than the model accepts."""

    code = "too_few_samples"


class TooManyColumns(InvalidInput):
    """More columns on one side than the model covers."""

    code = "too_many_columns"


class NotNumeric(InvalidInput):
    """A cell that is not a real number."""

    code = "not_numeric"


class NotFinite(InvalidInput):
    """A cell that is NaN or infinite."""

    code = "not_finite"


class PrecisionLoss(InvalidInput):
    """An integer beyond 2**53, which a 64-bit float would round."""

    code = "precision_loss"


class InvalidLevel(InvalidInput):
    """A level outside the range that the model's quantiles cover."""

    code = "invalid_level"


class InvalidRequest(InvalidInput):
    """A request that can be read, but is not of the documented form."""

    code = "invalid_request"


class Malformed(InvalidInput):
    """Bytes that cannot be read as the format that they claim to be."""

    code = "malformed"
    status = 400


class DuplicateKey(Malformed):
    """A name that occurs twice in one JSON object."""

    code = "duplicate_key"


class UnsupportedMedia(InvalidInput):
    """A media type or content encoding that the service does not take."""

    code = "unsupported_media_type"
    status = 415


class Unauthorized(InvalidInput):
    """No valid API key came with the request."""

    code = "unauthorized"
    status = 401


class Forbidden(InvalidInput):
    """The request comes from a page of another site."""

    code = "forbidden"
    status = 403


class TooLarge(InvalidInput):
    """More bytes or cells than the service takes in one request."""

    code = "too_large"
    status = 413


class MissingColumn(InvalidInput):
    """A named column that the table does not have."""

    code = "missing_column"


class InvalidFile(InvalidInput):
    """A file that cannot be read as a table with a header."""

    code = "invalid_file"


class Fault(MizzleError):
    """Not the caller's fault."""

    code = "fault"
    status = 500


class MissingExtra(Fault, ImportError):
    """An optional dependency is missing; the message names the extra to install."""

    code = "missing_extra"


class ModelUnavailable(Fault):
    """The weights are absent, damaged or of another format."""

    code = "model_unavailable"
    status = 503


class InferenceFailed(Fault):
    """The network failed on this problem."""

    code = "inference_failed"


class NonFiniteAnswer(InferenceFailed):
    """The network's answer was no finite number."""

    code = "non_finite_answer"


class NotReady(Fault):
    """The service is not accepting work now."""

    code = "not_ready"
    status = 503


class Draining(NotReady):
    """The service is stopping and takes no new work."""

    code = "draining"


class DeviceOutOfMemory(Fault):
    """The device has no memory left even for this problem alone."""

    code = "device_out_of_memory"
    status = 503


class QueueFull(Fault):
    """The service has more work waiting than it can hold; try again later."""

    code = "queue_full"
    status = 429


class RateLimited(Fault):
    """More requests at once, or in a minute, than this API key may make."""

    code = "rate_limited"
    status = 429


class DeadlineExceeded(Fault):
    """The answer was not there within the time that the caller gave."""

    code = "deadline_exceeded"
    status = 504


class ServiceUnreachable(Fault):
    """The client got no usable answer from the service."""

    code = "service_unreachable"
    status = 503


def by_code(code: object) -> type[MizzleError] | None:
    """The class with this `code`, or None: how a client turns an answer back into an error."""
    waiting: list[type[MizzleError]] = [MizzleError]
    while waiting:
        found = waiting.pop()
        if found.code == code:
            return found
        waiting += found.__subclasses__()
    return None
