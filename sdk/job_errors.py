"""What can be wrong with a job as a whole; `mizzle.errors` has what can be wrong with its table.

NotFound                404
├── JobsOff             this service takes no jobs
└── NoSuchJob           never made, forgotten, expired, or somebody else's
InvalidInput
├── NotAcceptable       no format that the caller takes (406)
├── JobConflict         the id belongs to another job (409)
├── JobUnfinished       no result yet (409)
├── JobCancelled        no result ever: cancelled (409)
└── JobFailed           no result ever: failed (409)
Fault
├── TooManyJobs         no room for one more (429)
├── JobsUnavailable     their file cannot be used now (503)
│   └── StorageFull     the disk is full
├── JobInterrupted      the service ended again and again while it ran
└── WeightsChanged      the weights were replaced while it ran
"""

from mizzle.errors import Fault, InvalidInput, NotFound


class JobsOff(NotFound):
    """This service takes no jobs."""

    code = "jobs_off"


class NoSuchJob(NotFound):
    """The caller has no job of this id: never made, forgotten, expired, or somebody else's."""

    code = "no_such_job"


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
