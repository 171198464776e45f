import { describe, expect, it } from 'vitest';
import { newCosigner } from './log.test-support.ts';
import { parsePolicy } from './policy.ts';
import { formatVerifierKey, verifierKey } from './signed-note.ts';

const code = expect.objectContaining({ code: 'audit-log.invalid-policy' });
const keys = Array.from({ length: 6 }, (_, index) => newCosigner(`w${index}.example`, 'ed25519-cosignature').key);
const vkeys = keys.map(formatVerifierKey);
const log = formatVerifierKey(verifierKey('log.example', 'ed25519', newCosigner('x', 'ed25519').key.publicKey));

const ids = (...numbers: readonly number[]): ReadonlySet<string> => new Set(numbers.map((number) => keys[number]!.id));

const example = `
# two groups, as in the text of tlog-policy
log ${log} https://log.example/
witness X1 ${vkeys[0]}
witness X2 ${vkeys[1]}\thttps://w1.example/submit
  witness X3 ${vkeys[2]}
group X-witnesses 2 X1 X2 X3
witness Y1 ${vkeys[3]}
witness Y2 ${vkeys[4]}
group Y-witnesses any Y1 Y2
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
`;

describe('a policy', () => {
  it('counts nested groups', () => {
    const policy = parsePolicy(example);
    expect(policy.logs).toMatchObject([{ key: { name: 'log.example' }, url: 'https://log.example/' }]);
    expect(policy.witnesses.map(({ name, url }) => [name, url])).toEqual([
      ['X1', null],
      ['X2', 'https://w1.example/submit'],
      ['X3', null],
      ['Y1', null],
      ['Y2', null],
    ]);
    expect(policy.asksForWitnesses).toBe(true);
    for (const enough of [ids(0, 1, 3), ids(0, 2, 4), ids(0, 1, 2, 3, 4)]) expect(policy.isQuorum(enough)).toBe(true);
    for (const few of [ids(), ids(0, 3), ids(0, 1), ids(3, 4), ids(0, 1, 2, 5)])
      expect(policy.isQuorum(few)).toBe(false);
  });

  it('with quorum none is content with no witnesses, and calls nothing witnessed', () => {
    const policy = parsePolicy('quorum none\n');
    expect(policy.asksForWitnesses).toBe(false);
    expect(policy.isQuorum(ids(0, 1, 2, 3, 4, 5))).toBe(false);
  });

  it('takes names as bytes: what only looks alike is another name', () => {
    const policy = `witness K ${vkeys[0]}\nwitness \u212a ${vkeys[1]}\nquorum \u212a\n`;
    expect(parsePolicy(policy).isQuorum(ids(1))).toBe(true);
    expect(parsePolicy(policy).isQuorum(ids(0))).toBe(false);
  });

  const witness = `witness a ${vkeys[0]}\n`;
  it.each([
    ['no quorum', witness],
    ['two quorums', `${witness}quorum a\nquorum a\n`],
    ['a quorum defined below', `quorum a\n${witness}`],
    ['an unknown word', `${witness}quorum a\nwitnes b\n`],
    ['a group that contains itself', `${witness}group g any g\nquorum g\n`],
    ['a member of two groups', `${witness}group g any a\ngroup h any a\nquorum g\n`],
    ['a member named twice', `${witness}group g any a a\nquorum g\n`],
    ['a threshold above the members', `${witness}group g 2 a\nquorum g\n`],
    ['a threshold of zero', `${witness}group g 0 a\nquorum g\n`],
    ['an empty group', `${witness}group g any\nquorum a\n`],
    ['a name taken twice', `${witness}witness a ${vkeys[1]}\nquorum a\n`],
    ['the name none', `witness none ${vkeys[0]}\nquorum none\n`],
    ['one key under two names', `${witness}witness b ${vkeys[0]}\nquorum a\n`],
    [
      'one public key under two key names',
      `${witness}witness b ${formatVerifierKey(verifierKey('other', 'ed25519-cosignature', keys[0]!.publicKey))}\nquorum a\n`,
    ],
    ['a log key for a witness', `witness a ${log}\nquorum a\n`],
    ['a witness key for a log', `log ${vkeys[0]}\n${witness.replace(vkeys[0]!, vkeys[1]!)}quorum a\n`],
    ['a log listed twice', `log ${log}\nlog ${log}\nquorum none\n`],
    ['a damaged key', `witness a ${vkeys[0]!.replace('+', '+0')}\nquorum a\n`],
    ['a carriage return', `${witness}quorum a\r\n`],
    ['too many items', `${witness}quorum a b\n`],
  ])('is refused with %s', (_, text) => {
    expect(() => parsePolicy(text)).toThrow(code);
  });
});
