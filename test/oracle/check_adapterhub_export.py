"""Does an adapter folder of ours, or a composition of several, load in AdapterHub and give the same answers?  check_adapterhub_export.py FOLDER --base BASE --logits FILE"""
import adapters
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import checking

options = checking.arguments(__doc__, base=True)
texts, labels, ours, what = checking.read_answers(options)
model = AutoModelForSequenceClassification.from_pretrained(options.base, num_labels=len(labels), dtype=torch.float32)
adapters.init(model)
setup = (options.folder / "adapter_setup.json").exists()
pickled = (options.folder / "pytorch_adapter.bin").exists()
head_before = [p.clone() for name, p in model.named_parameters() if name.startswith("classifier")]
if setup:
    model.load_adapter_setup(str(options.folder), set_active=True)
else:
    model.set_active_adapters(model.load_adapter(str(options.folder), use_safetensors=not pickled))
head_after = [p for name, p in model.named_parameters() if name.startswith("classifier")]
if all(torch.equal(a, b) for a, b in zip(head_before, head_after)):
    print("warning: the folder carries no classification head that the library takes")
theirs = checking.logits_of(model.eval(), AutoTokenizer.from_pretrained(options.base), texts, options.max_length)
checking.verdict(theirs, ours, what, options.tolerance)
