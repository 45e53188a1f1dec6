"""A run with the objective causal-lm, exported: python check_language_export.py BASE SPLIT.jsonl EXPORT LOSS

EXPORT is a peft folder (on BASE) or a merged one; SPLIT a split file of prompts and completions (`datasets/N/test.jsonl` in the
studio's folder); LOSS the test loss that the run told. The loss over the answers' tokens must be the same in transformers, which
renders the base's own chat template, or the studio's plain one where it has none.
"""
import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

base, split, export, told = sys.argv[1:5]
tokenizer = AutoTokenizer.from_pretrained(base)
adapter = Path(export, "adapter_config.json")
if adapter.exists():
    from peft import PeftModel

    assert json.loads(adapter.read_text())["task_type"] == "CAUSAL_LM"
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), export).eval()
else:
    model = AutoModelForCausalLM.from_pretrained(export).eval()


def texts(messages):
    """The text up to the last answer, and the whole with the token that ends it."""
    if tokenizer.chat_template:
        before = tokenizer.apply_chat_template(messages[:-1], tokenize=False, add_generation_prompt=True)
        whole = tokenizer.apply_chat_template(messages, tokenize=False)
        return before, whole[: whole.index(messages[-1]["content"], len(before)) + len(messages[-1]["content"])]
    before = f"### Instruction:\n{messages[0]['content']}\n\n### Response:\n"
    return before, before + messages[-1]["content"]


total, count = 0.0, 0
with torch.no_grad():
    for line in Path(split).read_text().splitlines():
        before, whole = texts(json.loads(line)["messages"])
        text = whole + tokenizer.eos_token
        encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, return_tensors="pt")
        logits = model(encoded.input_ids).logits[0, :-1].log_softmax(-1)
        for at, (_, end) in enumerate(encoded.offset_mapping[0].tolist()):
            if end > len(before) and at > 0:
                total -= logits[at - 1, encoded.input_ids[0, at]].item()
                count += 1
loss = total / count
print(f"{count} tokens, loss {loss:.6f}, told {float(told):.6f}")
sys.exit(0 if abs(loss - float(told)) < 1e-4 else 1)
