"""Bottleneck adapters by the AdapterHub library: twenty training steps, and folders as it saves them.

Writes training/<placement>-<model>.json and .safetensors (as make_training.py does; adapter name "task") and
formats/adapterhub-<placement>-<model>/ with formats/adapterhub-<placement>-<model>.json: logits on that model's batches.

Where things sit (s: output of the attention or feed-forward projection, x: the block's residual input, f: down, activation, up):
  Houlsby  (DoubleSeqBnConfig, after attention and after the feed-forward, swish):  LayerNorm(s + f(s) + x)
  Pfeiffer (SeqBnConfig, after the feed-forward only, relu):                          LayerNorm(s + f(LayerNorm(s + x)) + x), the same LayerNorm twice
"""
import json
import shutil
from pathlib import Path

import adapters
import torch
from adapters import DoubleSeqBnConfig, SeqBnConfig
from transformers.utils import logging

import common
from make_models import classifier, logits_of
from training import Recipe, read_batches, save_fixture, train

PLACEMENTS = {"houlsby": (DoubleSeqBnConfig, "swish"), "pfeiffer": (SeqBnConfig, "relu")}
REDUCTION = 8


def with_adapter(folder: Path, placement: str, seed: int) -> torch.nn.Module:
    """A classifier with one adapter far from identity; all but adapter and head frozen, as the library's train_adapter does."""
    model = classifier(folder)
    adapters.init(model)
    model.add_adapter("task", config=PLACEMENTS[placement][0](reduction_factor=REDUCTION))
    model.train_adapter("task")
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".adapters.task." in name:
                parameter.copy_((0.2 if parameter.dim() > 1 else 0.05) * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def make_training(out: Path, kind: str, placement: str, batches: list[dict]) -> torch.nn.Module:
    model = with_adapter(out / "models" / kind, placement, 31)
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    tensors = {f"initial.{name}": p.clone() for name, p in trained.items()}
    method = {"type": "bottleneck", "placement": placement, "reductionFactor": REDUCTION, "activation": PLACEMENTS[placement][1]}
    record, first = train(model, batches, Recipe(method, 5e-3))
    tensors.update({f"gradient.{name}": value for name, value in first.items()})
    tensors.update({f"final.{name}": p for name, p in trained.items()})
    save_fixture(out, f"{placement}-{kind}", kind, f"batches-{kind}", Recipe(method, 5e-3), "classification",
                 {"trainableParameters": sum(p.numel() for p in trained.values()), **record}, tensors)
    return model


def make_folder(out: Path, kind: str, placement: str, model: torch.nn.Module) -> None:
    """The trained adapter as the library saves it: pickled by default; safetensors for the Pfeiffer folders."""
    folder = out / "formats" / f"adapterhub-{placement}-{kind}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    model.save_adapter(str(folder), "task", use_safetensors=placement == "pfeiffer")
    for file in folder.glob("*.json"):
        config = json.loads(file.read_text())
        if "model_name" in config:
            config["model_name"] = kind  # not the folder of the machine that made it
        file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    common.write_json(folder.with_suffix(".json"), {"versions": common.versions(), "model": kind, "method": {"placement": placement, "activation": PLACEMENTS[placement][1]},
                                                    "logits": logits_of(out, kind, model)})


def main() -> None:
    logging.set_verbosity_error()
    out = common.output_folder()
    for kind in ("bert", "roberta", "distilbert"):
        batches = read_batches(out, f"batches-{kind}")
        for placement in PLACEMENTS:
            make_folder(out, kind, placement, make_training(out, kind, placement, batches))


if __name__ == "__main__":
    main()
