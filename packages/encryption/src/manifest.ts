import type { Manifest } from '@strongroom/kernel';
import type { Database } from '@strongroom/storage';
import type { IndexRotations } from './blind-index-rotation.ts';
import type { ColumnMigration } from './column-migration.ts';
import type { Encryption } from './encryption.ts';
import type { Rotations } from './rotation.ts';
import { dataMap } from './internal/data-map.ts';
import { migrations } from './internal/migrations.ts';

/** What this room's jobs need. */
export interface EncryptionServices {
  readonly database: Database;
  readonly encryption: Encryption;
  /** Absent where nobody rotates keys. */
  readonly rotations?: Rotations | undefined;
  /** Absent where no blind index has two columns. */
  readonly indexRotations?: IndexRotations | undefined;
  /** Columns that are being encrypted. */
  readonly columnMigrations?: readonly ColumnMigration[] | undefined;
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
    {
      name: 'encryption.rotate-keys',
      everySeconds: 60,
      run: async ({ rotations }: EncryptionServices, signal: AbortSignal) => {
        await rotations?.work(signal);
      },
    },
    {
      name: 'encryption.rotate-indexes',
      everySeconds: 60,
      run: async ({ indexRotations }: EncryptionServices, signal: AbortSignal) => {
        await indexRotations?.run(signal);
      },
    },
    {
      name: 'encryption.migrate-columns',
      everySeconds: 60,
      run: async ({ columnMigrations = [] }: EncryptionServices, signal: AbortSignal) => {
        for (const migration of columnMigrations) await migration.run(signal);
      },
    },
  ],
} as const satisfies Manifest<never, EncryptionServices>;
