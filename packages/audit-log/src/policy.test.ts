import { describe, expect, it } from 'vitest';
import { newCosigner } from './log.test-support.ts';
import { parsePolicy } from './policy.ts';
import { formatVerifierKey, type VerifierKey, verifierKey } from './signed-note.ts';

const code = expect.objectContaining({ code: 'audit-log.invalid-policy' });
const keys = Array.from({ length: 6 }, (_, index) => newCosigner(`w${index}.example`, 'ed25519-cosignature').key);
const vkeys = keys.map(formatVerifierKey);
const log = formatVerifierKey(verifierKey('log.example', 'ed25519', newCosigner('x', 'ed25519').key.publicKey));

const by = (...numbers: readonly number[]): VerifierKey[] => numbers.map((number) => keys[number]!);

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
    for (const enough of [by(0, 1, 3), by(0, 2, 4), by(0, 1, 2, 3, 4)]) expect(policy.isQuorum(enough)).toBe(true);
    for (const few of [by(), by(0, 3), by(0, 1), by(3, 4), by(0, 1, 2, 5)]) expect(policy.isQuorum(few)).toBe(false);
  });

  it('with quorum none is content with no witnesses, and calls nothing witnessed', () => {
    const policy = parsePolicy('quorum none\n');
    expect(policy.asksForWitnesses).toBe(false);
    expect(policy.isQuorum(by(0, 1, 2, 3, 4, 5))).toBe(false);
  });

  it('takes names as bytes: what only looks alike is another name', () => {
    const policy = `witness K ${vkeys[0]}\nwitness \u212a ${vkeys[1]}\nquorum \u212a\n`;
    expect(parsePolicy(policy).isQuorum(by(1))).toBe(true);
    expect(parsePolicy(policy).isQuorum(by(0))).toBe(false);
  });

  it('counts a witness by its key: another one can make a key with the same id', () => {
    // Found by trying numbers as public keys: ids have 32 bits.
    const [victim, liar] = [23_470, 80_502].map((number) => {
      const publicKey = new Uint8Array(32);
      new DataView(publicKey.buffer).setUint32(0, number);
      return verifierKey(`w${number}.example`, 'ed25519-cosignature', publicKey);
    });
    expect(victim!.id).toBe(liar!.id);
    const lines = [victim!, liar!].map((key, index) => `witness w${index} ${formatVerifierKey(key)}\n`).join('');
    const policy = parsePolicy(`${lines}group both all w0 w1\nquorum both\n`);
    expect(policy.isQuorum([liar!])).toBe(false);
    expect(policy.isQuorum([liar!, liar!])).toBe(false);
    expect(policy.isQuorum([victim!, liar!])).toBe(true);
  });

  it('is octets: names, addresses and comments may hold any above ASCII, and are told apart', () => {
    const octets = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
    const policy = `#\x80\xfe comment\nwitness \x80 ${vkeys[0]} https://\xff/\nwitness \x81 ${vkeys[1]}\nquorum \x81`;
    expect(parsePolicy(octets(policy)).isQuorum(by(1))).toBe(true);
    expect(parsePolicy(octets(policy)).isQuorum(by(0))).toBe(false);
    for (const control of ['\0', '\v', '\f', '\r', '\x1f', '\x7f']) {
      expect(() => parsePolicy(octets(`${policy}\n# ${control}\n`)), JSON.stringify(control)).toThrow(code);
    }
  });

  it('may use words as names, any white space, and a witness in a group and as the quorum', () => {
    const policy = `\t witness \t all ${vkeys[0]} \t\n\n \t\n\t#x\nwitness any ${vkeys[1]}\ngroup 2 any all any\ngroup log 1 2\nquorum \t any\t\n`;
    expect(parsePolicy(policy).isQuorum(by(1))).toBe(true);
    expect(parsePolicy(policy).isQuorum(by(0))).toBe(false);
    expect(parsePolicy(policy.replace('quorum \t any', 'quorum log')).isQuorum(by(0))).toBe(true);
  });

  it('may have 32 logs, witnesses and groups, post-quantum ones too', () => {
    const made = Array.from({ length: 32 }, (_, index) => {
      const bytes = new Uint8Array(1312).fill(index);
      return [
        verifierKey(`l${index}`, 'ml-dsa-44', bytes),
        verifierKey(`w${index}`, 'ml-dsa-44', bytes.fill(index, 1)),
      ];
    });
    const lines = made.map(([log, witness], index) => {
      const group = index === 0 ? 'group g0 all w0' : `group g${index} all w${index} g${index - 1}`;
      return `log ${formatVerifierKey(log!)}\nwitness w${index} ${formatVerifierKey(witness!)}\n${group}\n`;
    });
    const policy = parsePolicy(`${lines.join('')}quorum g31\n`);
    const all = made.map(([, witness]) => witness!);
    expect([policy.logs.length, policy.witnesses.length, policy.isQuorum(all)]).toEqual([32, 32, true]);
    expect(policy.isQuorum(all.slice(1))).toBe(false);
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
    ['a threshold with a leading zero', `${witness}group g 01 a\nquorum g\n`],
    ['a threshold in capitals', `${witness}group g ALL a\nquorum g\n`],
    ['nobody as a member', `${witness}group g any a none\nquorum g\n`],
    ['a group called none', `${witness}group none any a\nquorum none\n`],
    ['a witness and a group of one name', `${witness}group a any a\nquorum a\n`],
    ['words in capitals', `${witness}QUORUM a\n`],
    ['a comment behind an item', `${witness}quorum a # b\n`],
    ['nothing', ''],
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
