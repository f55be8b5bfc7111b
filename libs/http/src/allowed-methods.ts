/** What is read of Express's router: its routes, each with the test for a path. */
interface Layer {
  readonly route?: { readonly methods: Record<string, boolean> };
  match(path: string): boolean;
}
interface Routed {
  readonly router?: { readonly stack: readonly Layer[] };
}

/** The methods that some route answers on this path; none where the path is unknown. */
export function allowedMethods(express: unknown, path: string): string[] {
  const stack = (express as Routed).router?.stack ?? [];
  const methods = new Set<string>();
  for (const layer of stack) {
    if (layer.route === undefined || !matches(layer, path)) continue;
    for (const method of Object.keys(layer.route.methods)) methods.add(method.toUpperCase());
  }
  if (methods.has('GET')) methods.add('HEAD');
  methods.delete('_ALL');
  return [...methods].sort();
}

/** Malformed escapes in the path make Express throw; such a path is no route's. */
function matches(layer: Layer, path: string): boolean {
  try {
    return layer.match(path);
  } catch {
    return false;
  }
}
