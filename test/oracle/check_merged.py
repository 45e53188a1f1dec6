"""Is a merged (or fully fine-tuned) folder of ours a plain Hugging Face model with the same answers?  check_merged.py FOLDER --logits FILE"""
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import checking

options = checking.arguments(__doc__, base=False)
texts, labels, ours, what = checking.read_answers(options)
model, info = AutoModelForSequenceClassification.from_pretrained(options.folder, dtype=torch.float32, output_loading_info=True)
if info["missing_keys"]:
    print("warning: missing", sorted(info["missing_keys"]))
if [model.config.id2label[i] for i in range(len(labels))] != labels:
    print("warning: config.json names the labels", model.config.id2label, "but the run", labels)
theirs = checking.logits_of(model.eval(), AutoTokenizer.from_pretrained(options.folder), texts, options.max_length)
checking.verdict(theirs, ours, what, options.tolerance)
