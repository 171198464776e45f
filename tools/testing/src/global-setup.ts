import { compileCache } from './compile-cache.ts';
import { openRunFolder } from './run-folder.ts';

/** Runs once before all test files; the returned function once after them. */
export default function globalSetup(): () => void {
  // Test processes inherit it, and so do the programs that they start.
  process.env['NODE_COMPILE_CACHE'] ??= compileCache();
  const { close } = openRunFolder();
  process.once('exit', close);
  return () => {
    process.off('exit', close);
    close();
  };
}
