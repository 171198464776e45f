/** JSON Lines, one memory in each: our own export, or the file of the MCP project's memory server. The first line tells which. */
import { OWN_EXPORT, invalidImport, type ImportItem, type TextSource } from './import-item.ts';
import { parseMcpMemory } from './import-mcp-memory.ts';
import { records } from './internal/text-pieces.ts';
import { problemOfFields, type MemoryDocument } from './memory-document.ts';

/** Enough for the first field of the first record. Characters. */
const START = 1024;

/** Throws `client.invalid-import` naming the line. */
export async function* parseJsonLines(source: TextSource): AsyncGenerator<ImportItem> {
  const { start, whole } = await peek(source);
  yield* isOwn(start) ? parseExport(whole) : parseMcpMemory(whole);
}

/**
 * What `export` wrote, of any space: each memory becomes what it was, its origin included, so that an import of the original recognises it. One that had no
 * origin gets `strongroom` with its former id for a key. Throws `client.invalid-import` naming the line.
 */
export async function* parseExport(source: TextSource): AsyncGenerator<ImportItem> {
  for await (const { record, number } of records(source)) {
    const { id, version: _version, writtenAt: _writtenAt, ...fields } = record;
    if (typeof id !== 'string' || id === '') throw invalidImport(`Line ${number} is no memory. Check "id".`);
    const problem = problemOfFields(fields);
    if (problem !== null) throw invalidImport(`Line ${number} is no memory. ${problem}`);
    const { source: origin, ...document } = fields as unknown as MemoryDocument;
    yield origin === undefined
      ? { ...document, exported: id, source: OWN_EXPORT, key: id, details: {} }
      : {
          ...document,
          exported: id,
          source: origin.name,
          key: origin.key,
          digest: origin.digest,
          details: origin.details,
        };
  }
}

/** Our export names the id first; the other file its records' type somewhere. */
const isOwn = (start: string): boolean => /^\s*\{\s*"id"\s*:/.test(start);

/** The beginning, and everything as before. */
async function peek(source: TextSource): Promise<{ readonly start: string; readonly whole: TextSource }> {
  if (typeof source === 'string') return { start: source.slice(0, START).replace(/^\ufeff/, ''), whole: source };
  const pieces = (async function* () {
    yield* source;
  })();
  const read: string[] = [];
  for (let length = 0; length < START;) {
    const { done, value } = await pieces.next();
    if (done === true) break;
    read.push(value);
    length += value.length;
  }
  const whole = (async function* () {
    yield* read;
    yield* pieces;
  })();
  return { start: read.join('').replace(/^\ufeff/, ''), whole };
}
