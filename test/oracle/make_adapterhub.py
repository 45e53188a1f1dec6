"""Adapters by the AdapterHub library: twenty training steps, and folders as it saves them.

Writes training/<case>-<model>.json and .safetensors (as make_training.py does; adapter name "task") and
formats/adapterhub-<case>-<model>/ with formats/adapterhub-<case>-<model>.json: logits on that model's batches.
Names of cases after the output folder make those alone; cases without a folder are named in CASES.

Where things sit (s: output of the attention or feed-forward projection, x: the block's residual input, f: down, activation, up):
  Houlsby  (DoubleSeqBnConfig, after attention and after the feed-forward, swish):  LayerNorm(s + f(s) + x)
  Pfeiffer (SeqBnConfig, after the feed-forward only, relu):                          LayerNorm(s + f(LayerNorm(s + x)) + x), the same LayerNorm twice
  parallel (ParBnConfig, beside the feed-forward, relu):                              LayerNorm(s + scaling · f(x) + x)
  Compacter (CompacterConfig): Houlsby's places, each projection a sum of Kronecker products
  MAM (MAMConfig): a prefix and a parallel adapter; UniPELT (UniPELTConfig): a prefix, LoRA and a Pfeiffer adapter, each gated
Tensors of hybrids stand in the training fixtures by the engine's names. UniPELT's gates average over padding in the library (and in
its authors' code), so that an answer changes with the longest text of its batch; in the engine they average over a text's own tokens.
That is what the library computes of each row alone, without padding, which is how UniPELT trains and answers here.
"""
import json
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import adapters
import torch
from adapters import (AdapterConfig, CompacterConfig, CompacterPlusPlusConfig, DoubleSeqBnConfig, LoRAConfig, MAMConfig, ParBnConfig,
                      PrefixTuningConfig, SeqBnConfig, UniPELTConfig)
from transformers.utils import logging

import common
from make_models import classifier, inputs_of, logits_of
from training import Recipe, forward_inputs, read_batches, save_fixture, train

MODELS = ("bert", "roberta", "distilbert")


@dataclass
class Case:
    config: AdapterConfig
    method: dict
    """The same in the engine's options."""
    models: tuple[str, ...] = MODELS
    folder: bool = True
    pickled: bool = False
    """Saved as the library does by default, and not as safetensors."""
    alone: bool = False
    """Each row goes through the model by itself, without padding."""


PREFIX = dict(prefix_length=3, bottleneck_size=8)
PREFIX_OPTIONS = {"numVirtualTokens": 3, "encoderHiddenSize": 8}


def bottleneck(placement: str, activation: str, **more) -> dict:
    return {"type": "bottleneck", "placement": placement, "reductionFactor": 8, "activation": activation, **more}


def compacter(**more) -> dict:
    return {"type": "compacter", "reductionFactor": 4, "activation": "gelu", **more}


CASES = {
    "houlsby": Case(DoubleSeqBnConfig(reduction_factor=8), bottleneck("houlsby", "swish"), pickled=True),
    "pfeiffer": Case(SeqBnConfig(reduction_factor=8), bottleneck("pfeiffer", "relu")),
    "parallel": Case(ParBnConfig(reduction_factor=8), bottleneck("parallel", "relu")),
    "parallel-learned": Case(ParBnConfig(reduction_factor=8, scaling="learned"), bottleneck("parallel", "relu", scaling="learned"), ("bert",)),
    "compacter": Case(CompacterConfig(reduction_factor=4), compacter()),
    "compacter-plus": Case(CompacterPlusPlusConfig(reduction_factor=4, phm_dim=2, phm_rank=2), compacter(placement="pfeiffer", phmDim=2, phmRank=2), ("bert",)),
    "compacter-own": Case(CompacterConfig(reduction_factor=4, shared_phm_rule=False, factorized_phm_W=False),
                          compacter(sharedPhmRule=False, factorizedPhmW=False), ("bert",), folder=False),
    "mam": Case(MAMConfig(PrefixTuningConfig(**PREFIX), ParBnConfig(reduction_factor=8)),
                {"type": "mam", "reductionFactor": 8, "prefixProjection": True, **PREFIX_OPTIONS}),
    "unipelt": Case(UniPELTConfig(PrefixTuningConfig(**PREFIX), SeqBnConfig(reduction_factor=8), LoRAConfig(r=4, alpha=4)),
                    {"type": "unipelt", "reductionFactor": 8, "rank": 4, "prefixProjection": True, **PREFIX_OPTIONS}, alone=True),
}

# Parts of hybrids: the library's names and the engine's.
PREFIX_PARTS = {"wte.weight": "embedding.weight", "control_trans.0.": "transform.0.", "control_trans.2.": "transform.2."}
PARTS = {".loras.task.lora_A": ".lora_A.weight", ".loras.task.lora_B": ".lora_B.weight", ".loras.task.gate.": ".lora_gate.",
         ".prefix_tuning.prefix_gates.task.": ".prefix_gate."}


def engine_name(name: str) -> str:
    if ".prefix_tunings.task." in name:
        part = re.sub(r".*\.prefix_tunings\.task\.\w+\.", "", name)
        return "prompt_encoder." + next(part.replace(theirs, ours) for theirs, ours in PREFIX_PARTS.items() if part.startswith(theirs))
    return next((name.replace(theirs, ours) for theirs, ours in PARTS.items() if theirs in name), name)


def is_added(name: str) -> bool:
    return ".task." in name


def scale_of(name: str, parameter: torch.Tensor) -> float:
    """Far from identity, with products of several factors kept of a size that shows."""
    if "phm_rule" in name or ".W" in name:
        return 0.5
    if "wte" in name or ".gate." in name or "prefix_gates" in name:
        return 1.0
    return 0.2 if parameter.dim() > 1 else 0.05


def with_adapter(folder: Path, case: Case, seed: int) -> torch.nn.Module:
    """A classifier with one adapter far from identity; all but adapter and head frozen, as the library's train_adapter does."""
    model = classifier(folder)
    adapters.init(model)
    model.add_adapter("task", config=case.config)
    model.train_adapter("task")
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if is_added(name):
                parameter.copy_(("scaling" in name) + scale_of(name, parameter) * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def row_alone(batch: dict, row: int) -> dict:
    length = int(batch["attention_mask"][row].sum())
    return {key: batch[key][row:row + 1, :length] for key in ("input_ids", "attention_mask", "token_type_ids")}


def loss_alone(model: torch.nn.Module, batch: dict, rows: slice) -> torch.Tensor:
    """The mean loss of rows that went through the model one by one."""
    logits = torch.cat([model(**forward_inputs(model, row_alone(batch, row), slice(None))).logits for row in range(rows.start, rows.stop)])
    return torch.nn.functional.cross_entropy(logits, batch["labels"][rows], reduction="sum") / len(batch["labels"])


def make_training(out: Path, name: str, kind: str, case: Case) -> torch.nn.Module:
    model = with_adapter(out / "models" / kind, case, 31)
    trained = {key: p for key, p in model.named_parameters() if p.requires_grad}
    tensors = {f"initial.{engine_name(key)}": p.clone() for key, p in trained.items()}
    recipe = Recipe(case.method, 5e-3)
    batches_name = f"batches-{kind}"
    record, first = train(model, read_batches(out, batches_name), recipe, loss_of=loss_alone if case.alone else None)
    tensors.update({f"gradient.{engine_name(key)}": value for key, value in first.items()})
    tensors.update({f"final.{engine_name(key)}": p for key, p in trained.items()})
    save_fixture(out, f"{name}-{kind}", kind, batches_name, recipe, "classification",
                 {"trainableParameters": sum(p.numel() for p in trained.values()), **record}, tensors)
    return model


def logits_alone(out: Path, kind: str, model: torch.nn.Module) -> dict[str, list[float]]:
    """As `logits_of`, each row by itself and without padding."""
    logits = {}
    for batch in json.loads((out / "models" / f"{kind}.json").read_text())["batches"]:
        grid = lambda name: torch.tensor(batch[name]).reshape(batch["size"], batch["sequence"])
        rows = {"input_ids": grid("inputIds"), "attention_mask": grid("attentionMask"), "token_type_ids": grid("tokenTypeIds")}
        with torch.no_grad():
            alone = [model(**inputs_of(model, row_alone(rows, row))).logits for row in range(batch["size"])]
        logits[batch["name"]] = torch.cat(alone).flatten().tolist()
    return logits


def write_shared_once(folder: Path) -> None:
    """The pickled weights as safetensors, which takes no tensor by two names: a prefix stands in every layer of the state dict."""
    pickled = folder / "pytorch_adapter.bin"
    tensors = torch.load(pickled, weights_only=True)
    inside = [key for key in tensors if ".prefix_tuning.pool." in key]
    common.write_tensors(folder / "adapter.safetensors", {key: value for key, value in tensors.items() if key not in inside})
    assert any(".prefix_tunings." in key for key in tensors if key not in inside)
    pickled.unlink()
    config = json.loads((folder / "adapter_config.json").read_text())
    config["config"]["configs"][0]["flat"] = True  # ejected; the library forgets to say so
    (folder / "adapter_config.json").write_text(json.dumps(config))
    head = folder / "pytorch_model_head.bin"
    common.write_tensors(folder / "model_head.safetensors", torch.load(head, weights_only=True))
    head.unlink()


def make_folder(out: Path, name: str, kind: str, case: Case, model: torch.nn.Module) -> None:
    """The trained adapter as the library saves it."""
    folder = out / "formats" / f"adapterhub-{name}-{kind}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    hybrid = name in ("mam", "unipelt")
    if hybrid:
        model.eject_prefix_tuning("task")
    model.save_adapter(str(folder), "task", use_safetensors=not (case.pickled or hybrid))
    if hybrid:
        write_shared_once(folder)
    for file in folder.glob("*.json"):
        config = json.loads(file.read_text())
        if "model_name" in config:
            config["model_name"] = kind  # not the folder of the machine that made it
        file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    common.write_json(folder.with_suffix(".json"), {"versions": common.versions(), "model": kind, "method": case.method,
                                                    "logits": (logits_alone if case.alone else logits_of)(out, kind, model)})


def main() -> None:
    logging.set_verbosity_error()
    out = common.output_folder()
    for name, case in CASES.items():
        if sys.argv[2:] and name not in sys.argv[2:]:
            continue
        for kind in case.models:
            model = make_training(out, name, kind, case)
            if case.folder:
                make_folder(out, name, kind, case, model)


if __name__ == "__main__":
    main()
