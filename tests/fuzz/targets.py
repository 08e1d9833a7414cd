"""All targets; each family of parsers has a module."""

import fuzz_bodies
import fuzz_client
import fuzz_files
import fuzz_jobs
import fuzz_models
import fuzz_service
import fuzz_transport
from target import Target

_FAMILIES = (fuzz_bodies, fuzz_transport, fuzz_jobs, fuzz_client, fuzz_files, fuzz_models, fuzz_service)
TARGETS: dict[str, Target] = {target.name: target for family in _FAMILIES for target in family.TARGETS}
