"""What every fixture script shares: tiny tokenizers, randomized weights, writing and versions."""
import json
import platform
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from sentences import PAIRS, ROWS

VOCABULARY = 200
POSITIONS = 64
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


def output_folder() -> Path:
    """First argument, or test/fixtures/oracle beside this folder."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "fixtures" / "oracle"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def versions() -> dict[str, str]:
    """Versions that made a fixture; packages that this environment lacks are left out."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for name in ("torch", "transformers", "peft", "adapters", "tokenizers", "safetensors", "onnxruntime"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def write_json(path: Path, value) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n", encoding="utf-8")


def write_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.detach().contiguous().clone() for name, value in tensors.items()}, str(path))


def corpus() -> list[str]:
    return [text for text, _ in ROWS] + [text for pair in PAIRS for text in pair]


def wordpiece() -> Tokenizer:
    """A lower-casing BERT tokenizer with a vocabulary of 200."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(corpus(), trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=special, show_progress=False))
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", cls), ("[SEP]", sep)])
    return tokenizer


def byte_bpe() -> Tokenizer:
    """A RoBERTa tokenizer: byte-level BPE with a vocabulary of 320, `<pad>` at 1."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.BpeTrainer(vocab_size=320, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(corpus(), trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    return tokenizer


def decoder_bpe() -> Tokenizer:
    """A tokenizer as decoders have it: byte-level BPE with a vocabulary of 288 and no tokens of its own around a text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|pad|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(vocab_size=288, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(corpus(), trainer)
    return tokenizer


def tokenizer_of(out: Path, model: str, train=None) -> Tokenizer:
    """The tokenizer of a fixture folder; trained anew only where there is none, because trainers break ties by hash order."""
    file = out / "models" / model / "tokenizer.json"
    return Tokenizer.from_file(str(file)) if file.exists() or train is None else train()


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """tokenizer.json with the older files beside it, as hub folders carry them."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    tokenizer.model.save(str(folder))
    if isinstance(tokenizer.model, models.WordPiece):
        config = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": POSITIONS,
                  "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    elif tokenizer.token_to_id("<|pad|>") is not None:
        config = {"tokenizer_class": "GPT2TokenizerFast", "add_prefix_space": False, "model_max_length": POSITIONS,
                  "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "pad_token": "<|pad|>"}
    else:
        config = {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": False, "model_max_length": POSITIONS,
                  "pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>", "bos_token": "<s>", "eos_token": "</s>", "mask_token": "<mask>"}
    write_json(folder / "tokenizer_config.json", config)


def randomize(module: torch.nn.Module, seed: int) -> None:
    """Weights, biases and LayerNorms all far from their usual start, so that a forgotten one shows in the logits."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() > 1:
                parameter.copy_(0.2 * noise)
            elif ("norm" in name.lower() or ".ln_" in name) and name.endswith("weight"):
                parameter.copy_(1 + 0.2 * noise)
            else:
                parameter.copy_(0.1 * noise)


def encode(tokenizer: Tokenizer, texts, pad: int) -> dict[str, torch.Tensor]:
    """Token ids padded to the longest row: input_ids, attention_mask, token_type_ids, each [batch, sequence]."""
    encodings = [tokenizer.encode(*text) if isinstance(text, tuple) else tokenizer.encode(text) for text in texts]
    length = max(len(e.ids) for e in encodings)
    fill = lambda values, value: torch.tensor([v + [value] * (length - len(v)) for v in values])
    return {"input_ids": fill([e.ids for e in encodings], pad), "attention_mask": fill([e.attention_mask for e in encodings], 0),
            "token_type_ids": fill([e.type_ids for e in encodings], 0)}


def batch_json(batch: dict[str, torch.Tensor]) -> dict:
    """A batch in the shape of the engine's `Batch`: flat rows with size and sequence."""
    size, sequence = batch["input_ids"].shape
    flat = lambda name: batch[name].flatten().tolist()
    return {"size": size, "sequence": sequence, "inputIds": flat("input_ids"), "attentionMask": flat("attention_mask"), "tokenTypeIds": flat("token_type_ids")}
