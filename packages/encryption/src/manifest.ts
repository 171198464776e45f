import type { Manifest } from '@strongroom/kernel';
import type { Database } from '@strongroom/storage';
import type { Encryption } from './encryption.ts';
import { dataMap } from './internal/data-map.ts';
import { migrations } from './internal/migrations.ts';

/** What this room's job needs. */
export interface EncryptionServices {
  readonly database: Database;
  readonly encryption: Encryption;
}

export const manifest = {
  name: 'encryption',
  migrations,
  dataMap,
  jobs: [
    {
      name: 'encryption.recover-key-tree',
      everySeconds: 60,
      run: async ({ database, encryption }: EncryptionServices) => {
        await encryption.keyTree.recover(database);
      },
    },
  ],
} as const satisfies Manifest<never, EncryptionServices>;
