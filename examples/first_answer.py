"""The smallest program: it estimates by the compiled engine, and fails where it does not.

python examples/first_answer.py
"""

import sys

import numpy as np

import mizzle
from mizzle.model import native

rng = np.random.default_rng(1)
x = rng.normal(size=(500, 2))
y = x + rng.normal(size=(500, 2))  # 2 x ln(2) / 2 = .693 nats

print(estimate := mizzle.estimate(x, y))
if "torch" in sys.modules or not native.available():
    sys.exit(f"the compiled engine did not answer: {native.reason()}")
low, high = estimate.interval(0.99)
if not low <= np.log(2) <= high:
    sys.exit(f"{np.log(2):.3f} nats are not within {low:.3f} to {high:.3f}")
