"""Conversations by transformers: text, token ids and which tokens the assistant wrote, by templates that mark the answers with
{% generation %}.  Writes chat/: a tokenizer with the special tokens of all, and cases.json with each template without its marks."""
import json
import re

from transformers import AutoTokenizer

import common

SPECIAL = ["<|im_start|>", "<|im_end|>", "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<s>", "</s>"]
TEMPLATES = {
    # SmolLM2's: a system text of its own where there is none.
    "smollm2": ("", "<|im_end|>", """{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system
You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>
' }}{% endif %}{% if message['role'] == 'assistant' %}{{ '<|im_start|>assistant
' }}{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}{{ '
' }}{% else %}{{'<|im_start|>' + message['role'] + '
' + message['content'] + '<|im_end|>' + '
'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant
' }}{% endif %}"""),
    # Llama 3's: headers, trimmed texts, the beginning in front.
    "llama3": ("<|begin_of_text|>", "<|eot_id|>", """{% set loop_messages = messages %}{% for message in loop_messages %}{% set header = '<|start_header_id|>' + message['role'] + '<|end_header_id|>

' %}{% if loop.index0 == 0 %}{% set header = bos_token + header %}{% endif %}{{ header }}{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] | trim + '<|eot_id|>' }}{% endgeneration %}{% else %}{{ message['content'] | trim + '<|eot_id|>' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>

' }}{% endif %}"""),
    # Qwen2.5's without its tools: whitespace control, a default system text.
    "qwen2": ("", "<|im_end|>", """{%- if messages[0]['role'] == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
{%- else %}
    {{- '<|im_start|>system\\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role + '\\n' }}{% generation %}{{- message.content + '<|im_end|>' }}{% endgeneration %}{{- '\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""),
    # Llama 2's: no place of its own where an answer begins, a blank before its end.
    "llama2": ("<s>", "</s>", """{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{% set system = '<<SYS>>\\n' + messages[0]['content'] + '\\n<</SYS>>\\n\\n' %}{% else %}{% set rest = messages %}{% set system = '' %}{% endif %}{% for message in rest %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + (system if loop.first else '') + message['content'] | trim + ' [/INST]' }}{% else %}{{ ' ' }}{% generation %}{{ message['content'] | trim + ' ' + eos_token }}{% endgeneration %}{% endif %}{% endfor %}"""),
}
CONVERSATIONS = [
    [("user", "Name a fruit."), ("assistant", "An apple.")],
    [("system", "Answer shortly."), ("user", "Name a fruit."), ("assistant", "Apple")],
    [("user", "Hi"), ("assistant", "Hello!"), ("user", "Grüße 😀, und\n\nwas noch?"), ("assistant", "Noch 2 Zeilen:\n- eins 👍🏽\n- zwei")],
    [("user", "  spaces  "), ("assistant", "  kept or trimmed \n")],
    [("user", "Say apple"), ("assistant", "apple"), ("user", "Say apple"), ("assistant", "apple")],
]


def main() -> None:
    out = common.output_folder() / "chat"
    tokenizer = AutoTokenizer.from_pretrained(common.output_folder() / "models" / "llama")
    tokenizer.add_special_tokens({"additional_special_tokens": SPECIAL})
    out.mkdir(exist_ok=True)
    tokenizer.backend_tokenizer.save(str(out / "tokenizer.json"))
    cases = []
    for name, (bos, eos, template) in TEMPLATES.items():
        tokenizer.bos_token, tokenizer.eos_token = bos or None, eos
        own = re.sub(r"\{%-? (end)?generation -?%\}", "", template)
        conversations = []
        for conversation in CONVERSATIONS:
            messages = [{"role": role, "content": content} for role, content in conversation]
            encoded = tokenizer.apply_chat_template(messages, chat_template=template, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
            text = tokenizer.apply_chat_template(messages, chat_template=own, tokenize=False)
            prompt = tokenizer.apply_chat_template(messages[:-1], chat_template=own, tokenize=False, add_generation_prompt=True)
            assert tokenizer(text, add_special_tokens=False).input_ids == encoded["input_ids"], name
            conversations.append({"messages": messages, "text": text, "prompt": prompt, "ids": encoded["input_ids"], "mask": encoded["assistant_masks"]})
        cases.append({"name": name, "bos": bos or None, "eos": eos, "template": own, "conversations": conversations})
    (out / "cases.json").write_text(json.dumps({"versions": common.versions(), "cases": cases}, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
