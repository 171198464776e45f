/**
 * Which keys sign a log at which size. A change of keys is an entry of the log, and the checkpoint that ends with this entry carries the signatures of the
 * former keys and of their successors: whoever trusts the ones can follow to the others without trusting who tells them. docs/format/audit.md, "Keys that change".
 */
import { type CheckpointVerifier, checkpointVerifier, parseCheckpoint, type VerifiedCheckpoint } from './checkpoint.ts';
import { canonicalDetails, eventLeaf, type EventColumns, KEY_ROTATION } from './entry.ts';
import { AuditLogError } from './errors.ts';
import { verifyInclusion } from './proofs.ts';
import { formatVerifierKey, parseNote, parseVerifierKey, type VerifierKey } from './signed-note.ts';
import { parseTlogProof, shownEvent } from './tlog-proof-text.ts';

/** Far more than one for each day of a century. */
const MAXIMUM_HANDOVERS = 65_536;

/** The open fields of the entry: verifier keys, with a space between them. */
export const rotationDetails = (former: readonly VerifierKey[], successor: readonly VerifierKey[]): string =>
  canonicalDetails({ former: joined(former), successor: joined(successor) });

const joined = (keys: readonly VerifierKey[]): string => keys.map(formatVerifierKey).join(' ');

interface Handover {
  /** Place of the entry. The checkpoint covers it and nothing after it. */
  readonly index: number;
  readonly leaf: Uint8Array;
  readonly path: readonly Uint8Array[];
  readonly checkpoint: string;
  readonly former: readonly VerifierKey[];
  readonly successor: readonly VerifierKey[];
}

/** Throws `audit-log.invalid-proof` for what is none, whoever signed it. */
function readHandover(text: string): Handover {
  const proof = parseTlogProof(text);
  const event = shownEvent(proof);
  const { former, successor } = rotatedKeys(event);
  return { ...proof, leaf: eventLeaf(event), former, successor };
}

function rotatedKeys(event: EventColumns): Pick<Handover, 'former' | 'successor'> {
  if (event.type !== KEY_ROTATION || event.outcome !== 'success') throw invalid('Its entry changes no keys.');
  const details = JSON.parse(event.details) as Readonly<Record<string, unknown>> | null;
  const former = readKeys(details?.['former']);
  const successor = readKeys(details?.['successor']);
  // Fewer kinds of signatures than before would be a weaker log under the same name.
  const isWeaker = former.some(({ algorithm }) => successor.every((key) => key.algorithm !== algorithm));
  const names = new Set([...former, ...successor].map(({ name }) => name));
  if (isWeaker || names.size !== 1) throw invalid('Its keys do not succeed one another.');
  return { former, successor };
}

function readKeys(text: unknown): VerifierKey[] {
  try {
    if (typeof text === 'string') return text.split(' ').map(parseVerifierKey);
  } catch (cause) {
    throw invalid('Its keys are not readable.', cause);
  }
  throw invalid('It names no keys.');
}

/**
 * What `witness serve --policy` needs to know of a log: all keys that ever signed it, each behind those it succeeded, as a C2SP tlog-policy that asks for
 * nobody. `handovers` as a source shows them, `keys`: the present ones. Throws `audit-log.invalid-proof`.
 */
export function policyOfKeys(handovers: readonly string[], keys: readonly string[]): string {
  const former = handovers.flatMap((text) => readHandover(text).former.map(formatVerifierKey));
  return [...new Set([...former, ...keys].map((key) => `log ${key}\n`)), 'quorum none\n'].join('');
}

const invalid = (detail: string, cause?: unknown) => new AuditLogError('audit-log.invalid-proof', { detail, cause });

const idsOf = (keys: readonly VerifierKey[]): string => keys.map(formatVerifierKey).toSorted().join(' ');

/** Keys that sign checkpoints over more than `after` entries, up to those of the next epoch. */
interface Epoch {
  readonly after: number;
  readonly verifier: CheckpointVerifier;
  readonly keys: readonly VerifierKey[];
}

/** What a verifier of one log knows about its keys. */
export interface Succession extends CheckpointVerifier {
  /** The newest keys that those trusted at first lead to; to be trusted from now on. */
  readonly keys: readonly string[];
  /** Checkpoints at which keys changed: part of the log, whatever else is shown of it. */
  readonly handovers: readonly VerifiedCheckpoint[];
  /** What was said about changes and does not hold. */
  readonly problems: readonly string[];
}

/**
 * `trusted`: keys of one log, of any of its epochs; whoever trusts only some of the algorithms asks for those alone afterwards too. `handovers`: C2SP
 * tlog-proofs, from anybody. What they do not prove is not followed. `givenOrigin`: as for `checkpointVerifier`. Throws `audit-log.invalid-key`.
 */
export async function followKeys(
  trusted: readonly VerifierKey[],
  handovers: readonly string[] = [],
  givenOrigin?: string,
): Promise<Succession> {
  const own = await checkpointVerifier(trusted, givenOrigin);
  const problems: string[] = [];
  const links = readChain(handovers, problems);
  const algorithms = new Set(trusted.map(({ algorithm }) => algorithm));
  const asked = (keys: readonly VerifierKey[]) => keys.filter(({ algorithm }) => algorithms.has(algorithm));
  const isTrusted = (keys: readonly VerifierKey[]) => idsOf(asked(keys)) === idsOf(trusted);
  // The epoch that the trusted keys are of: the one before this link.
  const here = [...links.map(({ former }) => former), links.at(-1)?.successor ?? []].findIndex(isTrusted);
  const followed: { readonly link: Handover; readonly checkpoint: VerifiedCheckpoint }[] = [];
  if (here !== -1) {
    for (let place = here; place < links.length; place += 1) {
      const checkpoint = await verifyHandover(links[place]!, asked).catch((error: unknown) =>
        note(problems, links[place]!, error),
      );
      if (checkpoint === undefined) break;
      followed.push({ link: links[place]!, checkpoint });
    }
    for (let place = here - 1; place >= 0; place -= 1) {
      const checkpoint = await verifyHandover(links[place]!, asked).catch((error: unknown) =>
        note(problems, links[place]!, error),
      );
      if (checkpoint === undefined) break;
      followed.unshift({ link: links[place]!, checkpoint });
    }
  }
  const [first] = followed;
  const epochs: Epoch[] = [
    await epochOf(0, first === undefined ? trusted : asked(first.link.former), givenOrigin),
    ...(await Promise.all(followed.map(({ link }) => epochOf(link.index, asked(link.successor), givenOrigin)))),
  ];
  return {
    origin: own.origin,
    keys: epochs.at(-1)!.keys.map(formatVerifierKey),
    handovers: followed.map(({ checkpoint }) => checkpoint),
    problems,
    verify: async (signed) => {
      const { size } = parseCheckpoint(parseNote(signed).text);
      return epochs.findLast(({ after }) => after < size || after === 0)!.verifier.verify(signed);
    },
  };
}

const epochOf = async (after: number, keys: readonly VerifierKey[], givenOrigin?: string): Promise<Epoch> => ({
  after,
  verifier: await checkpointVerifier(keys, givenOrigin),
  keys,
});

/** In the order of the log, as far as each begins with the keys that the one before ended with. */
function readChain(handovers: readonly string[], problems: string[]): readonly Handover[] {
  if (handovers.length > MAXIMUM_HANDOVERS) throw invalid('There are too many changes of keys.');
  const links: Handover[] = [];
  for (const text of handovers) {
    try {
      links.push(readHandover(text));
    } catch (error) {
      if (!(error instanceof AuditLogError)) throw error;
      problems.push(error.message);
    }
  }
  links.sort((left, right) => left.index - right.index);
  const used = new Set<string>();
  for (const [place, { index, former, successor }] of links.entries()) {
    for (const key of former) used.add(formatVerifierKey(key));
    const continues = place === 0 || idsOf(links[place - 1]!.successor) === idsOf(former);
    // A key that was given up must not come back: whoever stole it would be the log again.
    if (continues && !successor.some((key) => used.has(formatVerifierKey(key)))) continue;
    problems.push(`The change of keys in entry ${index} does not lead from the keys before it to new ones.`);
    return links.slice(0, place);
  }
  return links;
}

/** Signed by the former keys and by their successors, and the last entry of what both signed says so. */
async function verifyHandover(
  { index, leaf, path, checkpoint: signed, former, successor }: Handover,
  asked: (keys: readonly VerifierKey[]) => readonly VerifierKey[],
): Promise<VerifiedCheckpoint> {
  const checkpoint = await (await checkpointVerifier(asked(former))).verify(signed);
  await (await checkpointVerifier(asked(successor))).verify(signed);
  const { size, root } = checkpoint;
  if (size !== index + 1 || !verifyInclusion({ index, size, leaf, root }, path)) {
    throw invalid('Its entry is not the last one of the checkpoint.');
  }
  return checkpoint;
}

function note(problems: string[], { index }: Handover, error: unknown): undefined {
  if (!(error instanceof AuditLogError)) throw error;
  problems.push(`The change of keys in entry ${index} is not proved: ${error.message}`);
  return undefined;
}
