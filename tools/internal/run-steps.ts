import type { Step, StepResult } from './step.ts';

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

async function runStep({ name, run }: Step, root: string): Promise<StepResult & { readonly took: string }> {
  const started = performance.now();
  try {
    return { ...(await run(root)), took: seconds(started) };
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { ok: false, line: `the step "${name}" itself broke`, details: message.split('\n'), took: seconds(started) };
  }
}

/**
 * Runs all steps in order, whatever fails, one line each. What is wrong is told at the end, where it is read, and the very last line
 * counts the steps.
 */
export async function runSteps(
  steps: readonly Step[],
  root: string,
  say: (line: string) => void,
  withFigures = false,
): Promise<{ readonly passed: number; readonly failed: number }> {
  const failures: { readonly name: string; readonly result: StepResult }[] = [];
  for (const step of steps) {
    const result = await runStep(step, root);
    say(`${result.ok ? 'ok  ' : 'FAIL'}  ${step.name.padEnd(18)} ${result.line} (${result.took})`);
    if (result.ok && withFigures) say(`figure: ${result.line}`);
    if (!result.ok) failures.push({ name: step.name, result });
  }
  for (const { name, result } of failures) {
    if (result.details === undefined) continue;
    say(`\n${name}: ${result.line}`);
    for (const detail of result.details) say(`  ${detail}`);
  }
  const passed = steps.length - failures.length;
  say(`${failures.length > 0 ? '\n' : ''}${passed} passed, ${failures.length} failed`);
  return { passed, failed: failures.length };
}
