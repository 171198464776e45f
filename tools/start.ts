/** `npm start`: builds the console if its sources changed, then becomes the server. */
import { buildConsole } from '@strongroom/console/build';

const asksForHelp = process.argv.slice(2).includes('--help');
if (!asksForHelp) {
  try {
    await buildConsole();
  } catch (error) {
    // The server answers clients and the command line without it; the build's own output says what is wrong.
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    process.stderr.write(`The console could not be built and is left out.\n${output}\n`);
  }
}
await import('@strongroom/server');
