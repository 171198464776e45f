/**
 * Encrypted fields beside three others. Ours builds the whole context, commits to the key, and takes a person's key out of the key
 * tree; it is loaded, as it is from the second value of a transaction on.
 *
 * - node:crypto: AES-256-GCM alone, with a KeyObject, nonces from a pool and associated data made beforehand.
 * - cloak: what prisma-field-encryption calls for each field, without its walk through the query; no context, no commitment.
 * - every key wrapped anew: erasing somebody from a key store without a tree, the wrapping alone.
 * - AWS Encryption SDK: a raw AES keyring behind its cache of data keys, unsigned, committing; the context of the same five names.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEncryption, fileSlot, manifest } from '@strongroom/encryption';
import { newUuid } from '@strongroom/kernel';
import { inInstallation, openDatabase } from '@strongroom/storage';
import type { Case, Contender, Suite, SuiteOptions } from '../harness.ts';
import { awsEncryptionSdk } from '../peers/aws-encryption-sdk.ts';
import { cloak } from '../peers/cloak.ts';
import { nodeCrypto } from '../peers/node-crypto.ts';
import type { FieldPeer } from '../peers/peer.ts';
import { FLAT, shredBench, type ShredBench } from '../shred.ts';

const OURS = 'Strongroom';
/** Ours as well, measured beside itself. */
const WARM = 'Strongroom, key warm';
const SEAL = 'Strongroom, sealing';
/** Other algorithms that a column can declare. */
const ALGORITHMS = { 'Strongroom, XAES-256-GCM': 'xaes-256-gcm', 'Strongroom, Fernet': 'fernet' } as const;

/** One more than are kept for one person: taking them in turn, none is ever found. */
const COLD_COLUMNS = 65;

const folder = mkdtempSync(join(tmpdir(), 'strongroom-bench-'));
const database = await openDatabase({ kind: 'memory' }, [manifest]);
const encryption = await createEncryption({ slot: fileSlot(join(folder, 'root')) });
const subject = newUuid();
const keys = await database.transaction(inInstallation, (transaction) =>
  encryption.subjects(transaction, [subject], { create: true }),
);
await database.close();
rmSync(folder, { recursive: true });

const place = { tenant: newUuid(), table: 'accounts', column: 'email', row: newUuid(), subject };
const peers: readonly FieldPeer[] = [nodeCrypto(), cloak(), awsEncryptionSdk(place)];

/** The same operation at one place after the other, in turn. */
function inTurn<Item>(items: readonly Item[], run: (item: Item) => unknown): () => unknown {
  let next = 0;
  return () => {
    next = (next + 1) % items.length;
    return run(items[next]!);
  };
}

async function casesFor(size: number, label: string): Promise<readonly Case[]> {
  // Text, as cloak takes nothing else.
  const plaintext = Buffer.from(randomBytes(size).toString('base64url').slice(0, size));
  const value = keys.seal(place, plaintext);
  const cold = Array.from({ length: COLD_COLUMNS }, (_, index) => {
    const at = { ...place, column: `column${index}` };
    return { at, value: keys.seal(at, plaintext) };
  });
  const sealers: Contender[] = [];
  const openers: Contender[] = [];
  for (const peer of peers) {
    const sealed = await peer.seal(plaintext);
    if (!plaintext.equals(await peer.open(sealed)))
      throw new Error(`encryption: results of ${peer.name} differ at ${label}`);
    sealers.push({ name: peer.name, run: () => peer.seal(plaintext) });
    openers.push({ name: peer.name, run: () => peer.open(sealed) });
  }
  if (!plaintext.equals(keys.open(place, value))) throw new Error(`encryption: results differ at ${label}`);
  const declared = Object.entries(ALGORITHMS).map(([name, algorithm]) => {
    const other = keys.seal(place, plaintext, algorithm);
    return {
      seal: { name, run: () => keys.seal(place, plaintext, algorithm) },
      open: { name, run: () => keys.open(place, other) },
    };
  });
  const sealOurs = { name: OURS, run: () => keys.seal(place, plaintext) };
  const openOurs = { name: OURS, run: () => keys.open(place, value) };
  return [
    { name: `seal ${label}`, contenders: [sealOurs, ...sealers] },
    { name: `open ${label}`, contenders: [openOurs, ...openers] },
    { name: `seal ${label}, algorithm of the column`, contenders: [sealOurs, ...declared.map(({ seal }) => seal)] },
    { name: `open ${label}, algorithm of the column`, contenders: [openOurs, ...declared.map(({ open }) => open)] },
    {
      name: `seal ${label}, key cold`,
      contenders: [
        { name: OURS, run: inTurn(cold, ({ at }) => keys.seal(at, plaintext)) },
        { ...sealOurs, name: WARM },
      ],
    },
    {
      name: `open ${label}, key cold`,
      contenders: [
        { name: OURS, run: inTurn(cold, (one) => keys.open(one.at, one.value)) },
        { ...openOurs, name: WARM },
      ],
    },
    {
      name: `open beside seal ${label}`,
      contenders: [openOurs, { ...sealOurs, name: SEAL }],
    },
  ];
}

/** People among whom one is erased. */
const PEOPLE = 1_000_000;
const PEOPLE_QUICKLY = 100_000;

let shred: ShredBench | undefined;

async function cases({ isQuick }: SuiteOptions): Promise<readonly Case[]> {
  shred = await shredBench(isQuick ? PEOPLE_QUICKLY : PEOPLE);
  return [...(await casesFor(100, '100 B')), ...(await casesFor(1024, '1 KB')), shred.shredding];
}

export default {
  title: 'Encrypted fields',
  peers: ['@47ng/cloak', '@aws-crypto/client-node'],
  cases,
  figures: () => shred?.figures() ?? [],
  promises: [
    { contender: 'node:crypto', times: 0.6 },
    { contender: 'cloak', times: 2.5 },
    { contender: 'AWS Encryption SDK', times: 20 },
    { contender: SEAL, times: 1 },
    { contender: FLAT, times: 2 },
  ],
} satisfies Suite;
