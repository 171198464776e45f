/**
 * What stands as an example in the C2SP texts, read by our parsers. The key and the note of signed-note also verify: checkpoint.test.ts. The keys
 * behind the other examples are not published there.
 */
import { toBase64, utf8 } from '@strongroom/kernel';
import { temporaryFolder } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { parseCheckpoint } from './checkpoint.ts';
import { newCosigner } from './log.test-support.ts';
import { parseNote, parseSignatureLine } from './signed-note.ts';
import { tileIndexPath } from './tiles.ts';
import { parseTlogProof } from './tlog-proof.ts';
import { createWitness } from './witness.ts';
import { openWitnessFolder } from './witness-state.ts';

const ORIGIN = 'example.com/behind-the-sofa';

/** tlog-checkpoint. */
const checkpoint = `${ORIGIN}
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— ${ORIGIN} Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
`;

/** tlog-witness, "add-checkpoint". */
const request = `old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

${checkpoint}— ${ORIGIN} opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
`;

/** tlog-witness, the answer to it. */
const answer = `— witness.example/w1 CMp+6LWBU0anHGH5aNDTJkH/gj79sG+T6+iP2ThYN5krrDJbR1HDnucjL39QsZTSvVjyQLrdk3DXDqI5G2HgLatVs0pWh6Up69HVOw==
— witness.example/w1 I7rEps0pvK2UqkS2gSpVUDhrhVtQV9lgF6pRrWAvjJHjyWpW7VcE3SiOlVlbQNt64vWhO+DlkL0+UfzuOBMh9ChdMkP1vi/lCAsmlw==
— witness.example/w2 AWui8Sk55XjYLOijihBjhqEH6nS1ndDymE0a+6idX7pLcnoB+dhnz0854aLZgrrKbYKA7nC3HNJhm/kWl7oJlqU3rXXvpysAdyP3wQ==
`;

/** tlog-proof; the signature is cut short in the text. */
const proof = `c2sp.org/tlog-proof@v1
extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6kYXJ3aW4tYXJ
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=
RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=
AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=

example.com/fancylog
109482
sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

— example.com/fancylog hI2DJw[...]1roloI=
`;

describe('the examples of C2SP', () => {
  it('tlog-checkpoint: is a note whose text is a checkpoint', () => {
    const { text, signatures } = parseNote(checkpoint);
    expect(parseCheckpoint(text)).toMatchObject({ origin: ORIGIN, size: 20_852_163 });
    expect(signatures).toMatchObject([{ name: ORIGIN, keyId: '033de0ae' }]);
  });

  it('tlog-witness: the request is understood, so it is refused for whom it is from, not for its form', async () => {
    const status = async (body: string, origin: string): Promise<number> => {
      const folder = await openWitnessFolder(temporaryFolder(), 'witness.example/w1');
      const logs = [newCosigner(origin, 'ed25519').key];
      const witness = createWitness({
        cosigners: folder.cosigners,
        logs,
        state: folder.state,
        clock: { now: () => 0 },
      });
      const { status: answered } = await witness.addCheckpoint(utf8(body));
      await folder.close();
      return answered;
    };
    expect(await status(request, 'example.com/another')).toBe(404);
    expect(await status(request, ORIGIN)).toBe(403);
    expect(await status(request.replace('old 20852014', 'old 020852014'), ORIGIN)).toBe(400);
    expect(await status(request.replace('kaw=\n', 'kaw\n'), ORIGIN)).toBe(400);
  });

  it('tlog-witness: the answer is signature lines, which make a note together with the checkpoint', () => {
    const lines = answer.trimEnd().split('\n').map(parseSignatureLine);
    expect(lines.map(({ name }) => name)).toEqual(['witness.example/w1', 'witness.example/w1', 'witness.example/w2']);
    // A cosignature is eight bytes of time and 64 of Ed25519, behind the key's id.
    expect(lines.map(({ signature }) => signature.length)).toEqual([72, 72, 72]);
    expect(parseNote(checkpoint + answer).signatures).toHaveLength(4);
  });

  it('tlog-proof: is read up to the checkpoint', () => {
    const { index, path, extra, checkpoint: note } = parseTlogProof(proof);
    expect([index, path.length, extra!.length]).toEqual([73_894, 5, 39]);
    expect(toBase64(path[4]!)).toBe('AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=');
    expect(note).toMatch(/^example\.com\/fancylog\n109482\n/);
    // Its signature is an ellipsis, which is no base64.
    expect(() => parseNote(note)).toThrow(expect.objectContaining({ code: 'audit-log.invalid-note' }));
  });

  it('tlog-tiles: an index in a path', () => {
    expect(tileIndexPath(1_234_067)).toBe('x001/x234/067');
  });
});
