/** `/v1/spaces/{space}`: fixed segments and named parameters, each parameter one whole segment. */

export interface PathTemplate {
  readonly segments: readonly { readonly fixed: string | null }[];
  readonly parameters: readonly string[];
  /** The template with its parameters unnamed: two templates that match the same addresses have the same shape. */
  readonly shape: string;
}

const FIXED = /^[A-Za-z0-9._~-]+$/;
const PARAMETER = /^\{([a-z][A-Za-z0-9]*)\}$/;

/** `undefined` when the text is no template. */
export function parsePathTemplate(path: string): PathTemplate | undefined {
  if (path === '/') return { segments: [{ fixed: '' }], parameters: [], shape: '/' };
  if (!path.startsWith('/')) return undefined;
  const segments: { fixed: string | null }[] = [];
  const parameters: string[] = [];
  for (const segment of path.slice(1).split('/')) {
    const parameter = PARAMETER.exec(segment)?.[1];
    if (parameter === undefined && !FIXED.test(segment)) return undefined;
    if (parameter !== undefined) parameters.push(parameter);
    segments.push({ fixed: parameter === undefined ? segment : null });
  }
  return { segments, parameters, shape: `/${segments.map(({ fixed }) => fixed ?? '{}').join('/')}` };
}

/** Whether a path as it came over the wire (without query) has the template's shape. */
export function matchesTemplate(template: PathTemplate, path: string): boolean {
  const segments = path.slice(1).split('/');
  return (
    segments.length === template.segments.length &&
    template.segments.every(({ fixed }, index) => (fixed === null ? segments[index] !== '' : fixed === segments[index]))
  );
}
