/** What a witness is sent by those who wish it ill, and what a log is answered by such a witness. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { equalBytes, systemClock, toBase64, utf8 } from '@strongroom/kernel';
import { figure, rounds } from '@strongroom/testing';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { parseCheckpoint } from './checkpoint.ts';
import { newCosigner } from './log.test-support.ts';
import { naiveRoot } from './naive-tree.test-support.ts';
import { parseNote, verifierKey, type VerifierKey } from './signed-note.ts';
import { type Cosignature, requestCosignatures } from './witness-client.ts';
import { createWitness, hashOfOrigin } from './witness.ts';
import {
  add,
  closeAll,
  closing,
  leaves,
  log,
  note,
  ORIGIN,
  other,
  proof,
  request,
  startWitness,
} from './witness.test-support.ts';

afterEach(closeAll);

const lastLine = (signed: string): string => `${signed.trimEnd().split('\n').at(-1)!}\n`;

describe('a witness goes on', () => {
  const next = newCosigner(ORIGIN, 'ed25519');

  it('after a checkpoint on which the same signature stands as often as a note may have any', async () => {
    const witness = await startWitness('w.example', [log.key]);
    const many = note(5) + lastLine(note(5)).repeat(127);
    expect(await add(witness, request(0, [], many))).toMatchObject({ status: 200 });
    expect(await add(witness, request(5, proof(5, 6), note(6)))).toMatchObject({ status: 200 });
    expect(await add(witness, request(6, proof(6, 7), note(7) + lastLine(note(7)).repeat(128)))).toMatchObject({
      status: 400,
    });
  });

  it('after one that carries a wrong signature by a key that counts no more', async () => {
    const witness = await startWitness('w.example', [log.key, next.key]);
    expect(await add(witness, request(0, [], note(5, leaves, next)))).toMatchObject({ status: 200 });
    const forged = lastLine(note(4));
    expect(await add(witness, request(5, proof(5, 6), note(6, leaves, next) + forged))).toMatchObject({ status: 200 });
    const shown = await (await fetch(`${witness.url}/${hashOfOrigin(ORIGIN)}/checkpoint`)).text();
    expect(shown).not.toContain(forged);
    expect(await add(witness, request(6, proof(6, 7), note(7, leaves, next)))).toMatchObject({ status: 200 });
    // By a key that counts, it makes the note malformed.
    const wrong = note(8, leaves, next) + lastLine(note(7, leaves, next));
    expect(await add(witness, request(7, proof(7, 8), wrong))).toMatchObject({ status: 403 });
  });

  it('with a log whose key it was told twice', async () => {
    const witness = await startWitness('w.example', [log.key, log.key]);
    expect(await add(witness, request(0, [], note(5)))).toMatchObject({ status: 200 });
    expect(await add(witness, request(5, proof(5, 6), note(6)))).toMatchObject({ status: 200 });
  });

  it('after signatures of strangers, its own old ones and those of other witnesses, none of which it repeats', async () => {
    const witness = await startWitness('w.example', [log.key]);
    const first = await add(witness, request(0, [], note(5)));
    const other = newCosigner('w.example', 'ml-dsa-44');
    const cosigned = other.cosign(note(6), 7) + first.body;
    const answer = await add(witness, request(5, proof(5, 6), cosigned));
    expect(answer).toMatchObject({ status: 200 });
    const shown = await (await fetch(`${witness.url}/${hashOfOrigin(ORIGIN)}/checkpoint`)).text();
    expect(shown).toBe(note(6) + answer.body);
  });

  it('after extension lines, which its Ed25519 key signs and its ML-DSA-44 key does not', async () => {
    const witness = await startWitness('w.example', [log.key]);
    const [text] = note(5).split('\n\n');
    const extended = log.cosign(`${text}\nmore\n\n`, 0);
    const answer = await add(witness, request(0, [], extended));
    expect(answer).toMatchObject({ status: 200 });
    expect(parseNote(extended + answer.body).signatures).toHaveLength(3);
    expect(await add(witness, request(5, proof(5, 6), note(6)))).toMatchObject({ status: 200 });
    const open = log.cosign(`${text}\n\nmore\n\n`, 0);
    expect(await add(witness, request(6, [], open))).toMatchObject({ status: 400 });
  });

  it('with sizes that numbers cannot hold refused, and the others not', async () => {
    const witness = await startWitness('w.example', [log.key]);
    const huge = log.cosign(`${ORIGIN}\n18446744073709551615\n${toBase64(leaves[0]!)}\n\n`, 0);
    expect(await add(witness, request(0, [], huge))).toMatchObject({ status: 400 });
    const exact = log.cosign(`${ORIGIN}\n9007199254740991\n${toBase64(leaves[0]!)}\n\n`, 0);
    expect(await add(witness, request(0, [], exact))).toMatchObject({ status: 200 });
    expect(await add(witness, request(0, [], note(5)))).toMatchObject({ status: 409, body: '9007199254740991\n' });
  });
});

describe('whatever is asked at once and in whichever order', () => {
  it('a witness cosigns one history that only grows, and has it stored before it says so', async () => {
    const { opened } = await startWitness('w.example', [log.key]);
    const sizes = fc.constantFrom(0, 1, 2, 3, 4, 7, 8, 9);
    const asked = fc.record({ old: sizes, size: sizes, isFork: fc.boolean(), wait: fc.nat(3) });
    let answered = 0;
    const property = fc.asyncProperty(fc.array(asked, { minLength: 2, maxLength: 12 }), async (requests) => {
      let stored: string | null = null;
      const history: string[] = [];
      const pause = async (times: number) => {
        for (let turn = 0; turn < times; turn += 1) await Promise.resolve();
      };
      const state = {
        read: async () => {
          const found = stored;
          await pause(3);
          return found;
        },
        write: async (_: string, content: string) => {
          await pause(2);
          stored = content;
          history.push(content);
        },
      };
      const witness = createWitness({ cosigners: [opened.cosigners[0]!], logs: [log.key], state, clock: systemClock });
      const answers = requests.map(async ({ old, size, isFork, wait }) => {
        await pause(wait);
        const tree = isFork ? other : leaves;
        const signed = note(size, tree);
        const hashes = old < size ? proof(old, size, tree) : [];
        const { status, body } = await witness.addCheckpoint(utf8(request(old, hashes, signed)));
        if (status === 200) expect(history).toContain(signed + body);
        return status;
      });
      answered += (await Promise.all(answers)).filter((status) => status === 200).length;
      const cosigned = history.map((content) => parseCheckpoint(parseNote(content).text));
      const honest = [leaves, other].filter((tree) =>
        cosigned.every(({ size, root }) => equalBytes(root, naiveRoot(tree.slice(0, size)))),
      );
      expect(honest.length).toBeGreaterThan(0);
      for (const [place, { size }] of cosigned.entries()) {
        expect(size).toBeGreaterThanOrEqual(cosigned[place - 1]?.size ?? 0);
      }
    });
    await fc.assert(property, { numRuns: rounds(40, 300) });
    expect(answered).toBeGreaterThan(0);
    figure(
      `${answered} cosignatures for requests at once, forks among them: one history each time, stored before it was answered`,
    );
  });
});

describe('a witness is not started', () => {
  it('for a log whose origin no cosignature could name, nor with a clock at zero', async () => {
    const state = { read: async () => null, write: async () => undefined };
    const long = verifierKey('x'.repeat(256), 'ed25519', log.key.publicKey);
    const options = { cosigners: [], state, clock: { now: () => 999 } };
    expect(() => createWitness({ ...options, logs: [long] })).toThrow(
      expect.objectContaining({ code: 'audit-log.invalid-key' }),
    );
    const { opened } = await startWitness('w.example', [log.key]);
    const witness = createWitness({ ...options, cosigners: opened.cosigners, logs: [log.key] });
    const body = new TextEncoder().encode(request(0, [], note(5)));
    await expect(witness.addCheckpoint(body)).rejects.toThrow('the clock is not set');
    const later = createWitness({
      ...options,
      cosigners: opened.cosigners,
      logs: [log.key],
      clock: { now: () => 1000 },
    });
    expect(await later.addCheckpoint(body)).toMatchObject({ status: 200 });
  });
});

describe('the server of a witness', () => {
  it('answers a body that is too long, announced or not, and calls nothing a failure when somebody hangs up', async () => {
    const failures: unknown[] = [];
    const witness = await startWitness('w.example', [log.key], undefined, (error) => failures.push(error));
    const { port } = new URL(witness.url);
    const long = 'x'.repeat(4_000_000);
    expect(await add(witness, long)).toMatchObject({ status: 413 });
    const endless = connect(Number(port), '127.0.0.1');
    const head = 'POST /add-checkpoint HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n';
    endless.write(`${head}${(300_000).toString(16)}\r\n${'x'.repeat(300_000)}\r\n`);
    const [answer] = (await once(endless, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /);
    endless.destroy();
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('POST /add-checkpoint HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nold 0\n');
    await once(socket, 'connect');
    socket.destroy();
    await once(socket, 'close');
    expect(await add(witness, request(0, [], note(5)))).toMatchObject({ status: 200 });
    expect(failures).toEqual([]);
  });

  it('answers several requests on one connection', async () => {
    const witness = await startWitness('w.example', [log.key]);
    const sockets = new Set<number | undefined>();
    const { Agent, request: send } = await import('node:http');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const [old, size] of [
      [0, 5],
      [3, 6],
      [5, 6],
    ] as const) {
      const sent = send(`${witness.url}/add-checkpoint`, { method: 'POST', agent });
      sent.end(request(old, proof(old, size), note(size)));
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      expect(response.statusCode).toBe(old === 3 ? 409 : 200);
      sockets.add(response.socket.localPort);
      response.resume();
      await once(response, 'end');
    }
    agent.destroy();
    expect(sockets.size).toBe(1);
  });
});

/** Somebody who answers as they like. */
async function liar(status: number, answer: string, type = 'text/plain'): Promise<string> {
  const server = createServer((incoming, response) => {
    incoming.resume().once('end', () => response.writeHead(status, { 'content-type': type }).end(answer));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  closing.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve()).closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a log that asks a witness', () => {
  const ed25519 = newCosigner('w.example', 'ed25519-cosignature');
  const mldsa = newCosigner('w.example', 'ml-dsa-44');
  const signed = note(5);
  const ask = async (answer: string, status = 200, keys: readonly VerifierKey[] = [ed25519.key, mldsa.key]) =>
    requestCosignatures({
      url: await liar(status, answer),
      keys,
      note: signed,
      lastSize: 0,
      prove: async () => [],
      signal: AbortSignal.timeout(5000),
    });
  const unwitnessed = expect.objectContaining({ code: 'audit-log.unwitnessed' });
  const ids = (cosignatures: readonly Cosignature[]) => cosignatures.map(({ key }) => key.id);
  const line = (cosigner: typeof mldsa, time: number) => lastLine(cosigner.cosign(signed, time));

  it('takes good cosignatures of keys it trusts, once, and passes over others', async () => {
    const [one, two] = [line(ed25519, 9), line(mldsa, 9)];
    expect(await ask(one + two)).toEqual([
      { key: ed25519.key, line: one },
      { key: mldsa.key, line: two },
    ]);
    expect(ids(await ask(two + two))).toEqual([mldsa.key.id]);
    const unknown = lastLine(newCosigner('w.example', 'ml-dsa-44').cosign(signed, 9));
    expect(ids(await ask(unknown + one))).toEqual([ed25519.key.id]);
    expect(ids(await ask(one + two, 200, [mldsa.key]))).toEqual([mldsa.key.id]);
  });

  it('takes none that are wrong, without a time, of something else, or no lines at all', async () => {
    const elsewhere = lastLine(mldsa.cosign(note(6), 9));
    const cut = line(mldsa, 9).slice(0, -1);
    const answers = [elsewhere, line(ed25519, 9) + elsewhere, line(mldsa, 0), line(ed25519, 0), cut, '', '\n', 'ok\n'];
    for (const answer of [...answers, lastLine(signed), `\n${line(mldsa, 9)}`, `${line(mldsa, 9)}\n`]) {
      await expect(ask(answer), answer.slice(0, 40)).rejects.toThrow(unwitnessed);
    }
    expect(ids(await ask(line(mldsa, 0) + line(ed25519, 9)))).toEqual([ed25519.key.id]);
  });

  it('believes no other answer', async () => {
    const good = line(mldsa, 9);
    for (const status of [201, 202, 301, 400, 403, 404, 413, 422, 500, 503]) {
      await expect(ask(good, status), String(status)).rejects.toThrow(unwitnessed);
    }
    for (const size of ['', '5', '05\n', '-1\n', '99999999999999999999\n', '6\n', 'five\n', '5\n5\n']) {
      await expect(ask(size, 409), size).rejects.toThrow(unwitnessed);
    }
    await expect(ask(good.repeat(100))).rejects.toThrow(unwitnessed);
  });
});
