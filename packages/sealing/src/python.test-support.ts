/** Programs of docs/format/, run with Python as somebody else would. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const python = (parameters: readonly string[], input: unknown) =>
  spawnSync('python3', ['-B', ...parameters], { input: JSON.stringify(input), encoding: 'utf8', timeout: 30_000 });

export interface ProgramRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program as a whole for each input, with the streams that a process of its own would have. */
const RUN_FOR_EACH = `
import contextlib, io, json, runpy, sys
runs = []
for given in json.load(sys.stdin):
    sys.stdin = io.StringIO(json.dumps(given))
    status, out, err = 0, io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            runpy.run_path(sys.argv[1], run_name="__main__")
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
            if isinstance(end.code, str):
                print(end.code, file=sys.stderr)
    runs.append({"status": status, "stdout": out.getvalue(), "stderr": err.getvalue()})
json.dump(runs, sys.__stdout__)
`;

/** A run of `docs/format/<name>` for each input. In one process: Python and its libraries take longer to start than the programs to run. */
export function runFormatProgram(name: string, inputs: readonly unknown[]): readonly ProgramRun[] {
  const path = fileURLToPath(new URL(`../../../docs/format/${name}`, import.meta.url));
  const { stdout, stderr } = python(['-c', RUN_FOR_EACH, path], inputs);
  if (stderr !== '') throw new Error(stderr);
  return JSON.parse(stdout) as readonly ProgramRun[];
}
