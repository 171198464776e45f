import { join } from 'node:path';
import { afterAll } from 'vitest';
import { runFolder } from './run-folder.ts';
import { removeTemporaryFolders } from './temporary-folder.ts';

// Tests start the same programs again and again; from the second time on these need not compile their modules.
process.env['NODE_COMPILE_CACHE'] ??= join(runFolder(), 'compiled');

// Registered before any hook of a test file, hence run after them: nothing has a file open any more.
afterAll(removeTemporaryFolders);
