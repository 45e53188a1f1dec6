/** Entry of the window: settles the schema library under the strict CSP, then mounts the app. */
import { mount } from 'svelte';
import { z } from 'zod';
import '../electron/charting/tokens.css';
import './base.css';
import App from './App.svelte';
import { language } from './state/language.svelte.js';
import { opened } from './state/opened.js';

// The content security policy forbids eval, which zod would otherwise try for speed.
z.config({ jitless: true });

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no element with the id "app"');
// Outside the app there is nobody to tell of files; App.svelte says so.
if (window.studio) opened.begin();
// A catalogue that cannot be read must not keep the window empty: it is English then.
void language
  .begin()
  .catch((error: unknown) => console.error(error))
  .then(() => mount(App, { target }));
