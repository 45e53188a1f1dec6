"""SetFit on the rows of a project that `take-further` wrote: python setfit_peer.py FOLDER SEED MODEL. One JSON line on stdout.

Sentence pairs train the encoder, then logistic regression stands on its vectors (Tunstall et al. 2022), with the paper's twenty pairs of each kind a row.
"""
import importlib.metadata
import json
import sys
import tempfile
from pathlib import Path

from datasets import Dataset
from setfit import SetFitModel, Trainer, TrainingArguments

folder, seed = Path(sys.argv[1]), int(sys.argv[2])
sys.path.append(str(folder))
from measures import f1_of, mean
from rows import read_rows

setup = json.loads((folder / "setup.json").read_text(encoding="utf-8"))
training = json.loads((folder / "plan.json").read_text(encoding="utf-8"))["training"]
labels = setup["labels"]
train, test = (read_rows(folder / setup["data"][name]["file"]) for name in ("train", "test"))
model = SetFitModel.from_pretrained(sys.argv[3], labels=labels)
model.model_body.max_seq_length = training["maxLength"]
rows = Dataset.from_dict({"text": [row["text"] for row in train], "label": [labels.index(row["label"]) for row in train]})
with tempfile.TemporaryDirectory() as made:
    arguments = TrainingArguments(output_dir=made, batch_size=training["batchSize"], num_iterations=20, seed=seed, report_to="none", save_strategy="no", show_progress_bar=False)
    Trainer(model=model, args=arguments, train_dataset=rows).train()
told = list(model.predict([row["text"] for row in test], batch_size=64, show_progress_bar=False))
each = f1_of([{row["label"]} for row in test], [{str(label)} for label in told])
print(json.dumps({"macroF1": mean(each.values()), "versions": {name: importlib.metadata.version(name) for name in ("setfit", "sentence-transformers")}}))
