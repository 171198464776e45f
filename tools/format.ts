/** `npm run format`: writes every file as oxfmt would have it. */
import { runCommand, tool, toolsRoot } from './internal/step.ts';

const { code } = await runCommand(tool('oxfmt'), ['.', ...process.argv.slice(2)], { cwd: toolsRoot, echo: true });
process.exit(code);
