/** `npm run check`: one line per step, all steps always; its usage is below. */
import { dataMapStep, formattingStep, lintStep, testsStep, typesStep, unusedStep } from './internal/check-commands.ts';
import { exportsStep } from './internal/check-exports.ts';
import { fileLengthStep } from './internal/check-file-length.ts';
import { lockfileStep } from './internal/check-lockfile.ts';
import { floorsStep } from './internal/check-floors.ts';
import { parametersOf, refuse, type Usage } from './internal/flags.ts';
import { runSteps } from './internal/run-steps.ts';
import { toolsRoot } from './internal/step.ts';

const steps = [
  formattingStep,
  lintStep,
  typesStep,
  floorsStep,
  unusedStep,
  lockfileStep,
  fileLengthStep,
  exportsStep,
  dataMapStep,
  testsStep,
];

const usage = {
  command: 'npm run check',
  does: `Everything that must hold before a change is shown to anyone, in steps:\n${steps.map(({ name }) => name).join(', ')}.`,
  words: ['step …', 'the beginning of its name; all of them when none is given'],
  flags: {
    'without-tests': { means: 'for whoever has just run them' },
    figures: { means: 'prints what was seen in the form that docs/proofs.md wants' },
  },
  examples: ['npm run check', 'npm run check -- lint types', 'npm run check -- --without-tests'],
} as const satisfies Usage;

const { words, flags } = parametersOf(usage);
const unknown = words.filter((word) => !steps.some(({ name }) => name.startsWith(word)));
if (unknown.length > 0) refuse(usage, `No step is called "${unknown.join(' ')}".`);
const left = flags.has('without-tests') ? steps.filter((step) => step !== testsStep) : steps;
const chosen = left.filter(({ name }) => words.length === 0 || words.some((word) => name.startsWith(word)));
if (chosen.length === 0) refuse(usage, 'No step is left to run.');
const { failed } = await runSteps(chosen, toolsRoot, (line) => console.log(line), flags.has('figures'));
process.exit(failed === 0 ? 0 : 1);
