/** Files of C2SP tlog-proof as anybody may write them, and the logs of a C2SP tlog-policy by which they are judged. */
import { toBase64, utf8 } from '@strongroom/kernel';
import { describe, expect, it } from 'vitest';
import { logKeysFor } from './log-keys.ts';
import { newCosigner } from './log.test-support.ts';
import { naiveLeaves, naivePath, naiveRoot } from './naive-tree.test-support.ts';
import { parsePolicy } from './policy.ts';
import { formatTlogProof, parseTlogProof, type TlogProof, verifyTlogProof } from './tlog-proof.ts';

const ORIGIN = 'example.com/fancylog';
const leaves = naiveLeaves(70);
const log = newCosigner(ORIGIN, 'ed25519');
const invalid = expect.objectContaining({ code: 'audit-log.invalid-proof' });

function proofOf(index: number, size: number, extra: Uint8Array | null = null, signer = log): TlogProof {
  const tree = leaves.slice(0, size);
  const checkpoint = signer.cosign(`${signer.key.name}\n${size}\n${toBase64(naiveRoot(tree))}\n\n`, 1);
  return { extra, index, path: naivePath(index, tree), checkpoint };
}

const judge = (text: string | Uint8Array, leaf: Uint8Array, keys = [log.vkey]) =>
  verifyTlogProof(parseTlogProof(text), { keys }, leaf);

describe('a proof file', () => {
  it('of any entry of any tree is read back and proves that entry alone', async () => {
    for (const size of [1, 2, 3, 7, 8, 9, 31, 32, 33, 70]) {
      for (const index of new Set([0, size >> 1, size - 1])) {
        const proof = proofOf(index, size, index === 0 ? null : utf8('any\0thing'));
        const text = formatTlogProof(proof);
        expect(parseTlogProof(text)).toEqual(proof);
        expect(parseTlogProof(utf8(text))).toEqual(proof);
        expect(await judge(text, leaves[index]!)).toMatchObject({ ok: true, standing: 'UNANCHORED', index, size });
        expect(await judge(text, naiveRoot([]))).toMatchObject({ ok: false, standing: 'INVALID' });
        const next = text.replace(`index ${index}\n`, `index ${(index + 1) % size}\n`);
        if (size > 1) expect(await judge(next, leaves[index]!)).toMatchObject({ ok: false, standing: 'INVALID' });
        expect(await judge(text.replace(`index ${index}\n`, `index ${size}\n`), leaves[index]!)).toMatchObject({
          ok: false,
        });
      }
    }
  });

  it('has the lines of the specification, byte for byte', () => {
    const checkpoint = `${ORIGIN}\n1\nAAAA\n\n— x y\n`;
    const hash = new Uint8Array(32).fill(1);
    expect(formatTlogProof({ extra: utf8('?'), index: 12, path: [hash, hash], checkpoint })).toBe(
      `c2sp.org/tlog-proof@v1\nextra Pw==\nindex 12\n${toBase64(hash)}\n${toBase64(hash)}\n\n${checkpoint}`,
    );
    expect(formatTlogProof({ extra: null, index: 0, path: [], checkpoint })).toBe(
      `c2sp.org/tlog-proof@v1\nindex 0\n\n${checkpoint}`,
    );
  });

  it('shows nothing by its extra data, which no signature covers', async () => {
    const text = formatTlogProof(proofOf(5, 9, utf8('one')));
    const other = text.replace(toBase64(utf8('one')), toBase64(utf8('two')));
    expect(await judge(other, leaves[5]!)).toMatchObject({ ok: true, event: null });
  });

  const good = formatTlogProof(proofOf(5, 9, utf8('one')));
  const hash = toBase64(leaves[0]!);
  it.each([
    ['nothing', ''],
    ['another version', good.replace('@v1', '@v2')],
    ['something before it', `\n${good}`],
    ['a mark of byte order before it', `\ufeff${good}`],
    ['white space behind the first line', good.replace('@v1', '@v1 ')],
    ['carriage returns', good.replaceAll('\n', '\r\n')],
    ['no index', good.replace('index 5\n', '')],
    ['a second index', good.replace('index 5\n', 'index 5\nindex 5\n')],
    ['the extra data behind the index', good.replace(/(extra .*\n)(index 5\n)/, '$2$1')],
    ['extra data twice', good.replace(/(extra .*\n)/, '$1$1')],
    ['extra data that is no base64', good.replace(/extra .*/, 'extra ####')],
    ['extra data without a space', good.replace('extra ', 'extra')],
    ['a leading zero', good.replace('index 5', 'index 05')],
    ['a negative index', good.replace('index 5', 'index -1')],
    ['an index without a number', good.replace('index 5', 'index ')],
    ['an index that no number holds', good.replace('index 5', 'index 9007199254740993')],
    ['an index of 2^64', good.replace('index 5', 'index 18446744073709551616')],
    ['a short hash', good.replace('index 5\n', `index 5\n${toBase64(new Uint8Array(31))}\n`)],
    ['a long hash', good.replace('index 5\n', `index 5\n${toBase64(new Uint8Array(33))}\n`)],
    ['a hash without padding', good.replace('index 5\n', `index 5\n${hash.slice(0, -1)}\n`)],
    ['white space behind a hash', good.replace('index 5\n', `index 5\n${hash} \n`)],
    ['64 hashes', good.replace('index 5\n', `index 5\n${`${hash}\n`.repeat(64)}`)],
    ['no empty line', good.replace('\n\n', '\n').replace('\n\n', '\n')],
  ])('is refused with %s', (_, text) => {
    expect(() => parseTlogProof(good)).not.toThrow();
    expect(() => parseTlogProof(text)).toThrow(invalid);
  });

  it('is refused as bytes that are no UTF-8, wherever they stand', () => {
    const bytes = utf8(`${good}— stränger AAAAAAA=\n`);
    expect(parseTlogProof(bytes).index).toBe(5);
    expect(() => parseTlogProof(bytes.with(bytes.lastIndexOf(0xc3), 0xff))).toThrow(invalid);
  });

  it('is invalid with a hash too many or too few, another path, or a checkpoint that is not signed', async () => {
    const proof = proofOf(5, 9);
    const wrong: readonly Partial<TlogProof>[] = [
      { path: [] },
      { path: proof.path.slice(1) },
      { path: proof.path.toReversed() },
      { path: [...proof.path, leaves[0]!] },
      { checkpoint: proofOf(5, 10).checkpoint },
      { checkpoint: proofOf(5, 9, null, newCosigner(ORIGIN, 'ed25519')).checkpoint },
      { checkpoint: proof.checkpoint.slice(0, proof.checkpoint.indexOf('—')) },
      { checkpoint: `\n${proof.checkpoint}` },
      { checkpoint: '' },
    ];
    for (const change of wrong) {
      const verdict = await verifyTlogProof({ ...proof, ...change }, { keys: [log.vkey] }, leaves[5]);
      expect(verdict, JSON.stringify(change)).toMatchObject({ ok: false, standing: 'INVALID' });
    }
  });
});

describe('a proof under a policy', () => {
  const witnesses = (['ed25519-cosignature', 'ml-dsa-44', 'ml-dsa-44'] as const).map((algorithm, index) =>
    newCosigner(`w${index}.example`, algorithm),
  );
  const lines = witnesses.map(({ vkey }, index) => `witness w${index} ${vkey}\n`).join('');
  const other = newCosigner('example.com/other', 'ml-dsa-44');
  const second = newCosigner(ORIGIN, 'ml-dsa-44');
  const policy = parsePolicy(`log ${log.vkey}\nlog ${other.vkey}\n${lines}group two 2 w0 w1 w2\nquorum two\n`);
  const cosigned = (times: readonly (number | null)[], proof = proofOf(5, 9)): TlogProof => {
    const cosign = (note: string, time: number | null, index: number) =>
      time === null ? note : witnesses[index]!.cosign(note, time);
    return { ...proof, checkpoint: times.reduce<string>(cosign, proof.checkpoint) };
  };
  const standing = async (proof: TlogProof, by = policy) =>
    (await verifyTlogProof(proof, { keys: await logKeysFor(by, proof.checkpoint), policy: by }, leaves[5])).standing;

  it('is witnessed by enough witnesses, whatever time they say', async () => {
    for (const times of [
      [9, 9, null],
      [null, 0, 2 ** 50],
      [1, null, 0],
      [9, 9, 9],
    ]) {
      expect(await standing(cosigned(times)), String(times)).toBe('WITNESSED');
    }
    for (const times of [[], [9], [null, null, 9]]) {
      expect(await standing(cosigned(times)), String(times)).toBe('UNANCHORED');
    }
    // The same witness twice is one witness; a wrong signature by one of them makes the note malformed.
    const twice = witnesses[1]!.cosign(cosigned([null, 8]).checkpoint, 9);
    expect(await standing({ ...proofOf(5, 9), checkpoint: twice })).toBe('UNANCHORED');
    const elsewhere = cosigned([9, 9, 9], proofOf(5, 8)).checkpoint.split('\n').at(-2)!;
    const { checkpoint } = cosigned([9, 9]);
    expect(await standing({ ...proofOf(5, 9), checkpoint: `${checkpoint}${elsewhere}\n` })).toBe('INVALID');
  });

  it('may be of any of its logs, and of no other', async () => {
    const all = [9, 9, 9];
    expect(await standing(cosigned(all, proofOf(5, 9, null, other)))).toBe('WITNESSED');
    expect(await standing(cosigned(all, proofOf(5, 9, null, second)))).toBe('INVALID');
    expect(await standing(cosigned(all, proofOf(5, 9, null, newCosigner('example.com/third', 'ed25519'))))).toBe(
      'INVALID',
    );
    const either = parsePolicy(`log ${log.vkey}\nlog ${second.vkey}\n${lines}quorum w0\n`);
    expect(await standing(cosigned(all, proofOf(5, 9, null, second)), either)).toBe('WITNESSED');
    expect(await standing(cosigned(all), either)).toBe('WITNESSED');
    const impostor = newCosigner(ORIGIN, 'ml-dsa-44');
    expect(await standing(cosigned(all, proofOf(5, 9, null, impostor)), either)).toBe('INVALID');
    // Both have signed, one of them something else.
    const both = second.cosign(proofOf(5, 9).checkpoint, 1);
    expect(await standing(cosigned(all, { ...proofOf(5, 9), checkpoint: both }), either)).toBe('WITNESSED');
    const wrong = second.cosign(proofOf(5, 8).checkpoint, 1).split('\n').at(-2)!;
    const mixed = { ...proofOf(5, 9), checkpoint: `${proofOf(5, 9).checkpoint}${wrong}\n` };
    expect(await standing(cosigned(all, mixed), either)).toBe('INVALID');
  });

  it('has no keys to offer where it names no log', async () => {
    expect(await logKeysFor(parsePolicy(`${lines}quorum w0\n`), proofOf(5, 9).checkpoint)).toEqual([]);
    expect(await logKeysFor(policy, 'no note')).toEqual([log.vkey]);
  });
});
