"""Does an ONNX export of ours pass onnx's own checker and give the same answers in onnxruntime?  check_onnx.py FOLDER --logits FILE"""
import numpy
import onnx
import onnxruntime
import torch
from transformers import AutoTokenizer

import checking

options = checking.arguments(__doc__, base=False)
texts, labels, ours, what = checking.read_answers(options)
file = next(options.folder.glob("*.onnx"))
onnx.checker.check_model(str(file))
session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
names = {value.name: value.type for value in session.get_inputs()}
logits = []
for batch in checking.tokenized(AutoTokenizer.from_pretrained(options.folder), texts, options.max_length):
    unknown = set(names) - set(batch)
    if unknown == {"token_type_ids"}:
        batch["token_type_ids"] = torch.zeros_like(batch["input_ids"])
    feed = {name: batch[name].numpy().astype(numpy.int64 if kind == "tensor(int64)" else numpy.int32) for name, kind in names.items()}
    logits.append(torch.from_numpy(session.run(None, feed)[0]))
checking.verdict(torch.cat(logits), ours, what, options.tolerance)
