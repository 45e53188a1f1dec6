"""Twenty steps of prefix tuning, prompt tuning and P-tuning by transformers and peft, and the folders that peft saves of them.

Writes training/<name>.json and .safetensors as make_training.py does, and formats/peft-<name>/ with its logits. Two places where the
libraries stand in each other's way are mended here and said in README.md: transformers 5 renamed the argument that peft passes a
prefix by, and peft has no prefix tuning for DistilBERT, which is computed here by its formula.
"""
import json
from pathlib import Path

import torch
from peft import PrefixTuningConfig, PromptEncoderConfig, PromptTuningConfig, TaskType, get_peft_model
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils import logging

import common
from make_models import HEADS, classifier, logits_of
from prefixes import rename_past_key_values
from training import Recipe, batches_json, read_batches, save_fixture, train

TOKENS = 5
COLUMNS = 40  # of the batches for RoBERTa, whose longest rows leave no position to virtual tokens
BATCHES = {"bert": "batches-bert", "roberta": "batches-short-roberta", "distilbert": "batches-distilbert"}
LAYERS = {"bert": "bert.encoder.layer.{}.attention.self", "roberta": "roberta.encoder.layer.{}.attention.self", "distilbert": "distilbert.transformer.layer.{}.attention"}


class PrefixDistilBert(torch.nn.Module):
    """DistilBERT with keys and values before each layer's own, positions behind them, as peft has it for BERT."""

    def __init__(self, model: torch.nn.Module, projection: int | None):
        super().__init__()
        config = model.config
        self.base_model, self.config, outputs = model, config, 2 * config.n_layers * config.dim
        for name, parameter in model.named_parameters():
            parameter.requires_grad = name.startswith(HEADS)
        self.prompt_encoder = torch.nn.Module()
        self.prompt_encoder.embedding = torch.nn.Embedding(TOKENS, config.dim if projection else outputs)
        if projection:
            self.prompt_encoder.transform = torch.nn.Sequential(torch.nn.Linear(config.dim, projection), torch.nn.Tanh(), torch.nn.Linear(projection, outputs))

    def keys_values(self) -> torch.Tensor:
        """[tokens, 2 * layers, dim]: a key and a value, layer by layer."""
        flat = self.prompt_encoder.embedding.weight
        if hasattr(self.prompt_encoder, "transform"):
            flat = self.prompt_encoder.transform(flat)
        return flat.view(TOKENS, 2 * self.config.n_layers, self.config.dim)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SequenceClassifierOutput:
        base, past = self.base_model.distilbert, self.keys_values()
        batch, length = input_ids.shape
        positions = torch.arange(TOKENS, TOKENS + length)
        hidden = base.embeddings.LayerNorm(base.embeddings.word_embeddings(input_ids) + base.embeddings.position_embeddings(positions))
        mask = torch.cat([torch.ones(batch, TOKENS), attention_mask], 1)
        bias = (1 - mask)[:, None, None, :] * torch.finfo(torch.float32).min
        heads = lambda x: x.view(batch, -1, self.config.n_heads, self.config.dim // self.config.n_heads).transpose(1, 2)
        for index, layer in enumerate(base.transformer.layer):
            before = lambda part: past[:, 2 * index + part].expand(batch, -1, -1)
            query = heads(layer.attention.q_lin(hidden))
            key = heads(torch.cat([before(0), layer.attention.k_lin(hidden)], 1))
            value = heads(torch.cat([before(1), layer.attention.v_lin(hidden)], 1))
            weights = torch.softmax(query @ key.transpose(2, 3) / query.shape[-1] ** 0.5 + bias, -1)
            attended = layer.attention.out_lin((weights @ value).transpose(1, 2).reshape(batch, length, -1))
            hidden = layer.sa_layer_norm(attended + hidden)
            hidden = layer.output_layer_norm(layer.ffn(hidden) + hidden)
        pooled = torch.relu(self.base_model.pre_classifier(hidden[:, 0]))
        return SequenceClassifierOutput(logits=self.base_model.classifier(pooled))


def config_of(method: dict, kind: str):
    # peft does not read DistilBERT's names of width and heads
    own = {"token_dim": 32, "num_attention_heads": 4} if kind == "distilbert" else {}
    common_part = {"task_type": TaskType.SEQ_CLS, "num_virtual_tokens": TOKENS, **own}
    if method["type"] == "prompt":
        return PromptTuningConfig(**common_part)
    if method["type"] == "p-tuning" and method["version"] == 1:
        return PromptEncoderConfig(encoder_reparameterization_type=method["encoderReparameterizationType"], encoder_hidden_size=method["encoderHiddenSize"],
                                   encoder_num_layers=method.get("encoderNumLayers", 2), **common_part)
    projected = method.get("prefixProjection", False)
    return PrefixTuningConfig(prefix_projection=projected, encoder_hidden_size=method.get("encoderHiddenSize") if projected else None, **common_part)


def prepared(folder: Path, method: dict, kind: str) -> torch.nn.Module:
    """The classifier with the method, frozen elsewhere, started by PyTorch's own rules from a fixed seed."""
    model = classifier(folder)
    torch.manual_seed(31)
    prefix = method["type"] == "prefix" or method.get("version") == 2
    if prefix and kind == "distilbert":
        return PrefixDistilBert(model, method.get("encoderHiddenSize")).eval()
    return get_peft_model(model, config_of(method, kind)).eval()


def engine_tensors(kind: str, name: str, value: torch.Tensor) -> dict[str, torch.Tensor]:
    """A live parameter under the engine's names: keys and values of a prefix stand layer by layer."""
    name = name.replace("base_model.", "").replace(".modules_to_save.default", "").replace("prompt_encoder.default.", "prompt_encoder.")
    if name != "prompt_encoder.embedding.weight":
        return {name: value}
    width = 32
    if value.shape[1] == width:
        return {name: value}
    parts = value.view(TOKENS, -1, width)
    return {f"{LAYERS[kind].format(index // 2)}.prefix.{('keys', 'values')[index % 2]}": parts[:, index] for index in range(parts.shape[1])}


def make(out: Path, name: str, kind: str, method: dict, rate: float, note: str = "") -> None:
    method = {"numVirtualTokens": TOKENS, **method}
    model = prepared(out / "models" / kind, method, kind)
    prompt = method["type"] == "prompt"

    def named(prefix: str, tensors) -> dict[str, torch.Tensor]:
        result = {}
        for key, value in tensors:
            for own, tensor in engine_tensors(kind, key, value).items():
                result[f"{prefix}.{'prompt.embeddings' if prompt and own == 'prompt_encoder.embedding.weight' else own}"] = tensor
        return result

    trained = [(key, parameter) for key, parameter in model.named_parameters() if parameter.requires_grad]
    tensors = named("initial", [(key, parameter.clone()) for key, parameter in trained])
    count = sum(parameter.numel() for _, parameter in trained)
    recipe = Recipe(method, rate)
    record, first = train(model, read_batches(out, BATCHES[kind]), recipe)
    tensors.update(named("gradient", first.items()))
    tensors.update(named("final", trained))
    save_fixture(out, name, kind, BATCHES[kind], recipe, "classification", {"trainableParameters": count, **record}, tensors, note)
    if not isinstance(model, PrefixDistilBert):
        folder = out / "formats" / f"peft-{name}"
        model.save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)
        config = json.loads((folder / "adapter_config.json").read_text())
        common.write_json(folder / "adapter_config.json", {**config, "base_model_name_or_path": kind})
        common.write_json(out / "formats" / f"peft-{name}.json", {"versions": common.versions(), "logits": logits_of(out, kind, model)})


def main() -> None:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    out = common.output_folder()
    rename_past_key_values()
    short = [{key: value if value.dim() == 1 else value[:, :COLUMNS] for key, value in batch.items()} for batch in read_batches(out, "batches-roberta")]
    common.write_json(out / "training" / "batches-short-roberta.json", batches_json(short))
    projected = {"type": "prefix", "prefixProjection": True, "encoderHiddenSize": 12}
    encoder = lambda kind, **more: {"type": "p-tuning", "version": 1, "encoderReparameterizationType": kind, "encoderHiddenSize": 6, **more}
    for kind in ("bert", "roberta", "distilbert"):
        note = "peft has no prefix tuning for DistilBERT: by the formula in make_prompts.py" if kind == "distilbert" else ""
        make(out, f"prefix-{kind}", kind, {"type": "prefix"}, 1e-2, note)
        make(out, f"prompt-{kind}", kind, {"type": "prompt"}, 1e-2)
        make(out, f"p-tuning-lstm-{kind}", kind, encoder("LSTM"), 1e-2)
    make(out, "prefix-projected-bert", "bert", projected, 1e-2)
    make(out, "prefix-projected-distilbert", "distilbert", projected, 1e-2, "peft has no prefix tuning for DistilBERT: by the formula in make_prompts.py")
    make(out, "p-tuning-mlp-bert", "bert", encoder("MLP"), 1e-2)
    make(out, "p-tuning-v2-roberta", "roberta", {"type": "p-tuning", "version": 2}, 1e-2, "deep prompts are peft's prefix tuning without projection")


if __name__ == "__main__":
    main()
