"""Adapters by the AdapterHub library: twenty training steps, and folders as it saves them.

Writes training/<case>-<model>.json and .safetensors (as make_training.py does; adapter name "task") and
formats/adapterhub-<case>-<model>/ with formats/adapterhub-<case>-<model>.json: logits on that model's batches.
Names of cases after the output folder make those alone; cases without a folder are named in CASES.

Where things sit (s: output of the attention or feed-forward projection, x: the block's residual input, f: down, activation, up):
  Houlsby  (DoubleSeqBnConfig, after attention and after the feed-forward, swish):  LayerNorm(s + f(s) + x)
  Pfeiffer (SeqBnConfig, after the feed-forward only, relu):                          LayerNorm(s + f(LayerNorm(s + x)) + x), the same LayerNorm twice
  parallel (ParBnConfig, beside the feed-forward, relu):                              LayerNorm(s + scaling · f(x) + x)
  Compacter (CompacterConfig): Houlsby's places, each projection a sum of Kronecker products
"""
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import adapters
import torch
from adapters import AdapterConfig, CompacterConfig, CompacterPlusPlusConfig, DoubleSeqBnConfig, ParBnConfig, SeqBnConfig
from transformers.utils import logging

import common
from make_models import classifier, logits_of
from training import Recipe, read_batches, save_fixture, train

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
}


def is_added(name: str) -> bool:
    return ".task." in name


def scale_of(name: str, parameter: torch.Tensor) -> float:
    """Far from identity, with products of several factors kept of a size that shows."""
    if "phm_rule" in name or ".W" in name:
        return 0.5
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


def make_training(out: Path, name: str, kind: str, case: Case) -> torch.nn.Module:
    model = with_adapter(out / "models" / kind, case, 31)
    trained = {key: p for key, p in model.named_parameters() if p.requires_grad}
    tensors = {f"initial.{key}": p.clone() for key, p in trained.items()}
    recipe = Recipe(case.method, 5e-3)
    record, first = train(model, read_batches(out, f"batches-{kind}"), recipe)
    tensors.update({f"gradient.{key}": value for key, value in first.items()})
    tensors.update({f"final.{key}": p for key, p in trained.items()})
    save_fixture(out, f"{name}-{kind}", kind, f"batches-{kind}", recipe, "classification",
                 {"trainableParameters": sum(p.numel() for p in trained.values()), **record}, tensors)
    return model


def make_folder(out: Path, name: str, kind: str, case: Case, model: torch.nn.Module) -> None:
    """The trained adapter as the library saves it."""
    folder = out / "formats" / f"adapterhub-{name}-{kind}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    model.save_adapter(str(folder), "task", use_safetensors=not case.pickled)
    for file in folder.glob("*.json"):
        config = json.loads(file.read_text())
        if "model_name" in config:
            config["model_name"] = kind  # not the folder of the machine that made it
        file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    common.write_json(folder.with_suffix(".json"), {"versions": common.versions(), "model": kind, "method": case.method, "logits": logits_of(out, kind, model)})


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
