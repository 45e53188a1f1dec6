/** Every architecture: importing this registers them. */
import './bert.js';
import './roberta.js';
import './distilbert.js';
import './gpt2.js';
import './llama.js';
import './qwen2.js';
import './qwen3.js';
