"""Does a peft folder of ours load in Hugging Face peft and give the same answers?  check_peft_export.py FOLDER --base BASE --logits FILE"""
import torch
from peft import PeftModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import checking
from prefixes import rename_past_key_values

rename_past_key_values()
options = checking.arguments(__doc__, base=True)
texts, labels, ours, what = checking.read_answers(options)
base = AutoModelForSequenceClassification.from_pretrained(options.base, num_labels=len(labels), dtype=torch.float32)
model = PeftModel.from_pretrained(base, options.folder).eval()
theirs = checking.logits_of(model, AutoTokenizer.from_pretrained(options.base), texts, options.max_length)
checking.verdict(theirs, ours, what, options.tolerance)
