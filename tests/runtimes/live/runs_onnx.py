"""Runs an ONNX model with onnxruntime, and stays for as many seconds as it is told."""

import sys
import time

import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
words = np.ones((1, 3), np.int64)
(vectors,) = session.run(None, {"input_ids": words, "attention_mask": words})
print(onnxruntime.__version__, vectors.shape, flush=True)
time.sleep(float(sys.argv[2]))
