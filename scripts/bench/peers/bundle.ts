import { buildSync } from 'esbuild'

/**
 * Bundles a module with all it imports for a place that cannot resolve imports.
 *
 * @throws Error when it does not build
 */
export function bundle(
  entry: string,
  target: { readonly format: 'esm' } | { readonly format: 'iife'; readonly globalName: string },
): string {
  const { outputFiles } = buildSync({
    entryPoints: [entry],
    bundle: true,
    write: false,
    target: 'es2024',
    logLevel: 'warning',
    ...target,
  })
  return outputFiles[0]?.text ?? ''
}
