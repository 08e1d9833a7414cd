"""Mutual information in torch: a module whose answer has gradients, to train other models by.

>>> import torch                                                                 # doctest: +SKIP
>>> from mizzle.torch import MutualInformation                                   # doctest: +SKIP
>>> mi = MutualInformation()                                                     # doctest: +SKIP
>>> loss = -mi(encoder(x), y)                                                    # doctest: +SKIP
>>> loss.backward()                                                              # doctest: +SKIP
"""

from mizzle import extras

try:
    from mizzle.torch.audit import Audit
    from mizzle.torch.module import LARGEST_ROWS, MutualInformation
except ModuleNotFoundError as error:
    raise extras.missing(error, "mizzle.torch", "pip install 'mizzle[torch]'") from None

__all__ = ["LARGEST_ROWS", "Audit", "MutualInformation"]
