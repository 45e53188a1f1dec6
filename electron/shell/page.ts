/** Serves the built window over app://, under a strict content security policy; nothing else can be loaded. */
import { net, protocol } from 'electron';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

export const pageOrigin = 'app://studio';
export const pageAddress = `${pageOrigin}/index.html`;

/** Scripts and styles come from files only; what the page sets by `element.style` is no inline style. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Must run before the app is ready. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ]);
}

/** @param folder the built window (dist/renderer) */
export function servePage(folder: string): void {
  protocol.handle('app', async (request) => {
    const url = new URL(request.url);
    const file = path.join(folder, path.normalize(decodeURIComponent(url.pathname)));
    if (url.origin !== pageOrigin && url.host !== 'studio') return new Response(null, { status: 404 });
    if (request.method !== 'GET' || !file.startsWith(folder + path.sep)) return new Response(null, { status: 404 });
    const answer = await net.fetch(pathToFileURL(file).href, { bypassCustomProtocolHandlers: true }).catch(() => null);
    if (answer === null || !answer.ok) return new Response(null, { status: 404 });
    const headers = new Headers(answer.headers);
    headers.set('Content-Security-Policy', policy);
    headers.set('X-Content-Type-Options', 'nosniff');
    headers.set('Cross-Origin-Opener-Policy', 'same-origin');
    return new Response(answer.body, { status: 200, headers });
  });
}
