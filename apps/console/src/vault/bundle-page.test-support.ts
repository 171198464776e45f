/** An empty page that runs a piece of the console, bundled as the worker is, on a server of its own. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { build, type Rolldown } from 'vite';

export interface BundlePage {
  readonly origin: string;
  readonly close: () => void;
}

/** `entry`: a module's text, with imports as from the console's own folder. */
export async function serveBundle(entry: string): Promise<BundlePage> {
  const code = await bundle(entry);
  const server = createServer((request, response) => {
    const script = request.url === '/bundle.js';
    response
      .setHeader('content-type', script ? 'text/javascript' : 'text/html')
      .end(script ? code : '<!doctype html><title>bundle</title><script type="module" src="/bundle.js"></script>');
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => void server.close(),
  };
}

async function bundle(text: string): Promise<string> {
  const root = path.resolve(import.meta.dirname, '../..');
  const entry = path.join(root, 'entry.js');
  const result = (await build({
    configFile: false,
    root,
    logLevel: 'silent',
    resolve: { conditions: ['source', 'module', 'browser', 'import', 'default'] },
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === 'entry' ? entry : null),
        load: (id) => (id === entry ? text : null),
      },
    ],
    build: { write: false, rolldownOptions: { input: 'entry', output: { format: 'es' } } },
  })) as Rolldown.RolldownOutput;
  return result.output[0].code;
}
