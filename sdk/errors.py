"""Every error that mizzle raises on purpose, in one tree.

    MizzleError
    ├── InvalidInput            the caller's fault (HTTP 422, exit code 2)
    │   ├── InvalidShape        not a table of rows and columns; ragged rows
    │   ├── LengthMismatch      x and y have different numbers of rows
    │   ├── TooFewSamples       fewer rows than an estimate can stand on
    │   ├── TooManyColumns      more columns than the model covers
    │   ├── NotNumeric          neither numbers nor labels nor times, or several of these; free text; null
    │   ├── NotFinite           NaN or infinity
    │   ├── PrecisionLoss       integers that a 64-bit float cannot hold
    │   ├── InvalidLevel        a quantile level or interval level out of bounds
    │   ├── InvalidRequest      a request that can be read, but is not of the documented form
    │   ├── BadRequest          no valid HTTP (HTTP 400)
    │   ├── Malformed           bytes that cannot be read as their format (HTTP 400)
    │   │   └── DuplicateKey    a name that occurs twice in one JSON object
    │   ├── UnsupportedMedia    a media type or encoding that the service does not take (HTTP 415)
    │   ├── Unauthorized        no valid API key (HTTP 401)
    │   ├── Forbidden           a request from another site (HTTP 403)
    │   ├── NotFound            an address at which the service has nothing (HTTP 404)
    │   │   ├── JobsOff         this service takes no jobs
    │   │   ├── NoSuchJob       a job never made, forgotten, expired, or somebody else's
    │   │   └── NoSuchModel     a name of no model of this service
    │   ├── MethodNotAllowed    an address that does not take this method (HTTP 405)
    │   ├── TooLarge            more bytes or cells than the service takes at once (HTTP 413)
    │   ├── WrongHost           a host name that the service does not answer for (HTTP 421)
    │   ├── HeadersTooLarge     more or longer headers than the service takes (HTTP 431)
    │   ├── MissingColumn       a column name that the file does not have
    │   ├── InvalidFile         a file that cannot be read as a table
    │   ├── NotAcceptable       no format that the caller takes (HTTP 406)
    │   ├── JobConflict         the id belongs to another job (HTTP 409)
    │   ├── JobUnfinished       no result yet (HTTP 409)
    │   ├── JobCancelled        no result ever: cancelled (HTTP 409)
    │   └── JobFailed           no result ever: failed (HTTP 409)
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
        ├── RequestTimeout      the request took too long to arrive (HTTP 408)
        ├── DeadlineExceeded    not answered within the time that the caller gave (HTTP 504)
        ├── InternalError       the service failed on this request; its log says why
        ├── ServiceUnreachable  no answer, or no sensible answer, from the service
        ├── ExecutorFailed      an executor is out of reach, of another version, or lost its workers
        ├── TooManyJobs         no room for one more job (HTTP 429)
        ├── JobsUnavailable     the jobs' file cannot be used now (HTTP 503)
        │   └── StorageFull     the disk is full
        ├── JobInterrupted      the service ended again and again while the job ran
        └── WeightsChanged      the weights were replaced while the job ran

Each class has a stable `code` (part of the HTTP interface) and an HTTP `status`. A message says
what came, what is allowed and what to do, and never repeats the data.
"""


class MizzleError(Exception):
    """Root of all errors raised on purpose.

    Attributes:
        retry_after: seconds after which the same request may fare better, where that is known.
        request_id: under which the service logged the request that it refused, in a client.
    """

    code = "error"
    status = 500
    retry_after: float | None = None
    request_id: str | None = None


class InvalidInput(MizzleError, ValueError):
    """The request cannot be answered as it stands; the message says what to change."""

    code, status = "invalid_input", 422


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
    """A cell that is no number, label or time, or that is missing; a column of several kinds or free text."""

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


class BadRequest(InvalidInput):
    """What came is no valid HTTP."""

    code, status = "bad_request", 400


class Malformed(InvalidInput):
    """Bytes that cannot be read as the format that they claim to be."""

    code, status = "malformed", 400


class DuplicateKey(Malformed):
    """A name that occurs twice in one JSON object; only services up to 0.9 refuse that."""

    code = "duplicate_key"


class UnsupportedMedia(InvalidInput):
    """A media type or content encoding that the service does not take."""

    code, status = "unsupported_media_type", 415


class Unauthorized(InvalidInput):
    """No valid API key came with the request."""

    code, status = "unauthorized", 401


class Forbidden(InvalidInput):
    """The request comes from a page of another site."""

    code, status = "forbidden", 403


class NotFound(InvalidInput):
    """The service has nothing at this address."""

    code, status = "not_found", 404


class MethodNotAllowed(InvalidInput):
    """The address does not take this method."""

    code, status = "method_not_allowed", 405


class TooLarge(InvalidInput):
    """More bytes or cells than the service takes in one request."""

    code, status = "too_large", 413


class WrongHost(InvalidInput):
    """The service does not answer for the host that was named."""

    code, status = "wrong_host", 421


class HeadersTooLarge(InvalidInput):
    """More or longer headers than the service takes."""

    code, status = "headers_too_large", 431


class MissingColumn(InvalidInput):
    """A named column that the table does not have."""

    code = "missing_column"


class InvalidFile(InvalidInput):
    """A file that cannot be read as a table with a header."""

    code = "invalid_file"


class Fault(MizzleError):
    """Not the caller's fault."""

    code, status = "fault", 500


class MissingExtra(Fault, ImportError):
    """An optional dependency is missing; the message names the extra to install."""

    code = "missing_extra"


class ModelUnavailable(Fault):
    """The weights are absent, damaged or of another format."""

    code, status = "model_unavailable", 503


class InferenceFailed(Fault):
    """The network failed on this problem."""

    code = "inference_failed"


class NonFiniteAnswer(InferenceFailed):
    """The network's answer was no finite number."""

    code = "non_finite_answer"


class NotReady(Fault):
    """The service is not accepting work now."""

    code, status = "not_ready", 503


class Draining(NotReady):
    """The service is stopping and takes no new work."""

    code = "draining"


class DeviceOutOfMemory(Fault):
    """The device has no memory left even for this problem alone."""

    code, status = "device_out_of_memory", 503


class QueueFull(Fault):
    """The service has more work waiting than it can hold; try again later."""

    code, status = "queue_full", 429


class RateLimited(Fault):
    """More requests at once, or in a minute, than this API key may make."""

    code, status = "rate_limited", 429


class RequestTimeout(Fault):
    """The request took too long to arrive."""

    code, status = "request_timeout", 408


class DeadlineExceeded(Fault):
    """The answer was not there within the time that the caller gave."""

    code, status = "deadline_exceeded", 504


class InternalError(Fault):
    """The service failed on this request, and the fault is not the caller's."""

    code = "internal_error"


class ServiceUnreachable(Fault):
    """The client got no usable answer from the service."""

    code, status = "service_unreachable", 503


class ExecutorFailed(Fault):
    """An executor is out of reach, of another version, without mizzle, or lost its workers."""

    code = "executor_failed"


class JobsOff(NotFound):
    """This service takes no jobs."""

    code = "jobs_off"


class NoSuchJob(NotFound):
    """The caller has no job of this id: never made, forgotten, expired, or somebody else's."""

    code = "no_such_job"


class NoSuchModel(NotFound):
    """There is no model of this name in the service."""

    code = "no_such_model"


class NotAcceptable(InvalidInput):
    """The answer is in no format that the caller takes."""

    code, status = "not_acceptable", 406


class JobConflict(InvalidInput):
    """The id belongs to a job with another body."""

    code, status = "job_conflict", 409


class JobUnfinished(InvalidInput):
    """There is no result yet."""

    code, status = "job_unfinished", 409


class JobCancelled(InvalidInput):
    """There is no result, and there will be none: the job was cancelled."""

    code, status = "job_cancelled", 409


class JobFailed(InvalidInput):
    """There is no result, and there will be none: the job failed."""

    code, status = "job_failed", 409


class TooManyJobs(Fault):
    """No room for one more job; finished ones count until they are forgotten or expire."""

    code, status = "too_many_jobs", 429


class JobsUnavailable(Fault):
    """The file of the jobs cannot be used now."""

    code, status = "jobs_unavailable", 503


class StorageFull(JobsUnavailable):
    """The disk has no room for the jobs."""

    code = "storage_full"


class JobInterrupted(Fault):
    """The service ended again and again while it ran this job."""

    code = "job_interrupted"


class WeightsChanged(Fault):
    """The weights were replaced while the job ran."""

    code = "weights_changed"


def by_code(code: object) -> type[MizzleError] | None:
    """The class with this `code`, or None: how a client turns an answer back into an error."""
    waiting: list[type[MizzleError]] = [MizzleError]
    while waiting:
        kind = waiting.pop()
        if kind.code == code:
            return kind
        waiting += kind.__subclasses__()
    return None
