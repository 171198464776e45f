/** The log as a folder in the layout of C2SP tlog-tiles, for any web server and any monitor: hashes, and entries where they may be shown. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { concatBytes, equalBytes } from '@strongroom/kernel';
import { parseCheckpoint } from './checkpoint.ts';
import { encodeEntry } from './entry.ts';
import { AuditLogError } from './errors.ts';
import { HANDOVERS, publishedBundles, readPublishedCheckpoint } from './tile-folder.ts';
import type { LogEntry, LogSource } from './log-source.ts';
import { HASH_LENGTH, leafHash } from './merkle.ts';
import { createConsistencyProof, nodesFromTiles, verifyConsistency } from './proofs.ts';
import { parseNote } from './signed-note.ts';
import { hashesAtLevel, TILE_WIDTH, tileIndexPath } from './tiles.ts';
import { parseTlogProof } from './tlog-proof-text.ts';

export interface PublishOptions {
  /** Also `tile/entries/`: what everybody may then read are pseudonyms, ids and open fields of all events. */
  readonly entries?: boolean;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Published {
  readonly origin: string;
  readonly size: number;
  /** Files that were written; those of full tiles never change again. */
  readonly files: number;
}

/**
 * Brings the folder up to the newest checkpoint, which is written last, so that whatever it covers is there. Throws `audit-log.no-checkpoint`;
 * `audit-log.published-differs` when the log is not a continuation of what the folder shows, in which case nothing is written;
 * `audit-log.unknown-entry` where the source does not show every entry that is to be published. Entries below the source's minimum index are not published, and
 * are taken away where they were.
 */
export async function publishTiles(
  source: LogSource,
  folder: string,
  options: PublishOptions = {},
): Promise<Published> {
  const newest = await source.newestCheckpoint();
  if (newest === null) throw new AuditLogError('audit-log.no-checkpoint');
  const { origin, size, root } = parseCheckpoint(parseNote(newest.note).text);
  const before = await publishedBefore(folder);
  await expectContinuation(source, before, { origin, size, root });
  const writer = new FolderWriter(folder);
  for (let level = 0; hashesAtLevel(size, level) > 0; level += 1) {
    const count = hashesAtLevel(size, level);
    const first = Math.floor(hashesAtLevel(before?.size ?? 0, level) / TILE_WIDTH);
    for (let index = first; index * TILE_WIDTH < count; index += 1) {
      const width = Math.min(TILE_WIDTH, count - index * TILE_WIDTH);
      await writer.tile(String(level), index, width, await readTile(source, level, index, width));
      if (level === 0) options.onProgress?.(index * TILE_WIDTH + width, size);
    }
  }
  if (options.entries === true) {
    const hasEntries = await isThere(join(folder, 'tile', 'entries'));
    const shown = Math.ceil(Math.min(size, (await source.minimumIndex?.()) ?? 0) / TILE_WIDTH);
    const first = Math.max(shown, hasEntries ? Math.floor((before?.size ?? 0) / TILE_WIDTH) : 0);
    if (hasEntries) await writer.prune(shown);
    for (let index = first; index * TILE_WIDTH < size; index += 1) {
      const to = Math.min(size, (index + 1) * TILE_WIDTH);
      const entries = await source.entries(index * TILE_WIDTH, to);
      const width = to - index * TILE_WIDTH;
      if (entries.length !== width) throw new AuditLogError('audit-log.unknown-entry');
      await writer.tile('entries', index, width, concatBytes(...entries.map(bundled)));
      options.onProgress?.(to, size);
    }
  }
  for (const handover of (await source.handovers?.()) ?? []) {
    const file = join(HANDOVERS, String(parseTlogProof(handover).index + 1));
    if (!(await isThere(join(folder, file)))) await writer.write(file, new TextEncoder().encode(handover));
  }
  await writer.write('checkpoint', new TextEncoder().encode(newest.note));
  return { origin, size, files: writer.files };
}

interface Head {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

async function publishedBefore(folder: string): Promise<Head | null> {
  const note = await readPublishedCheckpoint(folder);
  return note === null ? null : parseCheckpoint(parseNote(note).text);
}

async function expectContinuation(source: LogSource, before: Head | null, now: Head): Promise<void> {
  if (before === null || before.size === 0) return;
  const differs = new AuditLogError('audit-log.published-differs');
  if (before.origin !== now.origin || before.size > now.size) throw differs;
  const nodes = nodesFromTiles(now.size, (level, index, width) => readTile(source, level, index, width));
  const proof = await createConsistencyProof(nodes, before.size, now.size);
  const claim = { older: before.size, newer: now.size, olderRoot: before.root, newerRoot: now.root };
  if (!verifyConsistency(claim, proof)) throw differs;
}

async function readTile(source: LogSource, level: number, index: number, width: number): Promise<Uint8Array> {
  const [tile] = await source.tiles([{ level, index, width }]);
  if (tile?.hashes.length !== width * HASH_LENGTH) throw new AuditLogError('audit-log.unknown-tile');
  return tile.hashes;
}

/** tlog-tiles, "Log entries": the length in two bytes, then the entry. */
function bundled({ index, event, leafHash: expected }: LogEntry): Uint8Array {
  const where = { detail: `Entry ${index} cannot be published.` };
  if (typeof event === 'string') throw new AuditLogError('audit-log.unknown-entry', where);
  const bytes = encodeEntry(event);
  if (!equalBytes(leafHash(bytes), expected)) throw new AuditLogError('audit-log.damaged', where);
  return concatBytes(new Uint8Array([bytes.length >>> 8, bytes.length & 0xff]), bytes);
}

class FolderWriter {
  readonly #folder: string;
  files = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** A full tile takes the place of its partial ones, which tlog-tiles allows to delete then. */
  async tile(kind: string, index: number, width: number, bytes: Uint8Array): Promise<void> {
    const path = join('tile', kind, tileIndexPath(index));
    if (width < TILE_WIDTH) return this.write(join(`${path}.p`, String(width)), bytes);
    await this.write(path, bytes);
    await rm(join(this.#folder, `${path}.p`), { recursive: true, force: true });
  }

  /** Removes the entry bundles below `end`, the first one first, so that what is left is without holes whenever it stops. */
  async prune(end: number): Promise<void> {
    const below = (await publishedBundles(this.#folder)).filter((index) => index < end);
    for (const index of below.toSorted((left, right) => left - right)) {
      const path = join(this.#folder, 'tile', 'entries', tileIndexPath(index));
      await rm(path, { force: true });
      await rm(`${path}.p`, { recursive: true, force: true });
    }
  }

  /** Whoever reads meanwhile sees the old file or the new one. */
  async write(path: string, bytes: Uint8Array): Promise<void> {
    const target = join(this.#folder, path);
    await mkdir(dirname(target), { recursive: true });
    const draft = `${target}.${randomUUID()}`;
    const handle = await open(draft, 'wx', 0o644);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, target);
    this.files += 1;
  }
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
