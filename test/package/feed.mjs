/** A release feed on loopback, as electron-updater's generic provider reads it. */
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';

/** @returns {Promise<string>} SHA-512 of a file in base64 */
export async function sha512(file) {
  const hash = createHash('sha512');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('base64');
}

export class Feed {
  /** @type {{url: string, staging: string | undefined}[]} What was asked for, with the only header that could tell users apart. */
  asked = [];
  /** @type {{version: string, file: string, sha512: string} | null} */
  release = null;

  async open() {
    this.server = createServer((request, response) => this.#answer(request, response));
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }

  #answer(request, response) {
    const name = decodeURIComponent(new URL(request.url, this.url).pathname.slice(1));
    this.asked.push({ url: name, staging: request.headers['x-user-staging-id'] });
    const { release } = this;
    if (release && name === 'latest-linux.yml') {
      const file = path.basename(release.file);
      return response.end(
        [
          `version: ${release.version}`,
          'files:',
          `  - url: ${file}`,
          `    sha512: ${release.sha512}`,
          `    size: ${statSync(release.file).size}`,
          `path: ${file}`,
          `sha512: ${release.sha512}`,
          "releaseDate: '2026-01-01T00:00:00.000Z'",
          '',
        ].join('\n'),
      );
    }
    if (release && name === path.basename(release.file)) {
      response.setHeader('Content-Length', statSync(release.file).size);
      return createReadStream(release.file).pipe(response);
    }
    response.statusCode = 404;
    response.end();
  }
}
