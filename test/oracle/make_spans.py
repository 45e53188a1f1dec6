"""Twenty steps of tagging and of extractive question answering by transformers and peft, as make_training.py does for classes.

Writes training/batches-tags-<kind>.json and batches-answers-<kind>.json, and a fixture for each model. Beside what make_training.py
writes each has `logits` of the first batch before training: of tagging those of the tokens with a label, row by row; of answers
[batch, 2, sequence], -1e9 where padding is. transformers' own loss of answers has padding among the candidates; here it is none.
"""
import random

import torch
from peft import LoraConfig, PeftModel, TaskType, get_peft_model
from transformers import AutoModelForQuestionAnswering, AutoModelForTokenClassification
from transformers.utils import logging

import common
from make_decoders import LONGEST, PAD
from make_training import saved_name
from training import Recipe, batches_json, forward_inputs, make_batches, save_fixture, train

TARGETS = {"bert": ["query", "value"], "roberta": ["query", "value"], "distilbert": ["q_lin", "v_lin"], "gpt2": ["c_attn"],
           "llama": ["q_proj", "v_proj"], "qwen2": ["q_proj", "v_proj"], "qwen3": ["q_proj", "k_proj", "down_proj"]}
TAGS = ["B-place", "B-thing", "I-place", "I-thing", "O"]
HEADS = ("classifier.", "score.", "qa_outputs.")
FINALS = ("layer.0.", "classifier", "qa_outputs")


def tagged(batches: list[dict], seed: int = 31) -> list[dict]:
    """A tag for two of three real tokens, as if the others went on with a word."""
    order = random.Random(seed)
    draw = lambda real: order.randrange(len(TAGS)) if real and order.random() < 0.67 else -100
    return [{**b, "labels": torch.tensor([[draw(mark) for mark in row] for row in b["attention_mask"].tolist()])} for b in batches]


def answered(batches: list[dict], seed: int = 32) -> list[dict]:
    """An answer somewhere in each row; in one row of four at its first token, as where there is none."""
    order = random.Random(seed)
    def ends(length: int) -> list[int]:
        return [0, 0] if order.random() < 0.25 else sorted((order.randrange(length), order.randrange(length)))
    return [{**b, "labels": torch.tensor([ends(int(row.sum())) for row in b["attention_mask"]])} for b in batches]


def masked_answers(model, batch: dict, rows: slice) -> torch.Tensor:
    """[rows, 2, sequence] with padding at -1e9. peft's own forward of this task leaves the token types out."""
    result = (model.get_base_model() if isinstance(model, PeftModel) else model)(**forward_inputs(model, batch, rows))
    return torch.stack((result.start_logits, result.end_logits), 1).masked_fill(batch["attention_mask"][rows][:, None] == 0, -1e9)


def answer_loss(model, batch: dict, rows: slice) -> torch.Tensor:
    logits, labels = masked_answers(model, batch, rows), batch["labels"]
    both = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels[rows].flatten(), reduction="sum")
    return both / 2 / len(labels)


def prepared(out, kind: str, objective: str, method: dict) -> torch.nn.Module:
    load = AutoModelForTokenClassification if objective == "token-classification" else AutoModelForQuestionAnswering
    labels = {"num_labels": len(TAGS)} if objective == "token-classification" else {}
    model = load.from_pretrained(out / "models" / kind, attn_implementation="eager", dtype=torch.float32, **labels).eval()
    generator = torch.Generator().manual_seed(78)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith(HEADS):
                parameter.copy_((0.3 if parameter.dim() > 1 else 0.1) * torch.randn(parameter.shape, generator=generator))
    if method["type"] == "full":
        return model
    torch.manual_seed(21)
    task = TaskType.TOKEN_CLS if objective == "token-classification" else TaskType.QUESTION_ANS
    model = get_peft_model(model, LoraConfig(task_type=task, r=method["rank"], lora_alpha=method["alpha"], lora_dropout=0.0,
                                             target_modules=TARGETS[kind], fan_in_fan_out=kind == "gpt2")).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.copy_(0.1 * torch.randn_like(parameter))
    return model


def make(out, kind: str, objective: str, batches: list[dict], recipe: Recipe) -> None:
    tags = objective == "token-classification"
    model = prepared(out, kind, objective, recipe.method)
    trained = lambda: ((key, p) for key, p in model.named_parameters() if p.requires_grad)
    lora = recipe.method["type"] == "lora"
    tensors = {f"initial.{saved_name(key)}": p.clone() for key, p in trained() if lora or key.startswith(HEADS)}
    everything = slice(0, len(batches[0]["labels"]))
    with torch.no_grad():
        tensors["logits"] = model(**forward_inputs(model, batches[0], everything)).logits[batches[0]["labels"] >= 0] if tags else masked_answers(model, batches[0], everything)
        if tags:  # the library's own loss is what the first step records
            own = model(**forward_inputs(model, batches[0], everything), labels=batches[0]["labels"]).loss.item()
    count = sum(p.numel() for _, p in trained())
    record, first = train(model, batches, recipe, loss_of=None if tags else answer_loss)
    if tags:
        assert abs(own - record["losses"][0]) < 1e-5, (own, record["losses"][0])
    if lora:
        tensors.update({f"gradient.{saved_name(key)}": value for key, value in first.items()})
    # key biases, and one value added to all candidates, never move the loss: their gradients are rounding noise, which Adam scales up
    kept = lambda key: (lora or any(part in key for part in FINALS)) and not saved_name(key).endswith(("key.bias", "k_proj.bias", "c_attn.bias", "qa_outputs.bias"))
    tensors.update({f"final.{saved_name(key)}": p for key, p in trained() if kept(key)})
    short = "tags" if tags else "answers"
    save_fixture(out, f"{short}-{recipe.method['type']}-{kind}", kind, f"batches-{short}-{'decoder' if kind not in ('bert', 'roberta', 'distilbert') else kind}", recipe,
                 objective, {"trainableParameters": count, **record}, tensors, labels=TAGS if tags else [])


def main() -> None:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    out = common.output_folder()
    decoder = common.tokenizer_of(out, "gpt2")
    decoder.enable_truncation(LONGEST)
    plain = {"bert": make_batches(common.tokenizer_of(out, "bert"), 0), "distilbert": make_batches(common.tokenizer_of(out, "distilbert"), 0),
             "roberta": make_batches(common.tokenizer_of(out, "roberta"), 1), "decoder": make_batches(decoder, PAD)}
    for kind, batches in plain.items():
        if kind != "bert":
            for batch in batches:
                batch["token_type_ids"] = torch.zeros_like(batch["token_type_ids"])
    tags = {kind: tagged(batches) for kind, batches in plain.items()}
    answers = {kind: answered(plain[kind]) for kind in ("bert", "roberta", "distilbert")}
    for kind in tags:
        common.write_json(out / "training" / f"batches-tags-{kind}.json", batches_json(tags[kind]))
    for kind in answers:
        common.write_json(out / "training" / f"batches-answers-{kind}.json", batches_json(answers[kind]))
    for kind, targets in TARGETS.items():
        lora = {"type": "lora", "rank": 4, "alpha": 8, "dropout": 0, "targetModules": targets}
        # Tokens with a label are no fixed share of a row, so the mean is over all micro-batches together.
        make(out, kind, "token-classification", tags[kind if kind in tags else "decoder"], Recipe(lora, 1e-2, microBatches=[5, 3] if kind == "roberta" else [8]))
        if kind in answers:
            make(out, kind, "question-answering", answers[kind], Recipe(lora, 1e-2, microBatches=[5, 3] if kind == "roberta" else [8]))
    for objective, batches in (("token-classification", tags), ("question-answering", answers)):
        make(out, "bert", objective, batches["bert"], Recipe({"type": "full"}, 1e-3))


if __name__ == "__main__":
    main()
