import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { byProblems, type Step, type StepResult } from './step.ts';
import { isTestFile, sourceFiles } from './workspace.ts';

/** A source file above this many lines is two ideas (CONTRIBUTING.md). Tests may be longer. */
const LONGEST_ALLOWED = 500;

export function checkFileLength(root: string): Promise<StepResult> {
  const lengths = sourceFiles(root)
    .filter((file) => !isTestFile(file))
    .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length - 1 }))
    .toSorted((left, right) => left.lines - right.lines);
  const longest = lengths.at(-1);
  if (longest === undefined) return Promise.resolve({ ok: false, line: 'no source file was found' });
  const tooLong = lengths.filter(({ lines }) => lines > LONGEST_ALLOWED);
  const median = lengths[Math.floor(lengths.length / 2)]?.lines;
  return Promise.resolve(
    byProblems(
      tooLong.map(({ file, lines }) => `${file} has ${lines} lines; ${LONGEST_ALLOWED} is the limit`),
      `longest ${longest.file} with ${longest.lines} lines, median ${median} of ${lengths.length} files`,
    ),
  );
}

export const fileLengthStep: Step = { name: 'file length', run: checkFileLength };
