import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { fromBase64, fromBase64Url, toBase64, utf8 } from '@strongroom/kernel';
import { describe, expect, it } from 'vitest';
import {
  type Checkpoint,
  checkpointVerifier,
  cosignatureReader,
  cosignedMessage,
  formatCheckpoint,
  parseCheckpoint,
  timestampedSignature,
} from './checkpoint.ts';
import { importVerifier as importOnNode } from './internal/signatures-node.ts';
import { importVerifier as importAnywhere } from './internal/signatures-portable.ts';
import {
  formatNote,
  formatVerifierKey,
  parseNote,
  parseVerifierKey,
  type VerifierKey,
  verifierKey,
} from './signed-note.ts';

/** The example of C2SP signed-note, section "Example". */
const exampleKey = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const exampleNote = `This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`;

/** The cosigned example of C2SP tlog-cosignature: a note with two signatures by keys it does not publish. */
const cosignedExample = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
`;

describe('signed notes', () => {
  it.each([
    ['Node', importOnNode],
    ['the portable implementation', importAnywhere],
  ])('verify with the example key and note of the specification, on %s', async (_, importVerifier) => {
    const key = parseVerifierKey(exampleKey);
    expect(key).toMatchObject({ name: 'example.com/foo', id: '530d903a', algorithm: 'ed25519' });
    expect(formatVerifierKey(key)).toBe(exampleKey);
    const { text, signatures } = parseNote(exampleNote);
    const verify = await importVerifier(key.algorithm, key.publicKey);
    expect(signatures[0]).toMatchObject({ name: key.name, keyId: key.id });
    expect(await verify(utf8(text), signatures[0]!.signature)).toBe(true);
    expect(await verify(utf8(text.replace('example', 'Example')), signatures[0]!.signature)).toBe(false);
  });

  it('are written back byte for byte', () => {
    for (const note of [exampleNote, cosignedExample]) {
      const { text, signatures } = parseNote(note);
      expect(formatNote(text, signatures)).toBe(note);
      expect(parseNote(utf8(note))).toEqual({ text, signatures });
    }
  });

  it('split at the last empty line', () => {
    const note = exampleNote.replace('message.', 'message.\n\nIt has two parts.');
    expect(parseNote(note).text).toBe('This is an example message.\n\nIt has two parts.\n');
  });

  it.each([
    ['without a signature', 'text\n'],
    ['without a signature line', 'text\n\n'],
    ['without the last newline', exampleNote.slice(0, -1)],
    ['with a control character', exampleNote.replace('an ', 'an\t')],
    ['with a carriage return', exampleNote.replaceAll('\n', '\r\n')],
    ['with another dash', exampleNote.replace('—', '-')],
    ['with two spaces', exampleNote.replace('— ', '—  ')],
    ['with a name that has a plus', exampleNote.replace('/foo', '+foo')],
    ['with base64 that has two spellings', exampleNote.replace('aQM=', 'aQN=')],
    ['with a signature that is only a key id', 'text\n\n— name AAAAAA==\n'],
    ['with something behind the signature', exampleNote.replace('aQM=', 'aQM= x')],
    ['with too many signatures', exampleNote + exampleNote.split('\n')[2]!.concat('\n').repeat(128)],
    ['with an unknown signature that is no base64', `${exampleNote}— other !!!!\n`],
    ['with a name that has a wide space', `${exampleNote}— a\u3000b AAAAAAA=\n`],
    ['with a name that has a next-line character', `${exampleNote}— a\u0085b AAAAAAA=\n`],
    ['without a name', `${exampleNote}—  AAAAAAA=\n`],
    ['with an empty line behind', `${exampleNote}\n`],
    ['with a null character in an unknown name', `${exampleNote}— a\u0000b AAAAAAA=\n`],
  ])('are refused %s', (_, note) => {
    expect(() => parseNote(note)).toThrow(expect.objectContaining({ code: 'audit-log.invalid-note' }));
  });

  it('accept sixteen signatures of post-quantum length, and 128', () => {
    const line = `— other ${toBase64(new Uint8Array(5000))}\n`;
    expect(parseNote(exampleNote + line.repeat(15)).signatures).toHaveLength(16);
    expect(parseNote(exampleNote + line.repeat(127)).signatures).toHaveLength(128);
  });

  it('are UTF-8 to the last line, also where nobody known has signed', () => {
    const unknown = utf8(`${exampleNote}— stränger AAAAAAA=\n`);
    expect(parseNote(unknown).signatures).toHaveLength(2);
    const broken = unknown.with(unknown.indexOf(0xc3), 0xff);
    expect(() => parseNote(broken)).toThrow(expect.objectContaining({ code: 'audit-log.invalid-note' }));
    expect(() => parseNote(new Uint8Array([0x61, 0xff, 0x0a]))).toThrow();
  });

  it('may have names of any other characters, the same in a key and in a line', () => {
    for (const name of ['a', 'ä/ö', '\ufeffmark', 'zero\u200bwidth', '—', 'a\u007fb', '=', '🔑'.repeat(90)]) {
      const key = verifierKey(name, 'ed25519', new Uint8Array(32));
      expect(parseVerifierKey(formatVerifierKey(key))).toEqual(key);
      const signatures = [{ name, keyId: key.id, signature: new Uint8Array(64) }];
      expect(parseNote(formatNote('text\n', signatures)).signatures).toEqual(signatures);
    }
    for (const name of ['', 'a b', 'a+b', 'a\u00a0b', 'a\u2028b', 'a\u0085b', 'a\nb', 'a\tb']) {
      expect(() => verifierKey(name, 'ed25519', new Uint8Array(32)), JSON.stringify(name)).toThrow(
        expect.objectContaining({ code: 'audit-log.invalid-key' }),
      );
    }
  });

  it('have names of at most 255 bytes where the signature covers the name', () => {
    const named = (bytes: number) => verifierKey('x'.repeat(bytes), 'ml-dsa-44', new Uint8Array(1312));
    expect(named(255).name).toHaveLength(255);
    expect(() => named(256)).toThrow(expect.objectContaining({ code: 'audit-log.invalid-key' }));
    expect(verifierKey('x'.repeat(256), 'ed25519', new Uint8Array(32)).name).toHaveLength(256);
  });

  it('have keys whose id belongs to name, type and key', () => {
    for (const wrong of [
      exampleKey.replace('/foo', '/fop'),
      exampleKey.replace('530d903a', '530d903b'),
      exampleKey.replace('+Ae', '+Be'),
      exampleKey.replace('3U2k', '3U2l'),
      exampleKey.slice(0, -4),
      exampleKey.replaceAll('+', ' '),
      '',
    ]) {
      expect(() => parseVerifierKey(wrong)).toThrow(expect.objectContaining({ code: 'audit-log.invalid-key' }));
    }
    expect(() => verifierKey('two words', 'ed25519', new Uint8Array(32))).toThrow();
    expect(() => verifierKey('name', 'ed25519', new Uint8Array(31))).toThrow();
  });
});

describe('checkpoint texts', () => {
  const text = parseNote(cosignedExample).text;

  it('parse and format as in tlog-checkpoint', () => {
    const checkpoint = parseCheckpoint(text);
    expect(checkpoint).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20_852_163 });
    expect(toBase64(checkpoint.root)).toBe('CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=');
    expect(formatCheckpoint(checkpoint)).toBe(text);
    expect(parseCheckpoint(text.replace('20852163', '0')).size).toBe(0);
    expect(parseCheckpoint(text.replace('20852163', '9007199254740991')).size).toBe(Number.MAX_SAFE_INTEGER);
    expect(parseCheckpoint(text.replace(/^.*/, 'go.sum database + tree')).origin).toBe('go.sum database + tree');
  });

  it('may have extension lines, which are opaque', () => {
    for (const lines of ['more\n', 'one\n two \n— three\n', 'x\n'.repeat(300_000)]) {
      expect(parseCheckpoint(text + lines)).toEqual(parseCheckpoint(text));
    }
  });

  it.each([
    ['a leading zero', text.replace('20852163', '020852163')],
    ['a sign', text.replace('20852163', '+20852163')],
    ['a size beyond exact integers', text.replace('20852163', '9007199254740993')],
    ['an empty extension line', `${text}\n`],
    ['an empty line among extension lines', `${text}one\n\ntwo\n`],
    ['an extension line without its end', `${text}more`],
    ['two zeros', text.replace('20852163', '00')],
    ['a size in another base', text.replace('20852163', '0x10')],
    ['a size of 2^64', text.replace('20852163', '18446744073709551616')],
    ['a long root', text.replace('q2I=', 'q2IA')],
    ['no root', text.slice(0, text.lastIndexOf('C'))],
    ['a short root', text.replace('CsUYap', 'CsUY')],
    ['a root with two spellings', text.replace('q2I=', 'q2J=')],
    ['no origin', text.replace('example.com/behind-the-sofa', '')],
  ])('are refused with %s', (_, wrong) => {
    expect(() => parseCheckpoint(wrong)).toThrow(expect.objectContaining({ code: 'audit-log.invalid-note' }));
  });
});

interface Signer {
  readonly key: VerifierKey;
  readonly privateKey: KeyObject;
}

function signer(algorithm: 'ed25519' | 'ml-dsa-44', name: string): Signer {
  const pair = algorithm === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ml-dsa-44');
  const jwk = pair.publicKey.export({ format: 'jwk' }) as { x?: string; pub?: string };
  return { key: verifierKey(name, algorithm, fromBase64Url((jwk.x ?? jwk.pub)!)), privateKey: pair.privateKey };
}

describe('signed checkpoints', () => {
  const origin = 'example.com/log';
  const ed25519 = signer('ed25519', origin);
  const mldsa = signer('ml-dsa-44', origin);
  const checkpoint: Checkpoint = { origin, size: 5, root: new Uint8Array(32).fill(7) };
  const timestamp = 1_790_000_000;
  const keys = [ed25519.key, mldsa.key];

  const ed25519Line = (signer: Signer, text: string) => ({
    name: signer.key.name,
    keyId: signer.key.id,
    signature: sign(null, utf8(text), signer.privateKey),
  });
  const mldsaLine = (signer: Signer, of: Checkpoint, time = timestamp, stated = time) => ({
    name: signer.key.name,
    keyId: signer.key.id,
    signature: timestampedSignature(stated, sign(null, cosignedMessage(signer.key.name, time, of), signer.privateKey)),
  });
  const text = formatCheckpoint(checkpoint);
  const good = formatNote(text, [ed25519Line(ed25519, text), mldsaLine(mldsa, checkpoint)]);

  const judge = async (note: string, by = keys) => (await checkpointVerifier(by)).verify(note);
  const refused = expect.objectContaining({ code: 'audit-log.invalid-note' });

  it('verify under both keys and tell the signed time', async () => {
    expect(await judge(good)).toEqual({ ...checkpoint, timestamp });
  });

  it('need every configured key', async () => {
    const onlyClassical = formatNote(text, [ed25519Line(ed25519, text)]);
    const onlyPostQuantum = formatNote(text, [mldsaLine(mldsa, checkpoint)]);
    await expect(judge(onlyClassical)).rejects.toThrow(refused);
    await expect(judge(onlyPostQuantum)).rejects.toThrow(refused);
    expect(await judge(onlyClassical, [ed25519.key])).toEqual({ ...checkpoint, timestamp: null });
    expect(await judge(onlyPostQuantum, [mldsa.key])).toEqual({ ...checkpoint, timestamp });
  });

  it('ignore unknown keys, but not a bad signature beside a good one', async () => {
    const stranger = signer('ed25519', origin);
    const both = [ed25519Line(ed25519, text), mldsaLine(mldsa, checkpoint)];
    expect(await judge(formatNote(text, [ed25519Line(stranger, text), ...both]))).toMatchObject({ size: 5 });
    const forged = { ...ed25519Line(stranger, text), keyId: ed25519.key.id };
    await expect(judge(formatNote(text, [...both, forged]))).rejects.toThrow(refused);
    // The name or the id of a known key alone makes nobody known.
    const namesake = { ...forged, name: 'example.com/other' };
    expect(await judge(formatNote(text, [namesake, ...both]))).toMatchObject({ size: 5 });
    await expect(judge(formatNote(text, [namesake]))).rejects.toThrow(refused);
    const short = { ...forged, signature: forged.signature.subarray(1) };
    await expect(judge(formatNote(text, [...both, short]))).rejects.toThrow(refused);
    const kind255 = { ...forged, keyId: '12345678', signature: new Uint8Array(9) };
    expect(await judge(formatNote(text, [kind255, ...both, both[0]!]))).toMatchObject({ size: 5 });
  });

  it('may have extension lines under any kind of key; ML-DSA-44 says nothing about them', async () => {
    const extended = `${text}and more\n`;
    const both = [ed25519Line(ed25519, extended), mldsaLine(mldsa, checkpoint)];
    expect(await judge(formatNote(extended, both))).toEqual({ ...checkpoint, timestamp });
    await expect(judge(formatNote(`${text}and less\n`, both))).rejects.toThrow(refused);
    expect(await judge(formatNote(`${text}and less\n`, both), [mldsa.key])).toMatchObject({ size: 5 });
  });

  it('need not have their origin as the name of their keys, where the origin is given', async () => {
    const [one, two] = [signer('ed25519', 'sum.example'), signer('ml-dsa-44', 'another.name')];
    const note = formatNote(text, [ed25519Line(one, text), mldsaLine(two, checkpoint)]);
    const by = [one.key, two.key];
    expect(await (await checkpointVerifier(by, origin)).verify(note)).toEqual({ ...checkpoint, timestamp });
    await expect((await checkpointVerifier(by, 'example.com/other')).verify(note)).rejects.toThrow(refused);
    await expect((await checkpointVerifier([one.key])).verify(note)).rejects.toThrow(refused);
    await expect(checkpointVerifier([], origin)).rejects.toThrow();
  });

  it('tell whose cosignatures they carry, with their times; a time that no clock shows is no signature', async () => {
    const read = async (...lines: readonly ReturnType<typeof mldsaLine>[]) =>
      (await cosignatureReader([witness.key])).read(formatNote(text, lines));
    const witness = signer('ml-dsa-44', 'witness.example');
    for (const time of [0, 1, timestamp, 2 ** 40]) {
      expect(await read(mldsaLine(witness, checkpoint, time))).toEqual([{ key: witness.key, timestamp: time }]);
    }
    const beyond = { ...mldsaLine(witness, checkpoint), signature: new Uint8Array(2428).fill(0xff) };
    await expect(read(beyond)).rejects.toThrow(refused);
    await expect(read({ ...beyond, signature: new Uint8Array(8) })).rejects.toThrow(refused);
    // A part of the tree that does not begin with its first entry is no checkpoint.
    const message = cosignedMessage(witness.key.name, 0, checkpoint);
    const subtree = message.with(12 + 1 + witness.key.name.length + 8 + 1 + origin.length + 7, 1);
    const signature = timestampedSignature(0, sign(null, subtree, witness.privateKey));
    await expect(read({ ...beyond, signature })).rejects.toThrow(refused);
    expect(await read(mldsaLine(signer('ml-dsa-44', 'witness.example'), checkpoint))).toEqual([]);
  });

  it('are refused with another root, size, origin, time or name under either signature', async () => {
    for (const other of [
      { ...checkpoint, size: 6 },
      { ...checkpoint, root: new Uint8Array(32) },
    ]) {
      const wrong = formatCheckpoint(other);
      await expect(
        judge(formatNote(text, [ed25519Line(ed25519, wrong), mldsaLine(mldsa, checkpoint)])),
      ).rejects.toThrow();
      await expect(judge(formatNote(text, [ed25519Line(ed25519, text), mldsaLine(mldsa, other)]))).rejects.toThrow(
        refused,
      );
    }
    const elsewhere = { ...checkpoint, origin: 'example.com/other' };
    const moved = formatCheckpoint(elsewhere);
    await expect(judge(formatNote(moved, [ed25519Line(ed25519, moved), mldsaLine(mldsa, elsewhere)]))).rejects.toThrow(
      refused,
    );
    const backdated = mldsaLine(mldsa, checkpoint, timestamp, timestamp - 1);
    await expect(judge(formatNote(text, [ed25519Line(ed25519, text), backdated]))).rejects.toThrow(refused);
    await expect(checkpointVerifier([ed25519.key, signer('ed25519', 'example.com/other').key])).rejects.toThrow();
    await expect(checkpointVerifier([])).rejects.toThrow();
  });

  it('are refused after any change of one character', async () => {
    let judged = 0;
    for (let index = 0; index < good.length; index += index < 260 ? 1 : 97) {
      const code = good.charCodeAt(index);
      const changed = good.slice(0, index) + String.fromCharCode(code === 0x41 ? 0x42 : 0x41) + good.slice(index + 1);
      await expect(judge(changed), `character ${index}`).rejects.toThrow(refused);
      judged += 1;
    }
    expect(judged).toBeGreaterThan(280);
  });

  it('are refused with signatures of the wrong length, on both implementations', async () => {
    for (const importVerifier of [importOnNode, importAnywhere]) {
      for (const { key, privateKey } of [ed25519, mldsa]) {
        const verify = await importVerifier(key.algorithm, key.publicKey);
        const signature = sign(null, utf8('text'), privateKey);
        expect(await verify(utf8('text'), signature)).toBe(true);
        expect(await verify(utf8('texu'), signature)).toBe(false);
        expect(await verify(utf8('text'), signature.subarray(1)).catch(() => false)).toBe(false);
      }
    }
  });

  it('sign the structure that tlog-cosignature defines', () => {
    const message = cosignedMessage('w', 1, { origin: 'log', size: 258, root: new Uint8Array(32).fill(9) });
    const expected = [
      Buffer.from('subtree/v1\n\0', 'latin1'),
      Buffer.from([1, 0x77]),
      Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]),
      Buffer.from([3, 0x6c, 0x6f, 0x67]),
      Buffer.alloc(8),
      Buffer.from([0, 0, 0, 0, 0, 0, 1, 2]),
      Buffer.alloc(32, 9),
    ];
    expect(Buffer.from(message).equals(Buffer.concat(expected))).toBe(true);
    expect(timestampedSignature(258, fromBase64('AQ=='))).toEqual(new Uint8Array([0, 0, 0, 0, 0, 0, 1, 2, 1]));
  });
});
