const authoring = /(?:^|\/)runtime\/(?:src\/function\/authoring|dist)\//

/** Whether esbuild's path of an input is of an installed package, or of the authoring module. */
export function isPackageFile(path: string): boolean {
  return path.includes('node_modules/') || authoring.test(path)
}
