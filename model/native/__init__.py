"""The compiled engine: ranks, statistics, network and calibration as loops, without torch.

It answers on CPUs what torch answers, which stays the reference, and computes training, gradients and GPUs.
Where the library was not built, `reason` says so, and nothing else here works. Nothing here imports torch.
"""

from mizzle.model.native.engine import Answers, Engine
from mizzle.model.native.library import KINDS, available, channels, instructions, reason, settings
from mizzle.model.native.ranks import Counts, Ranked, entropy, information, number_rows, rank
from mizzle.model.native.tokens import Tokens, canonical_order, tokens

__all__ = [
    "KINDS",
    "Answers",
    "Counts",
    "Engine",
    "Ranked",
    "Tokens",
    "available",
    "canonical_order",
    "channels",
    "entropy",
    "information",
    "instructions",
    "number_rows",
    "rank",
    "reason",
    "settings",
    "tokens",
]
