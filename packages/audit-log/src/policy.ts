/** C2SP tlog-policy: which logs are known, which witnesses, and how many of them must have cosigned. */
import { fromUtf8, latin1, toHex, utf8 } from '@strongroom/kernel';
import { AuditLogError } from './errors.ts';
import type { NoteAlgorithm } from './internal/signature-types.ts';
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from './signed-note.ts';

export interface PolicyLog {
  readonly key: VerifierKey;
  readonly url: string | null;
}

export interface PolicyWitness {
  readonly name: string;
  readonly key: VerifierKey;
  /** Submission prefix (tlog-witness). */
  readonly url: string | null;
}

export interface Policy {
  readonly logs: readonly PolicyLog[];
  readonly witnesses: readonly PolicyWitness[];
  /** False for `quorum none`: then nothing makes a checkpoint witnessed. */
  readonly asksForWitnesses: boolean;
  /** Whether cosignatures by these keys are enough. False for `quorum none`. */
  isQuorum(cosigners: Iterable<VerifierKey>): boolean;
}

/** Far above what tlog-policy asks to be supported (32 of each). */
const MAXIMUM_LINES = 4096;
/** Bytes: as many ML-DSA-44 keys. */
const MAXIMUM_LENGTH = 8 * 1024 * 1024;

const LOG_ALGORITHMS: ReadonlySet<NoteAlgorithm> = new Set(['ed25519', 'ml-dsa-44']);
const WITNESS_ALGORITHMS: ReadonlySet<NoteAlgorithm> = new Set(['ed25519-cosignature', 'ml-dsa-44']);

/** Of whole vkeys: ids have 32 bits, so one witness can make a key that has the id of another one. */
type Test = (vkeys: ReadonlySet<string>) => boolean;

/** Throws `audit-log.invalid-policy` with the number of the line. */
export function parsePolicy(file: string | Uint8Array): Policy {
  const bytes = typeof file === 'string' ? utf8(file) : file;
  const parser = new PolicyParser();
  // One character for each byte: names are opaque octets, and equal ones are equal here.
  const lines = bytes.length > MAXIMUM_LENGTH ? [] : latin1(bytes).split('\n');
  if (lines.length === 0 || lines.length > MAXIMUM_LINES) throw invalid(MAXIMUM_LINES, 'The policy is too long.');
  for (const [index, line] of lines.entries()) parser.line(index + 1, line);
  return parser.policy(lines.length);
}

class PolicyParser {
  readonly #logs: PolicyLog[] = [];
  readonly #witnesses: PolicyWitness[] = [];
  readonly #names = new Map<string, Test>();
  readonly #members = new Set<string>();
  #quorum: { readonly name: string; readonly test: Test } | undefined;

  line(number: number, line: string): void {
    // oxlint-disable-next-line eslint/no-control-regex -- control characters are what is refused
    if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(line)) throw invalid(number, 'It holds a control character.');
    const [keyword, ...items] = line.split(/[ \t]+/).filter((item) => item !== '');
    if (keyword === undefined || keyword.startsWith('#')) return;
    switch (keyword) {
      case 'log':
        return this.#log(number, items);
      case 'witness':
        return this.#witness(number, items);
      case 'group':
        return this.#group(number, items);
      case 'quorum':
        return this.#setQuorum(number, items);
      default:
        throw invalid(number, 'It begins with an unknown word.');
    }
  }

  policy(lastLine: number): Policy {
    const quorum = this.#quorum;
    if (quorum === undefined) throw invalid(lastLine, 'There is no quorum line.');
    return {
      logs: this.#logs,
      witnesses: this.#witnesses,
      asksForWitnesses: quorum.name !== NO_QUORUM,
      isQuorum: (cosigners) => quorum.test(new Set([...cosigners].map(formatVerifierKey))),
    };
  }

  #log(number: number, [vkey, url, ...rest]: readonly string[]): void {
    if (vkey === undefined || rest.length > 0) throw invalid(number, 'Expected: log <vkey> [<url>].');
    const key = readKey(number, vkey, LOG_ALGORITHMS);
    if (this.#logs.some((other) => samePublicKey(other.key, key))) throw invalid(number, 'The log is listed twice.');
    this.#logs.push({ key, url: url ?? null });
  }

  #witness(number: number, [name, vkey, url, ...rest]: readonly string[]): void {
    if (name === undefined || vkey === undefined || rest.length > 0) {
      throw invalid(number, 'Expected: witness <name> <vkey> [<url>].');
    }
    const key = readKey(number, vkey, WITNESS_ALGORITHMS);
    if (this.#witnesses.some((other) => samePublicKey(other.key, key))) {
      throw invalid(number, 'The witness is listed twice.');
    }
    this.#witnesses.push({ name, key, url: url ?? null });
    const own = formatVerifierKey(key);
    this.#define(number, name, (vkeys) => vkeys.has(own));
  }

  #group(number: number, [name, threshold, ...members]: readonly string[]): void {
    if (name === undefined || threshold === undefined || members.length === 0) {
      throw invalid(number, 'Expected: group <name> all|any|<number> <name>...');
    }
    const needed = thresholdOf(threshold, members.length);
    if (needed === undefined)
      throw invalid(number, 'The threshold must be all, any or a number from 1 to the number of members.');
    const tests = members.map((member) => {
      const test = this.#names.get(member);
      if (test === undefined) throw invalid(number, 'A member is not defined above it.');
      if (this.#members.has(member)) throw invalid(number, 'A member already belongs to a group.');
      this.#members.add(member);
      return test;
    });
    this.#define(number, name, (vkeys) => tests.filter((test) => test(vkeys)).length >= needed);
  }

  #setQuorum(number: number, [name, ...rest]: readonly string[]): void {
    if (name === undefined || rest.length > 0) throw invalid(number, 'Expected: quorum <name>.');
    if (this.#quorum !== undefined) throw invalid(number, 'There is a second quorum line.');
    const test = name === NO_QUORUM ? () => false : this.#names.get(name);
    if (test === undefined) throw invalid(number, 'The quorum is not defined above it.');
    this.#quorum = { name, test };
  }

  #define(number: number, name: string, test: Test): void {
    if (name === NO_QUORUM || this.#names.has(name)) throw invalid(number, 'The name is already taken.');
    this.#names.set(name, test);
  }
}

const NO_QUORUM = 'none';

function thresholdOf(text: string, members: number): number | undefined {
  if (text === 'all') return members;
  if (text === 'any') return 1;
  const count = /^[1-9][0-9]{0,5}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= members ? count : undefined;
}

function readKey(number: number, vkey: string, algorithms: ReadonlySet<NoteAlgorithm>): VerifierKey {
  try {
    const key = parseVerifierKey(fromUtf8(Uint8Array.from(vkey, (character) => character.charCodeAt(0))));
    if (algorithms.has(key.algorithm)) return key;
  } catch (cause) {
    throw invalid(number, 'The verifier key cannot be read.', cause);
  }
  throw invalid(number, 'The verifier key is of a kind that is not used here.');
}

const samePublicKey = (left: VerifierKey, right: VerifierKey): boolean =>
  toHex(left.publicKey) === toHex(right.publicKey);

const invalid = (line: number, detail: string, cause?: unknown) =>
  new AuditLogError('audit-log.invalid-policy', { detail: `Line ${line}: ${detail}`, cause });
