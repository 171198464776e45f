/** Fernet beside the npm package of that name: text to token and token to text, on one key made beforehand. */
import { Fernet } from '@strongroom/encryption';
import { fromUtf8 } from '@strongroom/kernel';
import fernet from 'fernet';
import type { Case, Suite } from '../harness.ts';

const PEER = 'npm fernet';

function casesFor(size: number, label: string): readonly Case[] {
  const key = Fernet.generateKey();
  const ours = new Fernet(key);
  const secret = new fernet.Secret(key);
  const text = 'Strongroom '.repeat(Math.ceil(size / 11)).slice(0, size);

  const encryptTheirs = (): string => new fernet.Token({ secret }).encode(text);
  const decryptTheirs = (token: string): string => new fernet.Token({ secret, token, ttl: 0 }).decode();
  const decryptOurs = (token: string): string => fromUtf8(ours.decrypt(token));

  const [ourToken, theirToken] = [ours.encrypt(text), encryptTheirs()];
  for (const token of [ourToken, theirToken]) {
    if (decryptOurs(token) !== text || decryptTheirs(token) !== text)
      throw new Error(`fernet: results differ at ${label}`);
  }
  return [
    {
      name: `encrypt ${label}`,
      contenders: [
        { name: 'Strongroom', run: () => ours.encrypt(text) },
        { name: PEER, run: encryptTheirs },
      ],
    },
    {
      name: `decrypt ${label}`,
      contenders: [
        { name: 'Strongroom', run: () => decryptOurs(ourToken) },
        { name: PEER, run: () => decryptTheirs(ourToken) },
      ],
    },
  ];
}

export default {
  title: 'Fernet',
  peers: ['fernet'],
  cases: () => [...casesFor(100, '100 B'), ...casesFor(1024, '1 KB')],
  promises: [{ contender: PEER, times: 10 }],
} satisfies Suite;
