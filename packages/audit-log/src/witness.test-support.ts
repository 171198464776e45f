/** A witness over HTTP, and a log that asks it. */
import { systemClock, toBase64 } from '@strongroom/kernel';
import { temporaryFolder } from '@strongroom/testing';
import { newCosigner } from './log.test-support.ts';
import { naiveLeaves, naiveRoot, naiveSubproof } from './naive-tree.test-support.ts';
import type { VerifierKey } from './signed-note.ts';
import { createWitness } from './witness.ts';
import { serveWitness, type WitnessServer } from './witness-server.ts';
import { openWitnessFolder, type WitnessFolder } from './witness-state.ts';

export const ORIGIN = 'example.com/log';
export const leaves = naiveLeaves(40);
export const other = naiveLeaves(41).slice(1);
export const log = newCosigner(ORIGIN, 'ed25519');
export const stranger = newCosigner(ORIGIN, 'ed25519');

/** What is to be stopped after a test. */
export const closing: (() => Promise<void>)[] = [];

/** For `afterEach` of each file: this one is loaded once for several. */
export async function closeAll(): Promise<void> {
  for (const close of closing.splice(0).toReversed()) await close();
}

export interface Running {
  readonly url: string;
  readonly keys: readonly VerifierKey[];
  readonly server: WitnessServer;
  readonly opened: WitnessFolder;
  stop(): Promise<void>;
}

/** Stopped by `closeAll`. `onFailure` hears of what nobody expected. */
export async function startWitness(
  name: string,
  logs: readonly VerifierKey[],
  folder = temporaryFolder(),
  onFailure: (error: unknown) => void = () => undefined,
): Promise<Running> {
  const opened = await openWitnessFolder(folder, name);
  const witness = createWitness({ cosigners: opened.cosigners, logs, state: opened.state, clock: systemClock });
  const server = await serveWitness(witness, { host: '127.0.0.1', port: 0, onFailure });
  let running = true;
  const stop = async () => {
    if (!running) return;
    running = false;
    await server.close();
    await opened.close();
  };
  closing.push(stop);
  return { url: server.url, keys: witness.keys, server, opened, stop };
}

export const note = (size: number, tree = leaves, signer = log, root = naiveRoot(tree.slice(0, size))): string =>
  signer.cosign(`${ORIGIN}\n${size}\n${toBase64(root)}\n\n`, 0);

export const proof = (older: number, newer: number, tree = leaves): string[] =>
  older === 0 || older === newer ? [] : naiveSubproof(older, tree.slice(0, newer)).map(toBase64);

export async function add({ url }: { readonly url: string }, body: string | Uint8Array) {
  const response = await fetch(`${url}/add-checkpoint`, { method: 'POST', body: body as BodyInit });
  return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
}

export const request = (old: number, hashes: readonly string[], signed: string): string =>
  [`old ${old}`, ...hashes, '', signed].join('\n');
