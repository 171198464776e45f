/** The import graph, read by dependency-cruiser (which needs the TypeScript 6 API, ARCHITECTURE.md "Toolchain"). */
import { cruise, type ICruiseResult, type IDependency, type IModule } from 'dependency-cruiser';
import type { ImportEdge } from './floors.ts';
import { hasFile, sourceFiles } from './workspace.ts';

export interface ImportGraph {
  /** Source files that were read, relative to the root. */
  readonly files: ReadonlySet<string>;
  readonly edges: readonly ImportEdge[];
  /** Each cycle as the files on it, in order. */
  readonly cycles: readonly (readonly string[])[];
}

const kindOf = (dependency: IDependency): ImportEdge['kind'] => {
  if (dependency.coreModule) return 'node';
  if (dependency.couldNotResolve) return 'unresolved';
  return dependency.resolved.includes('node_modules/') ? 'npm' : 'file';
};

const edgesOf = (module: IModule): readonly ImportEdge[] =>
  module.dependencies.map((dependency) => ({
    from: module.source,
    to: dependency.resolved,
    specifier: dependency.module,
    kind: kindOf(dependency),
    typeOnly: dependency.dependencyTypes.includes('type-only'),
  }));

export async function readImportGraph(root: string): Promise<ImportGraph> {
  const folders = ['packages', 'apps', 'tools/testing/src'].filter((folder) => hasFile(root, folder));
  const { output } = await cruise(
    folders,
    {
      baseDir: root,
      exclude: { path: '(^|/)dist/' },
      doNotFollow: { path: 'node_modules' },
      moduleSystems: ['es6'],
      // Sees type-only imports, which are gone after compilation: cycles among types count.
      tsPreCompilationDeps: true,
      validate: true,
      ruleSet: { forbidden: [{ name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } }] },
    },
    {
      conditionNames: ['source', 'node', 'import', 'default'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.tsx', '.mts', '.mjs', '.js'],
    },
  );
  const { modules, summary } = output as ICruiseResult;
  const cycles = summary.violations
    .filter((violation) => violation.type === 'cycle')
    .map((violation) => [violation.from, ...(violation.cycle ?? []).map((step) => step.name)]);
  return {
    files: new Set(
      modules.map((module) => module.source).filter((file) => /^(packages|apps|tools)\/.*\.tsx?$/.test(file)),
    ),
    edges: modules.flatMap(edgesOf),
    cycles: withoutRotations(cycles),
  };
}

/** A cycle is reported once from each file on it. */
function withoutRotations(cycles: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const unique = new Map(cycles.map((cycle) => [[...new Set(cycle)].toSorted().join('\n'), cycle]));
  return [...unique.values()];
}

/** Source files that the graph did not see. A tool that cannot read TypeScript sees none and is content: this is what notices. */
export function unseenFiles(root: string, graph: ImportGraph): readonly string[] {
  return sourceFiles(root).filter((file) => !graph.files.has(file));
}
