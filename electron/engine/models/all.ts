/** Every architecture: importing this registers them. */
import './bert.js';
import './roberta.js';
import './distilbert.js';
