/** Every parser of what others write, given what nobody would: it answers or throws the room's own error, and what it accepts it can write again. */
import { fromUtf8, KernelError, toBase64, utf8 } from '@strongroom/kernel';
import { figure, rounds } from '@strongroom/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCheckpoint } from './checkpoint.ts';
import { AuditLogError } from './errors.ts';
import { newCosigner } from './internal/cosigner.ts';
import { newCosigner as newLog } from './log.test-support.ts';
import { naiveLeaves, naiveRoot, naiveSubproof } from './naive-tree.test-support.ts';
import { parsePolicy } from './policy.ts';
import { formatNote, formatVerifierKey, parseNote, parseSignatureLine, parseVerifierKey } from './signed-note.ts';
import { formatTlogProof, parseTlogProof } from './tlog-proof.ts';
import { createWitness } from './witness.ts';

const ORIGIN = 'example.com/log';
const leaves = naiveLeaves(9);
const log = newLog(ORIGIN, 'ed25519');
const cosigner = newCosigner('w.example', 'ed25519-cosignature');
const note = (size: number): string =>
  log.cosign(`${ORIGIN}\n${size}\n${toBase64(naiveRoot(leaves.slice(0, size)))}\n\n`, 1);
const line = note(5).split('\n').at(-2)!;
const request = ['old 5', ...naiveSubproof(5, leaves).map(toBase64), '', note(9)].join('\n');
const proof = formatTlogProof({ extra: utf8('x'), index: 0, path: [leaves[0]!, leaves[1]!], checkpoint: note(5) });
const policy = `# all\nlog ${log.vkey} https://log.example\nwitness w ${formatVerifierKey(cosigner.key)}\ngroup g 1 w\nquorum g\n`;

/** What parsers stumble over, beside what stands in the text itself. */
const troubles = [
  '\n',
  '\n\n',
  '\n\n— ',
  '\r',
  '\t',
  ' ',
  '\0',
  '+',
  '=',
  '—',
  '— ',
  '#',
  '0',
  '-1',
  '0x1',
  '1e9',
  '9007199254740993',
  '\ufeff',
  '\u0085',
  '\u3000',
  '🔑',
  'none',
  'AAAA',
  'x'.repeat(5000),
  '\n'.repeat(300),
].map((text) => utf8(text));

/** The text with pieces cut out, repeated, moved and replaced by what is troublesome, or by bytes that are no text. */
function mutations(text: string): fc.Arbitrary<Uint8Array> {
  const bytes = utf8(text);
  const edit = fc.record({
    at: fc.nat(bytes.length),
    drop: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(0, 1) }, fc.nat(bytes.length)),
    insert: fc.oneof(
      fc.constant(new Uint8Array(0)),
      fc.constantFrom(...troubles),
      fc.uint8Array({ maxLength: 4 }),
      fc.tuple(fc.nat(bytes.length), fc.nat(80)).map(([from, length]) => bytes.slice(from, from + length)),
    ),
  });
  const edited = fc.array(edit, { maxLength: 4 }).map((edits) => {
    let current: Buffer = Buffer.from(bytes);
    for (const { at, drop, insert } of edits) {
      current = Buffer.concat([current.subarray(0, at), insert, current.subarray(at + drop)]);
    }
    return new Uint8Array(current);
  });
  return fc.oneof({ weight: 9, arbitrary: edited }, fc.uint8Array({ maxLength: 300 }));
}

/** `null` where the room's own error was thrown. */
function attempt<Result>(parse: () => Result): Result | null {
  try {
    return parse();
  } catch (error) {
    if (error instanceof AuditLogError) return null;
    throw error;
  }
}

const asText = (bytes: Uint8Array): string | null => {
  try {
    return fromUtf8(bytes);
  } catch (error) {
    if (error instanceof KernelError) return null;
    throw error;
  }
};

const runs = { numRuns: rounds(100, 2000) };

/** How many inputs were accepted is part of what is shown: a parser that refuses everything would pass as well. */
function check(text: string, accepts: (bytes: Uint8Array) => boolean): void {
  let accepted = 0;
  const property = fc.property(mutations(text), (bytes) => {
    if (accepts(bytes)) accepted += 1;
  });
  fc.assert(property, { ...runs, examples: [[utf8(text)]] });
  expect(accepted).toBeGreaterThan(0);
}

describe('of what was changed in any way', () => {
  it('a note is refused, or is the same when written again', () => {
    check(note(5), (bytes) => {
      const parsed = attempt(() => parseNote(bytes));
      if (parsed === null) return false;
      const { text, signatures } = parsed;
      expect(formatNote(text, signatures)).toBe(fromUtf8(bytes));
      expect(text.endsWith('\n')).toBe(true);
      for (const { name } of signatures) expect(name).toMatch(/^[^\p{White_Space}+]+$/u);
      return true;
    });
  });

  it('a signature line and a verifier key are refused, or are the same when written again', () => {
    check(line, (bytes) => {
      const text = asText(bytes);
      const parsed = text === null ? null : attempt(() => parseSignatureLine(text));
      if (parsed !== null) expect(formatNote('x\n', [parsed])).toBe(`x\n\n${text}\n`);
      return parsed !== null;
    });
    check(log.vkey, (bytes) => {
      const text = asText(bytes);
      const parsed = text === null ? null : attempt(() => parseVerifierKey(text));
      if (parsed !== null) expect(formatVerifierKey(parsed)).toBe(text);
      return parsed !== null;
    });
  });

  it('a checkpoint is refused, or has three lines and others that are not empty', () => {
    check(parseNote(note(5)).text, (bytes) => {
      const text = asText(bytes);
      const parsed = text === null ? null : attempt(() => parseCheckpoint(text));
      if (parsed === null) return false;
      const [origin, size, root, ...others] = text!.split('\n');
      expect([origin, size, root]).toEqual([parsed.origin, String(parsed.size), toBase64(parsed.root)]);
      expect(others.pop()).toBe('');
      expect(others.every((other) => other !== '')).toBe(true);
      return true;
    });
  });

  it('a proof is refused, or is the same when written again', () => {
    check(proof, (bytes) => {
      const parsed = attempt(() => parseTlogProof(bytes));
      if (parsed !== null) expect(formatTlogProof(parsed)).toBe(fromUtf8(bytes));
      return parsed !== null;
    });
  });

  it('a policy is refused, or still asks for somebody it names', () => {
    check(policy, (bytes) => {
      const parsed = attempt(() => parsePolicy(bytes));
      if (parsed === null) return false;
      expect(parsed.isQuorum([])).toBe(false);
      expect(parsed.isQuorum(parsed.witnesses.map(({ key }) => key))).toBe(parsed.asksForWitnesses);
      return true;
    });
  });

  it('a request to a witness gets a status, and a cosignature only where it is what the log signed', async () => {
    const stored = new Map<string, string>();
    const state = {
      read: async (name: string) => stored.get(name) ?? null,
      write: async (name: string, content: string) => void stored.set(name, content),
    };
    const witness = createWitness({
      cosigners: [cosigner],
      logs: [log.key],
      state,
      clock: { now: () => 1_790_000_000_000 },
    });
    const first = ['old 0', '', note(5)].join('\n');
    const statuses = new Map<number, number>();
    const property = fc.asyncProperty(mutations(request), async (bytes) => {
      stored.clear();
      expect(await witness.addCheckpoint(utf8(first))).toMatchObject({ status: 200 });
      const { status, body } = await witness.addCheckpoint(bytes);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status !== 200) expect(body).not.toContain('—');
      const text = status === 200 ? parseNote(fromUtf8(bytes).replace(/^[^]*?\n\n/, '')).text : parseNote(note(5)).text;
      expect([note(5), note(9)].map((signed) => parseNote(signed).text)).toContain(text);
      const after = await witness.addCheckpoint(utf8(request.replace('old 5', 'old 3')));
      expect(after).toMatchObject({ status: 409, body: `${parseCheckpoint(text).size}\n` });
    });
    await fc.assert(property, { numRuns: rounds(60, 500), examples: [[utf8(request)]] });
    expect([...statuses.keys()].filter((status) => ![200, 400, 403, 404, 409, 422].includes(status))).toEqual([]);
    expect(statuses.get(200)).toBeGreaterThan(0);
    expect(statuses.get(400)).toBeGreaterThan(0);
    const counts = [...statuses]
      .toSorted(([one], [other]) => one - other)
      .map(([status, count]) => `${count} × ${status}`);
    figure(`changed requests to a witness answered: ${counts.join(', ')}; nothing cosigned that the log did not sign`);
  });
});

/** Bytes. */
const LENGTH = rounds(2 ** 17, 2 ** 20);

describe('of one thing over and over', () => {
  it.each(['\n', 'a', 'a\n', ' ', '— ', '— a AAAAAAA=\n', 'extra ', 'x x x\n', '+', '='])(
    '%j, every parser finds an end',
    (piece) => {
      const text = piece.repeat(LENGTH / piece.length);
      for (const whole of [
        text,
        `${note(5)}${text}`,
        `${ORIGIN}\n5\n${toBase64(leaves[0]!)}\n${text}`,
        `${proof.slice(0, 30)}${text}`,
      ]) {
        const parsers = [parseNote, parseCheckpoint, parseTlogProof, parsePolicy, parseSignatureLine, parseVerifierKey];
        for (const parse of parsers) attempt<unknown>(() => parse(whole));
      }
      expect(attempt(() => parseNote(text))).toBeNull();
    },
  );
});
