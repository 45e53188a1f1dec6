"""What transformers' tokenizers say on the tiny checkpoints: token ids of odd text, truncated singles and pairs, by tokenizer.json and by the vocabulary files alone. Writes test/fixtures/data/tokenizer.json."""
import json
import shutil
import sys
import tempfile
from pathlib import Path

from transformers import AutoTokenizer, BertTokenizer, GPT2Tokenizer, Qwen2Tokenizer, RobertaTokenizer

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
TEXTS = [
    "Stir the soup until the carrots are soft.", "CRÈME brûlée, naïve Café!", "日本語 and 中文 mixed", "  spaces\tand\nlines  ",
    "", "emoji 😀👍🏽 end", "½ ﬁ ℃ Ünïcödé \u200b zero", "it's don't we'll I'M 1,000.50", "x" * 120, "a " * 200, "Fog.", "\u0000nul\ufffd",
]
PAIRS = [("Which platform does the airport express use?", "Fog."), ("Fog.", "Heavy rain is expected along the coast tonight."), ("Snow is likely above 900 metres. " * 3, "The tram stops in front of the museum. " * 4), ("", "Fog.")]
LENGTHS = [8, 16, 48]


def encoded(tokenizer, specials):
    texts = TEXTS + [f"A {specials['mask']} stands {specials['sep']} inside{specials['mask']} it", f"{specials['cls']} first"]
    cases = []
    for length in LENGTHS:
        for text in texts:
            cases.append({"text": text, "pair": None, "maxLength": length, **ids(tokenizer(text, truncation=True, max_length=length))})
        for text, pair in PAIRS:
            cases.append({"text": text, "pair": pair, "maxLength": length, **ids(tokenizer(text, pair, truncation=True, max_length=length))})
    return cases


def ids(answer):
    return {"ids": answer["input_ids"], "typeIds": answer.get("token_type_ids", [0] * len(answer["input_ids"]))}


def main():
    bert, roberta = {"mask": "[MASK]", "sep": "[SEP]", "cls": "[CLS]"}, {"mask": "<mask>", "sep": "</s>", "cls": "<s>"}
    models = FIXTURES / "oracle" / "models"
    value = {name: encoded(AutoTokenizer.from_pretrained(models / name), bert if "bert" in name and name != "roberta" else roberta) for name in ("bert", "distilbert", "roberta")}
    for name, kind, specials, files in (("bert", BertTokenizer, bert, ["vocab.txt"]), ("roberta", RobertaTokenizer, roberta, ["vocab.json", "merges.txt"])):
        with tempfile.TemporaryDirectory() as folder:
            for file in files:
                shutil.copy(models / name / file, folder)
            value[f"{name}-vocabulary"] = encoded(kind.from_pretrained(folder), specials)
            if name == "bert":
                (Path(folder) / "tokenizer_config.json").write_text('{"do_lower_case": false, "tokenizer_class": "BertTokenizer"}')
                value["bert-vocabulary-cased"] = encoded(kind.from_pretrained(folder), specials)
                shutil.copy(models / name / "tokenizer.json", folder)
                value["bert-json-cased"] = encoded(AutoTokenizer.from_pretrained(folder), specials)
    # The tiny decoders' vocabulary by the classes of both families; of Qwen's the folder names a token that is in no file.
    end = {"mask": "<|endoftext|>", "sep": "<|pad|>", "cls": "<|added|>"}
    for name, kind in (("gpt2", GPT2Tokenizer), ("qwen2", Qwen2Tokenizer)):
        with tempfile.TemporaryDirectory() as folder:
            for file in ("vocab.json", "merges.txt"):
                shutil.copy(models / name / file, folder)
            if kind is Qwen2Tokenizer:
                added = {key: {"content": text, "lstrip": False, "rstrip": False, "normalized": False, "single_word": False, "special": True} for key, text in (("0", "<|endoftext|>"), ("288", "<|added|>"))}
                (Path(folder) / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "Qwen2Tokenizer", "pad_token": "<|pad|>", "added_tokens_decoder": added}))
            value[f"{name}-vocabulary"] = encoded(kind.from_pretrained(folder), end)
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FIXTURES / "data" / "tokenizer.json"
    target.write_text(json.dumps(value, separators=(",", ":"), ensure_ascii=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
