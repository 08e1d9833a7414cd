"""Bodies of requests as problems: JSON, .npy and safetensors."""
