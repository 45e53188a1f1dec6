"""Tiny random checkpoints in every layout that hub folders have, and what transformers computes from them.

Writes models/<name>/ (the folder as transformers saves it), and beside it models/<name>.json with
models/<name>.safetensors: batches, classification head, hidden states, logits and masked-LM logits
(of the first two rows).
"""
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import (AutoModel, AutoModelForMaskedLM, AutoModelForSequenceClassification, BertConfig, BertForPreTraining, BertModel,
                          DistilBertConfig, DistilBertForMaskedLM, RobertaConfig, RobertaForMaskedLM)
from transformers.utils import logging

import common
from sentences import LABELS, PAIRS, ROWS

SHAPE = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, initializer_range=0.2)
HEADS = ("classifier.", "pre_classifier.", "score.")


def inputs_of(model: torch.nn.Module, batch: dict) -> dict:
    """DistilBERT has no token types; RoBERTa has one only."""
    kept = dict(batch)
    if model.config.model_type == "distilbert":
        kept.pop("token_type_ids")
    elif model.config.model_type == "roberta":
        kept["token_type_ids"] = torch.zeros_like(kept["token_type_ids"])
    return kept


def classifier(folder: Path, seed: int = 77) -> torch.nn.Module:
    """The folder as a sequence classifier with a randomized head, in float32."""
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=len(LABELS), attn_implementation="eager", dtype=torch.float32).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith(HEADS):
                parameter.copy_((0.3 if parameter.dim() > 1 else 0.1) * torch.randn(parameter.shape, generator=generator))
    return model


def logits_of(out: Path, kind: str, model: torch.nn.Module) -> dict[str, list[float]]:
    """Logits on the batches of models/<kind>.json, by batch name."""
    logits = {}
    for batch in json.loads((out / "models" / f"{kind}.json").read_text())["batches"]:
        grid = lambda name: torch.tensor(batch[name]).reshape(batch["size"], batch["sequence"])
        inputs = inputs_of(model, {"input_ids": grid("inputIds"), "attention_mask": grid("attentionMask"), "token_type_ids": grid("tokenTypeIds")})
        with torch.no_grad():
            logits[batch["name"]] = model(**inputs).logits.flatten().tolist()
    return logits


def record(out: Path, name: str, tokenizer, note: str, masked: bool) -> None:
    folder = out / "models" / name
    model = classifier(folder)
    batches = {"singles": [text for text, _ in ROWS[:6]], "more": [text for text, _ in ROWS[8:12]], "pairs": PAIRS}
    tensors = {f"head.{key}": value for key, value in model.named_parameters() if key.startswith(HEADS)}
    described = []
    for key, texts in batches.items():
        batch = common.encode(tokenizer, texts, model.config.pad_token_id)
        inputs = inputs_of(model, batch)
        with torch.no_grad():
            result = model(**inputs, output_hidden_states=True)
            for layer, hidden in enumerate(result.hidden_states):
                if key == "singles" or layer == len(result.hidden_states) - 1:
                    tensors[f"{key}.hidden.{layer}"] = hidden
            tensors[f"{key}.logits"] = result.logits
            if masked and key == "pairs":
                language = AutoModelForMaskedLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
                tensors[f"{key}.maskedLmLogits"] = language(**inputs).logits[:2]
        described.append({"name": key, "texts": [list(t) if isinstance(t, tuple) else [t] for t in texts], **common.batch_json({**batch, **inputs})})
    common.write_json(out / "models" / f"{name}.json", {"versions": common.versions(), "note": note, "labels": LABELS, "maskedLm": masked, "batches": described})
    common.write_tensors(out / "models" / f"{name}.safetensors", tensors)


def save(model: torch.nn.Module, folder: Path, **options) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, **options)


def rename_legacy(folder: Path) -> None:
    """LayerNorm.gamma and .beta, as the oldest BERT checkpoints on the hub still carry them."""
    file = folder / "model.safetensors"
    old = {name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): value for name, value in load_file(file).items()}
    save_file(old, str(file), metadata={"format": "pt"})


def main() -> None:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    out = common.output_folder()
    models = out / "models"
    wordpiece, bpe = common.tokenizer_of(out, "bert", common.wordpiece), common.tokenizer_of(out, "roberta", common.byte_bpe)
    bert = BertConfig(vocab_size=wordpiece.get_vocab_size(), max_position_embeddings=common.POSITIONS, **SHAPE)
    pretraining = BertForPreTraining(bert)
    common.randomize(pretraining, 1)

    save(pretraining, models / "bert")
    variants = {"bert-plain": dict(hidden_act="gelu_new"), "bert-sharded": dict(hidden_act="relu"), "bert-float16": {}, "bert-legacy": {}}
    for name, change in variants.items():
        model = pretraining if name == "bert-legacy" else BertModel(BertConfig(**{**bert.to_dict(), **change}))
        if name != "bert-legacy":
            model.load_state_dict(pretraining.bert.state_dict())
        if name == "bert-float16":
            model = model.half()
        save(model, models / name, **({"max_shard_size": "60KB"} if name == "bert-sharded" else {}))
    rename_legacy(models / "bert-legacy")

    roberta = RobertaForMaskedLM(RobertaConfig(vocab_size=bpe.get_vocab_size(), max_position_embeddings=common.POSITIONS + 2, type_vocab_size=1,
                                               pad_token_id=1, bos_token_id=0, eos_token_id=2, layer_norm_eps=1e-5, **SHAPE))
    common.randomize(roberta, 2)
    save(roberta, models / "roberta")
    distilbert = DistilBertForMaskedLM(DistilBertConfig(vocab_size=wordpiece.get_vocab_size(), max_position_embeddings=common.POSITIONS, dim=32, n_layers=2, n_heads=4,
                                                        hidden_dim=64, initializer_range=0.2))
    common.randomize(distilbert, 3)
    save(distilbert, models / "distilbert")

    notes = {
        "bert": "BertForPreTraining: tensor names start with `bert.`, pooler and masked-LM head present (decoder tied to the word embeddings).",
        "bert-plain": "BertModel: no prefix, as sentence-transformers saves; hidden_act gelu_new.",
        "bert-sharded": "BertModel in several shards with model.safetensors.index.json; hidden_act relu.",
        "bert-float16": "BertModel stored as float16; values below are computed in float32 from the stored weights.",
        "bert-legacy": "BertForPreTraining with LayerNorm.gamma and LayerNorm.beta.",
        "roberta": "RobertaForMaskedLM: positions start at padding_idx + 1, no pooler, classification head of its own; lm_head tied.",
        "distilbert": "DistilBertForMaskedLM: no token types, no pooler; vocab_projector tied.",
    }
    for name, note in notes.items():
        common.save_tokenizer(bpe if name == "roberta" else wordpiece, models / name)
        record(out, name, bpe if name == "roberta" else wordpiece, note, masked=name in ("bert", "bert-legacy", "roberta", "distilbert"))
        config = json.loads((models / name / "config.json").read_text())
        print(name, config["architectures"], sorted(p.name for p in (models / name).iterdir()))


if __name__ == "__main__":
    main()
