/** Asks a witness for its cosignatures (C2SP tlog-witness). */
import { toBase64, utf8 } from '@strongroom/kernel';
import { cosignatureReader, parseCheckpoint } from './checkpoint.ts';
import { AuditLogError } from './errors.ts';
import {
  formatNote,
  formatSignatureLine,
  type NoteSignature,
  parseNote,
  parseSignatureLine,
  type VerifierKey,
} from './signed-note.ts';

export interface Submission {
  /** Submission prefix of the witness. */
  readonly url: string;
  /** Its keys that are trusted. */
  readonly keys: readonly VerifierKey[];
  /** Signed note. */
  readonly note: string;
  /** Size that the witness is believed to have cosigned last; 0 when nothing is known. */
  readonly lastSize: number;
  /** Consistency proof from an older size to that of the note. */
  readonly prove: (older: number) => Promise<readonly Uint8Array[]>;
  readonly signal: AbortSignal;
}

export interface Cosignature {
  readonly key: VerifierKey;
  /** With its newline. */
  readonly line: string;
}

/** Far above one signature line of each kind for several keys. */
const LARGEST_ANSWER = 64 * 1024;

/** Rounds: the first may only tell where the witness stands, and another replica may be faster in between. */
const ATTEMPTS = 3;

/**
 * The good cosignatures by the trusted keys. Throws `audit-log.unwitnessed` when the witness refuses or answers nothing usable; its detail
 * says whether it has seen more of the log than there is now, which means that the log was cut.
 */
export async function requestCosignatures(submission: Submission): Promise<readonly Cosignature[]> {
  const { size } = parseCheckpoint(parseNote(submission.note).text);
  let { lastSize } = submission;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (lastSize > size) throw unwitnessed(`It has seen ${lastSize} entries, the log has ${size}: was the log cut?`);
    const { status, body } = await post(submission, lastSize, size);
    if (status === 200) return readAnswer(submission, body);
    if (status !== 409) throw unwitnessed(meaningOf(status));
    const [, stated] = /^(0|[1-9][0-9]{0,15})\n$/.exec(body) ?? [];
    if (stated === undefined) throw unwitnessed('It does not say where it stands.');
    lastSize = Number(stated);
  }
  throw unwitnessed('It moves on faster than it can be asked.');
}

/** tlog-witness, "add-checkpoint". What the operator can do is said for the two that only the operator of the witness can mend. */
function meaningOf(status: number): string {
  const remedy =
    'Whoever runs it has to be sent what `strongroom audit witness --own-keys` writes, and to start it anew with that as its --policy';
  if (status === 404) return `It does not vouch for this log (status 404). ${remedy}.`;
  if (status === 403) return `It was not told of the keys that sign this log now (status 403). ${remedy}.`;
  if (status === 422)
    return 'To it, this log does not continue the one it cosigned (status 422): was the log rewritten?';
  return `It answers with status ${status}.`;
}

async function post({ url, note, prove, signal }: Submission, lastSize: number, size: number) {
  const proof = lastSize === 0 || lastSize === size ? [] : await prove(lastSize);
  const body = utf8([`old ${lastSize}`, ...proof.map(toBase64), '', note].join('\n'));
  const address = `${url.replace(/\/$/, '')}/add-checkpoint`;
  try {
    const response = await fetch(address, { method: 'POST', body, signal, redirect: 'error' });
    return { status: response.status, body: await limitedText(response) };
  } catch (cause) {
    if (cause instanceof AuditLogError) throw cause;
    throw unwitnessed('It cannot be reached.', cause);
  }
}

async function limitedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > LARGEST_ANSWER) throw unwitnessed('Its answer is too long.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function readAnswer({ note, keys }: Submission, body: string): Promise<readonly Cosignature[]> {
  try {
    if (!body.endsWith('\n')) throw unwitnessed('Its answer is not complete.');
    const lines = body.slice(0, -1).split('\n').map(parseSignatureLine);
    // Lines of unknown keys are dropped, as tlog-witness asks.
    const known = lines.filter((line) => keys.some((key) => isBy(line, key)));
    if (known.length === 0) throw unwitnessed(NOT_TRUSTED);
    const good = await (await cosignatureReader(keys)).read(formatNote(parseNote(note).text, known));
    // The time is what says that the witness has seen nothing larger.
    const usable = good.filter(({ timestamp }) => timestamp > 0);
    if (usable.length === 0) throw unwitnessed(NOT_TRUSTED);
    return usable.map(({ key }) => ({ key, line: formatSignatureLine(known.find((line) => isBy(line, key))!) }));
  } catch (cause) {
    if (cause instanceof AuditLogError && cause.code === 'audit-log.unwitnessed') throw cause;
    throw unwitnessed('Its cosignature is wrong.', cause);
  }
}

const isBy = (line: NoteSignature, key: VerifierKey): boolean => line.name === key.name && line.keyId === key.id;

const NOT_TRUSTED = 'It signed with no key that is trusted, or without a time.';

const unwitnessed = (detail: string, cause?: unknown) => new AuditLogError('audit-log.unwitnessed', { detail, cause });
