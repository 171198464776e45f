/** The plaintext of a backup: lines of JSON, see docs/format/backup.md. */
import { createHash, type Hash } from 'node:crypto';
import { BackupError } from '../errors.ts';

/** Raised when an older program could misread what a newer one writes. */
export const FORMAT = 1;

interface BackedUpColumn {
  readonly name: string;
  /** As PostgreSQL names it, for example `timestamp with time zone`. */
  readonly type: string;
}

export interface TableShape {
  readonly name: string;
  /** Those that rows have a value for. */
  readonly columns: readonly BackedUpColumn[];
  /** Names of columns that the database computes. */
  readonly computed: readonly string[];
  /** Its rows refer to each other, so they are put in place all at once. */
  readonly refersToItself: boolean;
}

export interface BackedUpTable extends TableShape {
  readonly rows: number;
}

export interface BackedUpMigration {
  readonly room: string;
  readonly name: string;
  /** SHA-256 of the migration's text, lower-case hexadecimal. */
  readonly checksum: string;
}

export interface Header {
  readonly strongroom: 'backup';
  readonly format: number;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  /** Version of the program that made it. */
  readonly program: string;
  readonly migrations: readonly BackedUpMigration[];
  /** False when only chosen tables were asked for. */
  readonly whole: boolean;
  /** In the order in which they can be filled: a table after those it refers to. */
  readonly tables: readonly BackedUpTable[];
  /** Tables whose rows are not in it. */
  readonly leftOut: readonly TableShape[];
}

/** The rest of a backup after its header. `rows` are JSON texts, each the array of a row's values. */
export interface Rows {
  readonly table: BackedUpTable;
  readonly rows: readonly string[];
}

/** No row comes near it; a file that claims otherwise would fill the memory. Bytes. */
const LONGEST_LINE = 64 * 1024 * 1024;
/** Rows handed on together end with the one that passes this. Characters. */
const BATCH_CHARACTERS = 1024 * 1024;
const BATCH_ROWS = 500;

const LINE_FEED = 0x0a;

const damaged = (what: string, cause?: unknown): BackupError =>
  new BackupError('backup.damaged', { detail: what, cause });

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw damaged('A line in it is not JSON.', cause);
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isListOf = <Item>(value: unknown, check: (item: unknown) => item is Item): value is readonly Item[] =>
  Array.isArray(value) && value.every(check);

const isText = (value: unknown): value is string => typeof value === 'string';

const isColumn = (value: unknown): value is BackedUpColumn =>
  isRecord(value) && isText(value['name']) && isText(value['type']);

const isShape = (value: unknown): value is TableShape =>
  isRecord(value) &&
  isText(value['name']) &&
  isListOf(value['columns'], isColumn) &&
  isListOf(value['computed'], isText) &&
  typeof value['refersToItself'] === 'boolean';

const isTable = (value: unknown): value is BackedUpTable =>
  isShape(value) && 'rows' in value && Number.isSafeInteger(value.rows) && Number(value.rows) >= 0;

const isMigration = (value: unknown): value is BackedUpMigration =>
  isRecord(value) && isText(value['room']) && isText(value['name']) && isText(value['checksum']);

function parseHeader(line: string): Header {
  let header: unknown;
  try {
    header = JSON.parse(line);
  } catch (cause) {
    throw new BackupError('backup.not-a-backup', { cause });
  }
  if (!isRecord(header) || header['strongroom'] !== 'backup') throw new BackupError('backup.not-a-backup');
  const { format, createdAt, program, migrations, whole, tables, leftOut } = header;
  if (typeof format === 'number' && format > FORMAT) {
    throw new BackupError('backup.newer-format', { detail: `Its format is ${format}.` });
  }
  const complete = isListOf(migrations, isMigration) && isListOf(tables, isTable) && isListOf(leftOut, isShape);
  if (format !== FORMAT || !isText(createdAt) || !isText(program) || typeof whole !== 'boolean' || !complete) {
    throw damaged('Its first line is incomplete.');
  }
  return { strongroom: 'backup', format, createdAt, program, migrations, whole, tables, leftOut };
}

/** Cuts bytes into lines, and takes the digest of all lines but the last. */
class LineReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  readonly #digest: Hash = createHash('sha256');
  #rest: Buffer = Buffer.alloc(0);
  #before: Buffer | undefined;

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#pieces = bytes[Symbol.asyncIterator]();
  }

  /** `undefined` at the end. Throws `backup.damaged` when the last line has no end. */
  async next(): Promise<string | undefined> {
    const parts: Buffer[] = [];
    for (let length = 0; ;) {
      const end = this.#rest.indexOf(LINE_FEED);
      if (end >= 0) {
        parts.push(this.#rest.subarray(0, end + 1));
        this.#rest = this.#rest.subarray(end + 1);
        return this.#take(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
      }
      if (this.#rest.length > 0) parts.push(this.#rest);
      length += this.#rest.length;
      if (length > LONGEST_LINE) throw damaged('A line in it is too long.');
      const { done, value } = await this.#pieces.next();
      if (done === true) {
        this.#rest = Buffer.alloc(0);
        if (length > 0) throw damaged('Its last line has no end.');
        return undefined;
      }
      this.#rest = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    }
  }

  /** SHA-256 of all lines before the newest, lower-case hexadecimal. May be asked for once. */
  digest(): string {
    return this.#digest.digest('hex');
  }

  async close(): Promise<void> {
    await this.#pieces.return?.();
  }

  #take(line: Buffer): string {
    if (this.#before !== undefined) this.#digest.update(this.#before);
    this.#before = line;
    return line.toString('utf8', 0, line.length - 1);
  }
}

/** Throws unless it is one value for each column, text or null. */
function checkRow(line: string, table: BackedUpTable): void {
  const row = parse(line);
  const fits = Array.isArray(row) && row.length === table.columns.length;
  if (!fits || !row.every((value) => value === null || typeof value === 'string')) {
    throw damaged(`A row of ${table.name} does not fit its columns.`);
  }
}

export class BackupReader {
  readonly #lines: LineReader;
  readonly header: Header;

  private constructor(lines: LineReader, header: Header) {
    this.#lines = lines;
    this.header = header;
  }

  /** Throws `backup.not-a-backup`, `backup.newer-format` or `backup.damaged`. */
  static async open(bytes: AsyncIterable<Uint8Array>): Promise<BackupReader> {
    const lines = new LineReader(bytes);
    try {
      const first = await lines.next();
      if (first === undefined) throw new BackupError('backup.not-a-backup');
      return new BackupReader(lines, parseHeader(first));
    } catch (error) {
      await lines.close();
      throw error;
    }
  }

  /** Every row in batches, table after table. Has checked counts, checksum and end when it ends; throws `backup.damaged`. */
  async *rows(): AsyncGenerator<Rows, void> {
    for (const table of this.header.tables) {
      const title = parse((await this.#lines.next()) ?? '');
      if (!isRecord(title) || title['table'] !== table.name) throw damaged(`The rows of ${table.name} are missing.`);
      let batch: string[] = [];
      let characters = 0;
      for (let number = 1; number <= table.rows; number += 1) {
        const line = await this.#lines.next();
        if (line === undefined) throw damaged(`Rows of ${table.name} are missing.`);
        checkRow(line, table);
        batch.push(line);
        characters += line.length;
        if (batch.length < BATCH_ROWS && characters < BATCH_CHARACTERS && number < table.rows) continue;
        yield { table, rows: batch };
        batch = [];
        characters = 0;
      }
    }
    const last = parse((await this.#lines.next()) ?? '');
    if (!isRecord(last) || last['end'] !== true) throw damaged('It has more rows than it says.');
    if (last['sha256'] !== this.#lines.digest()) throw damaged('Its checksum does not fit.');
    if ((await this.#lines.next()) !== undefined) throw damaged('Something follows its end.');
  }

  /** Lets go of the file when it is not read to its end. */
  close(): Promise<void> {
    return this.#lines.close();
  }
}

/** Makes the bytes of a backup; `finish` after the last line. */
export class BackupWriter {
  readonly #digest = createHash('sha256');

  lines(values: readonly string[]): Uint8Array {
    const bytes = Buffer.from(`${values.join('\n')}\n`);
    this.#digest.update(bytes);
    return bytes;
  }

  finish(): Uint8Array {
    return Buffer.from(`${JSON.stringify({ end: true, sha256: this.#digest.digest('hex') })}\n`);
  }
}
