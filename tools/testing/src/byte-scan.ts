/** Looks for many byte strings in files of any size at once, in one pass that skips most bytes (Wu and Manber, 1994). */
import { type Dirent, closeSync, openSync, readFileSync, readSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface Pattern {
  /** What the bytes stand for: `canary 3 as hex`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Two bytes decide how far to skip. */
const BLOCK = 2;
/** Bytes of a pattern that take part in skipping; the rest is compared. */
const WINDOW = 24;
/** Bytes read at once. */
const CHUNK = 16 * 1024 * 1024;
/** Hits in one file after which nobody wants to know more. */
const MOST_HITS = 1000;

export interface Hit {
  readonly name: string;
  readonly file: string;
  readonly position: number;
}

export class ByteScanner {
  readonly #patterns: readonly { readonly name: string; readonly bytes: Buffer }[];
  readonly #window: number;
  readonly #longest: number;
  readonly #shift: Uint8Array;
  /** Patterns by the two bytes at the end of their window. */
  readonly #candidates = new Map<number, number[]>();

  /** Throws a RangeError for a pattern that is too short to mean anything. */
  constructor(patterns: readonly Pattern[]) {
    this.#patterns = patterns.map(({ name, bytes }) => ({ name, bytes: Buffer.from(bytes) }));
    const shortest = Math.min(...patterns.map(({ bytes }) => bytes.length));
    if (!(shortest >= 8)) throw new RangeError('A pattern has at least 8 bytes.');
    this.#window = Math.min(WINDOW, shortest);
    this.#longest = Math.max(...patterns.map(({ bytes }) => bytes.length));
    this.#shift = new Uint8Array(1 << 16).fill(this.#window - BLOCK + 1);
    for (const [number, { bytes }] of this.#patterns.entries()) {
      for (let end = BLOCK; end <= this.#window; end += 1) {
        const block = blockAt(bytes, end);
        this.#shift[block] = Math.min(this.#shift[block]!, this.#window - end);
        if (end === this.#window) this.#candidates.set(block, [...(this.#candidates.get(block) ?? []), number]);
      }
    }
  }

  /** Hits in a file, whatever boundaries they lie across. */
  scanFile(file: string): Hit[] {
    const descriptor = openSync(file, 'r');
    try {
      return this.#scan(file, (buffer, offset) => readSync(descriptor, buffer, offset, CHUNK, null));
    } finally {
      closeSync(descriptor);
    }
  }

  /** Hits in every file below a folder. */
  scanFolder(folder: string): Hit[] {
    return filesBelow(folder).flatMap((file) => this.scanFile(file));
  }

  /**
   * Hits in all memory that a process of one's own can read, and how many bytes that is. The process should be stopped meanwhile. Linux
   * only. A core file would hold the same and 16 GB of zeros, since address space that WebAssembly only reserves is written out too.
   */
  scanMemory(pid: number): { readonly hits: readonly Hit[]; readonly bytes: number } {
    const hits: Hit[] = [];
    let bytes = 0;
    const memory = openSync(`/proc/${pid}/mem`, 'r');
    try {
      for (const { start, end } of readableMemory(pid)) {
        let position = start;
        const read = (buffer: Buffer, offset: number): number => {
          const length = readSync(memory, buffer, offset, Math.min(CHUNK, end - position), position);
          position += length;
          return length;
        };
        hits.push(...this.#scan(`memory from ${start.toString(16)}`, read));
        bytes += end - start;
      }
    } finally {
      closeSync(memory);
    }
    return { hits, bytes };
  }

  /** `read` puts the next bytes at an offset of the buffer, at most `CHUNK`, and tells how many; 0 at the end. */
  #scan(file: string, read: (buffer: Buffer, offset: number) => number): Hit[] {
    const hits: Hit[] = [];
    const buffer = Buffer.allocUnsafe(CHUNK + this.#longest);
    let kept = 0;
    let start = 0;
    for (;;) {
      const added = read(buffer, kept);
      const length = kept + added;
      const last = added === 0;
      // What might begin a pattern that goes on in the next chunk is looked at again together with it.
      const limit = last ? length : Math.max(0, length - this.#longest + 1);
      for (const { number, position } of this.#find(buffer.subarray(0, length), limit)) {
        hits.push({ name: this.#patterns[number]!.name, file, position: start + position });
      }
      if (last || hits.length > MOST_HITS) return hits;
      buffer.copyWithin(0, limit, length);
      kept = length - limit;
      start += limit;
    }
  }

  /** Matches that begin before `limit`. */
  *#find(bytes: Buffer, limit: number): Generator<{ number: number; position: number }> {
    const shift = this.#shift;
    const window = this.#window;
    for (let end = window; end <= bytes.length;) {
      const skip = shift[(bytes[end - 2]! << 8) | bytes[end - 1]!]!;
      if (skip > 0) {
        end += skip;
        continue;
      }
      const position = end - window;
      if (position >= limit) return;
      for (const number of this.#candidates.get(blockAt(bytes, end))!) {
        const pattern = this.#patterns[number]!.bytes;
        const rest = bytes.length - position;
        if (pattern.length <= rest && pattern.compare(bytes, position, position + pattern.length) === 0)
          yield { number, position };
      }
      end += 1;
    }
  }
}

const blockAt = (bytes: Buffer, end: number): number => (bytes[end - 2]! << 8) | bytes[end - 1]!;

/** proc_pid_maps(5). What the kernel itself shows there (vvar, vsyscall) cannot be read this way. */
function readableMemory(pid: number): { readonly start: number; readonly end: number }[] {
  const lines = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n');
  return lines.flatMap((line) => {
    const [, start, end, name] = /^([0-9a-f]+)-([0-9a-f]+) r\S* \S+ \S+ \S+ *(.*)$/.exec(line) ?? [];
    if (start === undefined || end === undefined || name?.startsWith('[v') === true) return [];
    return [{ start: Number.parseInt(start, 16), end: Number.parseInt(end, 16) }];
  });
}

/** Regular files, at any depth. A folder may change while it is read, as that of a running server does. */
export function filesBelow(folder: string): string[] {
  const found = (entry: Dirent): string[] => {
    const path = join(entry.parentPath, entry.name);
    return entry.isDirectory() ? filesBelow(path) : entry.isFile() ? [path] : [];
  };
  return readdirSync(folder, { withFileTypes: true }).flatMap(found);
}

/** The forms in which a secret might lie somewhere: as it is, base64 and base64url at every alignment, hex, UTF-16. */
export function disguises(name: string, secret: string | Uint8Array): Pattern[] {
  const bytes = typeof secret === 'string' ? Buffer.from(secret, 'utf8') : Buffer.from(secret);
  const patterns = new Map<string, Buffer>([
    ['plain bytes', bytes],
    ['hex', Buffer.from(bytes.toString('hex'))],
    ['upper-case hex', Buffer.from(bytes.toString('hex').toUpperCase())],
  ]);
  for (const offset of [0, 1, 2]) {
    for (const encoding of ['base64', 'base64url'] as const) {
      patterns.set(`${encoding} at offset ${offset}`, innerBase64(bytes, offset, encoding));
    }
  }
  if (typeof secret === 'string') {
    const utf16 = Buffer.from(secret, 'utf16le');
    patterns.set('UTF-16LE', utf16);
    patterns.set('UTF-16BE', Buffer.from(utf16).swap16());
    patterns.set('JSON escapes', Buffer.from(escaped(secret)));
  }
  const seen = new Set<string>();
  return [...patterns].flatMap(([form, value]) => {
    const known = seen.has(value.toString('latin1'));
    seen.add(value.toString('latin1'));
    return known ? [] : [{ name: `${name} as ${form}`, bytes: value }];
  });
}

/** The characters that depend on these bytes alone, when `offset` other bytes stand before them. */
function innerBase64(bytes: Buffer, offset: number, encoding: 'base64' | 'base64url'): Buffer {
  const text = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString(encoding)
    .replaceAll('=', '');
  const whole = Math.floor(((offset + bytes.length) * 8) / 6);
  return Buffer.from(text.slice(Math.ceil((offset * 8) / 6), whole));
}

/** As JSON writers do that keep to ASCII. */
const escaped = (text: string): string =>
  text.replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
