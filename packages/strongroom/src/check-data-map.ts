/** `npm run check` runs this: migrates an empty database, which fails on a column that no data map declares. */
import process from 'node:process';
import { StrongroomError } from '@strongroom/kernel';
import { openDatabase } from '@strongroom/storage';
import { rooms } from './rooms.ts';

try {
  const database = await openDatabase({ kind: 'memory' }, rooms);
  await database.close();
  const columns = rooms.flatMap((room) =>
    Object.values(room.dataMap ?? {}).flatMap((table) => Object.values(table.columns)),
  );
  const personal = columns.filter((column) => column.kind === 'personal').length;
  process.stdout.write(`${columns.length} columns declared, ${personal} of them personal data\n`);
} catch (error) {
  const known = error instanceof StrongroomError;
  process.stderr.write(`${known ? `${error.message} [${error.code}]` : String(error)}\n`);
  process.exitCode = 1;
}
