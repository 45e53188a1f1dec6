"""Prompt wording by gradient-guided token search (AutoPrompt, HotFlip), by plain PyTorch: every step of runs on tiny models.

Writes search/<case>.json: texts of the batches, template, words, options; of each step the loss before it, the gradient's norm, the
losses of all that was tried (position, token) and the wording's tokens and text after it. The gradient is that of a whole forward
pass by the words' embeddings of one text at a time; each candidate is typed into every text and tokenized anew.
"""
import random
import unicodedata
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM
from transformers.utils import logging

import common
from make_verbalizer import MASKS, Verbalized
from sentences import LABELS, ROWS

USUAL = ["a word", "The 7 Days.", "42", '"so"', "(x)"]
CASES = {
    "bert": ("bert", "{prompt} {text} It was {mask}.", dict(zip(LABELS, ["the", "a", "in"])), "the weather", dict(candidates=6, positions=2)),
    "bert-middle": ("bert", "{text} {prompt} {mask}", {label: label for label in LABELS}, "in the and", dict(candidates=8, positions=1)),
    "llama": ("llama", "{prompt} {text}\nLabel: {mask}", dict(zip(LABELS, ["a", "b", "c"])), "the text", dict(candidates=6, positions=3)),
    "gpt2-several": ("gpt2", "{prompt} {text}\nLabel: {mask}", {label: label for label in LABELS}, "a text", dict(candidates=5, positions=2)),
}
STEPS, TEXTS_A_BATCH, PROBES = 12, 4, 4


class Search:
    def __init__(self, model, kind, tokenizer, template, words, probes):
        self.model, self.kind, self.tokenizer, self.template = model, kind, tokenizer, template
        self.verbal = Verbalized(kind, tokenizer, template, words, "mean")
        self.probes = USUAL + probes
        self.leading = 1 if kind in MASKS else 0

    def prompt(self, wording: str, text: str) -> str:
        masks = MASKS[self.kind] * max(len(word) for word in self.verbal.words) if self.kind in MASKS else ""
        return self.template.replace("{mask}", masks).replace("{text}", text).replace("{prompt}", wording).rstrip(" ")

    def ids(self, wording: str, text: str) -> list[int]:
        return self.tokenizer.encode(self.prompt(wording, text)).ids

    def start(self, text: str) -> int:
        before = self.template[:self.template.index("{prompt}")].replace("{text}", text).rstrip(" ")
        return self.leading + (len(self.tokenizer.encode(before, add_special_tokens=False).ids) if before else 0)

    def tokens_of(self, wording: str) -> list[int]:
        space = " " if not self.template.startswith("{prompt}") else ""
        anchor = "a" if space else ""
        plain = lambda text: self.tokenizer.encode(text, add_special_tokens=False).ids
        return plain(anchor + space + wording)[len(plain(anchor)):]

    def typed(self, tokens: list[int], reference: str) -> str | None:
        """The text of the tokens, if typing it gives them again before (or behind) every probe."""
        text = self.tokenizer.decode(tokens, skip_special_tokens=True)
        if not text or text != text.strip() or any(unicodedata.category(c) in ("Cc", "Cf", "Co", "Cn") or c in "\u2028\u2029\ufffd" for c in text):
            return None
        old = self.tokens_of(reference)
        for probe in self.probes:
            row, at = self.ids(reference, probe), self.start(probe)
            assert row[at:at + len(old)] == old
            if self.ids(text, probe) != row[:at] + tokens + row[at + len(old):]:
                return None
        return text

    def scores(self, embeddings: list[torch.Tensor] | None, wording: str, texts: list[str]) -> torch.Tensor:
        """Scores [texts, labels]; with `embeddings`, the wording's rows of the table stand as leaves that take gradients."""
        table = self.model.get_input_embeddings()
        rows = []
        for i, text in enumerate(texts):
            ids, at, scores = self.ids(wording, text), self.start(text), []
            count = len(self.tokens_of(wording)) if embeddings is None else embeddings[i].shape[0]
            for word in self.verbal.words:
                whole = ids if self.kind in MASKS else ids + word
                embedded = table(torch.tensor([whole]))
                if embeddings is not None:
                    embedded = torch.cat([embedded[:, :at].detach(), embeddings[i][None], embedded[:, at + count:].detach()], 1)
                logs = torch.log_softmax(self.model(inputs_embeds=embedded).logits[0], -1)
                first = whole.index(self.tokenizer.token_to_id(MASKS[self.kind])) if self.kind in MASKS else len(ids) - 1
                scores.append(torch.stack([logs[first + j, token] for j, token in enumerate(word)]).mean())
            rows.append(torch.stack(scores))
        return torch.stack(rows)

    def loss(self, wording: str, batch) -> float:
        with torch.no_grad():
            return torch.nn.functional.cross_entropy(self.scores(None, wording, batch["texts"]), batch["labels"]).item()

    def step(self, number: int, tokens: list[int], wording: str, batch, options) -> dict:
        table = self.model.get_input_embeddings().weight.detach()
        leaves = [table[tokens].clone().requires_grad_() for _ in batch["texts"]]
        loss = torch.nn.functional.cross_entropy(self.scores(leaves, wording, batch["texts"]), batch["labels"])
        loss.backward()
        gradient = sum(leaf.grad for leaf in leaves)
        gain = -gradient @ table.T
        tried = []
        count = min(options["positions"], len(tokens))
        for i in range(count):
            position, found = (number * count + i) % len(tokens), 0
            for token in torch.sort(gain[position], descending=True, stable=True).indices.tolist():
                if found == options["candidates"]:
                    break
                changed = tokens[:position] + [token] + tokens[position + 1:]
                text = None if token == tokens[position] else self.typed(changed, wording)
                if text is not None:
                    found += 1
                    tried.append({"position": position, "token": token, "text": text, "loss": self.loss(text, batch)})
        best = min(tried, key=lambda one: one["loss"])
        accepted = best["loss"] < loss.item()
        if accepted:
            tokens, wording = tokens[:best["position"]] + [best["token"]] + tokens[best["position"] + 1:], best["text"]
        return {"loss": loss.item(), "gradientNorm": gradient.norm().item(), "tried": tried, "accepted": accepted, "tokens": tokens, "wording": wording}


def make(out: Path, name: str) -> None:
    kind, template, words, start, options = CASES[name]
    tokenizer = common.tokenizer_of(out, "gpt2" if kind == "llama" else kind)
    load = AutoModelForMaskedLM if kind in MASKS else AutoModelForCausalLM
    model = load.from_pretrained(out / "models" / kind, attn_implementation="eager", dtype=torch.float32).eval()
    order = random.Random(9)
    short = [row for row in ROWS if len(tokenizer.encode(row[0]).ids) <= 27]
    batches = []
    for _ in range(STEPS):
        chosen = order.sample(short, TEXTS_A_BATCH)
        batches.append({"texts": [text for text, _ in chosen], "labels": torch.tensor([LABELS.index(label) for _, label in chosen])})
    search = Search(model, kind, tokenizer, template, words, [text for batch in batches for text in batch["texts"]][:PROBES])
    tokens = search.tokens_of(start)
    wording = search.typed(tokens, "a")
    assert wording is not None, (name, tokens)
    first, steps = {"tokens": tokens, "wording": wording}, []
    for number, batch in enumerate(batches):
        steps.append(search.step(number, tokens, wording, batch, options))
        tokens, wording = steps[-1]["tokens"], steps[-1]["wording"]
    common.write_json(out / "search" / f"{name}.json", {
        "versions": common.versions(), "model": kind, "template": template, "words": words, "initText": start, "options": options, "labels": LABELS,
        "batches": [{"texts": b["texts"], "labels": b["labels"].tolist()} for b in batches], "start": first, "steps": steps})
    print(f"{name:14} {first['wording']!r} -> {wording!r}, accepted {sum(s['accepted'] for s in steps)} of {len(steps)}, loss {steps[0]['loss']:.4f} ... {steps[-1]['loss']:.4f}")


def main() -> None:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    out = common.output_folder()
    for name in CASES:
        make(out, name)


if __name__ == "__main__":
    main()
