import { afterAll } from 'vitest';
import { removeTemporaryFolders } from './temporary-folder.ts';

// Registered before any hook of a test file, hence run after them: nothing has a file open any more.
afterAll(removeTemporaryFolders);
