/** A function as one classic script. The same sources give the same bytes, wherever they lie. */
export interface Bundle {
  readonly script: Uint8Array
  /** Source map, version 3, with the sources' contents. */
  readonly sourceMap: Uint8Array
}
