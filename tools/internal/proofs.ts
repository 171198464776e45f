/** docs/proofs.md as a program reads it: claims, the commands that prove them, and the figures they print. */

/** What a proof may be about: the rooms, by the names in ARCHITECTURE.md, and two that are no rooms. */
const proofNames = [
  'foundation',
  'encryption',
  'authentication',
  'authorization',
  'data-protection',
  'gdpr-compliance',
  'audit-log',
  'vulnerability-scanner',
  'input-validation',
  'rate-limiting',
  'compliance-reports',
  'incident-response',
  'memories',
  'console',
] as const;

export interface Proof {
  readonly name: string;
  readonly claim: string;
  /** Program and arguments, started in the repository's root without a shell. */
  readonly command: readonly string[];
  /** For the reader; in backticks it must also occur in a figure that the command prints. */
  readonly expected: string;
  readonly speed: 'fast' | 'slow';
}

const COLUMNS = ['name', 'claim', 'command', 'expected figure', 'speed'];

/** Splits at bars, except escaped ones. */
const cells = (line: string): readonly string[] =>
  line
    .trim()
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));

/** Words, and what single or double quotes hold together. */
export const splitCommand = (command: string): readonly string[] =>
  [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');

/** Every row of every table with the proofs' columns. Throws an Error that names the line when a row is not one. */
export function parseProofs(markdown: string): readonly Proof[] {
  const proofs: Proof[] = [];
  let inTable = false;
  for (const [index, line] of markdown.split('\n').entries()) {
    if (!line.trim().startsWith('|')) {
      inTable = false;
      continue;
    }
    const row = cells(line);
    if (row.join() === COLUMNS.join()) inTable = true;
    else if (inTable && !row.every((cell) => /^:?-+:?$/.test(cell))) proofs.push(toProof(row, index + 1));
  }
  return proofs;
}

function toProof(row: readonly string[], line: number): Proof {
  const wrong = (what: string): Error => new Error(`docs/proofs.md, line ${line}: ${what}`);
  const [name = '', claim = '', command = '', expected = '', speed = ''] = row;
  if (row.length !== COLUMNS.length) throw wrong(`a row has ${COLUMNS.length} cells, this one ${row.length}`);
  if (!proofNames.some((known) => known === name)) throw wrong(`"${name}" is none of ${proofNames.join(', ')}`);
  if (!/^`[^`]+`$/.test(command)) throw wrong('the command stands in backticks');
  if (claim === '' || expected === '') throw wrong('claim and expected figure are not empty');
  if (speed !== 'fast' && speed !== 'slow') throw wrong(`speed is fast or slow, not "${speed}"`);
  return { name, claim, command: splitCommand(command.slice(1, -1)), expected, speed };
}

/** The texts of the `figure: …` lines. */
export const figuresOf = (output: string): readonly string[] =>
  [...output.matchAll(/^figure: (.+)$/gm)].map((match) => (match[1] ?? '').trim());

export interface Verdict {
  readonly passed: boolean;
  readonly figure: string;
}

/** A proof holds when its command exits with 0 and prints a figure, and the expected one if it is given literally. */
export function judge(proof: Proof, code: number, output: string): Verdict {
  const figures = figuresOf(output);
  const literal = /^`([^`]+)`$/.exec(proof.expected)?.[1];
  const fitting = literal === undefined ? figures : figures.filter((figure) => figure.includes(literal));
  if (code !== 0) return { passed: false, figure: `exit code ${code}` };
  if (figures.length === 0) return { passed: false, figure: 'no "figure: …" line printed' };
  if (fitting.length === 0) return { passed: false, figure: figures.join('; ') };
  return { passed: true, figure: fitting.join('; ') };
}

/** Which proofs to run, and which of the wished names have none to offer. */
export function selectProofs(
  proofs: readonly Proof[],
  names: readonly string[],
  all: boolean,
): { readonly chosen: readonly Proof[]; readonly complaints: string[] } {
  const complaints = names.flatMap((name) => {
    if (!proofNames.some((known) => known === name)) return [`"${name}" is none of ${proofNames.join(', ')}`];
    const own = proofs.filter((proof) => proof.name === name);
    if (own.length === 0) return [`${name} has no proof yet`];
    if (!all && own.every(({ speed }) => speed === 'slow')) return [`${name} has only slow proofs: add --all`];
    return [];
  });
  const chosen = proofs.filter(
    ({ name, speed }) => (names.length === 0 || names.includes(name)) && (all || speed === 'fast'),
  );
  if (names.length === 0 && chosen.length === 0) complaints.push('docs/proofs.md lists no proof');
  return { chosen, complaints };
}
