"""The same estimates by the Open Inference Protocol, /v2."""
