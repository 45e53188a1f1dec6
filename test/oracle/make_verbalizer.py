"""Classification by a verbalizer, by the formula: what the language model gives the label words of a prompt.

Writes verbalizer/<case>.json (texts of 20 batches, template, words, the word tokens; scores of the first batch; at each of 20 LoRA
steps loss, learning rate, gradient norm) and .safetensors (`initial.*`, `final.*`), for encoders whose words take one mask or
several, and decoders whose words are one token or several. Each text is tokenized whole and each label scored by a forward pass of
its own; no rows are shared.
"""
import random
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM
from transformers.utils import logging

import common
from make_training import saved_name
from sentences import LABELS, ROWS
from training import Recipe, train

TARGETS = {"bert": ["query", "value"], "roberta": ["query", "value"], "distilbert": ["q_lin", "v_lin"], "gpt2": ["c_attn"], "llama": ["q_proj", "v_proj"]}
ENCODER, DECODER = "{text} It was {mask}.", "Topic of the text: {text}\nLabel: {mask}"
CASES = {
    "bert-one": ("bert", ENCODER, dict(zip(LABELS, ["the", "a", "in"])), "mean"),
    "bert-several": ("bert", "About {mask}: {text}", {label: label for label in LABELS}, "mean"),
    "roberta-sum": ("roberta", ENCODER, {label: label for label in LABELS}, "sum"),
    "distilbert-one": ("distilbert", ENCODER, dict(zip(LABELS, ["the", "a", "in"])), "mean"),
    "llama-one": ("llama", DECODER, dict(zip(LABELS, ["a", "b", "c"])), "mean"),
    "llama-several": ("llama", DECODER, {label: f"the {label}" for label in LABELS}, "mean"),
    "gpt2-sum": ("gpt2", DECODER, {label: label for label in LABELS}, "sum"),
}
MASKS = {"bert": "[MASK]", "distilbert": "[MASK]", "roberta": "<mask>"}
TEXTS_A_BATCH, STEPS = 4, 20


class Verbalized:
    def __init__(self, kind: str, tokenizer: Tokenizer, template: str, words: dict, score: str):
        self.kind, self.tokenizer, self.template, self.score = kind, tokenizer, template, score
        before = template[:template.index("{mask}")].split("{text}")[-1]
        anchor = before.rstrip(" ")
        self.space = " " if anchor != before else ""
        plain = lambda text: tokenizer.encode(text, add_special_tokens=False).ids
        self.words = [plain(anchor + self.space + words[label])[len(plain(anchor)):] for label in LABELS]
        assert all(self.words)

    def scores(self, model, texts: list[str]) -> torch.Tensor:
        rows = []
        for text in texts:
            rows.append(torch.stack([self.of_word(model, text, word) for word in self.words]))
        return torch.stack(rows)

    def of_word(self, model, text: str, word: list[int]) -> torch.Tensor:
        if self.kind in MASKS:
            masks = MASKS[self.kind] * max(len(one) for one in self.words)
            ids = self.tokenizer.encode(self.template.replace("{mask}", masks).replace("{text}", text)).ids
            logits = model(input_ids=torch.tensor([ids])).logits[0]
            start = ids.index(self.tokenizer.token_to_id(MASKS[self.kind]))
        else:
            prompt = self.tokenizer.encode(self.template.replace("{mask}", "").replace("{text}", text).rstrip(" ")).ids
            logits = model(input_ids=torch.tensor([prompt + word])).logits[0]
            start = len(prompt) - 1
        logs = torch.log_softmax(logits, -1)
        each = torch.stack([logs[start + i, token] for i, token in enumerate(word)])
        return each.mean() if self.score == "mean" else each.sum()


def make(out: Path, name: str) -> None:
    kind, template, words, score = CASES[name]
    tokenizer = common.tokenizer_of(out, "gpt2" if kind == "llama" else kind)
    folder = out / "models" / kind
    load = AutoModelForMaskedLM if kind in MASKS else AutoModelForCausalLM
    model = load.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    verbal = Verbalized(kind, tokenizer, template, words, score)
    order = random.Random(5)
    short = [row for row in ROWS if len(tokenizer.encode(row[0]).ids) <= 24]
    batches = []
    for _ in range(STEPS):
        chosen = order.sample(short, TEXTS_A_BATCH)
        batches.append({"texts": [text for text, _ in chosen], "labels": torch.tensor([LABELS.index(label) for _, label in chosen])})
    with torch.no_grad():
        scores = verbal.scores(model, batches[0]["texts"])
    torch.manual_seed(21)
    lora = LoraConfig(r=4, lora_alpha=8, lora_dropout=0.0, target_modules=TARGETS[kind], fan_in_fan_out=kind == "gpt2")
    model = get_peft_model(model, lora).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if "lora_B" in key:
                parameter.copy_(0.1 * torch.randn_like(parameter))
    trained = lambda: {saved_name(key): p.clone() for key, p in model.named_parameters() if p.requires_grad}
    initial = trained()
    method = {"type": "lora", "rank": 4, "alpha": 8, "dropout": 0, "targetModules": TARGETS[kind]}
    recipe = Recipe(method, 1e-2, microBatches=[TEXTS_A_BATCH])
    loss_of = lambda model, batch, rows: torch.nn.functional.cross_entropy(verbal.scores(model, batch["texts"][rows]), batch["labels"][rows])
    record, _ = train(model, batches, recipe, loss_of=loss_of)
    common.write_json(out / "verbalizer" / f"{name}.json", {
        "versions": common.versions(), "model": kind, "template": template, "words": words, "score": score, "wordTokens": verbal.words, "method": method,
        "batches": [{"texts": b["texts"], "labels": b["labels"].tolist()} for b in batches], "scores": scores.flatten().tolist(), "labels": LABELS, **record})
    common.write_tensors(out / "verbalizer" / f"{name}.safetensors", {**{f"initial.{k}": v for k, v in initial.items()}, **{f"final.{k}": v for k, v in trained().items()}})
    print(f"{name:16} words {verbal.words} loss {record['losses'][0]:.4f} -> {record['losses'][-1]:.4f}")


def main() -> None:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    out = common.output_folder()
    for name in CASES:
        make(out, name)


if __name__ == "__main__":
    main()
