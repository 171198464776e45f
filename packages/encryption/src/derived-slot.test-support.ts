import { randomBytes } from 'node:crypto';
import { RootKeyring } from './internal/root-keyring.ts';
import { secretKey } from './internal/secret.ts';
import type { RootSlot } from './root-slot.ts';

/** A slot under whose key version every level is derived: there people need no key tree, and so no database. */
export function derivedSlot(): RootSlot {
  const secret = secretKey(randomBytes(32));
  const material = new RootKeyring({
    revision: 1,
    current: 1,
    lookup: 1,
    tree: { version: 1, secret },
    versions: [{ version: 1, createdAt: 0, scheme: 'derived', secret }],
  }).encode();
  return {
    name: 'derived',
    erasure: 'none',
    load: () => Promise.resolve({ material: Uint8Array.from(material), generation: 1 }),
    store: () => Promise.reject(new Error('this slot is only read')),
  };
}
