/** `npm start`: builds the console if its sources changed, then becomes the server. */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// What one start has compiled the next one need not. Beside the code: whoever may write there may change that, too.
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/strongroom'));

const asksForHelp = process.argv.slice(2).includes('--help');
if (!asksForHelp) {
  try {
    const { buildConsole } = await import('@strongroom/console/build');
    await buildConsole();
  } catch (error) {
    // The server answers clients and the command line without it; the build's own output says what is wrong.
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    process.stderr.write(`The console could not be built and is left out.\n${output}\n`);
  }
}
await import('@strongroom/server');
