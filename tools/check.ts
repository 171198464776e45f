/**
 * `npm run check [-- step …] [-- --without-tests] [-- --figures]`: everything that must hold before a change is shown to anyone; one line per
 * step, all steps always. `--without-tests` is for whoever has just run them; `--figures` prints what was seen in the form that docs/proofs.md wants.
 */
import { dataMapStep, formattingStep, lintStep, testsStep, typesStep, unusedStep } from './internal/check-commands.ts';
import { exportsStep } from './internal/check-exports.ts';
import { fileLengthStep } from './internal/check-file-length.ts';
import { lockfileStep } from './internal/check-lockfile.ts';
import { floorsStep } from './internal/check-floors.ts';
import { hasFlag } from './internal/flags.ts';
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

const parameters = process.argv.slice(2);
const withFigures = hasFlag('figures', parameters);
const wanted = parameters.filter((word) => !word.startsWith('--'));
const matches = (name: string): boolean => wanted.length === 0 || wanted.some((word) => name.startsWith(word));
const left = hasFlag('without-tests', parameters) ? steps.filter((step) => step !== testsStep) : steps;
const chosen = left.filter(({ name }) => matches(name));
if (chosen.length === 0)
  console.log(`No step is called "${wanted.join(' ')}". Steps: ${steps.map(({ name }) => name).join(', ')}.`);
const { failed } = await runSteps(chosen, toolsRoot, (line) => console.log(line), withFigures);
process.exit(failed === 0 && chosen.length > 0 ? 0 : 1);
