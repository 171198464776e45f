/** Counting what a test run did, apart from vitest so that the counting itself can be tested. */
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { TestCase, TestModule, TestSuite } from 'vitest/node';
import { corporaFolder } from '../testing/src/corpora.ts';
import type { MissingRecord } from '../testing/src/run-folder.ts';

export interface TestOutcome {
  readonly passed: number;
  /** Tests, suites and files that failed, and errors nobody caught. */
  readonly failed: number;
  readonly skipped: number;
  /** Test file → tests in it that were not to run here. Those that a failed hook kept from running are told by its failure. */
  readonly skippedByFile: ReadonlyMap<string, number>;
}

/** Below the first; enough for what axe found, or where a value differs. */
const LINES_OF_A_FAILURE = 12;

export interface TestFailure {
  /** Absolute path of the test file. */
  readonly file: string;
  /** Suites and test, or the suite whose hook threw; empty for a file that could not be loaded. */
  readonly name: string;
  /** As the test runner tells it, without colours. */
  readonly message: string;
}

/** A suite fails by itself when a hook of it throws; then its tests did not run and none of them says so. */
const failedByItself = (suite: TestSuite | TestModule): boolean => suite.errors().length > 0;

function isBelowFailure({ parent }: TestCase | TestSuite): boolean {
  return failedByItself(parent) || (parent.type === 'suite' && isBelowFailure(parent));
}

export function outcomeOf(modules: readonly TestModule[], unhandledErrors: number): TestOutcome {
  let passed = 0;
  let failed = unhandledErrors;
  let skipped = 0;
  const skippedByFile = new Map<string, number>();
  for (const module of modules) {
    if (failedByItself(module)) failed += 1;
    for (const suite of module.children.allSuites()) if (failedByItself(suite)) failed += 1;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') passed += 1;
      else if (state === 'skipped') {
        skipped += 1;
        if (isBelowFailure(test)) continue;
        skippedByFile.set(module.moduleId, (skippedByFile.get(module.moduleId) ?? 0) + 1);
      } else failed += 1;
    }
  }
  return { passed, failed, skipped, skippedByFile };
}

export function failuresOf(modules: readonly TestModule[]): readonly TestFailure[] {
  const failures: TestFailure[] = [];
  const add = (file: string, name: string, errors: readonly { readonly message: string }[]): void => {
    failures.push({ file, name, message: stripVTControlCharacters(errors.map(({ message }) => message).join('\n')) });
  };
  for (const module of modules) {
    const file = module.moduleId;
    if (failedByItself(module)) add(file, '', module.errors());
    for (const suite of module.children.allSuites())
      if (failedByItself(suite)) add(file, suite.fullName, suite.errors());
    for (const test of module.children.allTests()) {
      const { state, errors } = test.result();
      if (state === 'failed') add(file, test.fullName, errors);
    }
  }
  return failures;
}

/** A failure again at the end, where whoever has only the last lines of a long run finds it. */
export function failureLines(word: string, failures: readonly TestFailure[], root: string): readonly string[] {
  return failures.flatMap(({ file, name, message }) => {
    const [first = '', ...rest] = message.split('\n');
    const more = rest.slice(0, LINES_OF_A_FAILURE).map((line) => `  ${line}`);
    return [`${word}: ${[relative(root, file), name].filter((part) => part !== '').join(' > ')}: ${first}`, ...more];
  });
}

/** A part of the tests that ran once more counts as it ended the second time. */
export function afterSecondAttempt(
  modules: readonly TestModule[],
  again: readonly TestModule[],
): readonly TestModule[] {
  const files = new Set(again.map(({ moduleId }) => moduleId));
  return [...modules.filter(({ moduleId }) => !files.has(moduleId)), ...again];
}

/**
 * One line per missing part with the number of tests skipped for it. In CI each part is one failure, except test data that
 * lies beside the checkout: no installation brings it, so its absence counts only where there are corpora at all or `STRONGROOM_CORPORA`
 * promises them.
 */
export function skipReport(
  skippedByFile: ReadonlyMap<string, number>,
  missing: readonly MissingRecord[],
  inCi: boolean,
  corporaPromised: boolean = process.env['STRONGROOM_CORPORA'] !== undefined || existsSync(corporaFolder()),
): { readonly lines: readonly string[]; readonly failures: number } {
  const reasons = new Map<string, string>();
  const partsByFile = new Map<string, Set<string>>();
  for (const { file, part, reason } of missing) {
    reasons.set(part, reason);
    const parts = partsByFile.get(file) ?? new Set();
    partsByFile.set(file, parts.add(part));
  }
  const counts = new Map<string, number>([...reasons.keys()].map((part) => [part, 0]));
  let unexplained = 0;
  for (const [file, count] of skippedByFile) {
    const parts = partsByFile.get(file);
    if (parts === undefined) unexplained += count;
    for (const part of parts ?? []) counts.set(part, (counts.get(part) ?? 0) + count);
  }
  const lines = [...counts].map(([part, count]) => `skipped ${count} for want of ${part}: ${reasons.get(part)}`);
  if (unexplained > 0) lines.push(`skipped ${unexplained} by a condition of the test itself`);
  const fatal = [...counts.keys()].filter((part) => corporaPromised || !part.startsWith('corpora:'));
  if (inCi && fatal.length > 0) lines.push(`With CI=true a missing part is a failure: ${fatal.join(', ')}.`);
  return { lines, failures: inCi ? fatal.length : 0 };
}

export function closingLine({ passed, failed, skipped }: TestOutcome, moreFailures = 0): string {
  const skippedPart = skipped > 0 ? `, ${skipped} skipped` : '';
  return `${passed} passed, ${failed + moreFailures} failed${skippedPart}`;
}
