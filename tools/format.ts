/** `npm run format`: its usage is below. */
import { parametersOf, type Usage } from './internal/flags.ts';
import { runCommand, tool, toolsRoot } from './internal/step.ts';

const usage = {
  command: 'npm run format',
  does: 'Writes files as oxfmt would have them.',
  words: ['path …', 'a file or a folder; everything when none is given'],
  flags: {},
  examples: ['npm run format', 'npm run format -- tools packages/kernel/src/errors.ts'],
} as const satisfies Usage;

const { words } = parametersOf(usage);
const paths = words.length === 0 ? ['.'] : words;
const { code } = await runCommand(tool('oxfmt'), paths, { cwd: toolsRoot, echo: true });
process.exit(code);
