import { forbidden, nodeInBrowsers } from './floors.ts';
import { readImportGraph, unseenFiles } from './import-graph.ts';
import { byProblems, type Step, type StepResult } from './step.ts';

/** Imports point down only, no cycle (types included), packages are entered by their front door, and every file was seen. */
export async function checkFloors(root: string): Promise<StepResult> {
  const graph = await readImportGraph(root);
  const problems = [
    ...unseenFiles(root, graph).map((file) => `${file} was not seen: the import graph is incomplete`),
    ...graph.edges.flatMap((edge) => {
      const reason = forbidden(edge);
      return reason === undefined ? [] : [`${edge.from} imports ${edge.specifier}: ${reason}`];
    }),
    ...nodeInBrowsers(graph.edges).map(
      ({ from, specifier }) => `${from} imports ${specifier}, but browsers load it: Node's modules only in *-node.ts`,
    ),
    ...graph.cycles.map((cycle) => `import cycle: ${cycle.join(' → ')}`),
  ];
  if (graph.files.size === 0) problems.push('no module was seen');
  return byProblems(problems, `${graph.files.size} modules, ${graph.edges.length} imports, no cycle`);
}

export const floorsStep: Step = { name: 'floors and cycles', run: checkFloors };
