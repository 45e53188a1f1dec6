"""LoRA folders as peft saves them, with the logits they give.

Writes formats/peft-lora-<model>/ (adapter_config.json, adapter_model.safetensors with the classification head) and
formats/peft-lora-<model>.json: logits on the batches of models/<model>.json. Needs the models and training fixtures' scripts only.
"""
import shutil

from transformers.utils import logging

import common
from make_models import classifier, logits_of
from make_training import TARGETS, with_lora


def main() -> None:
    logging.set_verbosity_error()
    out = common.output_folder()
    for kind, targets in {**TARGETS, "bert": ["query", "value", "intermediate.dense"]}.items():
        folder = out / "formats" / f"peft-lora-{kind}"
        shutil.rmtree(folder, ignore_errors=True)
        method = {"type": "lora", "rank": 4, "alpha": 6, "dropout": 0, "targetModules": targets}
        model = with_lora(classifier(out / "models" / kind), method, start_at_zero=False)
        model.peft_config["default"].base_model_name_or_path = kind  # not the folder of the machine that made it
        model.save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)
        common.write_json(folder.with_suffix(".json"), {"versions": common.versions(), "model": kind, "method": method, "logits": logits_of(out, kind, model)})
        print(kind, sorted(p.name for p in folder.iterdir()))


if __name__ == "__main__":
    main()
