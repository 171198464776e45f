/** The schema as it was when a backup was made, so that older backups are loaded first and migrated afterwards. */
import { createHash } from 'node:crypto';
import { operational, type DataMap, type Manifest } from '@strongroom/kernel';
import { manifest as storageManifest } from '@strongroom/storage';
import { BackupError } from '../errors.ts';
import { MIGRATIONS_TABLE } from './catalogue.ts';
import type { Header } from './document.ts';

export type SchemaManifest = Pick<Manifest, 'name' | 'migrations' | 'dataMap'>;

export interface SchemaThen {
  readonly manifests: readonly SchemaManifest[];
  /** False when migrations have been added since. */
  readonly isCurrent: boolean;
}

const nameOf = (room: string, migration: string): string => `${room}/${migration}`;

/** Throws `backup.newer-format` for migrations that nobody here knows, `backup.other-schema` for ones with another text. */
export function schemaThen(header: Header, manifests: readonly SchemaManifest[]): SchemaThen {
  const all = [storageManifest, ...manifests.filter(({ name }) => name !== storageManifest.name)];
  const applied = new Map(header.migrations.map(({ room, name, checksum }) => [nameOf(room, name), checksum]));
  const rest = new Set(applied.keys());
  let isCurrent = true;
  const then = all.map(({ name: room, migrations = [] }) => ({
    name: room,
    migrations: migrations.filter(({ name, sql }) => {
      const checksum = applied.get(nameOf(room, name));
      rest.delete(nameOf(room, name));
      if (checksum === undefined) {
        isCurrent = false;
        return false;
      }
      if (checksum !== createHash('sha256').update(sql).digest('hex')) {
        throw new BackupError('backup.other-schema', {
          detail: `The migration ${nameOf(room, name)} was another one.`,
        });
      }
      return true;
    }),
  }));
  const [unknown] = rest;
  if (unknown !== undefined)
    throw new BackupError('backup.newer-format', { detail: `It has the migration ${unknown}.` });
  if (isCurrent) return { manifests: all, isCurrent };
  return { manifests: [...then, { name: 'backup', dataMap: columnsThen(header) }], isCurrent };
}

/** Today's data maps declare columns that came later, so the backup itself says which there were. Storage declares its own. */
function columnsThen({ tables, leftOut }: Header): DataMap {
  const known = new Set([...Object.keys(storageManifest.dataMap), MIGRATIONS_TABLE]);
  return Object.fromEntries(
    [...tables, ...leftOut]
      .filter(({ name }) => !known.has(name))
      .map(({ name, columns, computed }) => {
        const names = [...columns.map((column) => column.name), ...computed];
        return [
          name,
          { scope: 'installation', columns: Object.fromEntries(names.map((column) => [column, operational])) },
        ];
      }),
  );
}
