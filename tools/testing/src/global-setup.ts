import { openRunFolder } from './run-folder.ts';

/** Runs once before all test files; the returned function once after them. */
export default function globalSetup(): () => void {
  const { close } = openRunFolder();
  process.once('exit', close);
  return () => {
    process.off('exit', close);
    close();
  };
}
